"""Examples of an OpenAPI description that their own schemas refuse, with the way to each.

Judged as request and as response: an example that leaves out what does not travel one way is right. Other
than JSON is not judged, nor are files that an example names by address.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.interfaces.openapi.generate import without_hidden
from maestro_dsl.interfaces.openapi.model import Api, is_json_media
from maestro_dsl.interfaces.openapi.validate import findings, is_valid
from maestro_dsl.lang.sourcemap import Pointer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from maestro_dsl.interfaces.openapi.dialect import Direction

_MOST: Final = 50
_NAMES: Final = (("properties",), ("patternProperties",), ("$defs",), ("definitions",))
"""Last steps to mappings whose keys are names that people chose, such as "schema"."""
_DIRECTIONS: Final[tuple[Direction, ...]] = ("response", "request")


@dataclass(frozen=True, slots=True, kw_only=True)
class BadExample:
    """One example: the way to what is wrong in it, what it is an example of, and a sentence."""

    pointer: Pointer
    what: str
    message: str


def bad_examples(api: Api) -> Iterator[BadExample]:
    """Yield the examples of `api` that do not match, at most fifty."""
    count = 0
    for pointer, schema, value in _examples(api.document):
        wrong = _wrong(api, schema, value)
        if wrong is None:
            continue
        inner, message = wrong
        yield BadExample(pointer=(*pointer, *inner), what=_what(pointer), message=message)
        count += 1
        if count == _MOST:
            return


def _examples(document: Any) -> Iterator[tuple[Pointer, Any, Any]]:
    """Yield (way, schema, value) for every example beside a schema, and inside the named schemas."""
    waiting: list[tuple[Any, Pointer]] = [(document, ())]
    while waiting:
        node, pointer = waiting.pop()
        if isinstance(node, dict):
            schema = node.get("schema") if pointer[-1:] not in _NAMES else None
            if isinstance(schema, dict) and _is_json(pointer):
                yield from _of(node, pointer, schema)
            children = [(item, (*pointer, key)) for key, item in node.items() if _is_looked_into(key, item)]
            waiting += reversed(children)
        elif isinstance(node, list):
            waiting += reversed([(item, (*pointer, place)) for place, item in enumerate(node)])
    components = document.get("components")
    named = components.get("schemas") if isinstance(components, dict) else None
    for name, schema in (named if isinstance(named, dict) else {}).items():
        yield from _inside(schema, ("components", "schemas", name))


def _is_looked_into(key: object, item: object) -> bool:
    return isinstance(item, (dict, list)) and key not in {"example", "examples", "default", "enum", "schemas"}


def _is_json(pointer: Pointer) -> bool:
    """Return whether what has a schema at `pointer` is no body of another media type."""
    is_media = len(pointer) > 1 and pointer[-2] == "content"
    return not is_media or is_json_media(str(pointer[-1]))


def _of(node: dict[Any, Any], pointer: Pointer, schema: dict[str, Any]) -> Iterator[tuple[Pointer, Any, Any]]:
    if "example" in node:
        yield (*pointer, "example"), schema, node["example"]
    many = node.get("examples")
    for name, entry in (many if isinstance(many, dict) else {}).items():
        if isinstance(entry, dict) and "value" in entry:
            yield (*pointer, "examples", name, "value"), schema, entry["value"]


def _inside(schema: Any, pointer: Pointer) -> Iterator[tuple[Pointer, Any, Any]]:
    """Yield the examples of a named schema and of its properties."""
    waiting: list[tuple[Any, Pointer]] = [(schema, pointer)]
    while waiting:
        node, place = waiting.pop()
        if not isinstance(node, dict):
            continue
        if "example" in node:
            yield (*place, "example"), node, node["example"]
        many = node.get("examples")
        for index, value in enumerate(many if isinstance(many, list) else ()):
            yield (*place, "examples", index), node, value
        properties = node.get("properties")
        for name, item in (properties if isinstance(properties, dict) else {}).items():
            waiting.append((item, (*place, "properties", name)))
        if isinstance(node.get("items"), dict):
            waiting.append((node["items"], (*place, "items")))


def _wrong(api: Api, schema: Any, value: Any) -> tuple[Pointer, str] | None:
    """Return what is wrong with a value whichever way it travels, or None."""
    if _is_foreign(value):
        return None  # a date that the file's own reader made of it
    resolved = api.deref(schema)
    if not isinstance(resolved, dict) or (isinstance(value, str) and _is_serialised(resolved)):
        return None
    first: tuple[Pointer, str] | None = None
    for direction in _DIRECTIONS:
        for candidate in (value, without_hidden(api, resolved, value, direction)):
            if is_valid(api, resolved, candidate, direction):
                return None
        found = findings(api, resolved, value, direction)
        first = first or (found[0] if found else None)
    return first


def _is_serialised(schema: dict[str, Any]) -> bool:
    """Return whether text is how people write such a value in a URL: `1,2,3` for a list."""
    return schema.get("type") in {"array", "object"}


def _is_foreign(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_is_foreign(item) for item in value.values())
    if isinstance(value, list):
        return any(_is_foreign(item) for item in value)
    return isinstance(value, (dt.date, bytes)) or value is None


def _what(pointer: Pointer) -> str:
    steps = [str(step) for step in pointer]
    if steps[:2] == ["components", "schemas"]:
        inner = ".".join(steps[place + 1] for place, step in enumerate(steps) if step == "properties")
        return f"the example of {steps[2]}{'.' + inner if inner else ''}"
    if steps[0] == "paths" and len(steps) > 2:  # noqa: PLR2004 - paths, path, method
        place = f"{steps[2].upper()} {steps[1]}"
        if "responses" in steps:
            return f"the example of {steps[steps.index('responses') + 1]} of {place}"
        if "requestBody" in steps:
            return f"the example of the body of {place}"
        return f"an example of {place}"
    return "this example"
