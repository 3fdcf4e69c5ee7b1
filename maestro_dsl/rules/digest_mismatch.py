"""LIB003 digest-mismatch: the files of an installed library are not those that `maestro.lock` pins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Related, Severity
from maestro_dsl.rules.base import Facts, Rule, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every installed library that is not what the lock says."""
    for project, found in facts.libraries:
        for item in found.broken:
            if found.read is None:
                continue
            span = found.read.map.value_span(("libraries", item.name, "digest"))
            pointer = ("libraries", item.name)
            is_own = item.name in project.value.libraries
            where = Related(span=project.map.key_span(pointer), message="asked for here")
            yield RULE.finding(
                span,
                item.message,
                "see what changed, then put the pinned files back: maestro lib install",
                related=(where,) if is_own else (),
            )


RULE = Rule(
    code="LIB003",
    name="digest-mismatch",
    severity=Severity.ERROR,
    scope=Scope.PROJECT,
    summary="an installed library is not what maestro.lock pins",
    check=check,
)
