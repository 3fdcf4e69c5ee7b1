"""PER002 broad-tools: a persona that may use every tool, or a tool outside of its own folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.lang.late import pattern
from maestro_dsl.lang.model import Kind
from maestro_dsl.rules.base import Facts, Rule, Scope
from maestro_dsl.rules.walk import items_at

if TYPE_CHECKING:
    from collections.abc import Iterable

_EVERY: Final = frozenset({"*", "**", "all", "any"})
_SCOPED: Final = pattern(r"(?P<tool>[A-Za-z0-9_.-]+)\s*(?:\(|:)\s*(?P<where>[^)]*)\)?")
_OUTSIDE: Final = pattern(r"[/~]|[A-Za-z]:[\\/]|(?:.*/)?\.\.(?:/|$)")


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every entry of `tools` that is wider than a persona's own work."""
    for document in facts.of(Kind.PERSONA):
        for place, tool in items_at(document.data, "tools"):
            reason = _reason(tool) if isinstance(tool, str) else None
            if reason is not None:
                span = document.map.value_span(("tools", place))
                yield RULE.finding(
                    span, f"{document.value.id} {reason}", "list the tools that the work needs"
                )


def _reason(tool: str) -> str | None:
    if tool.strip().lower() in _EVERY:
        return "may use every tool there is, also those added later"
    if tool.strip().endswith("*") and "(" not in tool:
        return f"may use every tool that begins with {tool.strip().rstrip('*')}, also those added later"
    scoped = _SCOPED.fullmatch(tool.strip())
    if scoped is not None and _OUTSIDE.match(scoped["where"].strip()):
        return f"may use {scoped['tool']} outside of its own folder ({scoped['where'].strip()})"
    return None


RULE = Rule(
    code="PER002",
    name="broad-tools",
    severity=Severity.WARNING,
    scope=Scope.DOCUMENT,
    summary="a persona may use every tool, or one outside of its folder",
    check=check,
)
