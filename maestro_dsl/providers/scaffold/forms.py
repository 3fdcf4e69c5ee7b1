"""Fields of a page: which control each property gets, which filters a list has, what a card shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.providers.scaffold.names import label, line, normal, singular, words
from maestro_dsl.providers.scaffold.samples import bounds
from maestro_dsl.providers.scaffold.service import Resource, Service, Verb
from maestro_dsl.providers.scaffold.shapes import Field, items_of, kind_of, resolved, shape_of
from maestro_dsl.providers.scaffold.steps import LIMITS, OFFSETS, filter_role

if TYPE_CHECKING:
    from maestro_dsl.interfaces.openapi.model import Api

_TITLES: Final = ("title", "name", "subject", "summary", "label", "username", "display_name", "email")
_DONE: Final = {"done", "completed", "complete", "finished", "isdone", "iscompleted"}
_FORMATS: Final = {
    "date": "date",
    "date-time": "date-time",
    "email": "email",
    "uri": "url",
    "password": "password",
}
_EDITORS: Final = (Verb.REPLACE, Verb.PATCH, Verb.SAVE)
_LONG: Final = 300
_MAX_FACTS: Final = 6


def form(service: Service, resource: Resource, shown: list[Resource]) -> list[dict[str, Any]]:
    """Return the controls of a form, in the order of the schema."""
    editor = next((resource.steps[verb] for verb in _EDITORS if verb in resource.steps), None)
    step = resource.steps.get(Verb.CREATE) or editor
    if step is None:
        return []
    editable = set(shape_of(service.api, editor.body).names) if editor else set()
    controls: list[dict[str, Any]] = []
    for item in shape_of(service.api, step.body).fields:
        is_key = item.name == resource.key
        if item.read_only or (is_key and resource.new_key is not None):
            continue
        control = _control(service.api, item, shown)
        if is_key or item.name not in editable:
            control["createOnly"] = True
        controls.append(control)
    return controls


def filters(service: Service, resource: Resource, shown: list[Resource]) -> list[dict[str, Any]]:
    """Return the controls above a list: query parameters that filter by a field, and required ones."""
    step = resource.steps.get(Verb.LIST) or resource.steps.get(Verb.FIND)
    if step is None:
        return []
    controls: list[dict[str, Any]] = []
    for parameter in step.operation.parameters_in("query"):
        role = filter_role(service.api, resource.shape, resource.key, parameter)
        if not role and not parameter.required:
            continue
        schema = items_of(service.api, parameter.schema) or parameter.schema
        control = _control(
            service.api, Field(name=parameter.name, schema=schema, kind=kind_of(service.api, schema)), shown
        )
        if control["type"] == "boolean":
            control |= {"type": "text", "options": ["true", "false"]}
        control.pop("default", None)
        control["hint"] = ""
        if parameter.required:
            control["initial"] = str(control.get("options", [""])[0])
        controls.append(control)
    return controls


def facts(service: Service, resource: Resource, shown: list[Resource], title: str) -> list[dict[str, Any]]:
    """Return the fields that a card shows under its heading."""
    plain = [
        item
        for item in resource.shape.fields
        if item.kind in {"string", "integer", "number", "boolean"}
        and item.name not in {title, resource.key, toggle(resource)}
        and not item.write_only
    ]
    chosen: list[dict[str, Any]] = []
    for item in plain[:_MAX_FACTS]:
        control = _control(service.api, item, shown)
        chosen.append(
            {name: control[name] for name in ("name", "label", "type", "reference") if name in control}
        )
    return chosen


def heading(resource: Resource) -> str:
    """Return the name of the field that stands for a thing."""
    texts = [item.name for item in resource.shape.fields if item.kind == "string" and not item.write_only]
    by_name = {normal(name): name for name in texts}
    known = next((by_name[normal(name)] for name in _TITLES if normal(name) in by_name), None)
    return known or resource.key or (resource.shape.names or ("",))[0]


def toggle(resource: Resource) -> str | None:
    """Return the name of the field that says whether a thing is done, where a list can change it."""
    if Verb.PATCH not in resource.steps:
        return None
    return next(
        (
            item.name
            for item in resource.shape.fields
            if item.kind == "boolean" and normal(item.name) in _DONE
        ),
        None,
    )


def paging(api: Api, resource: Resource) -> dict[str, str] | None:
    """Return the names of the parameters that cut a list into pages of fifty, where it has them."""
    step = resource.steps.get(Verb.LIST)
    parameters = step.operation.parameters_in("query") if step else ()
    limit = next((item for item in parameters if normal(item.name) in LIMITS), None)
    offset = next((item for item in parameters if normal(item.name) in OFFSETS), None)
    if limit is None or offset is None:
        return None
    most = bounds(resolved(api, limit.schema))[1]
    return {"limit": limit.name, "offset": offset.name} if most is None or most >= 50 else None  # noqa: PLR2004


def _control(api: Api, item: Field, shown: list[Resource]) -> dict[str, Any]:
    node = resolved(api, item.schema)
    made: dict[str, Any] = {"name": item.name, "label": label(item.name), "type": _type(item, node)}
    if item.required:
        made["required"] = True
    if isinstance(node.get("enum"), list):
        made["options"] = [value for value in node["enum"] if value is not None]
        made["type"] = item.kind if item.kind in {"integer", "number"} else "text"
    target = _reference(item, shown)
    if target is not None:
        made["reference"] = target.table
        made["label"] = target.noun.capitalize()
    default = node.get("default")
    if isinstance(default, (str, int, float, bool)):
        made["default"] = default
    if made["type"] in {"integer", "number"} and "options" not in made:
        low, high = bounds(node)
        made |= {key: value for key, value in (("min", low), ("max", high)) if value is not None}
    for key in ("minLength", "maxLength"):
        if made["type"] in {"text", "long"} and isinstance(node.get(key), int):
            made[key] = node[key]
    hint = line(str(node.get("description") or ""), 140)
    if hint and target is None:
        made["hint"] = hint
    return made


def _type(item: Field, node: dict[str, Any]) -> str:
    if item.kind != "string":
        return item.kind if item.kind in {"boolean", "integer", "number"} else "json"
    if node.get("format") in _FORMATS:
        return _FORMATS[str(node["format"])]
    pattern = str(node.get("pattern", ""))
    if "#" in pattern and re.search(r"\{6\}\$?$", pattern):
        return "color"
    length = node.get("maxLength")
    return "long" if isinstance(length, int) and length > _LONG else "text"


def _reference(item: Field, shown: list[Resource]) -> Resource | None:
    parts = words(item.name)
    if item.kind not in {"integer", "string"} or len(parts) < 2 or parts[-1] != "id":  # noqa: PLR2004 - noun and id
        return None
    noun = singular(" ".join(parts[:-1]))
    return next(
        (other for other in shown if other.noun == noun and not other.parents and Verb.LIST in other.steps),
        None,
    )
