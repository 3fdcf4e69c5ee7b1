"""Reads the request/response cases of Prism's test harness: a description, one curl command, an answer."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from maestro_dsl.interfaces.openapi.inputs import Request

if TYPE_CHECKING:
    from pathlib import Path

_SECTION = re.compile(r"^====([a-zA-Z-]+)====\r?$", re.MULTILINE)
_BOUNDARY = "case-boundary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What Prism answers; `body` is None where the case does not state one."""

    status: int
    headers: dict[str, str]
    body: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case; `is_loose` asks for the shape of the body and not its values."""

    spec: str
    request: Request
    expected: Expected
    is_loose: bool


def read_case(file: Path) -> Case:
    """The case of one file of the harness."""
    pieces = _SECTION.split(file.read_text("utf-8"))
    sections = dict(zip(pieces[1::2], pieces[2::2], strict=True))
    loose = "expect-loose" in sections
    return Case(
        spec=sections["spec"],
        request=_request(shlex.split(sections["command"].replace("\\\n", " "))),
        expected=_expected((sections["expect-loose"] if loose else sections["expect"]).strip()),
        is_loose=loose,
    )


def _expected(text: str) -> Expected:
    head, _, body = text.replace("\r\n", "\n").partition("\n\n")
    first, *lines = head.split("\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    return Expected(status=int(first.split()[1]), headers=headers, body=body.strip() or None)


def _request(words: list[str]) -> Request:  # noqa: C901, PLR0912 - one branch an option of curl
    method, url, data, is_head = "", "", "", False
    headers = {"accept": "*/*"}
    fields: list[str] = []
    rest = iter(words[1:])
    for word in rest:
        if word in {"-X", "--request"}:
            method = next(rest)
        elif word in {"-H", "--header"}:
            name, _, value = next(rest).partition(":")
            headers.pop(name.lower(), None)
            if value.strip():
                headers[name.lower()] = value.strip()
        elif word in {"-d", "--data"}:
            data = next(rest)
        elif word in {"-F", "--form"}:
            fields.append(next(rest))
        elif word == "--cookie":
            headers["cookie"] = next(rest)
        elif word in {"--head", "-I"}:
            is_head = True
        elif word == "-sIXGET":
            method = "GET"
        elif word == "--url":
            url = next(rest)
        elif not word.startswith("-"):
            url = word
    if fields:
        headers["content-type"] = f"multipart/form-data; boundary={_BOUNDARY}"
        data = "".join(map(_part, fields)) + f"--{_BOUNDARY}--\r\n"
    if data and "content-type" not in headers:
        headers["content-type"] = "application/x-www-form-urlencoded"
    parts = urlsplit(url)
    return Request(
        method=method or ("HEAD" if is_head else "POST" if data else "GET"),
        raw_path=quote(parts.path, safe="/%:;,=@!$&'()*+~") or "/",
        query_string=parts.query,
        headers=headers,
        body=data.encode(),
    )


def _part(field: str) -> str:
    name, _, value = field.partition("=")
    return f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
