"""The grammar of `schemas/v1` as a tree of keys, references followed: what may stand where, in which order.

Made for those who go along keys (`fmt`, `explain`, editors); breaches are found by `validators`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from maestro_dsl.lang.validators import follow, schema_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from maestro_dsl.lang.model import Kind


@dataclass(slots=True, eq=False)
class Part:
    """What may stand at one place; `schema` has its reference merged in, words beside it winning."""

    schema: Mapping[str, Any] = field(repr=False)
    keys: dict[str, Part] = field(default_factory=dict)
    """In the order of the schema."""
    entries: Part | None = None
    """What stands under names that users choose."""
    items: Part | None = None
    cases: dict[tuple[str, str], dict[str, Part]] = field(default_factory=dict)
    """(key, value) → parts that take the place of those in `keys` where the key has the value."""

    @property
    def required(self) -> frozenset[str]:
        """The keys that must stand there."""
        return frozenset(self.schema.get("required", ()))

    def key(self, name: str, siblings: Mapping[str, str]) -> Part | None:
        """Return the part under the key `name`; `siblings` are the plain texts beside it."""
        for case, parts in self.cases.items():
            if name in parts and siblings.get(case[0]) == case[1]:
                return parts[name]
        return self.keys.get(name, self.entries)


@cache
def grammar_of(kind: Kind) -> Part:
    """Return the part at the root of a kind of document."""
    root = schema_of(kind)
    return _part(root, root, {})


def walk(part: Part, path: str = "") -> Iterator[tuple[str, Part]]:
    """Yield every key below `part` with its path: a.b, a.<id>.b for names users choose, a[].b for items."""
    for name, inner in part.keys.items():
        yield from _at(f"{path}.{name}" if path else name, inner)
    for (key, value), parts in part.cases.items():
        for name, inner in parts.items():
            yield from _at(f"{path}.{name}({key}={value})", inner)


def _at(path: str, part: Part) -> Iterator[tuple[str, Part]]:
    yield path, part
    yield from walk(part, path)
    if part.entries is not None:
        yield from walk(part.entries, f"{path}.<id>")
    if part.items is not None:
        yield from walk(part.items, f"{path}[]")


def _part(root: dict[str, Any], schema: dict[str, Any], known: dict[int, Part]) -> Part:
    if id(schema) in known:
        return known[id(schema)]
    merged, home = dict(schema), root
    while "$ref" in merged:
        home, target = follow(home, merged.pop("$ref"))
        merged = {**target, **merged}
    part = known[id(schema)] = Part(schema=merged)
    part.keys = {name: _part(home, inner, known) for name, inner in merged.get("properties", {}).items()}
    for case in merged.get("allOf", ()):
        for key, stated in case.get("if", {}).get("properties", {}).items():
            parts = case.get("then", {}).get("properties", {})
            if parts and "const" in stated:
                made = {name: _part(home, inner, known) for name, inner in parts.items()}
                part.cases[key, stated["const"]] = made
    entries, items = merged.get("additionalProperties"), merged.get("items")
    part.entries = _part(home, entries, known) if isinstance(entries, dict) else None
    part.items = _part(home, items, known) if isinstance(items, dict) else None
    return part
