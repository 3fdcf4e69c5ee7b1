"""Finds resources in an interface by the shape of its paths: collection, item, and what both answer.

An operation counts as understood only where path, method, body and answer fit together; all others are
returned as missing with the reason. A resource that nothing makes, or nothing shows, is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from maestro_dsl.interfaces.openapi.model import Api, Operation, Schema
from maestro_dsl.providers.scaffold.names import normal, singular, snake, unique, words
from maestro_dsl.providers.scaffold.records import Starts, first_values
from maestro_dsl.providers.scaffold.samples import NoExample, example
from maestro_dsl.providers.scaffold.service import Missing, Resource, Service, Step, Verb
from maestro_dsl.providers.scaffold.shapes import Shape, items_of, kind_of, resolved, shape_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_PARAM = re.compile(r"\{([^{}]*)\}")
_SCALARS = {"integer", "number", "string"}
_ITEM_VERBS = {"GET": Verb.READ, "PUT": Verb.REPLACE, "PATCH": Verb.PATCH, "DELETE": Verb.DELETE}
_COLLECTION_VERBS = {"GET": Verb.LIST, "POST": Verb.CREATE, "PUT": Verb.SAVE}


class NotUnderstood(ValueError):  # noqa: N818 - an answer, not a fault
    """An operation has a form that no template knows; the text says which."""


@dataclass
class _Draft:
    path: str
    operations: dict[Verb, Operation] = field(default_factory=dict)
    finders: list[Operation] = field(default_factory=list)
    item_param: str | None = None


def find_service(api: Api, contract_id: str) -> Service:
    """Return the resources of `api` and every operation that belongs to none, with its reason."""
    drafts, reasons = _drafts(api)
    resources: list[Resource] = []
    for draft in drafts.values():
        found = _resource(api, draft, reasons, {item.table for item in resources})
        if found is not None:
            resources.append(found)
    resources = [_with_parent(item, resources) for item in resources]
    done = {step.operation.id for item in resources for step in item.steps.values()}
    missing = tuple(
        Missing(operation=operation, reason=reasons.get(operation.id, "its path and answer show no resource"))
        for operation in api.operations
        if operation.id not in done
    )
    return Service(api=api, contract_id=contract_id, resources=tuple(resources), missing=missing)


def path_params(path: str) -> tuple[str, ...]:
    """Return the names of the variable parts of a path."""
    return tuple(_PARAM.findall(path))


def _drafts(api: Api) -> tuple[dict[str, _Draft], dict[str, str]]:
    drafts: dict[str, _Draft] = {}
    reasons: dict[str, str] = {}
    servable: list[Operation] = []
    for operation in api.operations:
        problem = _unservable(operation)
        if problem is not None:
            reasons[operation.id] = problem
        else:
            servable.append(operation)
    for operation in servable:
        collection, param = _split(operation.path)
        if param is not None and operation.method in _ITEM_VERBS:
            draft = drafts.setdefault(collection, _Draft(collection))
            if draft.item_param in {None, param}:
                draft.item_param = param
                draft.operations[_ITEM_VERBS[operation.method]] = operation
        elif param is None and operation.method in _COLLECTION_VERBS:
            draft = drafts.setdefault(operation.path, _Draft(operation.path))
            draft.operations[_COLLECTION_VERBS[operation.method]] = operation
        if param is None and operation.method == "GET" and operation.parameters_in("query"):
            base = operation.path.rpartition("/")[0]
            drafts.setdefault(base, _Draft(base)).finders.append(operation)
    return drafts, reasons


def _split(path: str) -> tuple[str, str | None]:
    before, _, last = path.rpartition("/")
    match = _PARAM.fullmatch(last)
    return (before, match[1]) if match and before else (path, None)


def _unservable(operation: Operation) -> str | None:
    if "#" in operation.path or "?" in operation.path:
        return "its path holds a fragment or query, which a server never sees"
    if operation.method in {"HEAD", "OPTIONS", "TRACE"}:
        return f"{operation.method} is answered by the service itself"
    if operation.body is not None and operation.body.content and operation.body.json is None:
        return f"its body is {next(iter(operation.body.content))}, not JSON"
    for parameter in operation.parameters_in("path"):
        if parameter.style != "simple":
            return f"the path parameter {parameter.name} has the style {parameter.style}"
    if set(path_params(operation.path)) - {item.name for item in operation.parameters_in("path")}:
        return "a variable part of its path is not declared"
    success = operation.success
    if success is not None and success.content and success.json is None:
        return f"it answers {next(iter(success.content))}, not JSON"
    return None


def _resource(api: Api, draft: _Draft, reasons: dict[str, str], taken: set[str]) -> Resource | None:
    operations = draft.operations
    seen = [verb for verb in (Verb.READ, Verb.LIST) if verb in operations]
    makers = [verb for verb in (Verb.CREATE, Verb.REPLACE) if verb in operations]
    if not makers or not seen:
        lack = "makes one" if seen else "shows one again"
        for operation in operations.values():
            reasons.setdefault(operation.id, f"nothing in the interface {lack}, so there is nothing to keep")
        return None
    if makers[0] is Verb.REPLACE and "201" not in operations[Verb.REPLACE].responses:
        for operation in operations.values():
            reasons.setdefault(operation.id, "nothing in the interface makes one (PUT declares no 201)")
        return None
    try:
        return _assemble(api, draft, reasons, taken)
    except NotUnderstood as problem:
        for operation in operations.values():
            reasons.setdefault(operation.id, str(problem))
        return None


def _assemble(api: Api, draft: _Draft, reasons: dict[str, str], taken: set[str]) -> Resource:
    operations = draft.operations
    steps: dict[Verb, Step] = {}
    for verb, operation in operations.items():
        try:
            steps[verb] = _step(api, verb, operation)
        except NotUnderstood as problem:
            reasons[operation.id] = str(problem)
    shape = _shape(api, steps)
    key, key_schema = _key(api, draft, shape, operations)
    noun = singular(
        next((part for part in reversed(draft.path.split("/")) if part and "{" not in part), "item")
    )
    maker = steps.get(Verb.CREATE) or steps.get(Verb.REPLACE)
    if maker is None or maker.body is None:
        raise NotUnderstood("the operation that makes one cannot be done")
    resource = Resource(
        noun=noun,
        table=unique(
            snake(draft.path.rpartition("/")[2] if "{" not in draft.path else noun, "items"),
            {*taken, "close"},
        ),
        path=draft.path,
        key=key,
        key_kind=kind_of(api, key_schema),
        new_key=_new_key(api, key_schema, maker, key) if Verb.CREATE in steps else None,
        item_param=draft.item_param,
        shape=shape,
        parents=path_params(draft.path),
    )
    starts = first_values(api, resource, steps)
    kept = _answerable(api, resource, steps, starts, reasons)
    kept = _with_find(api, draft, resource, kept)
    if not {Verb.CREATE, Verb.REPLACE} & kept.keys() or not {Verb.READ, Verb.LIST} & kept.keys():
        raise NotUnderstood(
            next(
                (reasons[item.id] for item in operations.values() if item.id in reasons), "it cannot be kept"
            )
        )
    return replace(resource, steps={verb: kept[verb] for verb in Verb if verb in kept}, starts=starts.values)


def _step(api: Api, verb: Verb, operation: Operation) -> Step:
    status = operation.success_status
    success = operation.success
    media = None if success is None or success.status == "default" else success.json
    answer = None if media is None or status == 204 else media.schema  # noqa: PLR2004 - No Content
    body = None
    if verb in {Verb.CREATE, Verb.REPLACE, Verb.PATCH, Verb.SAVE}:
        body = None if operation.body is None or operation.body.json is None else operation.body.json.schema
        if body is None:
            raise NotUnderstood("it takes no JSON body, so what it should change is not said")
        if kind_of(api, body) != "object" or not shape_of(api, body).fields:
            raise NotUnderstood("its body is no object with named fields")
    if verb is Verb.LIST:
        return _list_step(api, operation, status, answer)
    if verb is Verb.READ and (answer is None or not shape_of(api, answer).fields):
        raise NotUnderstood("its answer is no object with named fields")
    if answer is not None and verb is not Verb.DELETE and kind_of(api, answer) not in {"object", "any"}:
        raise NotUnderstood("its answer is not the thing itself")
    return Step(verb=verb, operation=operation, status=status, body=body, answer=answer)


def _list_step(api: Api, operation: Operation, status: int, answer: Schema | None) -> Step:
    items = items_of(api, answer)
    if items is not None:
        if not shape_of(api, items).fields:
            raise NotUnderstood("the items of its list are no objects")
        return Step(verb=Verb.LIST, operation=operation, status=status, answer=answer, item=items)
    shape = shape_of(api, answer)
    lists = [(item.name, items_of(api, item.schema)) for item in shape.fields if item.kind == "array"]
    lists = [(name, inner) for name, inner in lists if inner is not None and shape_of(api, inner).fields]
    if len(lists) != 1:
        raise NotUnderstood("its answer is no list and holds no single list")
    name, inner = lists[0]
    return Step(verb=Verb.LIST, operation=operation, status=status, answer=answer, envelope=name, item=inner)


def _shape(api: Api, steps: Mapping[Verb, Step]) -> Shape:
    for verb in (Verb.READ, Verb.LIST, Verb.CREATE):
        step = steps.get(verb)
        schema = None if step is None else step.item or step.answer
        if schema is not None and shape_of(api, schema).fields:
            return shape_of(api, schema)
    raise NotUnderstood("no answer shows the fields of one")


def _key(api: Api, draft: _Draft, shape: Shape, operations: Mapping[Verb, Operation]) -> tuple[str, Schema]:
    param = draft.item_param
    candidates = [item for item in shape.fields if item.kind in _SCALARS]
    if param is not None:
        exact = [item for item in candidates if normal(item.name) == normal(param)]
        ends = [item for item in candidates if normal(param).endswith(normal(item.name)) and item.name]
        found = exact or sorted(ends, key=lambda item: -len(item.name))
        if found:
            declared = next(iter(operations.values())).parameters_in("path")
            schema = found[0].schema
            by_name = {item.name: item.schema for item in declared}
            return found[0].name, schema if kind_of(api, schema) != "any" else by_name.get(param, schema)
        raise NotUnderstood(f"no field of the answer is the {param} of its path")
    for name in ("id", "uuid", "uid", "key"):
        if any(item.name == name for item in candidates):
            item = next(item for item in candidates if item.name == name)
            return item.name, item.schema
    noun = singular(draft.path.rpartition("/")[2])
    wanted = normal(noun + "id")
    named = [item for item in candidates if normal(item.name) == wanted]
    if not named:
        raise NotUnderstood("no field of the answer tells one from another")
    return named[0].name, named[0].schema


def _new_key(api: Api, schema: Schema, maker: Step, key: str) -> str | None:
    sent = shape_of(api, maker.body).field(key)
    if sent is not None and sent.required and not sent.read_only:
        return None
    kind, node = kind_of(api, schema), resolved(api, schema)
    is_id = words(key)[-1:] in (["id"], ["uid"], ["uuid"], ["key"], ["number"]) or normal(key).endswith("id")
    if sent is not None and not sent.read_only and not is_id:
        return None
    if kind in {"integer", "number"}:
        return "next_number"
    if node.get("format") == "uuid":
        return "new_uuid"
    if "pattern" in node or "enum" in node:
        for way, sample in (
            ("new_uuid", "3f2b8f0e-8d0c-4d6a-9b1e-2c7a5f4e6d10"),
            ("new_token", "a1" * 8),
            ("next_numeral", "1"),
        ):
            if "pattern" in node and re.search(str(node["pattern"]), sample):
                return way
        raise NotUnderstood(f"how a new {key} is made cannot be told from its pattern")
    length = node.get("maxLength")
    return "new_token" if not isinstance(length, int) or length >= 16 else "next_numeral"  # noqa: PLR2004 - a token's length


def _answerable(
    api: Api, resource: Resource, steps: Mapping[Verb, Step], starts: Starts, reasons: dict[str, str]
) -> dict[Verb, Step]:
    kept: dict[Verb, Step] = {}
    for verb, step in steps.items():
        needed = shape_of(api, step.item or step.answer or {}).required
        unknown = [name for name in needed if name in starts.impossible or resource.shape.field(name) is None]
        if (
            verb in {Verb.DELETE, Verb.PATCH, Verb.REPLACE, Verb.CREATE, Verb.SAVE}
            and step.answer is not None
        ):
            own = shape_of(api, step.answer)
            if own.fields and own.field(resource.key) is None and verb is not Verb.DELETE:
                reasons[step.operation.id] = f"its answer is not the {resource.noun} itself"
                continue
            if not own.fields and kind_of(api, step.answer) not in {"any", "object"}:
                reasons[step.operation.id] = f"its answer is not the {resource.noun} itself"
                continue
        if unknown:
            reasons[step.operation.id] = f'nothing says what "{unknown[0]}" of its answer should be'
            continue
        if verb is Verb.SAVE and shape_of(api, step.body).field(resource.key) is None:
            reasons[step.operation.id] = "nothing says which one it changes"
            continue
        if step.body is not None:
            try:
                example(api, step.body)
            except NoExample as problem:
                reasons[step.operation.id] = f"no example of its body could be made: {problem}"
                continue
        kept[verb] = step
    return kept


def _with_find(api: Api, draft: _Draft, resource: Resource, steps: dict[Verb, Step]) -> dict[Verb, Step]:
    for operation in draft.finders:
        if not re.match(r"(find|filter|by|search)", operation.path.rpartition("/")[2], re.IGNORECASE):
            continue
        try:
            step = _step(api, Verb.LIST, operation)
        except NotUnderstood:
            continue
        named = [item for item in operation.parameters_in("query") if resource.shape.field(item.name)]
        same = step.item is not None and set(shape_of(api, step.item).names) == set(resource.shape.names)
        if same and named and resource.shape.field(named[0].name).kind in {*_SCALARS, "boolean"}:  # type: ignore[union-attr]
            return {**steps, Verb.FIND: replace(step, verb=Verb.FIND)}
    return steps


def _with_parent(resource: Resource, resources: list[Resource]) -> Resource:
    if not resource.parents:
        return resource
    for other in resources:
        if other is not resource and other.item_param and resource.path.startswith(other.item_path + "/"):
            return replace(resource, parent=other.table)
    return resource
