"""Old spellings of keys and values, and the versions of the language that had them: one table, append-only.

Version v1alpha1 had the words of the first plans; v1 still understands them and says so (SCH006). Rewriting
is `migration`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from maestro_dsl.lang.model import Json, Kind
from maestro_dsl.records import dataclass

OLD_VERSIONS: Final = ("maestro/v1alpha1",)
"""Versions of the language that can be migrated, oldest first."""

Place: TypeAlias = tuple[str, ...]
"""Keys on the way to a mapping; * is every key or item."""
Rewrite: TypeAlias = Callable[[Json], str | None]
"""Returns a value's new text, or None where the value is none that the old key took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OldKey:
    """A key that had another name, and perhaps another form of its value."""

    kind: Kind
    place: Place
    old: str
    new: str
    rewrite: Rewrite | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OldValue:
    """A value of the last key of `place` that was spelled otherwise."""

    kind: Kind
    place: Place
    old: str
    new: str


def _with(unit: str) -> Rewrite:
    """Return a rewrite that puts a unit behind a number of at least 0."""

    def rewrite(value: Json) -> str | None:
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
        return f"{value}{unit}" if is_number else None

    return rewrite


def _keys(kind: Kind, place: Place, **names: str) -> tuple[OldKey, ...]:
    return tuple(OldKey(kind=kind, place=place, old=old, new=new) for old, new in names.items())


_NODE: Final = ("nodes", "*")
_MINUTES: Final = _with("m")
_DOLLARS: Final = _with(" USD")

KEYS: Final[tuple[OldKey, ...]] = (
    *_keys(Kind.PLAN, (), personas="team", pattern="blueprint", goal="requirement"),
    *_keys(Kind.PLAN, ("team", "*"), persona="use", budget="token_budget"),
    *_keys(Kind.PLAN, ("policies", "retry"), attempts="max_attempts"),
    *_keys(Kind.PLAN, ("execution",), parallelism="max_concurrency"),
    OldKey(kind=Kind.PLAN, place=("guardrails",), old="max_cost_usd", new="max_cost", rewrite=_DOLLARS),
    *_keys(Kind.BLUEPRINT, _NODE, depends_on="needs", for_each="foreach", condition="when", params="with"),
    *_keys(Kind.BLUEPRINT, (*_NODE, "retry"), attempts="max_attempts"),
    OldKey(kind=Kind.BLUEPRINT, place=_NODE, old="timeout_minutes", new="timeout", rewrite=_MINUTES),
    *_keys(Kind.CONTRACT, (), contract_type="type", provider="provider_persona_id"),
    *_keys(Kind.CONTRACT, (), consumers="consumer_persona_ids", interface="interface_spec"),
    *_keys(Kind.CONTRACT, ("interface_spec",), file="spec_file"),
    OldKey(kind=Kind.CONTRACT, place=(), old="estimate_minutes", new="estimate", rewrite=_MINUTES),
    *_keys(Kind.CONTRACT, ("deliverables", "*"), files="artifacts", criteria="acceptance_criteria"),
    *_keys(Kind.PERSONA, (), skills="expertise", prompt="prompt_file", budget="token_budget"),
    *_keys(Kind.PROJECT, (), variables="vars", profiles="environments"),
    *_keys(Kind.POLICY, ("retry",), attempts="max_attempts"),
    *_keys(Kind.LIBRARY, (), depends_on="requires"),
)

VALUES: Final[tuple[OldValue, ...]] = (
    OldValue(kind=Kind.BLUEPRINT, place=(*_NODE, "action"), old="fulfill", new="fulfil"),
    OldValue(kind=Kind.BLUEPRINT, place=(*_NODE, "action"), old="implement", new="fulfil"),
    OldValue(kind=Kind.PLAN, place=("execution", "schedule"), old="levels", new="waves"),
)
