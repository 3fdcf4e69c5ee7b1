"""One operation as a step that a template can do: its body, its answer, and what of them is understood."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from maestro_dsl.providers.scaffold.keys import NotUnderstood
from maestro_dsl.providers.scaffold.names import normal
from maestro_dsl.providers.scaffold.service import Step, Verb
from maestro_dsl.providers.scaffold.shapes import items_of, kind_of, shape_of

if TYPE_CHECKING:
    from maestro_dsl.interfaces.openapi.model import Api, Operation, Parameter, Schema
    from maestro_dsl.providers.scaffold.shapes import Shape

FORM: Final = "application/x-www-form-urlencoded"
LIMITS: Final = {"limit", "perpage", "pagesize", "size", "maxresults", "first", "top", "count", "take"}
OFFSETS: Final = {"offset", "skip", "start", "from"}
PAGES: Final = {"page", "pagenumber", "pageno"}
_PARAM = re.compile(r"\{([^{}]*)\}")
_SIMPLE: Final = {"string", "integer", "number", "boolean"}
_NAMES: Final = {"name", "label", "title", "value"}
_WITH_BODY: Final = {Verb.CREATE, Verb.REPLACE, Verb.PATCH, Verb.SAVE}


def path_params(path: str) -> tuple[str, ...]:
    """Return the names of the variable parts of a path."""
    return tuple(_PARAM.findall(path))


def unservable(api: Api, operation: Operation) -> str | None:
    """Return why no template can serve the operation, whatever it belongs to; None where one might."""
    if "#" in operation.path or "?" in operation.path:
        return "its path holds a fragment or query, which a server never sees"
    if operation.method in {"HEAD", "OPTIONS", "TRACE"}:
        return f"{operation.method} is answered by the service itself"
    body = operation.body
    if body is not None and body.content and body.json is None and _form(api, operation) is None:
        return f"its body is {next(iter(body.content))}, not JSON"
    for parameter in operation.parameters_in("path"):
        if parameter.style != "simple":
            return f"the path parameter {parameter.name} has the style {parameter.style}"
    if set(path_params(operation.path)) - {item.name for item in operation.parameters_in("path")}:
        return "a variable part of its path is not declared"
    success = operation.success
    if success is not None and success.content and success.json is None:
        return f"it answers {next(iter(success.content))}, not JSON"
    return None


def make_step(api: Api, verb: Verb, operation: Operation, *, is_single: bool = False) -> Step:
    """Return the operation as a step.

    Raises:
        NotUnderstood: its body or answer has a form that no template knows.
    """
    status = operation.success_status
    success = operation.success
    media = None if success is None or success.status == "default" else success.json
    answer = None if media is None or status == 204 else media.schema  # noqa: PLR2004 - No Content
    if verb is Verb.LIST:
        return _list_step(api, operation, status, answer)
    body, form = _body(api, verb, operation)
    if verb is Verb.READ and (answer is None or not shape_of(api, answer).fields):
        raise NotUnderstood("its answer is no object with named fields")
    if verb is Verb.BULK:
        return _bulk_step(api, operation, status, answer)
    if verb in {Verb.CLEAR, Verb.DELETE} and (verb is Verb.CLEAR or is_single) and answer is not None:
        raise NotUnderstood("what it answers after deleting cannot be told")
    if answer is not None and verb is not Verb.DELETE and kind_of(api, answer) not in {"object", "any"}:
        raise NotUnderstood("its answer is not the thing itself")
    return Step(verb=verb, operation=operation, status=status, body=body, answer=answer, form=form)


def unexplained(api: Api, shape: Shape, key: str, step: Step) -> str | None:
    """Return the name of a query parameter that a list must be asked with and that means nothing known."""
    if step.verb not in {Verb.LIST, Verb.FIND}:
        return None
    for parameter in step.operation.parameters_in("query"):
        is_paging = normal(parameter.name) in LIMITS | OFFSETS | PAGES
        if parameter.required and not is_paging and not filter_role(api, shape, key, parameter):
            return parameter.name
    return None


def filter_role(api: Api, shape: Shape, key: str, parameter: Parameter) -> str:
    """Return "filter:<field>" where the parameter's name is a field with values of its type, else ""."""
    name, inner = normal(parameter.name), items_of(api, parameter.schema)
    known = next((item for item in shape.fields if normal(item.name) == name), None)
    if known is None and inner is not None and key:
        known = next((item for item in shape.fields if item.name == key and normal(key) + "s" == name), None)
    if known is None or '"' in known.name or known.write_only:
        return ""
    wanted = kind_of(api, inner or parameter.schema)
    held = kind_of(api, items_of(api, known.schema) or known.schema)
    if held == "object" and wanted == "string":  # ?tags=red finds what has a tag with that name
        named = shape_of(api, items_of(api, known.schema)).fields
        held = next((item.kind for item in named if normal(item.name) in _NAMES), held)
    return f"filter:{known.name}" if wanted == held and wanted in _SIMPLE else ""


def _body(api: Api, verb: Verb, operation: Operation) -> tuple[Schema | None, str | None]:
    if verb is Verb.AMEND and operation.body is None:
        if not operation.parameters_in("query"):
            raise NotUnderstood("it takes no body, so what it should change is not said")
        return None, None
    if verb not in _WITH_BODY | {Verb.AMEND}:
        return None, None
    media = None if operation.body is None else operation.body.json
    form = None
    if media is None:
        form = _form(api, operation)
        media = None if form is None or operation.body is None else operation.body.content[form]
    if media is None or media.schema is None:
        raise NotUnderstood("it takes no JSON body, so what it should change is not said")
    if kind_of(api, media.schema) != "object" or not shape_of(api, media.schema).fields:
        raise NotUnderstood("its body is no object with named fields")
    return media.schema, form


def _form(api: Api, operation: Operation) -> str | None:
    """Return the media type of a form whose fields are all simple, where the body can be one."""
    content = {} if operation.body is None else operation.body.content
    media = content.get(FORM)
    fields = () if media is None else shape_of(api, media.schema).fields
    return FORM if fields and all(item.kind in _SIMPLE for item in fields) else None


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


def _bulk_step(api: Api, operation: Operation, status: int, answer: Schema | None) -> Step:
    media = None if operation.body is None else operation.body.json
    inner = None if media is None else items_of(api, media.schema)
    if media is None or inner is None or not shape_of(api, inner).fields:
        raise NotUnderstood("its body is no list of objects")
    item = items_of(api, answer)
    if answer is not None and item is None and not shape_of(api, answer).fields:
        raise NotUnderstood("its answer is neither the list nor one of it")
    return Step(
        verb=Verb.BULK, operation=operation, status=status, body=media.schema, answer=answer, item=item
    )
