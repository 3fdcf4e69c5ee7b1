"""Words the reasons of an answer as one header, in the form that clients of Prism read (`sl-violations`).

`emit_mock_server.js` holds the same rules.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

HEADER = "sl-violations"
_MOST = 5
_LONGEST = 200
_PARAMETER = re.compile(r"(path|query|header|cookie) parameter (.*?)(?: is |: )", re.DOTALL)


def of_violations(violations: Iterable[str]) -> str:
    """Return what a request does wrong."""
    return _text(
        _entry(
            _location(text), "Error", "required" if text.endswith("is missing") else "invalid", _message(text)
        )
        for text in violations
    )


def of_deprecated(parameters: Iterable[tuple[str, str]]) -> str:
    """Return which deprecated parameters a request sends, each given by place and name."""
    return _text(
        _entry(
            ["request", place, name],
            "Warning",
            "deprecated",
            _message(f"{place} parameter {name} is deprecated"),
        )
        for place, name in parameters
    )


def of_credentials(reason: str, status: int) -> str:
    """Return why a request is 401, or 403."""
    return _text([_entry(["request"], "Error", status, reason)])


def _location(text: str) -> list[str]:
    found = _PARAMETER.match(text)
    return ["request", "body"] if found is None else ["request", found[1], found[2]]


def _message(text: str) -> str:
    return text[:_LONGEST]


def _entry(location: list[str], severity: str, code: str | int, message: str) -> dict[str, Any]:
    return {"location": location, "severity": severity, "code": code, "message": message}


def _text(entries: Iterable[dict[str, Any]]) -> str:
    """Return JSON in the characters that a header may hold."""
    return json.dumps(list(entries)[:_MOST], separators=(",", ":")).replace("\x7f", "\\u007f")
