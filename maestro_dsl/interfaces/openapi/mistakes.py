"""What an OpenAPI document gets wrong by its specification although it can be used: for `lint` only.

Says nothing of references that lead nowhere (`parse` does), nor of examples. A misspelt field is told where a
known one is near and missing; only of path items every unknown key is, for nothing else may stand there.
References are not followed: what they lead to is a part of the document and looked at in its place.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.interfaces.openapi.fields import (
    FIELDS,
    LATER_METHODS,
    MAPS,
    NAMES,
    OLDER,
    TYPES,
    WORDS,
)
from maestro_dsl.interfaces.openapi.needs import LATEST, NEEDY, missing, too_much
from maestro_dsl.interfaces.openapi.requirements import wrong_requirements
from maestro_dsl.interfaces.openapi.templates import Mistake, path_mistakes
from maestro_dsl.interfaces.openapi.values import (
    EXCLUSIVE,
    no_schema,
    no_status,
    wrong_exclusive,
    wrong_type,
    wrong_values,
)
from maestro_dsl.lang.schema import type_of
from maestro_dsl.lang.suggest import closest, distance, guessed, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from maestro_dsl.interfaces.openapi.templates import Place

_SHORTEST: Final = 3
"""Letters of a keyword of a schema that is compared with longer ones: others resemble too many."""
_NEAR: Final = 4
"""One edit in so many letters still is a misspelling."""


def mistakes(document: Mapping[str, Any]) -> Iterator[Mistake]:
    """Yield the mistakes of a document of a version 3.x, in its order; those of its paths come last."""
    yield from _Walk(document).mistakes()
    yield from path_mistakes(document)


class _Walk:
    """One pass over a document: every object once, whatever anchors and references share."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._minor = _minor(str(document.get("openapi", "")))
        is_early = self._minor < LATEST
        later = {} if is_early else dict.fromkeys(LATER_METHODS, "operation")
        extra = {} if is_early else {"additionalOperations": "{operation"}
        self._fields = {**FIELDS, "path": {**FIELDS["path"], **later, **extra}}
        self._ids: dict[str, Place] = {}
        self._seen: set[int] = set()

    def mistakes(self) -> Iterator[Mistake]:
        waiting: list[tuple[str, Any, Place]] = [("document", self._document, None)]
        while waiting:
            kind, node, place = waiting.pop()
            if not isinstance(node, dict):
                yield from self._no_object(kind, node, place)
                continue
            if id(node) in self._seen:
                continue
            self._seen.add(id(node))
            if kind in MAPS:
                yield from _no_statuses(node, place) if kind == "responses" else ()
                waiting += [
                    (MAPS[kind], item, (place, key))
                    for key, item in reversed(node.items())
                    if not key.startswith("x-")
                ]
                continue
            is_reference = isinstance(node.get("$ref"), str)
            if is_reference and (kind not in ("path", "schema") or (kind == "schema" and not self._minor)):
                continue
            yield from self._judge(kind, node, place)
            waiting += reversed(list(self._children(kind, node, place)))

    def _children(self, kind: str, node: dict[str, Any], place: Place) -> Iterator[tuple[str, Any, Place]]:
        """Yield what stands in the objects of an object, of whatever type it is."""
        fields = self._fields[kind]
        for key, value in node.items():
            holds = fields.get(key) or (fields.get(key.lower()) if kind == "path" else None)
            if not holds or holds[0] == ":":
                continue
            here = (place, key)
            if holds[0] == "{":
                parts = value.items() if isinstance(value, dict) else ()
                yield from (
                    (holds[1:], item, (here, name))
                    for name, item in parts
                    if isinstance(item, dict) or not name.startswith("x-")
                )
            elif holds[0] == "[":
                entries = value if isinstance(value, list) else ()
                yield from ((holds[1:], item, (here, at)) for at, item in enumerate(entries))
            elif isinstance(value, dict) or (holds == "schema" and isinstance(value, bool) and key != _OPEN):
                yield holds, value, here

    def _no_object(self, kind: str, node: object, place: Place) -> Iterator[Mistake]:
        """Yield that something stands where an object must; `true` and `false` are schemas since 3.1."""
        if kind != "schema":
            help_text = _WAYS.get(kind)
        elif isinstance(node, bool):
            if self._minor:
                return
            help_text = "true and false are schemas since OpenAPI 3.1; {} allows anything, not: {} nothing"
        else:
            help_text = no_schema(node)
        message = f"{_called(kind)} must be a mapping, not {type_of(node)}"  # type: ignore[arg-type]
        yield Mistake.at_value(place, message, help_text)

    def _judge(self, kind: str, node: dict[str, Any], place: Place) -> Iterator[Mistake]:
        fields = self._fields[kind]
        strange = {} if node.keys() <= fields.keys() else self._strange(kind, node)
        for key, near in strange.items():
            help_text = _help(kind, near, fields)
            yield Mistake.at_key(place, key, f'unknown key "{key}" in {_called(kind)}', help_text)
        for field, words in WORDS.get(kind, {}).items():
            if isinstance(node.get(field), str) and node[field] not in self._words(words):
                yield self._no_word(field, node[field], words, place)
        for key in wrong_values(kind, node):
            yield Mistake.at_value((place, key), *wrong_type(kind, key, node[key]))
        if kind in _OWN:
            yield from _OWN[kind](self, node, place)
        if kind in NEEDY or node.get("type") == "array":
            yield from self._needs(kind, node, place, strange.values())

    def _needs(
        self, kind: str, node: dict[str, Any], place: Place, meant: Collection[str | None]
    ) -> Iterator[Mistake]:
        for what, way in missing(kind, node, self._minor, meant):
            yield Mistake.at(place or (None, "openapi"), f"{_called(kind)} needs {what}", way)
        for later, first in too_much(kind, node):
            yield Mistake.at_key(place, later, f'{_called(kind)} has "{first}" or "{later}", not both', None)

    def _strange(self, kind: str, node: dict[str, Any]) -> dict[str, str | None]:
        """Return the keys that are misspelt, or may not stand there at all, each with what is meant."""
        fields = self._fields[kind]
        unknown = (key for key in node if key not in fields and not key.startswith("x-"))
        found = {
            key: self._near(kind, key, node) for key in unknown if not (kind == "schema" and key in OLDER)
        }
        return {key: near for key, near in found.items() if near is not None or kind == "path"}

    def _words(self, words: tuple[str, ...]) -> tuple[str, ...]:
        return words if self._minor < LATEST or words[-1] != "cookie" else (*words, "querystring")

    def _near(self, kind: str, key: str, node: dict[str, Any]) -> str | None:
        """Return the field that is probably meant: a near one that the object does not have."""
        options = tuple(self._fields[kind])
        if kind == "schema":
            options = _KEYWORDS
            if len(key) < _SHORTEST:
                return None
        near = closest(key, options)
        if near is None or near in node:
            return None
        edits = distance(key.casefold(), near.casefold())
        return near if edits <= max(1, max(len(key), len(near)) // _NEAR) else None

    def _no_word(self, field: str, value: str, words: tuple[str, ...], place: Place) -> Mistake:
        near = closest(value, words)
        guess = guessed(near)
        message = f'"{value}" is no value of {field}'
        return Mistake.at_value((place, field), message, f"{guess}allowed: {listed(words)}")

    def schema(self, node: dict[str, Any], place: Place) -> Iterator[Mistake]:
        if "type" in node:
            yield from self._types(node, place)
        if "required" in node:
            yield from _texts(node, "required", place)
        for field in EXCLUSIVE:
            wrong = wrong_exclusive(field, node, is_30=not self._minor) if field in node else None
            if wrong is not None:
                yield Mistake.at_value((place, field), *wrong)

    def _types(self, node: dict[str, Any], place: Place) -> Iterator[Mistake]:
        value = node["type"]
        words = TYPES if self._minor else TYPES[:-1]
        if isinstance(value, list) and self._minor:
            for at, item in enumerate(value):
                if item not in words:
                    yield self._no_type(item, words, ((place, "type"), at))
        elif isinstance(value, list):
            message = "a list of types is for OpenAPI 3.1 and later"
            help_text = "write one type, and nullable: true beside it where it may be null"
            yield Mistake.at_value((place, "type"), message, help_text)
        elif value not in words:
            yield self._no_type(value, words, (place, "type"))

    def _no_type(self, value: object, words: tuple[str, ...], place: Place) -> Mistake:
        if not self._minor and value in ("null", None):
            message, help_text = (
                'the type "null" is for OpenAPI 3.1 and later',
                "nullable: true says it in OpenAPI 3.0",
            )
            return Mistake.at_value(place, message, help_text)
        near = closest(value, words) if isinstance(value, str) else None
        guess = guessed(near)
        shown = f'"{value}"' if isinstance(value, str) else "this"
        return Mistake.at_value(place, f"{shown} is no type of a schema", f"{guess}types: {listed(words)}")

    def document(self, node: dict[str, Any], place: Place) -> Iterator[Mistake]:
        yield from wrong_requirements(self._document, node, place)

    def operation(self, node: dict[str, Any], place: Place) -> Iterator[Mistake]:
        yield from _texts(node, "tags", place)
        yield from wrong_requirements(self._document, node, place)
        name = node.get("operationId")
        if not isinstance(name, str):
            return
        here = (place, "operationId")
        first = self._ids.setdefault(name, here)
        if first is not here:
            message = f'the operationId "{name}" is used twice; it must be unique in the document'
            yield Mistake.at_value(here, message, first=first, first_message="first used here")


def _minor(version: str) -> int:
    """Return the minor version of OpenAPI 3 by whose rules a document is read."""
    digit = version[2:3]
    return min(int(digit), LATEST) if digit.isdecimal() else LATEST


def _no_statuses(node: dict[str, Any], place: Place) -> Iterator[Mistake]:
    """Yield the keys of `responses` that are no statuses, or that it has none."""
    statuses = [key for key in node if not key.startswith("x-")]
    if not statuses:
        yield Mistake.at(place, "responses needs at least one status", "add default: {description: …}")
    for key in statuses:
        help_text = no_status(key)
        if help_text is not None:
            yield Mistake.at_key(place, key, f'"{key}" is no status of an answer', help_text)


def _texts(node: dict[str, Any], field: str, place: Place) -> Iterator[Mistake]:
    """Yield the entries of a list or a map of texts that are none."""
    held = node.get(field)
    entries = held.items() if isinstance(held, dict) else enumerate(held) if isinstance(held, list) else ()
    for at, entry in entries:
        if not isinstance(entry, str):
            message = f'what "{field}" holds must be text, not {type_of(entry)}'
            yield Mistake.at_value(((place, field), at), message)


def _mapping(_: _Walk, node: dict[str, Any], place: Place) -> Iterator[Mistake]:
    yield from _texts(node, "mapping", place)


def _scopes(_: _Walk, node: dict[str, Any], place: Place) -> Iterator[Mistake]:
    yield from _texts(node, "scopes", place)


def _names(_: _Walk, node: dict[str, Any], place: Place) -> Iterator[Mistake]:
    """Yield the names of components that nobody may refer to."""
    for field, parts in node.items():
        if field not in FIELDS["components"] or not isinstance(parts, dict):
            continue
        for name in parts:
            if not _COMPONENT.fullmatch(name):
                message = f'"{name}" is no name of a component'
                yield Mistake.at_key((place, field), name, message, "allowed: letters, digits and . - _")


def _parameter(_: _Walk, node: dict[str, Any], place: Place) -> Iterator[Mistake]:
    if node.get("in") == "path" and node.get("required") is not True:
        token = "required" if "required" in node else "in"
        yield Mistake.at_value((place, token), "a path parameter needs required: true")


_KEYWORDS: Final = tuple(name for name in FIELDS["schema"] if len(name) > _SHORTEST)
_OWN: Final[Mapping[str, Callable[[_Walk, dict[str, Any], Place], Iterator[Mistake]]]] = {
    "schema": _Walk.schema,
    "operation": _Walk.operation,
    "parameter": _parameter,
    "components": _names,
    "document": _Walk.document,
    "discriminator": _mapping,
    **dict.fromkeys(FIELDS["flows"].values(), _scopes),
}
"""What is asked of one kind of object alone."""

_COMPONENT: Final = re.compile(r"[A-Za-z0-9._-]+")
_OPEN: Final = "additionalProperties"
"""The keyword that takes true and false in every version."""
_WAYS: Final = {
    "parameter": "write {name: …, in: …, schema: {type: …}}",
    "response": "write {description: …}",
}


def _called(kind: str) -> str:
    article = "an" if kind[0] in "aeiou" else "a"
    return NAMES.get(kind, f"{article} {kind}")


def _help(kind: str, near: str | None, fields: Mapping[str, str]) -> str:
    guess = f'did you mean "{near}"?' if near else ""
    allowed = "" if kind == "schema" else f"allowed: {', '.join(fields)}"  # a schema may hold 60 of them
    return " ".join(filter(None, (guess, allowed)))
