"""What a key means, from the grammar alone: `plan.policies.retry`, `team.backend.use`, `timeout`.

Names that users choose stand in paths as they are or as `<id>`; the number of a list item may be left out.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Final

from maestro_dsl.errors import UsageError
from maestro_dsl.lang.grammar import Part, grammar_of, walk
from maestro_dsl.lang.model import Json, Kind
from maestro_dsl.lang.quoting import written
from maestro_dsl.lang.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_STEP: Final = re.compile(r"[^.\[\]]+")
_CODE: Final = re.compile(r"[A-Z]{3}[0-9]{3}", re.IGNORECASE)
_CASE: Final = re.compile(r"\((\w+)=(\w+)\)")
_TYPE_NAMES: Final = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "empty",
}
_UNITS: Final = {
    "duration": "a duration, such as 15m",
    "tokens": "a number of tokens, such as 100k",
    "money": "an amount of money, such as 12.50 USD",
    "size": "a size, such as 16 MiB",
    "version": "a version, such as 1.0.0",
    "id": "an id: small letters, digits and _, a letter first",
    "name": "a name: small letters, digits, _ and -, a letter first",
    "kebab": "a name: small letters, digits and single - between them, a letter first",
    "id_or_expression": "an id, or one whole {{ expression }}",
}
_MOST_PLACES: Final = 3
_BOUNDS: Final = (("minimum", "at least"), ("maximum", "at most"))


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyHelp:
    """What a key means and where it stands; `path` starts with the kind in small letters."""

    path: str
    title: str
    description: str
    type: str
    is_required: bool = False
    default: Json = None
    has_default: bool = False
    values: tuple[str, ...] = ()
    examples: tuple[Json, ...] = ()
    keys: tuple[KeyHelp, ...] = ()
    """The keys inside, without their own keys."""
    also_at: tuple[str, ...] = ()
    """Other places where a key of this name and meaning stands."""


def explain(path: str) -> tuple[KeyHelp, ...]:
    """Return what `path` means; several where it is a key without its place that means different things.

    Raises:
        UsageError: nothing in the grammar has this path.
    """
    steps = _STEP.findall(path)
    kinds = {kind.value.lower(): kind for kind in Kind}
    kind = kinds.get(steps[0].lower()) if steps else None
    if kind is not None:
        found = _help_at(kind, steps[1:])
        if found is not None:
            return (found,)
    elif steps:
        anywhere = [item for own in Kind if (item := _help_at(own, steps)) is not None]
        if anywhere:
            return tuple(_distinct(anywhere))
    if len(steps) == 1 and kind is None:
        named = [_help(*place) for place in _places() if _last(place[1]) == steps[0]]
        if named:
            return tuple(_distinct(named))
    raise _unknown(path, kind, steps)


def places_of(name: str, kind: Kind) -> str:
    """Return up to three mappings that have a key `name`, of `kind` where it has one, as words; "" = none."""
    found = [(own, path) for own, path, _, _ in _places() if _last(path) == name]
    found = [item for item in found if item[0] is kind] or found
    above = [f"{own.value.lower()}.{path}".rpartition(".")[0].removesuffix("[]") for own, path in found]
    places = list(dict.fromkeys(above))[:_MOST_PLACES]
    return " or ".join([", ".join(places[:-1]), places[-1]] if len(places) > 1 else places)


def overview() -> tuple[KeyHelp, ...]:
    """Return what each kind of document is."""
    return tuple(_root(kind) for kind in Kind)


def yaml_line(value: Json) -> str:
    """Return a value as YAML on one line."""
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{written(key, in_flow=True)}: {yaml_line(item)}" for key, item in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(yaml_line(item) for item in value) + "]"
    return written(value, in_flow=True) if isinstance(value, str) else json.dumps(value)


# ---------------------------------------------------------------- finding the place


def _help_at(kind: Kind, steps: list[str]) -> KeyHelp | None:
    """Return the key at the end of `steps`, which start inside `kind`."""
    root = grammar_of(kind)
    found = _find(root, steps, "", root)
    if found is None:
        return None
    return _help(kind, *found) if steps else _root(kind)


def _find(part: Part, steps: list[str], path: str, parent: Part) -> tuple[str, Part, Part] | None:
    """Return path, part and what it stands in at the end of `steps`: the first way that leads there."""
    if not steps:
        return path, part, parent
    inner = _through_items(part)
    if inner is not part:
        rest = steps[1:] if steps[0].isdigit() else steps
        return _find(inner, rest, f"{path}[]", part)
    for shown, child in _children(part, steps[0]):
        found = _find(child, steps[1:], f"{path}.{shown}" if path else shown, part)
        if found is not None:
            return found
    return None


def _through_items(part: Part) -> Part:
    return part.items if part.items is not None and not part.keys and part.entries is None else part


def _children(part: Part, name: str) -> Iterator[tuple[str, Part]]:
    """Yield what stands under `name`, most exact first; `with` is one for each action."""
    case = _CASE.search(name)
    plain = name[: case.start()] if case is not None else name
    if case is not None:
        parts = part.cases.get((case[1], case[2]), {})
        if plain in parts:
            yield name, parts[plain]
    if plain in part.keys:
        yield plain, part.keys[plain]
    if case is None:
        for (key, value), parts in part.cases.items():
            if plain in parts:
                yield f"{plain}({key}={value})", parts[plain]
    if part.entries is not None:
        yield "<id>", part.entries


@cache
def _places() -> tuple[tuple[Kind, str, Part, Part], ...]:
    """Return every key of every kind with its path and what it stands in."""
    return tuple(_walk_all())


def _walk_all() -> Iterator[tuple[Kind, str, Part, Part]]:
    for kind in Kind:
        root = grammar_of(kind)
        parents = {"": root}
        for path, part in walk(root):
            head = path.rpartition(".")[0]
            parents |= {path: part, f"{path}[]": part.items or part, f"{path}.<id>": part.entries or part}
            yield kind, path, part, parents.get(head, root)


def _last(path: str) -> str:
    return _CASE.sub("", path.rpartition(".")[2]).removesuffix("[]")


def _unknown(path: str, kind: Kind | None, steps: list[str]) -> UsageError:
    if _CODE.fullmatch(path):
        return UsageError(f'no key "{path}"', hint=f"a rule is told about by: maestro rule {path.upper()}")
    known = [own.value.lower() for own in Kind]
    word = closest(steps[0], known) if steps else None
    meant = next((own for own in Kind if own.value.lower() == word), None)
    near: str | None = None
    listed = f"kinds: {', '.join(known)}"
    if kind is not None and len(steps) > 1:
        at, wrong, keys = _longest(kind, steps[1:])
        listed = f"keys of {at}: {', '.join(keys) or 'none'}"
        near = ".".join(_corrected(kind, steps[1:])) if closest(wrong, keys) else None
    elif len(steps) > 1:
        tried = [_corrected(own, steps)[1:] for own in Kind]
        if meant is not None:
            tried.append(_corrected(meant, steps[1:]))
        near = closest(path, [".".join(names) for names in tried if len(names) == len(steps)])
    if near is None and (kind is None or len(steps) < 2):  # noqa: PLR2004 - no key behind the kind
        paths = [f"{own.value.lower()}.{place}" for own, place, _, _ in _places()]
        names = [*sorted({_last(place) for place in paths}), *known]
        near = closest(path, paths) or closest(steps[-1] if steps else "", names)
    hint = f'did you mean "{near}"? {listed}' if near else listed
    return UsageError(f'no key "{path}"', hint=hint)


def _corrected(kind: Kind, steps: list[str]) -> list[str]:
    """Return the path that was probably meant: a step that does not exist is the nearest that does.

    Where one has none near, the path ends before it.
    """
    parts = [grammar_of(kind)]
    path = [kind.value.lower()]
    for step in steps:
        keys = _keys(parts)
        found = _inner(parts, step)
        word = step
        if not found:
            near = closest(step, keys)
            if near is None:
                break
            word, found = near, _inner(parts, near)
        path.append(word)
        parts = [part for _, part in found]
    return path


def _longest(kind: Kind, steps: list[str]) -> tuple[str, str, list[str]]:
    """Return the longest path that exists, the first step that does not, and the keys it could be."""
    parts = [grammar_of(kind)]
    path = kind.value.lower()
    for step in steps:
        found = _inner(parts, step)
        if not found:
            return path, step, _keys(parts)
        path, parts = f"{path}.{_CASE.sub('', found[0][0])}", [part for _, part in found]
    return path, "", _keys(parts)


def _inner(parts: list[Part], step: str) -> list[tuple[str, Part]]:
    """Return what stands under `step` in one of `parts`: several where it depends on another key."""
    return [found for part in parts for found in _children(_through_items(part), step)]


def _keys(parts: list[Part]) -> list[str]:
    return list(dict.fromkeys(key for part in parts for key in _through_items(part).keys))


# ---------------------------------------------------------------- saying what it is


def _root(kind: Kind) -> KeyHelp:
    part = grammar_of(kind)
    return _said(kind.value.lower(), part, is_required=False, keys=_inside(part))


def _help(kind: Kind, path: str, part: Part, parent: Part) -> KeyHelp:
    name = _last(path)
    own = f"{kind.value.lower()}.{path}"
    also = tuple(
        place
        for place in (
            f"{other.value.lower()}.{at}"
            for other, at, item, _ in _places()
            if _is_same(item, part, at, name)
        )
        if place != own
    )
    keys = _inside(part) or tuple(_inside_cases(parent, name))
    return _said(own, part, is_required=name in parent.required, keys=keys, also_at=also)


def _inside_cases(parent: Part, name: str) -> Iterator[KeyHelp]:
    """Yield the keys that a part has in one case only, such as `run` where the action is command."""
    for (key, value), parts in parent.cases.items():
        if name in parts:
            for item in _inside(parts[name]):
                yield replace(item, path=f"{item.path} ({key}: {value})")


def _is_same(item: Part, part: Part, path: str, name: str) -> bool:
    return _last(path) == name and (item.schema.get("title"), item.keys.keys()) == (
        part.schema.get("title"),
        part.keys.keys(),
    )


def _inside(part: Part) -> tuple[KeyHelp, ...]:
    inner = next(
        (item for item in (_through_items(part), part.entries) if item is not None and item.keys), part
    )
    return tuple(_said(name, key, is_required=name in inner.required) for name, key in inner.keys.items())


def _said(
    path: str,
    part: Part,
    *,
    is_required: bool,
    keys: tuple[KeyHelp, ...] = (),
    also_at: tuple[str, ...] = (),
) -> KeyHelp:
    schema = part.schema
    return KeyHelp(
        path=path,
        title=str(schema.get("title", "")),
        description=str(schema.get("description", "")),
        type=type_of(schema, part),
        is_required=is_required,
        default=schema.get("default"),
        has_default="default" in schema,
        values=tuple(str(item) for item in _values(schema, part)),
        examples=tuple(schema.get("examples", ())),
        keys=keys,
        also_at=also_at,
    )


def type_of(schema: Mapping[str, object], part: Part) -> str:
    """Return what a value is, in words."""
    if "enum" in schema or "const" in schema:
        return "one of the allowed values"
    if "x-expects" in schema:
        return str(schema["x-expects"])
    unit = schema.get("x-unit")
    if unit is not None:
        return _UNITS.get(str(unit), str(unit))
    stated = schema.get("type", ())
    names = [
        _TYPE_NAMES.get(str(item), str(item)) for item in (stated if isinstance(stated, list) else [stated])
    ]
    text = " or ".join(names) if stated else "anything"
    if part.items is not None and stated == "array":
        text = f"a list; each item is {type_of(part.items.schema, part.items)}"
    if part.entries is not None and not part.keys:
        text = f"a mapping of names to {type_of(part.entries.schema, part.entries)}"
    bounds = [f"{word} {schema[key]}" for key, word in _BOUNDS if key in schema]
    return f"{text}, {' and '.join(bounds)}" if bounds and unit is None else text


def _values(schema: Mapping[str, object], part: Part) -> Iterable[object]:
    for place in (schema, part.items.schema if part.items is not None else {}):
        stated = place.get("enum") or ([place["const"]] if "const" in place else [])
        if isinstance(stated, list) and stated:
            return stated
    return ()


def _distinct(found: Iterable[KeyHelp]) -> Iterator[KeyHelp]:
    """Yield one of several places where a key means the same."""
    seen: set[str] = set()
    for item in found:
        if item.path not in seen:
            seen |= {item.path, *item.also_at}
            yield item
