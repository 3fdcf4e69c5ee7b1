"""Findings about users' documents as plain values: where, what is wrong, what is allowed, how to mend it.

Rendering (text with caret, JSON, SARIF …) lives in `maestro_dsl.reporters`; this module knows no output.
Lines and columns count from 1; columns are Unicode code points. Who finds asks for no more of one rule in one
file than `limit` says, so that a file full of mistakes costs no more than one with some.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import field
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Final

from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


MOST: Final = 200
"""Findings of one rule in one file; the next says that there are more."""
MANY: Final = 10_000
"""The same where all findings are needed: to mend, and to compare with a baseline or a revision."""
_LIMIT: Final[ContextVar[int]] = ContextVar("findings of one rule in one file", default=MOST)


def limit() -> int:
    """Return how many findings of one rule in one file are looked for now."""
    return _LIMIT.get()


@contextmanager
def up_to(count: int) -> Iterator[None]:
    """Let so many findings of one rule in one file be looked for inside the block."""
    token = _LIMIT.set(count)
    try:
        yield
    finally:
        _LIMIT.reset(token)


def limited(found: Iterable[Diagnostic], *, rules: int = 1) -> Iterator[Diagnostic]:
    """Yield what so many rules find in one file, and stop looking once one of them must be past its limit."""
    return islice(found, rules * (limit() + 1))


class Quota:
    """How many findings each rule has made in one file, for who stops making them past the limit."""

    def __init__(self) -> None:
        self._made: Counter[str] = Counter()

    def __getitem__(self, code: str) -> int:
        """Return how many findings of a rule have been asked for."""
        return self._made[code]

    def has_room(self, code: str) -> bool:
        """Count one more finding of a rule, and return whether it is of use."""
        self._made[code] += 1
        return self._made[code] <= limit() + 1


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
    is_more: bool = False
    """True of the last one of its rule in its file: it says that there are more than are looked for."""

    @property
    def sort_key(self) -> tuple[str, int, int, int, str, str]:
        """Order of reports: file, position, severity, code, message."""
        span = self.span
        return (span.file, span.line, span.column, _RANK[self.severity], self.code, self.message)


@dataclass(slots=True)
class Diagnostics:
    """A growing set of findings; iteration is sorted by position and free of duplicates."""

    items: list[Diagnostic] = field(default_factory=list)
    _counted: int = field(default=0, repr=False, compare=False)
    _places: dict[tuple[str, str], set[tuple[Span, str]]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def add(self, diagnostic: Diagnostic) -> None:
        """Append one finding."""
        self.items.append(diagnostic)

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Append several findings."""
        self.items.extend(diagnostics)

    def has_room(self, code: str, file: str) -> bool:
        """Return whether one more finding of a rule in a file is of use: for the limit, or to say "more"."""
        for item in self.items[self._counted :]:
            self._places.setdefault((item.code, item.span.file), set()).add((item.span, item.message))
        self._counted = len(self.items)
        return len(self._places.get((code, file), ())) <= limit()

    def shortened(self) -> Diagnostics:
        """Return the first findings of each rule in each file up to the limit, then one that says "more"."""
        most = limit()
        if len(self.items) <= most:
            return self
        counts: Counter[tuple[str, str]] = Counter()
        kept: list[Diagnostic] = []
        more: dict[tuple[str, str], Diagnostic] = {}
        for item in self:
            key = (item.code, item.span.file)
            counts[key] += not item.is_more
            if item.is_more:
                more.setdefault(key, item)
            elif counts[key] <= most:
                kept.append(item)
            elif counts[key] == most + 1:
                more[key] = _more_than(most, item)
        return Diagnostics([*kept, *more.values()])

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


def _more_than(count: int, beyond: Diagnostic) -> Diagnostic:
    """Return the finding that stands in the place of `beyond` and of all after it."""
    return Diagnostic(
        code=beyond.code,
        name=beyond.name,
        severity=beyond.severity,
        span=beyond.span,
        message=f"more of {beyond.name} from here on: the first {count:,} of this file are listed, no others",
        help="mend these and lint again, or leave the rule out for this file (lint.per_path)",
        is_more=True,
    )
