"""What makes a finding the same after lines have moved: its code, its file, and the words of its line."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from maestro_dsl.diagnostics import Diagnostic

_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_LENGTH: Final = 16


class SourceLines:
    """The lines of texts by file, split where the language breaks lines, and only once they are asked for."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._sources = sources
        self._split: dict[str, list[str]] = {}

    def line(self, file: str, number: int) -> str | None:
        """Return one line (from 1) without its end, or None where it is not known."""
        if file not in self._split:
            self._split[file] = _LINE_END.split(self._sources[file]) if file in self._sources else []
        lines = self._split[file]
        return lines[number - 1] if 1 <= number <= len(lines) else None


def content_of(finding: Diagnostic, lines: SourceLines) -> str:
    """Return a digest of the code and the words of the line; of the message where the line is not known."""
    line = lines.line(finding.span.file, finding.span.line)
    words = " ".join(line.split()) if line is not None else finding.message
    return _digest(finding.code, words)


def fingerprints(findings: Iterable[Diagnostic], sources: Mapping[str, str]) -> list[str]:
    """Return a fingerprint for each finding; no two are equal, equal lines are told apart by their order."""
    lines, seen = SourceLines(sources), Counter[str]()
    made = []
    for finding in findings:
        same = _digest(finding.span.file, content_of(finding, lines))
        made.append(_digest(same, str(seen[same])))
        seen[same] += 1
    return made


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[: 2 * _LENGTH]
