"""A life of each resource for generated tests: what is sent, what changes, and which answers must follow.

Makes the values of `journey`; renders nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from maestro_dsl.interfaces.openapi.validate import is_valid
from maestro_dsl.providers.scaffold.errors import invalid_status
from maestro_dsl.providers.scaffold.journey import Call, Journey
from maestro_dsl.providers.scaffold.names import line, normal, snake
from maestro_dsl.providers.scaffold.samples import NoExample, bounds, example
from maestro_dsl.providers.scaffold.service import Resource, Service, Step, Verb
from maestro_dsl.providers.scaffold.shapes import items_of, kind_of, resolved, shape_of
from maestro_dsl.providers.scaffold.steps import LIMITS, filter_role

if TYPE_CHECKING:
    from maestro_dsl.interfaces.openapi.model import Api, Operation

_LONG_PAGE = 100
_TESTED_FORMATS = {"date", "date-time", "uuid"}


def journeys(service: Service) -> list[Journey]:
    """Return the life of each resource, parents before what lies in them."""
    ordered = sorted(service.resources, key=lambda item: item.path.count("/"))
    return [_journey(service, resource) for resource in ordered]


def features(found: list[Journey]) -> dict[str, bool]:
    """Return what the tests of these journeys need beyond the plain minimum, for the templates."""
    steps = [step for item in found for step in item.resource.all_steps]
    forms = any(step.form for step in steps)
    queries = any(item.amend and item.resource.steps[Verb.AMEND].body is None for item in found)
    return {
        "uses_forms": forms,
        "uses_types": any(step.media_type and not step.form for step in steps),
        "uses_urlencode": forms or queries,
        "uses_unquote": any(item.kind == "life" and item.calls["save"] and item.replaced for item in found),
        "uses_seeds": any(
            item.kind == "look"
            and item.resource.seeds
            and (listing := item.calls["list"]) is not None
            and not listing.suffix
            and not item.limit
            for item in found
        ),
    }


def credentials(operation: Operation) -> tuple[dict[str, str], dict[str, str]]:
    """Return the headers and query values that satisfy the first security alternative by presence."""
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    for scheme in operation.security[0].schemes if operation.security else ():
        if scheme.kind == "apiKey" and scheme.location == "query":
            query[scheme.parameter] = "test"
        elif scheme.kind == "apiKey" and scheme.location == "cookie":
            headers["Cookie"] = f"{scheme.parameter}=test"
        elif scheme.kind == "apiKey":
            headers[scheme.parameter] = "test"
        elif scheme.kind == "http" and scheme.http_scheme == "basic":
            headers["Authorization"] = "Basic dGVzdDp0ZXN0"
        elif scheme.kind != "mutualTLS":
            headers["Authorization"] = "Bearer test"
    return headers, query


def _journey(service: Service, resource: Resource) -> Journey:
    api = service.api
    maker = resource.steps.get(Verb.CREATE) or resource.steps.get(Verb.REPLACE)
    is_life = resource.is_made and maker is not None
    new = _body(api, maker, 0) if is_life and maker else {}
    other = _body(api, maker, 1) if is_life and maker else {}
    sent = _sent_names(api, resource)
    shown = tuple(
        item.name
        for item in resource.shape.fields
        if not item.write_only and item.name in sent and item.name != resource.key
    )
    if resource.new_key is not None:
        new.pop(resource.key, None)
        other.pop(resource.key, None)
    changes = [name for name in new if name in other and new[name] != other[name]]
    seeds = [item for things in resource.seeds.values() for item in things]
    return Journey(
        resource=resource,
        kind="single" if resource.is_single else "life" if is_life else "look",
        parents=_parents(service, resource, resource.all_steps[0]),
        calls={
            verb.value: _call(api, resource.steps[verb]) if verb in resource.steps else None for verb in Verb
        },
        finds=tuple(_call(api, step) for step in resource.all_steps if step.verb is Verb.FIND),
        new=new,
        other=other,
        replaced=_replacement(api, resource, new),
        patch=_patch(api, resource, new),
        amend=_amend(api, resource),
        required=_required(api, maker) if is_life and maker else (),
        wrong=_wrong(maker, new, changes),
        filter=_filter(service, resource, new, other),
        limit=_limit(api, resource),
        list_query=_longest_page(api, resource),
        absent_key=_absent_key(api, resource),
        own_key=_own_key(api, resource, new),
        shown=shown,
        free_method=_free_method(service, resource),
        key_prefix=_key_prefix(api, resource, maker) if is_life and maker else None,
        seed=str(seeds[0][resource.key]) if seeds and resource.key else None,
        seed_count=len(seeds),
    )


def _sent_names(api: Api, resource: Resource) -> set[str]:
    steps = [resource.steps[verb] for verb in (Verb.CREATE, Verb.REPLACE) if verb in resource.steps]
    if not steps:
        steps = [resource.steps[verb] for verb in (Verb.PATCH, Verb.AMEND) if verb in resource.steps]
    names = {name for step in steps[:1] for name in shape_of(api, step.body).names}
    if resource.is_single and Verb.PATCH in resource.steps:
        names |= set(shape_of(api, resource.steps[Verb.PATCH].body).names)
    return names


def _wrong(maker: Step | None, new: dict[str, Any], changes: list[str]) -> tuple[str, Any] | None:
    if maker is not None and maker.form is not None:  # in a form everything is a text
        numbers = [name for name in changes if type(new[name]) in {int, float}]
        return (numbers[0], "wrong") if numbers else None
    plain = [name for name in changes if isinstance(new[name], (str, int, float))]
    return (plain[0], ["wrong"]) if plain else None


def _required(api: Api, maker: Step) -> tuple[str, ...]:
    sent = shape_of(api, maker.body)
    return tuple(item.name for item in sent.fields if item.required and not item.read_only)


def _amend(api: Api, resource: Resource) -> dict[str, Any] | None:
    step = resource.steps.get(Verb.AMEND)
    if step is None:
        return None
    if step.body is not None:
        return _change(api, step, resource, {})
    for parameter in step.operation.parameters_in("query"):
        role = filter_role(api, resource.shape, resource.key, parameter).removeprefix("filter:")
        is_plain = kind_of(api, parameter.schema) in {"string", "integer"}
        if role and role != resource.key and is_plain:
            return {parameter.name: example(api, parameter.schema, name=parameter.name, variant=1)}
    return None


def _body(api: Api, step: Step, variant: int) -> dict[str, Any]:
    media = step.operation.body.json if step.operation.body else None
    given = (
        next((value for value in media.examples.values() if isinstance(value, dict)), None) if media else None
    )
    made = example(api, step.body or {}, variant=variant)
    if variant == 0 and given is not None:
        read_only = {item.name for item in shape_of(api, step.body).fields if item.read_only}
        sent = {name: value for name, value in given.items() if name not in read_only}
        if is_valid(api, step.body or {}, sent, "request"):
            return sent
    return dict(made) if isinstance(made, dict) else {}


def _replacement(api: Api, resource: Resource, new: dict[str, Any]) -> dict[str, Any] | None:
    step = resource.steps.get(Verb.REPLACE) or resource.steps.get(Verb.SAVE)
    if step is None:
        return None
    try:
        body = _body(api, step, 1)
    except NoExample:
        return None
    if resource.item_param and step.verb is Verb.REPLACE and resource.key in body:
        if resource.key in new:
            body[resource.key] = new[resource.key]
        else:
            del body[resource.key]
    return body


def _patch(api: Api, resource: Resource, new: dict[str, Any]) -> dict[str, Any] | None:
    step = resource.steps.get(Verb.PATCH)
    return None if step is None else _change(api, step, resource, resource.first or new)


def _change(api: Api, step: Step, resource: Resource, new: dict[str, Any]) -> dict[str, Any] | None:
    try:
        body = _body(api, step, 1)
    except NoExample:
        return None
    plain = {
        name: value
        for name, value in body.items()
        if name != resource.key and isinstance(value, (str, int, float, bool)) and new.get(name) != value
    }
    required = set(shape_of(api, step.body).required)
    chosen = next(iter(plain), None)
    return {name: value for name, value in body.items() if name == chosen or name in required} or None


def _parents(service: Service, resource: Resource, maker: Step) -> tuple[tuple[str, str | None, Any], ...]:
    schemas = {item.name: item.schema for item in maker.operation.parameters_in("path")}
    by_param: dict[str, str] = {}
    above = next((item for item in service.resources if item.table == resource.parent), None)
    while above is not None:
        if above.item_param is not None:
            by_param[above.item_param] = above.table
        above = next((item for item in service.resources if item.table == above.parent), None)
    return tuple(
        (name, by_param.get(name), example(service.api, schemas[name], name=name))
        for name in resource.parents
    )


def _call(api: Api, step: Step) -> Call:
    headers, query = credentials(step.operation)
    if step.media_type is not None:
        headers["Content-Type"] = step.media_type
    for parameter in step.operation.parameters:
        if parameter.required and parameter.location in {"query", "header"}:
            value = example(api, parameter.schema, name=parameter.name)
            value = value[0] if isinstance(value, list) and value else value
            target = query if parameter.location == "query" else headers
            target[parameter.name] = str(value).lower() if isinstance(value, bool) else str(value)
    shape = shape_of(api, step.item or step.answer or {})
    return Call(
        id=step.operation.id,
        method=step.operation.method,
        path=step.operation.path,
        status=step.status,
        invalid_status=invalid_status(step.operation),
        summary=line(step.operation.summary),
        answers=step.answer is not None,
        query=query,
        headers=headers,
        envelope=step.envelope,
        form=step.form is not None,
        required=shape.required,
        types={item.name: item.kind for item in shape.fields if item.kind not in {"any", "null"}},
        formats={
            item.name: name
            for item in shape.fields
            if item.kind == "string" and (name := resolved(api, item.schema).get("format")) in _TESTED_FORMATS
        },
        errors={
            status: shape_of(api, response.json.schema).required if response.json else ()
            for status, response in step.operation.responses.items()
            if status == "default" or status[0] in "45"
        },
    )


def _filter(
    service: Service, resource: Resource, new: dict[str, Any], other: dict[str, Any]
) -> tuple[str, str] | None:
    step = resource.steps.get(Verb.LIST) or resource.steps.get(Verb.FIND)
    for parameter in step.operation.parameters_in("query") if step else ():
        role = filter_role(service.api, resource.shape, resource.key, parameter).removeprefix("filter:")
        node = resolved(service.api, parameter.schema)
        if not role or items_of(service.api, parameter.schema) is not None or node.get("enum"):
            continue
        if (
            role in new
            and role in other
            and new[role] != other[role]
            and not isinstance(new[role], (list, dict))
        ):
            return parameter.name, role
    return None


def _limit(api: Api, resource: Resource) -> str | None:
    step = resource.steps.get(Verb.LIST)
    for parameter in step.operation.parameters_in("query") if step else ():
        node = resolved(api, parameter.schema)
        if (
            normal(parameter.name) in LIMITS
            and kind_of(api, node) == "integer"
            and node.get("minimum", 1) <= 1
        ):
            return parameter.name
    return None


def _longest_page(api: Api, resource: Resource) -> dict[str, str]:
    step = resource.steps.get(Verb.LIST)
    if step is None:
        return {}
    asked = dict(_call(api, step).query)
    for parameter in step.operation.parameters_in("query"):
        if normal(parameter.name) in LIMITS and kind_of(api, parameter.schema) == "integer":
            most = bounds(resolved(api, parameter.schema))[1]
            asked[parameter.name] = str(int(_LONG_PAGE if most is None else min(most, _LONG_PAGE)))
    return asked


def _absent_key(api: Api, resource: Resource) -> str:
    step = next((item for item in resource.steps.values() if item.operation.path == resource.item_path), None)
    parameters = step.operation.parameters_in("path") if step else ()
    schema = next((item.schema for item in parameters if item.name == resource.item_param), None)
    if schema is None and not resource.key:
        return "absent"
    if schema is None:
        schema = next(item.schema for item in resource.shape.fields if item.name == resource.key)
    if kind_of(api, schema) in {"integer", "number"}:
        most = resolved(api, schema).get("maximum")
        return str(int(min(most, 999_999_999))) if isinstance(most, (int, float)) else "999999999"
    try:
        node = {
            key: value for key, value in resolved(api, schema).items() if key not in {"example", "examples"}
        }
        return str(example(api, node, name="absent", variant=1)).replace(" ", "-")
    except NoExample:
        return "absent"


def _own_key(api: Api, resource: Resource, new: dict[str, Any]) -> str:
    step = resource.steps.get(Verb.REPLACE)
    if not resource.is_made or step is None or Verb.CREATE in resource.steps:
        return ""
    schema = {item.name: item.schema for item in step.operation.parameters_in("path")}[
        resource.item_param or ""
    ]
    value = new.get(resource.key)
    return str(example(api, schema, name=resource.noun) if value is None else value)


def _key_prefix(api: Api, resource: Resource, maker: Step) -> str | None:
    sent = shape_of(api, maker.body).field(resource.key)
    if resource.new_key is not None or maker.verb is not Verb.CREATE or sent is None or sent.kind != "string":
        return None
    is_free = not {"pattern", "format", "enum", "maxLength"} & resolved(api, sent.schema).keys()
    return snake(resource.noun) if is_free else None


def _free_method(service: Service, resource: Resource) -> str | None:
    path = re.sub(r"\{[^{}]*\}", "1", resource.path)
    used = {item.method for item in service.api.operations if _pattern(item.path).fullmatch(path)}
    return next((method for method in ("PUT", "PATCH", "DELETE") if used and method not in used), None)


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("[^/]+".join(re.escape(part) for part in re.split(r"\{[^{}]*\}", path)))
