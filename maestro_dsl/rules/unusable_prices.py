"""RUN010 unusable-prices: a price file of a project that states something else than prices."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from maestro_dsl.diagnostics import Diagnostic, Severity, limited
from maestro_dsl.lang.model import Kind, Project
from maestro_dsl.rules.base import Facts, Rule, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable

    from maestro_dsl.lang.document import Document


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return what is wrong in the price file of each project; one that is absent is REF008."""
    for document in facts.of(Kind.PROJECT):
        if isinstance(document.value, Project) and document.value.prices_file:
            from maestro_dsl.lang.price_file import stated_prices  # few projects have prices of their own

            _, found = stated_prices(cast("Document[Project]", document))
            yield from limited(item for item in found.items if item.code != "REF008")


RULE = Rule(
    code="RUN010",
    name="unusable-prices",
    severity=Severity.ERROR,
    scope=Scope.DOCUMENT,
    summary="a price file that states something else than prices",
    check=check,
)
