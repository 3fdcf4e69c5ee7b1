"""Blueprints that can be used: the project's own and those of the core library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.app.values import BlueprintInfo
from maestro_dsl.errors import UsageError
from maestro_dsl.lang.suggest import closest
from maestro_dsl.lang.workspace import find_blueprints
from maestro_dsl.resources import data_dir

if TYPE_CHECKING:
    from pathlib import Path

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import Blueprint


def search_blueprints(
    query: str = "",
    *,
    execution_mode: str | None = None,
    coordination_mode: str | None = None,
    root: Path | None = None,
) -> tuple[BlueprintInfo, ...]:
    """Return the blueprints whose text holds every word of `query` and whose modes are as asked."""
    words = query.casefold().split()
    return tuple(
        info
        for info in (_info(document) for document in find_blueprints(root))
        if execution_mode in {None, info.execution_mode}
        and coordination_mode in {None, info.coordination_mode}
        and all(word in _searched(info) for word in words)
    )


def show_blueprint(reference: str, *, root: Path | None = None) -> BlueprintInfo:
    """Return the blueprint called `reference`, with or without its library ("core/…").

    Raises:
        UsageError: there is none; the text names the nearest.
    """
    known = [_info(document) for document in find_blueprints(root)]
    for info in known:
        if reference in {info.reference, info.reference.rpartition("/")[2]}:
            return info
    names = [info.reference.rpartition("/")[2] for info in known]
    near = closest(reference.rpartition("/")[2], names)
    guess = f' - did you mean "{near}"?' if near else ""
    raise UsageError(f'no blueprint "{reference}"{guess}', hint=f"known blueprints: {', '.join(names)}")


def _searched(info: BlueprintInfo) -> str:
    parts = (info.reference, info.name, info.description, *info.use_cases, *info.best_practices)
    return " ".join(parts).casefold()


def _info(document: Document[Blueprint]) -> BlueprintInfo:
    blueprint = document.value
    is_core = document.path.is_relative_to(data_dir("blueprints"))
    return BlueprintInfo(
        reference=f"core/{blueprint.id}" if is_core else blueprint.id,
        version=blueprint.version,
        name=blueprint.name or blueprint.id,
        description=blueprint.description or "",
        execution_mode=blueprint.execution_mode,
        coordination_mode=blueprint.coordination_mode,
        use_cases=blueprint.use_cases,
        best_practices=blueprint.best_practices,
        nodes=tuple((node.id, node.action) for node in blueprint.nodes.values()),
        inputs=blueprint.inputs,
        file=document.file,
        text=document.text,
    )
