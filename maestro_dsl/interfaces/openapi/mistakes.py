"""What an OpenAPI document gets wrong by its specification although it can be used: for `lint` only.

Says nothing of references that lead nowhere (`parse` does), nor of examples. A misspelt field is told where a
known one is near and missing; only of path items every unknown key is, for nothing else may stand there.
References are not followed: what they lead to is a part of the document and looked at in its place.
"""

from __future__ import annotations

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
from maestro_dsl.interfaces.openapi.templates import Mistake, path_mistakes
from maestro_dsl.lang.suggest import closest, distance, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from maestro_dsl.interfaces.openapi.templates import Place

_SHORTEST: Final = 3
"""Letters of a keyword of a schema that is compared with longer ones: others resemble too many."""
_NEAR: Final = 4
"""One edit in so many letters still is a misspelling."""


def mistakes(document: Mapping[str, Any]) -> Iterator[Mistake]:
    """Yield the mistakes of a document of a version 3.x, in its order; those of its paths come last."""
    walk = _Walk(str(document.get("openapi", "")))
    yield from walk.mistakes(document)
    yield from path_mistakes(document)


class _Walk:
    """One pass over a document: every object once, whatever anchors and references share."""

    def __init__(self, version: str) -> None:
        self._is_30 = version.startswith("3.0")
        self._is_early = version.startswith(("3.0", "3.1"))
        later = {} if self._is_early else {**dict.fromkeys(LATER_METHODS, "operation")}
        extra = {} if self._is_early else {"additionalOperations": "{operation"}
        self._fields = {**FIELDS, "path": {**FIELDS["path"], **later, **extra}}
        self._ids: dict[str, Place] = {}
        self._seen: set[int] = set()

    def mistakes(self, document: Mapping[str, Any]) -> Iterator[Mistake]:
        waiting: list[tuple[str, Any, Place]] = [("document", document, None)]
        while waiting:
            kind, node, place = waiting.pop()
            if id(node) in self._seen:
                continue
            self._seen.add(id(node))
            if kind in MAPS:
                waiting += [
                    (MAPS[kind], item, (place, key))
                    for key, item in reversed(node.items())
                    if isinstance(item, dict) and not key.startswith("x-")
                ]
                continue
            is_reference = isinstance(node.get("$ref"), str)
            if is_reference and (kind not in ("path", "schema") or (kind == "schema" and self._is_30)):
                continue
            yield from self._judge(kind, node, place)
            waiting += reversed(list(self._children(kind, node, place)))

    def _children(
        self, kind: str, node: dict[str, Any], place: Place
    ) -> Iterator[tuple[str, dict[str, Any], Place]]:
        fields = self._fields[kind]
        for key, value in node.items():
            holds = fields.get(key) or (fields.get(key.lower()) if kind == "path" else None)
            if not holds or not isinstance(value, (dict, list)):
                continue
            here = (place, key)
            if holds[0] == "{":
                parts: list[tuple[str | int, Any]] = list(value.items()) if isinstance(value, dict) else []
                yield from ((holds[1:], item, (here, name)) for name, item in parts if isinstance(item, dict))
            elif isinstance(value, list):
                name = holds.lstrip("[")
                yield from (
                    (name, item, (here, at)) for at, item in enumerate(value) if isinstance(item, dict)
                )
            elif holds[0] != "[":
                yield holds, value, here

    def _judge(self, kind: str, node: dict[str, Any], place: Place) -> Iterator[Mistake]:
        fields = self._fields[kind]
        strange = {} if node.keys() <= fields.keys() else self._strange(kind, node)
        for key, near in strange.items():
            help_text = _help(kind, near, fields)
            yield Mistake.at_key(place, key, f'unknown key "{key}" in {_called(kind)}', help_text)
        for field, words in WORDS.get(kind, {}).items():
            if field in node and node[field] not in self._words(words):
                yield self._no_word(field, node[field], words, place)
        if kind == "schema":
            yield from self._types(node, place)
        elif kind == "operation":
            yield from self._operation(node, place)
        elif kind == "parameter":
            yield from _parameter(node, place)
        if kind in ("operation", "path"):
            yield from _no_mappings(node, place)
        yield from self._missing(kind, node, place, set(strange.values()))

    def _strange(self, kind: str, node: dict[str, Any]) -> dict[str, str | None]:
        """Return the keys that are misspelt, or may not stand there at all, each with what is meant."""
        fields = self._fields[kind]
        unknown = (key for key in node if key not in fields and not key.startswith("x-"))
        found = {
            key: self._near(kind, key, node) for key in unknown if not (kind == "schema" and key in OLDER)
        }
        return {key: near for key, near in found.items() if near is not None or kind == "path"}

    def _words(self, words: tuple[str, ...]) -> tuple[str, ...]:
        return words if self._is_early or words[-1] != "cookie" else (*words, "querystring")

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

    def _no_word(self, field: str, value: object, words: tuple[str, ...], place: Place) -> Mistake:
        near = closest(value, words) if isinstance(value, str) else None
        guess = f'did you mean "{near}"? ' if near else ""
        shown = f'"{value}"' if isinstance(value, (str, int, float)) else "this"
        return Mistake.at_value(
            (place, field), f"{shown} is no value of {field}", f"{guess}allowed: {listed(words)}"
        )

    def _types(self, node: dict[str, Any], place: Place) -> Iterator[Mistake]:
        if "type" not in node:
            return
        value = node["type"]
        words = TYPES[:-1] if self._is_30 else TYPES
        if isinstance(value, list) and not self._is_30:
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
        if self._is_30 and value in ("null", None):
            message, help_text = (
                'the type "null" is for OpenAPI 3.1 and later',
                "nullable: true says it in OpenAPI 3.0",
            )
            return Mistake.at_value(place, message, help_text)
        near = closest(value, words) if isinstance(value, str) else None
        guess = f'did you mean "{near}"? ' if near else ""
        shown = f'"{value}"' if isinstance(value, str) else "this"
        return Mistake.at_value(place, f"{shown} is no type of a schema", f"{guess}types: {listed(words)}")

    def _operation(self, node: dict[str, Any], place: Place) -> Iterator[Mistake]:
        name = node.get("operationId")
        if not isinstance(name, str):
            return
        here = (place, "operationId")
        first = self._ids.setdefault(name, here)
        if first is not here:
            message = f'the operationId "{name}" is used twice; it must be unique in the document'
            yield Mistake.at_value(here, message, first=first, first_message="first used here")

    def _missing(
        self, kind: str, node: dict[str, Any], place: Place, meant: set[str | None]
    ) -> Iterator[Mistake]:
        if kind not in _NEEDED or (kind == "operation" and not self._is_30):
            return
        if kind == "response" and not self._is_early:
            return
        for name in _NEEDED[kind]:
            if name not in node and name not in meant:
                where = place or (None, "openapi")
                yield Mistake.at(where, f'{_called(kind)} needs "{name}"', _WAYS.get((kind, name)))


def _no_mappings(node: dict[str, Any], place: Place) -> Iterator[Mistake]:
    """Yield what stands among the parameters of an operation or a path and is none."""
    entries = node.get("parameters")
    for at, entry in enumerate(entries if isinstance(entries, list) else ()):
        if not isinstance(entry, dict):
            help_text = "write {name: …, in: …, schema: {type: …}}"
            yield Mistake.at_value(((place, "parameters"), at), "a parameter must be a mapping", help_text)


def _parameter(node: dict[str, Any], place: Place) -> Iterator[Mistake]:
    if node.get("in") == "path" and node.get("required") is not True:
        token = "required" if "required" in node else "in"
        yield Mistake.at_value((place, token), "a path parameter needs required: true")
    if "name" in node and not isinstance(node["name"], str):
        yield Mistake.at_value((place, "name"), "the name of a parameter must be text", "write it in quotes")


_KEYWORDS: Final = tuple(name for name in FIELDS["schema"] if len(name) > _SHORTEST)
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "document": ("info",),
    "info": ("title", "version"),
    "parameter": ("name", "in"),
    "response": ("description",),
    "operation": ("responses",),
}
_WAYS: Final = {
    ("document", "info"): "add info: {title: …, version: …}",
    ("response", "description"): "add description: with a word or two",
    ("operation", "responses"): "say what it answers, at least one of its statuses",
}


def _called(kind: str) -> str:
    article = "an" if kind[0] in "aeiou" else "a"
    return NAMES.get(kind, f"{article} {kind}")


def _help(kind: str, near: str | None, fields: Mapping[str, str]) -> str:
    guess = f'did you mean "{near}"?' if near else ""
    allowed = "" if kind == "schema" else f"allowed: {', '.join(fields)}"  # a schema may hold 60 of them
    return " ".join(filter(None, (guess, allowed)))
