"""The operations of a raw OpenAPI document: references followed, path-level parameters merged in.

Takes what vendors write: a part that cannot be read is left out with a warning, never an exception.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from maestro_dsl.interfaces.openapi.model import (
    METHODS,
    Body,
    Callback,
    Media,
    Operation,
    Parameter,
    Response,
    Schema,
    SecurityRequirement,
    SecurityScheme,
    follow,
)
from maestro_dsl.lang.sourcemap import Pointer

Warn: TypeAlias = Callable[[str, Pointer], None]
"""Takes a sentence, and the way in the document to what it is about."""


@dataclass(frozen=True, slots=True)
class _Where:
    """An operation as messages call it, and the way to it."""

    method: str
    path: str
    pointer: Pointer

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


_QUOTED = re.compile(r"""([`'"])([!-~]{3,}?)\1""")
_STYLES = {"path": "simple", "header": "simple", "query": "form", "cookie": "form"}
_STATUS_LENGTH = 3
_UNUSABLE_PARAMETER = "a parameter without a usable name and place is left out"
_UNDECLARED = "is not declared and is left out"
TOLD_ELSEWHERE = (_UNUSABLE_PARAMETER, _UNDECLARED)
"""Ends of messages about an operation that `mistakes` tells at the word itself."""
LEFT_OUT = "is left out"
"""End of every message about something that cannot be read."""


def read(document: Mapping[str, Any], warn: Warn) -> tuple[Operation, ...]:
    """Return every operation under `paths`, in the order of the document; ids are unique."""
    schemes = _schemes(document, warn)
    seen: dict[str, int] = {}
    found: list[Operation] = []
    for where, raw, shared in _raw_operations(document, warn):
        operation_id = raw.get("operationId")
        name = operation_id if isinstance(operation_id, str) and operation_id else None
        if name is not None and name in seen:
            warn(
                f'the operationId "{name}" is used twice; {where} goes by its method and path',
                (*where.pointer, "operationId"),
            )
            name = None
        seen[name or str(where)] = 1
        found.append(
            Operation(
                id=name or str(where),
                operation_id=name,
                method=where.method,
                path=where.path,
                parameters=_parameters(document, (shared, raw.get("parameters")), where, warn),
                body=_body(document, raw.get("requestBody"), where, warn),
                responses=_responses(document, raw.get("responses"), where, warn),
                security=_security(raw.get("security", document.get("security")), schemes, where, warn),
                summary=_text(raw.get("summary")),
                description=_text(raw.get("description")),
                tags=tuple(item for item in _list(raw.get("tags")) if isinstance(item, str)),
                deprecated=raw.get("deprecated") is True,
                callbacks=tuple(_callbacks(document, raw.get("callbacks"), where, warn)),
            )
        )
    return tuple(found)


def _callbacks(document: Mapping[str, Any], raw: Any, where: _Where, warn: Warn) -> Iterator[Callback]:
    for name, entry in _dict(raw).items():
        for url, item in _dict(follow(document, entry)).items():
            for key, sent in _dict(follow(document, item)).items():
                if url.startswith("x-") or key.upper() not in METHODS or not isinstance(sent, dict):
                    continue
                own = _Where(key.upper(), url, (*where.pointer, "callbacks", name))
                operation = Operation(
                    id=f"{where} {name} {key.upper()} {url}",
                    operation_id=None,
                    method=own.method,
                    path=url,
                    body=_body(document, sent.get("requestBody"), own, warn),
                    responses=_responses(document, sent.get("responses"), own, warn),
                )
                yield Callback(name=name, url=url, operation=operation)


def _raw_operations(
    document: Mapping[str, Any], warn: Warn
) -> Iterator[tuple[_Where, dict[str, Any], object]]:
    for path, raw_item in _dict(document.get("paths")).items():
        if path.startswith("x-"):
            continue
        item = follow(document, raw_item)
        if not isinstance(item, dict):
            warn(f'the path "{path}" cannot be read and is left out', ("paths", path))
            continue
        if not path.startswith("/"):
            warn(f'the path "{path}" does not start with "/"; it is served as "/{path}"', ("paths", path))
        for key, raw in item.items():
            if key.upper() not in METHODS:
                continue
            if not isinstance(raw, dict):
                warn(f"{key.upper()} {path} is not a mapping and is left out", ("paths", path, key))
                continue
            where = _Where(key.upper(), "/" + path.lstrip("/"), ("paths", path, key))
            yield where, raw, item.get("parameters")


def _parameters(
    document: Mapping[str, Any], sources: tuple[object, ...], where: _Where, warn: Warn
) -> tuple[Parameter, ...]:
    found: dict[tuple[str, str], Parameter] = {}
    for raw in (entry for source in sources for entry in _list(source)):
        item = follow(document, raw)
        name, location = _dict(item).get("name"), _dict(item).get("in")
        if not isinstance(name, str) or not isinstance(location, str) or location not in _STYLES:
            warn(
                f"{where}: {_UNUSABLE_PARAMETER}",
                (*where.pointer, "parameters"),
            )
            continue
        found[location, name] = _parameter(document, item, name, location)
    return tuple(found.values())


def _parameter(document: Mapping[str, Any], raw: dict[str, Any], name: str, location: str) -> Parameter:
    content = _content(document, raw.get("content"))
    media = next(iter(content.values()), None)
    style = raw.get("style") if isinstance(raw.get("style"), str) else _STYLES.get(location, "simple")
    explode = raw.get("explode")
    schema = _schema(raw.get("schema")) if media is None else media.schema
    return Parameter(
        name=name,
        location=location,
        required=raw.get("required") is True or location == "path",
        schema=True if schema is None else schema,
        style=str(style),
        explode=explode if isinstance(explode, bool) else style == "form",
        allow_empty=raw.get("allowEmptyValue") is True,
        media_type=None if media is None else media.media_type,
        description=_text(raw.get("description")),
        deprecated=raw.get("deprecated") is True,
        examples=_examples(document, raw) or ({} if media is None else media.examples),
    )


def _body(document: Mapping[str, Any], raw: Any, where: _Where, warn: Warn) -> Body | None:
    item = follow(document, raw)
    if not isinstance(item, dict):
        if raw is not None:
            warn(f"{where}: the request body cannot be read and is left out", (*where.pointer, "requestBody"))
        return None
    return Body(
        content=_content(document, item.get("content")),
        required=item.get("required") is True,
        description=_text(item.get("description")),
    )


def _responses(document: Mapping[str, Any], raw: Any, where: _Where, warn: Warn) -> Mapping[str, Response]:
    found: dict[str, Response] = {}
    for key, entry in _dict(raw).items():
        if key.startswith("x-"):
            continue
        status = key if key == "default" else key.upper()
        item = follow(document, entry)
        if not isinstance(item, dict) or not _is_status(status):
            warn(
                f'{where}: the answer "{key}" cannot be read and is left out',
                (*where.pointer, "responses", key),
            )
            continue
        headers = {
            name: _parameter(document, header, name, "header")
            for name, header in (
                (name, follow(document, value)) for name, value in _dict(item.get("headers")).items()
            )
            if isinstance(header, dict)
        }
        found[status] = Response(
            status=status,
            description=_text(item.get("description")),
            content=_content(document, item.get("content")),
            headers=headers,
        )
    return found


def _is_status(status: str) -> bool:
    if status == "default":
        return True
    return (
        len(status) == _STATUS_LENGTH
        and status[0] in "12345"
        and (status[1:] == "XX" or status[1:].isdigit())
    )


def _content(document: Mapping[str, Any], raw: Any) -> Mapping[str, Media]:
    found: dict[str, Media] = {}
    for raw_type, entry in _dict(raw).items():
        item = _dict(follow(document, entry))
        media_type = "*/*" if raw_type == "*" else raw_type
        found[media_type] = Media(
            media_type=media_type,
            schema=_schema(item.get("schema")),
            examples=_examples(document, item),
            encoding=_dict(item.get("encoding")),
        )
    return found


def _examples(document: Mapping[str, Any], raw: Mapping[str, Any]) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    if "example" in raw:
        found[""] = raw["example"]
    for name, entry in _dict(raw.get("examples")).items():
        item = follow(document, entry)
        if isinstance(item, dict) and "value" in item:
            found[name] = item["value"]
    return found


def _schemes(document: Mapping[str, Any], warn: Warn) -> Mapping[str, SecurityScheme]:
    found: dict[str, SecurityScheme] = {}
    for name, entry in _dict(_dict(document.get("components")).get("securitySchemes")).items():
        item = follow(document, entry)
        if not isinstance(item, dict):
            place = ("components", "securitySchemes", name)
            warn(f'the security scheme "{name}" cannot be read and is left out', place)
            continue
        found[name] = SecurityScheme(
            name=name,
            kind=_text(item.get("type")),
            location=_text(item.get("in")),
            parameter=_text(item.get("name")),
            http_scheme=_text(item.get("scheme")).lower(),
            shown=tuple(word for _, word in _QUOTED.findall(_text(item.get("description")))),
        )
    return found


def _security(
    raw: Any, schemes: Mapping[str, SecurityScheme], where: _Where, warn: Warn
) -> tuple[SecurityRequirement, ...]:
    found: list[SecurityRequirement] = []
    for entry in _list(raw):
        names = list(_dict(entry))
        missing = [name for name in names if name not in schemes]
        if missing:
            warn(
                f'{where}: the security scheme "{missing[0]}" {_UNDECLARED}',
                (*where.pointer, "security"),
            )
            continue
        found.append(SecurityRequirement(schemes=tuple(schemes[name] for name in names)))
    return tuple(found)


def _schema(raw: Any) -> Schema | None:
    return raw if isinstance(raw, (dict, bool)) else None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
