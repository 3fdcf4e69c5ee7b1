"""What is there before anybody writes: first values of single documents, and things that nothing makes.

Everything comes from the interface itself (examples, defaults); it is put in a file that a person can edit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from maestro_dsl.interfaces.openapi.validate import errors
from maestro_dsl.providers.scaffold.keys import NotUnderstood
from maestro_dsl.providers.scaffold.records import NOTHING, neutral
from maestro_dsl.providers.scaffold.service import Resource, Step, Verb
from maestro_dsl.providers.scaffold.shapes import kind_of, resolved, shape_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from maestro_dsl.interfaces.openapi.model import Api, Schema

_MOMENT: Final = {"date-time": "1970-01-01T00:00:00Z", "date": "1970-01-01"}
_MAX_SEEDS: Final = 20


def first_document(api: Api, steps: Mapping[Verb, Step]) -> Any:
    """Return what a single document holds before it is written.

    Raises:
        NotUnderstood: the interface does not tell.
    """
    read = steps.get(Verb.READ)
    if read is None or read.answer is None:
        raise NotUnderstood("nothing shows it")
    is_written = len(steps) > 1
    for value in (*_shown(read), *_of_schema(api, read.answer)):
        if isinstance(value, dict) and not errors(api, read.answer, value, "response"):
            return value
    if not is_written:
        raise NotUnderstood("nothing in the interface writes it, and the interface gives no example of it")
    made = _from_parts(api, read.answer, with_neutral=True)
    if made is None or errors(api, read.answer, made, "response"):
        raise NotUnderstood("its first value cannot be told from defaults and examples")
    return made


def with_seeds(api: Api, resources: list[Resource], reasons: dict[str, str]) -> list[Resource]:
    """Return the resources with seeds where nothing makes them; those that never show one are left out."""
    found: list[Resource] = []
    for resource in sorted(resources, key=lambda item: item.path.count("/")):
        if resource.is_single or resource.is_made:
            found.append(resource)
            continue
        seeds = _seeds(api, resource)
        scope = _scope(resource, found)
        if not seeds and Verb.LIST not in resource.steps:
            for step in resource.all_steps:
                reasons.setdefault(
                    step.operation.id, "nothing in the interface makes one, and it gives no example of one"
                )
            continue
        found.append(replace(resource, seeds={scope: seeds} if seeds and scope is not None else {}))
    kept = {item.table for item in found}
    return [item for item in resources_in_order(found, resources) if item.table in kept]


def resources_in_order(found: list[Resource], order: list[Resource]) -> list[Resource]:
    """Return `found` in the order of `order`; parents that are gone are forgotten."""
    by_table = {item.table: item for item in found}
    return [
        replace(by_table[item.table], parent=item.parent if item.parent in by_table else None)
        for item in order
        if item.table in by_table
    ]


def _scope(resource: Resource, above: list[Resource]) -> str | None:
    """Return under which parents the seeds lie: those of the seeds above; None where there are none."""
    if not resource.parents:
        return ""
    parent = next((item for item in above if item.table == resource.parent), None)
    if parent is None or not parent.seeds or len(resource.parents) != len(parent.parents) + 1:
        return None
    scope, things = next(iter(parent.seeds.items()))
    key = quote(str(things[0][parent.key]), safe="")
    return f"{scope}/{key}" if scope else key


def _seeds(api: Api, resource: Resource) -> tuple[Mapping[str, Any], ...]:
    schemas = [step.item or step.answer for step in resource.steps.values() if step.verb in _LOOKS]
    found: dict[str, Mapping[str, Any]] = {}
    for value in _examples(api, resource):
        is_fit = all(not errors(api, schema, value, "response") for schema in schemas if schema is not None)
        if is_fit and (not resource.key or resource.key in value):
            found.setdefault(str(value[resource.key] if resource.key else value), value)
    return tuple(found.values())[:_MAX_SEEDS]


_LOOKS: Final = {Verb.LIST, Verb.READ, Verb.FIND}


def _examples(api: Api, resource: Resource) -> Iterator[dict[str, Any]]:
    for verb in (Verb.LIST, Verb.READ):
        step = resource.steps.get(verb)
        for value in () if step is None else _shown(step):
            inner = value.get(step.envelope) if step and step.envelope and isinstance(value, dict) else value
            yield from (
                item for item in (inner if isinstance(inner, list) else [inner]) if isinstance(item, dict)
            )
    for step in resource.steps.values():
        schema = step.item or step.answer
        if step.verb in _LOOKS and schema is not None:
            yield from (value for value in _of_schema(api, schema) if isinstance(value, dict))


def _shown(step: Step) -> tuple[Any, ...]:
    success = step.operation.success
    media = None if success is None else success.json
    return () if media is None else tuple(media.examples.values())


def _of_schema(api: Api, schema: Schema) -> Iterator[Any]:
    """Yield the examples that a schema gives: its own, else that of its parts where each part has one."""
    node = resolved(api, schema)
    own = [node[key] for key in ("example", "default") if key in node]
    if isinstance(node.get("examples"), list):
        own += node["examples"]
    yield from own
    if not own:
        made = _from_parts(api, schema, with_neutral=False)
        if made is not None:
            yield made


def _from_parts(api: Api, schema: Schema, *, with_neutral: bool, depth: int = 0) -> dict[str, Any] | None:
    """Return an object of the values that its properties give; None where a required one gives none."""
    if kind_of(api, schema) != "object" or depth > 4:  # noqa: PLR2004 - nobody writes examples deeper
        return None
    made: dict[str, Any] = {}
    is_told = False
    for item in shape_of(api, schema).fields:
        value, given = _part(api, item.schema, with_neutral=with_neutral and item.required, depth=depth)
        is_told = is_told or given
        if value is NOTHING:
            if item.required:
                return None
        elif not item.write_only:
            made[item.name] = value
    return made if is_told or with_neutral else None


def _part(api: Api, schema: Schema, *, with_neutral: bool, depth: int) -> tuple[Any, bool]:
    node = resolved(api, schema)
    order = ("default", "const", "example") if with_neutral else ("example", "const", "default")
    for key in order:
        if key in node:
            return node[key], True
    listed = node.get("examples")
    if isinstance(listed, list) and listed:
        return listed[0], True
    inner = _from_parts(api, schema, with_neutral=with_neutral, depth=depth + 1)
    if inner:
        return inner, True
    if not with_neutral:
        return NOTHING, False
    if node.get("format") in _MOMENT:
        return _MOMENT[str(node["format"])], False
    return neutral(api, schema), False
