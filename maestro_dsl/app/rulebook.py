"""The rules of `lint` as people read them: each with its page, Markdown beside the code."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from maestro_dsl import rules
from maestro_dsl.errors import UsageError
from maestro_dsl.lang.suggest import closest
from maestro_dsl.rules import CATALOGUE

if TYPE_CHECKING:
    from maestro_dsl.rules.base import Rule

PAGES: Final = Path(rules.__file__).parent / "pages"


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePage:
    """One rule; `severity` is its worst, `fix` says whether one may come with it, `page` is Markdown."""

    code: str
    name: str
    severity: str
    scope: str
    summary: str
    fix: str
    is_optional: bool
    """True where it is found only when it is selected by its code or name."""
    page: str = field(repr=False)


def all_rules() -> tuple[RulePage, ...]:
    """Return every rule with its page, in the order of the catalogue."""
    return tuple(_page(rule) for rule in CATALOGUE.values())


def find_rule(wanted: str) -> RulePage:
    """Return the rule of this code or name; capitals do not matter.

    Raises:
        UsageError: there is none; the hint names the nearest.
    """
    known = {rule.name: rule for rule in CATALOGUE.values()} | {
        code.lower(): rule for code, rule in CATALOGUE.items()
    }
    rule = known.get(wanted.strip().lower())
    if rule is None:
        near = closest(wanted.strip().lower(), known)
        meant = known[near] if near is not None else None
        hint = f"did you mean {meant.code} {meant.name}?" if meant is not None else "see: maestro rule"
        raise UsageError(f'there is no rule "{wanted}"', hint=hint)
    return _page(rule)


def page_of(rule: Rule) -> str:
    """Return the page of a rule: what it finds, why, an example with its output, the better way."""
    return (PAGES / f"{rule.code}.md").read_text(encoding="utf-8")


def _page(rule: Rule) -> RulePage:
    return RulePage(
        code=rule.code,
        name=rule.name,
        severity=rule.severity.value,
        scope=rule.scope.value,
        summary=rule.summary,
        fix=rule.fix.value,
        is_optional=rule.is_optional,
        page=page_of(rule),
    )
