"""The model providers that this version has, by name: the one list for lint, plan, apply and messages.

Only names; what is behind them is made in `maestro_dsl.app.wiring`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, cast

from maestro_dsl.diagnostics import Diagnostic, Fix, Severity
from maestro_dsl.lang.edits import respell
from maestro_dsl.lang.model import Plan, Project
from maestro_dsl.lang.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import DocumentValue
    from maestro_dsl.lang.sourcemap import Pointer

SCAFFOLD: Final = "scaffold"
SCRIPTED: Final = "scripted"
PROVIDERS: Final[Mapping[str, str]] = MappingProxyType(
    {SCAFFOLD: "offline templates", SCRIPTED: "answers from a file"}
)
"""Name → what it is, in a few words."""
_WITH_FILE: Final = frozenset({SCRIPTED})
"""Providers that are stated as `name:FILE`."""


def known() -> str:
    """Return all providers as one reads them: "scaffold (offline templates), scripted:FILE (…)"."""
    shown = {name: f"{name}:FILE" if name in _WITH_FILE else name for name in PROVIDERS}
    return ", ".join(f"{shown[name]} ({what})" for name, what in PROVIDERS.items())


def problem(stated: str) -> tuple[str, str] | None:
    """Return what is wrong with a provider as it is stated, and the way out; None where nothing is."""
    name, _, file = stated.partition(":")
    if name in PROVIDERS and bool(file) == (name in _WITH_FILE):
        return None
    if name in _WITH_FILE:
        return f"the provider {name} needs its file", f"provider: {name}:FILE"
    near = closest(name, PROVIDERS)
    guess = f'did you mean "{near}"? ' if near and near != stated else ""
    return f'no model provider "{stated}"', f"{guess}this version has: {known()}"


def check_providers(document: Document[DocumentValue]) -> Iterator[Diagnostic]:
    """Yield SCH004 for every place of a plan or a project that states a provider which there is not.

    An alias of a model may name one of another version, as long as it is no misspelling: nothing asks it.
    """
    value = document.value
    if isinstance(value, Plan):
        yield from _stated(document, value.provider, ("provider",))
    elif isinstance(value, Project):
        yield from _stated(document, value.defaults.provider, ("defaults", "provider"))
        for name, environment in value.environments.items():
            pointer = ("environments", name, "defaults", "provider")
            yield from _stated(document, environment.defaults.provider, pointer)
        for name, alias in value.models.items():
            if closest(alias.provider.partition(":")[0], PROVIDERS):
                yield from _stated(document, alias.provider, ("models", name, "provider"))


def _stated(document: Document[DocumentValue], stated: str | None, pointer: Pointer) -> Iterator[Diagnostic]:
    found = problem(stated) if stated is not None and not document.is_hole(pointer) else None
    if found is None:
        return
    span = document.map.value_span(pointer)
    near = closest(cast("str", stated), PROVIDERS)
    edits = (respell(document.text, span, near),) if near and near not in _WITH_FILE else ()
    yield Diagnostic(
        code="SCH004",
        name="bad-enum",
        severity=Severity.ERROR,
        span=span,
        message=found[0],
        help=found[1],
        fix=Fix(title=f'change to "{near}"', edits=edits, safe=False) if edits else None,
    )
