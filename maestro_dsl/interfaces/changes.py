"""What differs between two versions of an interface, and what that means for those who use it.

The kinds of interface make these values; rendering them is for `maestro_dsl.reporters`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from maestro_dsl.diagnostics import Span


class Level(StrEnum):
    """What a change does to a consumer that was built on the old version, worst first."""

    BREAKING = "breaking"
    DANGEROUS = "dangerous"
    """It may break a consumer that reads more into the old version than it says."""
    SAFE = "safe"


RANK = {level: number for number, level in enumerate(Level)}
"""0 is the worst."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference: a stable id, where it is, a sentence and a way out."""

    id: str
    level: Level
    operation: str
    """"GET /pets/{id}", "webhook newPet POST", a GraphQL type or field, or "" for the whole interface."""
    where: str
    """The part of the operation, e.g. 'query parameter "limit"' or "response 200 application/json"."""
    path: str
    """The way into the value, e.g. "items[].name"; "" for all of it."""
    message: str
    hint: str | None = None
    operation_id: str | None = None
    old: Span | None = None
    new: Span | None = None

    @property
    def sort_key(self) -> tuple[int, str, str, str, str, str]:
        """Order of reports: level, operation, part, path, id, sentence."""
        return (RANK[self.level], self.operation, self.where, self.path, self.id, self.message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All changes between two versions, sorted; the versions as the documents state them."""

    changes: tuple[Change, ...]
    old_version: str | None = None
    new_version: str | None = None

    @property
    def worst(self) -> Level | None:
        """The worst level among the changes; None where nothing changed."""
        return min((item.level for item in self.changes), key=RANK.__getitem__, default=None)

    def count(self, level: Level) -> int:
        """Return how many changes have this level."""
        return sum(1 for item in self.changes if item.level is level)
