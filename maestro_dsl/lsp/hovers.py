"""What is said about the thing under the cursor: its key, what an id means, the rule of a finding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from maestro_dsl.app.occurrences import Sort
from maestro_dsl.app.rulebook import find_rule
from maestro_dsl.lang.model import Blueprint, Contract, Persona
from maestro_dsl.lsp.completion import help_text
from maestro_dsl.lsp.cursor import Role
from maestro_dsl.lsp.places import key_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from maestro_dsl.app.editing import Scene
    from maestro_dsl.app.occurrences import Occurrence
    from maestro_dsl.diagnostics import Diagnostic
    from maestro_dsl.lsp.places import Place


def hover(
    place: Place, scene: Scene, named: Occurrence | None, findings: Iterable[Diagnostic]
) -> types.Hover | None:
    """Return everything there is to say at `place`."""
    parts = []
    if named is not None:
        parts += _summary(named, scene)
    cursor = place.cursor
    if cursor.role is Role.KEY and cursor.has_colon and place.part is not None:
        name = place.lines[place.line][cursor.start : cursor.end].strip().strip("\"'")
        is_known = named is None and place.part.key(name, cursor.beside) is not None
        text = help_text(key_path(place, name)) if is_known else None
        parts += [f"```text\n{text.rstrip()}\n```"] if text is not None else []
    elif cursor.role in {Role.VALUE, Role.TEXT} and named is None and place.part is not None:
        text = help_text(place.explained)
        parts += [f"```text\n{text.rstrip()}\n```"] if text is not None else []
    parts += [find_rule(code).page for code in dict.fromkeys(item.code for item in findings)]
    if not parts:
        return None
    content = types.MarkupContent(kind=types.MarkupKind.Markdown, value="\n\n---\n\n".join(parts))
    return types.Hover(contents=content)


def _summary(named: Occurrence, scene: Scene) -> list[str]:
    lines = list(_facts(named, scene))
    return ["  \n".join((f"**{named.sort} `{named.name}`**", *lines))]


def _facts(named: Occurrence, scene: Scene) -> Iterator[str]:
    match named.sort:
        case Sort.CONTRACT:
            values = (item.value for item in scene.documents.values())
            yield from (
                line
                for value in values
                if isinstance(value, Contract) and value.id == named.name
                for line in _contract(value)
            )
        case Sort.MEMBER:
            yield from _member(named.name, scene)
        case Sort.NODE:
            yield from _node(named, scene)
        case Sort.FILE:
            yield f"`{named.home}`"
        case _:
            yield from _at_home(named, scene)


def _member(name: str, scene: Scene) -> Iterator[str]:
    for workspace in scene.workspaces:
        member = workspace.team.get(name)
        if member is not None:
            persona, model = member.persona.value, member.settings.model.model
            yield f"works as persona `{persona.id}` with model `{model}`"
            yield from _persona(persona)
            return


def _at_home(named: Occurrence, scene: Scene) -> Iterator[str]:
    for item in scene.documents.values():
        if str(item.path) != named.home:
            continue
        if isinstance(item.value, Persona):
            yield from _persona(item.value)
        elif isinstance(item.value, Blueprint):
            yield item.value.description or ""
            yield f"nodes: {', '.join(item.value.nodes)}"


def _contract(contract: Contract) -> Iterator[str]:
    yield f"{contract.name or contract.id} {contract.version}, {contract.type.value}"
    if contract.description:
        yield contract.description
    consumers = ", ".join(f"`{name}`" for name in contract.consumer_persona_ids)
    yield f"provided by `{contract.provider_persona_id}`, consumed by {consumers or 'nobody'}"
    names = ", ".join(item.name for item in contract.deliverables)
    if names:
        yield f"deliverables: {names}"


def _persona(persona: Persona) -> Iterator[str]:
    if persona.description:
        yield persona.description
    if persona.expertise:
        yield f"expertise: {', '.join(persona.expertise)}"


def _node(named: Occurrence, scene: Scene) -> Iterator[str]:
    for item in scene.documents.values():
        if str(item.path) == named.home and isinstance(item.value, Blueprint):
            spec = item.value.nodes.get(named.name)
            if spec is not None:
                yield f"action `{spec.action}`"
                yield from ([spec.description] if spec.description else [])
                yield from ([f"for each of `{spec.foreach}`"] if spec.foreach else [])
                needs = ", ".join(f"`{need.node}`" for need in spec.needs)
                yield f"needs {needs or 'nothing'}"
