"""PER001 unpinned-model: a model whose name means another model tomorrow, so that stored results lie.

A result is reused as long as its content key is equal, and the model's name is part of that key. An alias
such as `…-latest`, or no name at all, stays equal while the model behind it changes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.lang.late import pattern
from maestro_dsl.lang.model import Kind
from maestro_dsl.lang.settings import DEFAULT_MODEL
from maestro_dsl.rules.base import Facts, Rule, Scope, is_offline
from maestro_dsl.rules.walk import mapping_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import DocumentValue
    from maestro_dsl.lang.sourcemap import Pointer
    from maestro_dsl.lang.workspace import Workspace

_FLOATING: Final = pattern(r"(?:.*[-_:/@.])?(?:latest|auto|newest|current)", re.IGNORECASE)
_HINT: Final = "name one model, with its version or date"


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every model name that floats, and every paid plan that names none."""
    for document in facts.of(Kind.PROJECT):
        for alias, stated in mapping_at(document.data, ("models",)).items():
            if isinstance(stated, dict):
                yield from _floating(document, ("models", alias, "model"), stated.get("model"))
    for document in facts.of(Kind.PERSONA):
        yield from _floating(document, ("model",), mapping_at(document.data, ()).get("model"))
    for document in facts.of(Kind.PLAN):
        for member, stated in mapping_at(document.data, ("team",)).items():
            if isinstance(stated, dict):
                yield from _floating(document, ("team", member, "model"), stated.get("model"))
    for workspace in facts.workspaces:
        yield from _unnamed(workspace)


def _floating(document: Document[DocumentValue], pointer: Pointer, name: object) -> Iterator[Diagnostic]:
    if isinstance(name, str) and _FLOATING.fullmatch(name):
        message = f'"{name}" names whatever model is newest, so stored results may be of another one'
        yield RULE.finding(document.map.value_span(pointer), message, _HINT)


def _unnamed(workspace: Workspace) -> Iterator[Diagnostic]:
    for member in workspace.team.values():
        model = member.settings.model
        if model.model == DEFAULT_MODEL and not is_offline(model.provider):
            message = (
                f"{member.id} names no model, so {model.provider} chooses one, and results cannot tell which"
            )
            yield RULE.finding(workspace.plan.map.key_span(("team", member.id)), message, _HINT)


RULE = Rule(
    code="PER001",
    name="unpinned-model",
    severity=Severity.WARNING,
    scope=Scope.WORKSPACE,
    summary="a model name that means another model tomorrow",
    check=check,
)
