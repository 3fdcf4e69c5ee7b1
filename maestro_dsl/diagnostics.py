"""Findings about users' documents as plain values: where, what is wrong, what is allowed, how to mend it.

Rendering (text with caret, JSON, SARIF …) lives in `maestro_dsl.reporters`; this module knows no output.
Lines and columns count from 1; columns are Unicode code points.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Severity(StrEnum):
    """How bad a finding is, worst first."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


_RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A range of one file: from (`line`, `column`) up to but not including (`end_line`, `end_column`)."""

    file: str
    line: int = 1
    column: int = 1
    end_line: int = 1
    end_column: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """Another place that helps to understand a finding, e.g. "first defined here"."""

    span: Span
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Replace the text of `span` by `replacement`."""

    span: Span
    replacement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """Edits that mend a finding; `safe` means the document keeps its meaning."""

    title: str
    edits: tuple[Edit, ...]
    safe: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One finding: a stable code and name, a position on the token itself, a sentence and a way out."""

    code: str
    name: str
    severity: Severity
    span: Span
    message: str
    help: str | None = None
    related: tuple[Related, ...] = ()
    fix: Fix | None = None

    @property
    def sort_key(self) -> tuple[str, int, int, int, str, str]:
        """Order of reports: file, position, severity, code, message."""
        span = self.span
        return (span.file, span.line, span.column, _RANK[self.severity], self.code, self.message)


@dataclass(slots=True)
class Diagnostics:
    """A growing set of findings; iteration is sorted by position and free of duplicates."""

    items: list[Diagnostic] = field(default_factory=list)

    def add(self, diagnostic: Diagnostic) -> None:
        """Append one finding."""
        self.items.append(diagnostic)

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Append several findings."""
        self.items.extend(diagnostics)

    @property
    def has_errors(self) -> bool:
        """True where at least one finding is an error."""
        return any(item.severity is Severity.ERROR for item in self.items)

    def count(self, severity: Severity) -> int:
        """Return how many distinct findings have this severity."""
        return sum(1 for item in self if item.severity is severity)

    def __iter__(self) -> Iterator[Diagnostic]:
        unique = {(item.code, item.span, item.message): item for item in reversed(self.items)}
        return iter(sorted(unique.values(), key=lambda item: item.sort_key))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        return bool(self.items)
