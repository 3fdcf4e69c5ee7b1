"""Blueprints that can be used: the project's own, those of its libraries and of the core library."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from maestro_dsl.app.values import BlueprintInfo
from maestro_dsl.errors import UsageError
from maestro_dsl.lang.files import root_above
from maestro_dsl.lang.finder import Reader
from maestro_dsl.lang.model import Kind
from maestro_dsl.lang.shelves import Shelves
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
        for info in _all(root)
        if execution_mode in {None, info.execution_mode}
        and coordination_mode in {None, info.coordination_mode}
        and all(word in _searched(info) for word in words)
    )


def show_blueprint(reference: str, *, root: Path | None = None) -> BlueprintInfo:
    """Return the blueprint called `reference`, with or without its library ("core/…").

    Raises:
        UsageError: there is none; the text names the nearest.
    """
    known = _all(root)
    for info in known:
        if reference in {info.reference, info.reference.rpartition("/")[2]}:
            return info
    names = [info.reference.rpartition("/")[2] for info in known]
    near = closest(reference.rpartition("/")[2], names)
    guess = f' - did you mean "{near}"?' if near else ""
    raise UsageError(f'no blueprint "{reference}"{guess}', hint=f"known blueprints: {', '.join(names)}")


def _all(root: Path | None) -> list[BlueprintInfo]:
    """Return the project's blueprints, those of its libraries, then those of the core library."""
    found = [(document, "") for document in find_blueprints(root)]
    if root is not None:
        reader = Reader()
        shelves = Shelves(root_above(root.resolve()), reader)
        folders = shelves.folders()
        found = [item for item in found if not any(item[0].path.is_relative_to(folder) for folder in folders)]
        for shelf in shelves.usable():
            for path in shelf.exported(Kind.BLUEPRINT, reader).values():
                found.append((cast("Document[Blueprint]", reader.look(path)), f"{shelf.name}/"))
    return [_info(document, library) for document, library in found]


def _searched(info: BlueprintInfo) -> str:
    parts = (info.reference, info.name, info.description, *info.use_cases, *info.best_practices)
    return " ".join(parts).casefold()


def _info(document: Document[Blueprint], library: str) -> BlueprintInfo:
    blueprint = document.value
    if document.path.is_relative_to(data_dir("blueprints")):
        library = "core/"
    return BlueprintInfo(
        reference=f"{library}{blueprint.id}",
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
