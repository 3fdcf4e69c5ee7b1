"""The resources of an interface that templates can build, and each other operation with the reason why not.

What belongs together is told by `interfaces.openapi.groups`; here is judged what of it can be kept and
answered truly. An operation counts as understood only where path, method, body and answer fit together.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from maestro_dsl.interfaces.openapi.groups import Groups, find_groups, names_deed
from maestro_dsl.interfaces.openapi.model import Operation
from maestro_dsl.interfaces.openapi.validate import errors
from maestro_dsl.providers.scaffold.keys import NotUnderstood, find_key, new_key
from maestro_dsl.providers.scaffold.names import singular, snake, unique
from maestro_dsl.providers.scaffold.records import Starts, first_values
from maestro_dsl.providers.scaffold.samples import NoExample, example
from maestro_dsl.providers.scaffold.seeds import first_document, with_seeds
from maestro_dsl.providers.scaffold.service import Missing, Resource, Service, Step, Verb, makes
from maestro_dsl.providers.scaffold.shapes import Shape, kind_of, shape_of
from maestro_dsl.providers.scaffold.steps import make_step, path_params, unexplained, unservable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from maestro_dsl.interfaces.openapi.model import Api

__all__ = ["find_service", "path_params"]


@dataclass
class _Draft:
    path: str
    operations: dict[Verb, Operation]
    item_param: str | None = None
    is_single: bool = False
    searches: list[Operation] = field(default_factory=list)


def find_service(api: Api, contract_id: str) -> Service:
    """Return the resources of `api` and every operation that belongs to none, with its reason."""
    reasons = {item.id: problem for item in api.operations if (problem := unservable(api, item)) is not None}
    place = {operation.id: index for index, operation in enumerate(api.operations)}
    drafts = [
        draft
        for draft in (_servable(item, reasons) for item in _drafts(find_groups(api)))
        if draft.operations or draft.searches
    ]
    drafts.sort(
        key=lambda item: min(place[found.id] for found in (*item.operations.values(), *item.searches))
    )
    resources: list[Resource] = []
    for draft in drafts:
        found = _resource(api, draft, reasons, {item.table for item in resources})
        if found is not None:
            resources.append(found)
    resources = with_seeds(api, [_with_parent(item, resources) for item in resources], reasons)
    done = {step.operation.id for item in resources for step in item.all_steps}
    missing = tuple(
        Missing(operation=operation, reason=reasons.get(operation.id) or _default_reason(operation))
        for operation in api.operations
        if operation.id not in done
    )
    return Service(api=api, contract_id=contract_id, resources=tuple(resources), missing=missing)


def _default_reason(operation: Operation) -> str:
    if names_deed(operation.path):
        return "its path names something to do, not a thing to keep"
    return "its path and answer show no resource"


def _drafts(groups: Groups) -> Iterator[_Draft]:
    for item in groups.resources:
        verbs = {
            Verb.LIST: item.list, Verb.CREATE: item.create, Verb.READ: item.read, Verb.REPLACE: item.replace,
            Verb.SAVE: item.save, Verb.PATCH: item.patch, Verb.AMEND: item.amend,
            Verb.BULK: groups.bulks.get(item.collection_path), Verb.DELETE: item.delete,
            Verb.CLEAR: item.clear,
        }  # fmt: skip
        param = item.id_parameter.name if item.has_item else None
        yield _draft(groups, item.collection_path, verbs, param)
    for plain in groups.collections:
        verbs = {
            Verb.LIST: plain.list, Verb.CREATE: plain.create, Verb.SAVE: plain.save,
            Verb.BULK: groups.bulks.get(plain.path), Verb.CLEAR: plain.clear,
        }  # fmt: skip
        yield _draft(groups, plain.path, verbs, None)
    for single in groups.singles:
        patch = single.patch or (single.change if single.replace is None or single.patch is None else None)
        verbs = {
            Verb.READ: single.read, Verb.REPLACE: single.replace, Verb.PATCH: patch,
            Verb.DELETE: single.reset,
        }  # fmt: skip
        yield replace(_draft(groups, single.path, verbs, None), is_single=True)


def _draft(groups: Groups, path: str, verbs: Mapping[Verb, Operation | None], param: str | None) -> _Draft:
    known = {verb: operation for verb, operation in verbs.items() if operation is not None}
    return _Draft(path=path, operations=known, item_param=param, searches=[*groups.searches.get(path, ())])


def _servable(draft: _Draft, reasons: Mapping[str, str]) -> _Draft:
    kept = {verb: item for verb, item in draft.operations.items() if item.id not in reasons}
    searches = [item for item in draft.searches if item.id not in reasons]
    return replace(draft, operations=kept, searches=searches)


def _resource(api: Api, draft: _Draft, reasons: dict[str, str], taken: set[str]) -> Resource | None:
    try:
        return _assemble(api, draft, reasons, taken)
    except NotUnderstood as problem:
        for operation in (*draft.operations.values(), *draft.searches):
            reasons.setdefault(operation.id, str(problem))
        return None


def _assemble(api: Api, draft: _Draft, reasons: dict[str, str], taken: set[str]) -> Resource:
    steps: dict[Verb, Step] = {}
    for verb, operation in draft.operations.items():
        try:
            steps[verb] = make_step(api, verb, operation, is_single=draft.is_single)
        except NotUnderstood as problem:
            reasons[operation.id] = str(problem)
    shape = _shape(api, steps)
    noun = singular(
        next((part for part in reversed(draft.path.split("/")) if part and "{" not in part), "item")
    )
    resource = Resource(
        noun=noun,
        table=_table(draft.path, noun, taken),
        path=draft.path,
        key="",
        key_kind="integer",
        new_key="next_number",
        item_param=draft.item_param,
        shape=shape,
        parents=path_params(draft.path),
        is_single=draft.is_single,
    )
    return _finished(api, draft, resource, steps, reasons)


def _finished(
    api: Api, draft: _Draft, resource: Resource, steps: dict[Verb, Step], reasons: dict[str, str]
) -> Resource:
    maker = (steps.get(Verb.CREATE) or steps.get(Verb.REPLACE)) if makes(steps) else None
    if not draft.is_single:
        resource = _with_key(api, draft, resource, steps)
    starts = first_values(api, resource, steps) if maker or draft.is_single else Starts()
    if draft.is_single:
        resource = replace(resource, first=first_document(api, steps))
    elif maker is not None and not {Verb.READ, Verb.LIST} & steps.keys():
        # where nothing shows it again, an empty text in the answer would be all that anybody ever sees
        empty = {name for name, value in starts.values.items() if value in {'""', "0", "[]", "{}"}}
        starts = replace(starts, impossible=starts.impossible | empty)
    kept = _answerable(api, resource, steps, starts, reasons)
    if not kept:
        raise NotUnderstood(
            next((reasons[item.operation.id] for item in steps.values()), "it cannot be kept")
        )
    if maker is not None and not draft.is_single and not makes(kept):
        raise NotUnderstood(reasons.get(maker.operation.id, "the operation that makes one cannot be done"))
    if not resource.key and not draft.is_single:
        kept = {verb: step for verb, step in kept.items() if verb in {Verb.LIST, Verb.CREATE, Verb.CLEAR}}
    made = replace(resource, steps={verb: kept[verb] for verb in Verb if verb in kept}, starts=starts.values)
    return _with_searches(api, draft, made, reasons)


def _table(path: str, noun: str, taken: set[str]) -> str:
    last = path.rpartition("/")[2]
    return unique(snake(last if "{" not in path else noun, "items"), {*taken, "close"})


def _shape(api: Api, steps: Mapping[Verb, Step]) -> Shape:
    for verb in (Verb.READ, Verb.LIST, Verb.CREATE):
        step = steps.get(verb)
        schema = None if step is None else step.item or step.answer
        if schema is not None and shape_of(api, schema).fields:
            return shape_of(api, schema)
    raise NotUnderstood("no answer shows the fields of one")


def _with_key(api: Api, draft: _Draft, resource: Resource, steps: Mapping[Verb, Step]) -> Resource:
    creator, replacer = steps.get(Verb.CREATE), steps.get(Verb.REPLACE)
    maker = creator or replacer
    try:
        key, schema = find_key(
            api, draft.path, draft.item_param, resource.shape, tuple(draft.operations.values())
        )
    except NotUnderstood:
        needs_one = draft.item_param is not None or (maker is not None and Verb.LIST in steps)
        if needs_one:
            raise
        return resource  # nothing ever asks for one of them
    made_by = None if creator is None else new_key(api, schema, creator, key)
    return replace(resource, key=key, key_kind=kind_of(api, schema), new_key=made_by)


def _answerable(
    api: Api, resource: Resource, steps: Mapping[Verb, Step], starts: Starts, reasons: dict[str, str]
) -> dict[Verb, Step]:
    kept: dict[Verb, Step] = {}
    for verb, step in steps.items():
        problem = _obstacle(api, resource, verb, step, starts)
        if problem is None:
            kept[verb] = step
        else:
            reasons[step.operation.id] = problem
    return kept


def _obstacle(api: Api, resource: Resource, verb: Verb, step: Step, starts: Starts) -> str | None:
    if verb not in {Verb.LIST, Verb.READ, Verb.CLEAR, Verb.BULK} and step.answer is not None:
        own = shape_of(api, step.answer)
        is_other = own.fields and resource.key and own.field(resource.key) is None and verb is not Verb.DELETE
        if is_other or (not own.fields and kind_of(api, step.answer) not in {"any", "object"}):
            return f"its answer is not the {resource.noun} itself"
    needed = shape_of(api, step.item or step.answer or {}).required
    unknown = [name for name in needed if name in starts.impossible or resource.shape.field(name) is None]
    if unknown:
        return f'nothing says what "{unknown[0]}" of its answer should be'
    if verb is Verb.SAVE and shape_of(api, step.body).field(resource.key) is None:
        return "nothing says which one it changes"
    asked = unexplained(api, resource.shape, resource.key, step)
    if asked is not None:
        return f"it must be asked with {asked}, and what that means cannot be told"
    if verb is Verb.CLEAR and step.operation.parameters_in("query"):
        return "which of them it deletes cannot be told from its parameters"
    return _unlike(api, resource, step) if step.body is not None else None


def _unlike(api: Api, resource: Resource, step: Step) -> str | None:
    """Return why what is sent cannot be what is shown again; None where it can."""
    try:
        body = example(api, step.body or {})
    except NoExample as problem:
        return f"no example of its body could be made: {problem}"
    shown = {item.name: item.schema for item in resource.shape.fields if not item.write_only}
    for name, value in body.items() if isinstance(body, dict) else ():
        if name in shown and name != resource.key and errors(api, shown[name], value, "response"):
            return f'what is sent as "{name}" is not what answers show as "{name}"'
    return None


def _with_searches(api: Api, draft: _Draft, resource: Resource, reasons: dict[str, str]) -> Resource:
    found: list[Step] = []
    for operation in draft.searches:
        try:
            step = replace(make_step(api, Verb.LIST, operation), verb=Verb.FIND)
        except NotUnderstood as problem:
            reasons[operation.id] = str(problem)
            continue
        asked = unexplained(api, resource.shape, resource.key, step)
        if asked is not None:
            reasons[operation.id] = f"it must be asked with {asked}, and what that means cannot be told"
        else:
            found.append(step)
    if not found:
        return resource
    steps = {**resource.steps, Verb.FIND: found[0]}
    return replace(
        resource, steps={verb: steps[verb] for verb in Verb if verb in steps}, searches=tuple(found[1:])
    )


def _with_parent(resource: Resource, resources: list[Resource]) -> Resource:
    above = [
        other
        for other in resources
        if other is not resource and other.item_param and resource.path.startswith(other.item_path + "/")
    ]
    nearest = max(above, key=lambda item: len(item.item_path), default=None)
    return resource if nearest is None else replace(resource, parent=nearest.table)
