"""PER006 unknown-alias: a model name that is almost an alias of the project, and so is taken literally.

A name that is no alias is the model's own name. Only names that are near an alias are reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from maestro_dsl.diagnostics import Diagnostic, Fix, Related, Severity
from maestro_dsl.lang.edits import respell
from maestro_dsl.lang.suggest import closest
from maestro_dsl.rules.base import Facts, Mends, Rule, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import DocumentValue
    from maestro_dsl.lang.sourcemap import Pointer

_SHORTEST = 3


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every such name of a plan's team and personas."""
    for workspace in facts.workspaces:
        project = workspace.project
        if project is None or not project.value.models:
            continue
        aliases = project.value.models
        names = {alias.model for alias in aliases.values()}
        places: list[tuple[Document[DocumentValue], Pointer, str | None]] = []
        for member in workspace.team.values():
            plan = cast("Document[DocumentValue]", workspace.plan)
            persona = cast("Document[DocumentValue]", member.persona)
            places.append((plan, ("team", member.id, "model"), member.member.model))
            places.append((persona, ("model",), member.persona.value.model))
        for document, pointer, name in places:
            if name is None or name in aliases or name in names or len(name) < _SHORTEST:
                continue
            near = closest(name, aliases)
            if near is None:
                continue
            span = document.map.value_span(pointer)
            where = Related(span=project.map.key_span(("models", near)), message="the alias stands here")
            yield RULE.finding(
                span,
                f'"{name}" is no alias of the project, so it is taken as a model of that name',
                f'did you mean "{near}"? aliases: {", ".join(aliases)}',
                related=(where,),
                fix=Fix(title=f'change to "{near}"', edits=(respell(document.text, span, near),), safe=False),
            )


RULE = Rule(
    code="PER006",
    name="unknown-alias",
    severity=Severity.WARNING,
    scope=Scope.WORKSPACE,
    summary="a model name that is almost an alias of the project",
    fix=Mends.LOOK,
    check=check,
)
