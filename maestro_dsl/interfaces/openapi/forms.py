"""Forms: urlencoded and multipart bodies as fields, and texts as the types that a schema wants.

Whether the fields are valid is for whoever asks.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote_plus

from maestro_dsl.interfaces.openapi import shapes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from maestro_dsl.interfaces.openapi.model import Api, Media

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
_RESERVED = re.compile(r"[/?#\[\]@!$&'()*+,;=]")
_DELIMITERS = {"form": ",", "spaceDelimited": " ", "pipeDelimited": "|"}
_BOUNDARY = re.compile(r';\s*boundary=(?:"([^"]+)"|([^\s;"]+))', re.IGNORECASE)
_DEEP = re.compile(r"([^\[\]]+)\[([^\[\]]+)\]")
_FIELD = re.compile(r'content-disposition:[^\r\n]*;\s*name="([^"\r\n]*)"', re.IGNORECASE)


def coerce(api: Api, schema: Any, text: str) -> Any:
    """Return `text` as the type that `schema` wants, or as it is where it does not look like one."""
    return as_kind(shapes.type_of(api, schema), text)


def as_kind(kind: str, text: str) -> Any:
    """Return `text` as a value of the type `kind`, or as it is where it does not look like one."""
    if kind == "integer" and text.removeprefix("-").isdecimal() and text.isascii():
        return int(text)
    if kind in {"number", "integer"}:
        try:
            number = float(text)
        except ValueError:
            return text
        plain = all(char in "0123456789+-.eE" for char in text)
        return number if plain and abs(number) != float("inf") else text
    if kind == "boolean" and text in {"true", "false"}:
        return text == "true"
    if kind == "null" and text in {"", "null"}:
        return None
    if kind == "object" and text.startswith("{"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return text


def guarded(media: Media) -> tuple[str, ...]:
    """Return the fields of a form whose encoding keeps the characters that URLs reserve for escapes."""
    return tuple(
        name
        for name, encoding in media.encoding.items()
        if isinstance(encoding, dict) and encoding.get("allowReserved") is not True
    )


def reserved(media: Media, body: bytes) -> list[str]:
    """Return a sentence for each field of a form that holds reserved characters and may not."""
    text = _utf8(body)
    written = [part.partition("=") for part in text.split("&")]
    between = delimiters(media)
    return [
        f"body /{name}: reserved characters have to be percent-encoded"
        for name in guarded(media)
        if any(
            unquote_plus(key) == name and _RESERVED.search(value.replace(between.get(name, ""), ""))
            for key, _, value in written
        )
    ]


def delimiters(media: Media) -> dict[str, str]:
    """Return what stands between the items of the fields that the encoding writes into one text."""
    return {
        name: _DELIMITERS.get(str(encoding.get("style", "form")), ",")
        for name, encoding in media.encoding.items()
        if isinstance(encoding, dict) and encoding.get("explode") is False
    }


def reserved_parts(media: Media, fields: Iterable[tuple[str, str]]) -> list[str]:
    """Return a sentence for each part of a multipart form that may hold no reserved characters and does."""
    names = closed(media)
    return [
        f"body /{name}: reserved characters are not allowed"
        for name, value in fields
        if name in names and _RESERVED.search(value)
    ]


def closed(media: Media) -> tuple[str, ...]:
    """Return the fields whose encoding says in so many words that reserved characters are not allowed."""
    return tuple(
        name
        for name, encoding in media.encoding.items()
        if isinstance(encoding, dict) and encoding.get("allowReserved") is False
    )


def parts(content_type: str, body: bytes) -> list[tuple[str, str]] | None:
    """Return the fields of multipart/form-data, files as text too; None where the body is not that."""
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        return None
    mark = "--" + (boundary[1] or boundary[2])
    pieces = ("\r\n" + _utf8(body)).split("\r\n" + mark)
    if len(pieces) < 2 or not pieces[-1].startswith("--"):  # noqa: PLR2004 - what is before and after one mark
        return None
    found: list[tuple[str, str]] = []
    for piece in pieces[1:-1]:
        head, _, value = piece.partition("\r\n\r\n")
        name = _FIELD.search(head)
        if name is not None:
            found.append((name[1], value))
    return found


def pairs(body: bytes) -> list[tuple[str, str]]:
    """Return the names and texts of application/x-www-form-urlencoded, in order."""
    return parse_qsl(_utf8(body), keep_blank_values=True)


def _utf8(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def fields(api: Api, media: Media, texts: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return the fields of a form by name, as the types that the schema of `media` wants."""
    known = shapes.properties(api, media.schema)
    between = delimiters(media)
    found: dict[str, Any] = {}
    for written, text in texts:
        deep = _DEEP.fullmatch(written)
        name = written if deep is None else deep[1]
        schema = known.get(name, True)
        if deep is not None and shapes.type_of(api, schema) == "object":
            inner = shapes.properties(api, schema).get(deep[2], True)
            earlier = found.get(name)
            found[name] = earlier if isinstance(earlier, dict) else {}
            found[name][deep[2]] = coerce(api, inner, text)
            continue
        if shapes.type_of(api, schema) == "array":
            entry = shapes.items(api, schema)
            pieces = text.split(between[name]) if name in between else [text]
            found.setdefault(name, []).extend(
                coerce(api, True if entry is None else entry, piece) for piece in pieces
            )
        else:
            found[written] = coerce(api, known.get(written, True), text)
    return found
