"""Ids, names and files that can stand at a place, found in the project: a table of places."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from maestro_dsl.lang.files import is_document, kind_of_name
from maestro_dsl.lang.model import Blueprint, Contract, Kind, Plan
from maestro_dsl.lang.model_providers import PROVIDERS
from maestro_dsl.lang.sniffing import SUFFIXES, sniffed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from maestro_dsl.app.editing import Scene
    from maestro_dsl.lsp.cursor import Steps
    from maestro_dsl.lsp.places import Place

Word: TypeAlias = tuple[str, str]
"""What can stand there, and what it is in a few words."""

_MOST_FILES: Final = 2000


def words_at(place: Place, scene: Scene) -> tuple[Word, ...]:
    """Return the ids, names or files that the value at `place` can be; none where it is none of these."""
    steps = place.cursor.steps
    for (kind, pattern), find in _VALUES.items():
        if place.kind is kind and _fits(steps, pattern):
            return tuple(find(place, scene))
    return ()


def keys_at(place: Place, scene: Scene) -> tuple[Word, ...]:
    """Return the names of the project that can be keys of the mapping at `place`."""
    for (kind, pattern), find in _KEYS.items():
        if place.kind is kind and _fits(place.cursor.steps, pattern):
            return tuple(find(place, scene))
    return ()


def _fits(steps: Steps, pattern: str) -> bool:
    stated = pattern.split(".")
    return len(stated) == len(steps) and all(
        want in {"*", step} for want, step in zip(stated, map(str, steps), strict=True)
    )


def _named(kind: Kind) -> Callable[[Place, Scene], Iterator[Word]]:
    def find(_: Place, scene: Scene) -> Iterator[Word]:
        for reference, path in scene.finder.all(kind).items():
            document = scene.finder.reader.look(path)
            if document is not None and (
                "/" in reference or f"core/{reference}" not in scene.finder.all(kind)
            ):
                yield reference, str(getattr(document.value, "description", None) or "")

    return find


def _plans(place: Place, scene: Scene) -> Iterator[Plan]:
    used = [item.plan.value for item in scene.workspaces_with(place.path)]
    every = [item.value for item in scene.of(Kind.PLAN) if isinstance(item.value, Plan)]
    yield from used or every


def _members(place: Place, scene: Scene) -> Iterator[Word]:
    known = {name: member.use for plan in _plans(place, scene) for name, member in plan.team.items()}
    yield from known.items()


def _contracts(_: Place, scene: Scene) -> Iterator[Word]:
    for document in scene.of(Kind.CONTRACT):
        if isinstance(document.value, Contract) and document.value.id:
            yield document.value.id, document.value.name or ""


def _nodes(place: Place, scene: Scene) -> Iterator[Word]:
    document = scene.documents.get(place.path)
    if document is None or not isinstance(document.value, Blueprint):
        return
    own = str(place.cursor.steps[1])
    for name, spec in document.value.nodes.items():
        if name != own:
            yield name, spec.description or spec.action


def _aliases(_: Place, scene: Scene) -> Iterator[Word]:
    project = scene.project
    for name, alias in (project.models if project is not None else {}).items():
        yield name, f"{alias.provider}: {alias.model}" if alias.provider else alias.model


def _providers(_: Place, __: Scene) -> Iterable[Word]:
    return PROVIDERS.items()


def _inputs(place: Place, scene: Scene) -> Iterator[Word]:
    for workspace in scene.workspaces:
        if workspace.plan.path == place.path:
            for name, schema in workspace.blueprint.value.inputs.items():
                yield name, str(schema.get("description", "")) if isinstance(schema, dict) else ""


def _files(is_wanted: Callable[[Path], bool]) -> Callable[[Place, Scene], Iterator[Word]]:
    """Return a finder of files of the project, written as seen from the document."""

    def find(place: Place, scene: Scene) -> Iterator[Word]:
        for folder, folders, names in islice(os.walk(scene.root), _MOST_FILES):
            folders[:] = sorted(
                name for name in folders if name[0] != "." and name not in {"node_modules", "build"}
            )
            for name in sorted(names):
                if is_wanted(path := Path(folder, name)):
                    yield os.path.relpath(path, place.path.parent), ""

    return find


def _is_contract(path: Path) -> bool:
    kind = kind_of_name(path.name)
    if kind is None and path.name.endswith(SUFFIXES):
        kind = sniffed(path)[1]
    return kind is Kind.CONTRACT


def _is_prompt(path: Path) -> bool:
    return path.name.endswith((".md.j2", ".j2", ".md"))


def _is_spec(path: Path) -> bool:
    suffixes = (".yaml", ".yml", ".json", ".graphql", ".graphqls", ".py", ".ts", ".proto")
    return path.name.endswith(suffixes) and not is_document(path)


_VALUES: Final[Mapping[tuple[Kind, str], Callable[[Place, Scene], Iterable[Word]]]] = {
    (Kind.PLAN, "blueprint"): _named(Kind.BLUEPRINT),
    (Kind.PLAN, "team.*.use"): _named(Kind.PERSONA),
    (Kind.PLAN, "team.*.model"): _aliases,
    (Kind.PLAN, "contracts.*"): _files(_is_contract),
    (Kind.PLAN, "provider"): _providers,
    (Kind.PLAN, "policies.use"): _named(Kind.POLICY),
    (Kind.PLAN, "policies.retry.use"): _named(Kind.POLICY),
    (Kind.BLUEPRINT, "nodes.*.needs.*"): _nodes,
    (Kind.BLUEPRINT, "nodes.*.persona"): _members,
    (Kind.BLUEPRINT, "nodes.*.contract"): _contracts,
    (Kind.BLUEPRINT, "nodes.*.retry.use"): _named(Kind.POLICY),
    (Kind.CONTRACT, "provider_persona_id"): _members,
    (Kind.CONTRACT, "consumer_persona_ids.*"): _members,
    (Kind.CONTRACT, "interface_spec.spec_file"): _files(_is_spec),
    (Kind.CONTRACT, "interface_spec.compatible_with.spec_file"): _files(_is_spec),
    (Kind.PERSONA, "prompt_file"): _files(_is_prompt),
    (Kind.PERSONA, "model"): _aliases,
    (Kind.PROJECT, "defaults.provider"): _providers,
    (Kind.PROJECT, "environments.*.defaults.provider"): _providers,
    (Kind.PROJECT, "defaults.policies.use"): _named(Kind.POLICY),
    (Kind.PROJECT, "defaults.policies.retry.use"): _named(Kind.POLICY),
    (Kind.PROJECT, "environments.*.defaults.policies.use"): _named(Kind.POLICY),
    (Kind.PROJECT, "environments.*.defaults.policies.retry.use"): _named(Kind.POLICY),
}
_KEYS: Final[Mapping[tuple[Kind, str], Callable[[Place, Scene], Iterable[Word]]]] = {
    (Kind.PLAN, "inputs"): _inputs,
    (Kind.BLUEPRINT, "nodes.*.needs"): _nodes,
}
