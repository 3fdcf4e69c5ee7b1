"""How a text is written as a YAML scalar: without quotes where every reader takes it for that text.

Stricter than YAML: what readers of 1.1 and 1.2 take for something else gets quotes. Knows no documents.
"""

from __future__ import annotations

import re
from typing import Final

from maestro_dsl.lang.late import pattern
from maestro_dsl.lang.scalars import is_ambiguous, resolve

_NUMBER: Final = pattern(
    r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?|0[ox].*", re.ASCII
)
_OTHER_MEANINGS: Final = frozenset({"y", "Y", "n", "N", "=", "<<"})
_START: Final = pattern(r"[^\s\-?:,\[\]{}#&*!|>'\"%@`]|-[^\s\-?:,\[\]{}#]|--[0-9A-Za-z]")
_BREAKING: Final = (
    r":(?:[\s]|$)|\s#"
    r"|[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
"""Compiled when a text is written: the table of the set takes 2 ms of every start."""
_FLOW: Final = frozenset(",[]{}?:")
_LINE_SEPARATORS: Final = frozenset("\x85\u2028\u2029\ufeff")
_NAMED_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}
_BYTE: Final = 0xFF
_PLANE: Final = 0xFFFF


def written(value: str, *, in_flow: bool = False) -> str:
    """Return `value` as a scalar on one line with as few quotes as possible."""
    return value if can_be_plain(value, in_flow=in_flow) else quoted(value)


def quoted(value: str) -> str:
    """Return `value` in quotes: double ones, or single ones where that saves escapes."""
    if _is_printable(value):
        if '"' not in value and "\\" not in value:
            return f'"{value}"'
        return "'" + value.replace("'", "''") + "'"
    return double_quoted(value)


def double_quoted(value: str) -> str:
    """Return `value` in double quotes on one line, with an escape for everything that needs one."""
    return '"' + "".join(map(_escaped, value)) + '"'


def can_be_plain(value: str, *, in_flow: bool = False) -> bool:
    """Return whether every reader takes `value` without quotes for this very text."""
    if not value or value != value.strip() or is_misread(value) or value in _OTHER_MEANINGS:
        return False
    if not _START.match(value) or re.search(_BREAKING, value) or value.startswith(("---", "...")):
        return False
    return not (in_flow and _FLOW.intersection(value))


def is_misread(value: str) -> bool:
    """Return whether a reader may take the text `value`, where it has no quotes, for something else."""
    if not isinstance(resolve(value), str) or is_ambiguous(value):
        return True
    return _NUMBER.fullmatch(value) is not None


def _is_printable(value: str) -> bool:
    return all(char.isprintable() or char == " " for char in value) and not _LINE_SEPARATORS.intersection(
        value
    )


def _escaped(char: str) -> str:
    if char in _NAMED_ESCAPES:
        return _NAMED_ESCAPES[char]
    if char.isprintable() and char not in _LINE_SEPARATORS:
        return char
    code = ord(char)
    if code <= _BYTE:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= _PLANE else f"\\U{code:08x}"
