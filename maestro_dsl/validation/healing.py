"""Mends what needs no judgement, before another attempt is paid for. Deterministic and free.

Each healer returns the text unchanged where it does not apply. What was done is named, so that it can be
recorded; nothing is ever guessed about meaning.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Final

from maestro_dsl.diagnostics import Severity
from maestro_dsl.lang.source import Profile, load

_FENCE: Final = re.compile(r"\A\s*(`{3,}|~{3,})[^\n`]*\n(?P<body>.*?)\n?\1\s*\Z", re.DOTALL)
_LOOSE_VALUE: Final = re.compile(r"([ -]*[\w.-]+: +)([A-Za-z0-9][^\"\\#]*: [^\"\\#]*?) *")
_MOST_LINES: Final = 50
_TRAILING_COMMA: Final = re.compile(r",(\s*[}\]])")

Healer = Callable[[str, str], str]


def _strip_fences(_path: str, text: str) -> str:
    wrapped = _FENCE.match(text)
    return wrapped["body"] + "\n" if wrapped else text


def _strip_byte_order_mark(_path: str, text: str) -> str:
    return text.removeprefix("\ufeff")


def _unix_newlines(_path: str, text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _final_newline(_path: str, text: str) -> str:
    return text + "\n" if text and not text.endswith("\n") else text


def _repair_json(path: str, text: str) -> str:
    """Drop trailing commas, only where that turns the text into valid JSON."""
    if not path.endswith(".json") or _is_json(text):
        return text
    repaired = _TRAILING_COMMA.sub(r"\1", text)
    return repaired if _is_json(repaired) else text


def _repair_yaml(path: str, text: str) -> str:
    """Quote a value with ": " in it where the parser stops there, only if that makes the text valid YAML."""
    if not path.endswith((".yaml", ".yml")):
        return text
    lines = text.split("\n")
    for _ in range(_MOST_LINES):
        place = _broken_line(path, "\n".join(lines))
        if place is None:
            return "\n".join(lines)
        loose = _LOOSE_VALUE.fullmatch(lines[place]) if place < len(lines) else None
        if loose is None:
            break
        lines[place] = f'{loose[1]}"{loose[2]}"'
    return text


def _broken_line(path: str, text: str) -> int | None:
    found = load(text, path, profile=Profile.INTERFACE).diagnostics
    return next((item.span.line - 1 for item in found if item.severity is Severity.ERROR), None)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


HEALERS: Final[Mapping[str, Healer]] = {
    "removed a byte order mark": _strip_byte_order_mark,
    "unified line ends": _unix_newlines,
    "stripped a code fence": _strip_fences,
    "repaired JSON": _repair_json,
    "quoted values in YAML": _repair_yaml,
    "added a final newline": _final_newline,
}


def heal(files: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the mended files and what was done, e.g. "index.html: stripped a code fence"."""
    healed: dict[str, str] = {}
    done: list[str] = []
    for path, text in files.items():
        current = text
        for what, healer in HEALERS.items():
            mended = healer(path, current)
            if mended != current:
                done.append(f"{path}: {what}")
                current = mended
        healed[path] = current
    return healed, tuple(done)
