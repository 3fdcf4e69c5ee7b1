"""Chooses among declared answers and media types, and words the answers that a contract does not declare.

Order as in Prism, for which a public suite of cases exists. Pure functions over the model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from maestro_dsl.interfaces.openapi.markup import is_xml
from maestro_dsl.interfaces.openapi.model import Media, Operation, Response

PROBLEM = "application/problem+json"
_WORDED = ("message", "detail", "error_description", "error", "title", "description")
_STATUS_NAMES = ("status", "statusCode", "status_code", "code")
_ERROR = 400
PHRASES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    500: "Internal Server Error",
    502: "Bad Gateway",
    504: "Gateway Timeout",
}
_OTHER_REFUSALS = (405, 406, 409, 412)
_BAD_INPUT = re.compile(r"\b(?:invalid|validation|malformed|bad request|incorrect)\b", re.IGNORECASE)
_IN_ADDRESS = re.compile(r"(?:path|query) parameter ")
_PREFERENCE = re.compile(r"""\s*([A-Za-z]+)\s*=\s*(?:"([^"]*)"|([^,;\s]*))""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is sent back; `body` is a JSON value where `media_type` is JSON, else a text, None for nothing."""

    status: int
    body: Any = None
    media_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    operation: Operation | None = None
    violations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """What the caller asks for; `is_dynamic` wants made values where the contract has examples."""

    code: str | None = None
    example: str | None = None
    is_dynamic: bool = False

    @property
    def is_any(self) -> bool:
        """True where anything is asked for."""
        return self.code is not None or self.example is not None or self.is_dynamic


_NO_PREFERENCE = Preference()


def preference(header: str, query: Iterable[tuple[str, str]] = ()) -> Preference:
    """Read a `Prefer` header such as `code=404, example=gone`, and `?__code=404` as Prism does."""
    found = {name[2:]: text for name, text in query if name.startswith("__")}
    for hit in _PREFERENCE.finditer(header):
        found[hit[1].lower()] = hit[2] if hit[2] is not None else hit[3]
    if not found:
        return _NO_PREFERENCE
    return Preference(
        code=found.get("code") or None,
        example=found.get("example") or None,
        is_dynamic=found.get("dynamic") == "true",
    )


def for_status(operation: Operation, status: int, *, default: bool = True) -> Response | None:
    """Return the answer declared for a status: exactly, as a range, or by default."""
    keys = (str(status), f"{status // 100}XX", *(("default",) if default else ()))
    return next((operation.responses[key] for key in keys if key in operation.responses), None)


def for_stranger(operation: Operation) -> tuple[int, Response | None]:
    """Return status and declared answer for a request without credentials: 401, else a declared 403."""
    if "401" not in operation.responses and "403" in operation.responses:
        return 403, operation.responses["403"]
    return 401, for_status(operation, 401)


def for_bad_request(
    operation: Operation, *, malformed: bool, violations: Iterable[str]
) -> tuple[int, Response | None]:
    """Return status and declared answer for a request that does not match the contract.

    Where nothing else is declared, an address with a wrong value in it leads to the declared 404.
    """
    exact = (400, 422) if malformed else (422, 400)
    for status in (*exact, described_refusal(operation)):
        if str(status) in operation.responses:
            return int(status), operation.responses[str(status)]
    response = operation.responses.get("4XX") or operation.responses.get("default")
    if response is None and all(_IN_ADDRESS.match(text) for text in violations):
        response = operation.responses.get("404")
        return (exact[0], None) if response is None else (404, response)
    return exact[0], response


def described_refusal(operation: Operation) -> int:
    """Return another 4xx that is declared for bad input, such as 405 "Invalid input"; 0 for none."""
    return next(
        (
            status
            for status in _OTHER_REFUSALS
            if str(status) in operation.responses
            and _BAD_INPUT.search(operation.responses[str(status)].description)
        ),
        0,
    )


def for_failure(operation: Operation) -> tuple[int, Response | None]:
    """Return status and declared answer of a provider that fails: the lowest 5xx, its range, else default."""
    exact = sorted(key for key in operation.responses if key[0] == "5" and key.isdigit())
    if exact:
        return int(exact[0]), operation.responses[exact[0]]
    return 500, operation.responses.get("5XX") or operation.responses.get("default")


def acceptable(content: Mapping[str, Media], accept: str) -> list[Media]:
    """Return the media types that an `Accept` header allows, best first; all of them where it is empty."""
    if not accept.strip():
        return sorted(content.values(), key=lambda media: not media.is_json)
    ranges = [_range(part) for part in accept.split(",") if part.strip()]
    scored: list[tuple[float, int, bool, int, Media]] = []
    for order, media in enumerate(content.values()):
        bare = media.media_type.partition(";")[0].strip().lower()
        fits = [
            (specific, quality, -place)
            for place, (kind, quality) in enumerate(ranges)
            if (specific := _covers(kind, bare)) > 0
        ]
        if fits:
            _, quality, place = max(fits)
            if quality > 0:
                scored.append((-quality, -place, _is_late(media), order, media))
    return [entry[4] for entry in sorted(scored, key=lambda entry: entry[:4])]


def _is_late(media: Media) -> bool:
    """Return whether JSON goes first where the caller has no wish: XML of our making remembers nothing."""
    return is_xml(media.media_type) and not media.examples


def _range(part: str) -> tuple[str, float]:
    kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = 1.0
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                quality = float(parameter[2:])
            except ValueError:
                quality = 0.0
    return kind, quality


def _covers(kind: str, bare: str) -> int:
    """Return 0 for no, else how specific the range is."""
    if bare in {kind, "*/*"}:
        return 3
    if kind.endswith("/*") and kind != "*/*":
        return 2 if bare.startswith(kind[:-1]) else 0
    if bare.endswith("/*"):
        return 2 if kind.startswith(bare[:-1]) else 0
    return 1 if kind in {"*/*", "*"} else 0


def problem(status: int, detail: str, *, violations: Iterable[str] = (), **more: Any) -> Answer:
    """Return an answer that the contract does not declare, as RFC 9457 problem details."""
    found = tuple(violations)
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": PHRASES[status],
        "status": status,
        "detail": detail,
    }
    if found:
        body["violations"] = list(found)
    return Answer(status=status, body=body, media_type=PROBLEM, violations=found, **more)


def worded(sample: Any, status: int, reason: str) -> list[tuple[str, Any]]:
    """Return the properties of a declared error's body that say why, with what they should say."""
    if not isinstance(sample, dict) or status < _ERROR:
        return []
    changes: list[tuple[str, Any]] = []
    changes += [
        (name, status)
        for name in _STATUS_NAMES
        if isinstance(sample.get(name), int) and not isinstance(sample[name], bool)
    ]
    named = next((name for name in _WORDED if isinstance(sample.get(name), str)), None)
    if named is not None:
        changes.append((named, reason))
    if isinstance(sample.get("code"), str) and status in PHRASES:
        changes.append(("code", PHRASES[status].lower().replace(" ", "_")))
    return changes


def header_text(violations: Iterable[str]) -> str:
    """Return reasons as one line that is safe in a header."""
    text = "; ".join(violations)
    return "".join(char if " " <= char <= "~" else "?" for char in text)[:500]
