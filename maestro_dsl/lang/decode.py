"""Plain data that the grammar accepts → the frozen values of `maestro_dsl.lang.model`.

Works from the type hints of the model: a field's key is its name without the unit (`timeout_s` ← `timeout`),
and the unit says how the text is read. What has errors (the holes) is left out: an optional part becomes
None, an item of a list disappears, a required text of the document itself becomes "". Checks nothing; only
what passed `maestro_dsl.lang.schema`, minus its holes, may come here.
"""

from __future__ import annotations

import marshal
import types
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import MISSING, fields
from enum import Enum
from functools import cache, lru_cache
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final, TypeAlias, Union, cast, get_args, get_origin, get_type_hints

from maestro_dsl.lang import model
from maestro_dsl.lang.model import DocumentValue, Json, Kind
from maestro_dsl.lang.units import parse_duration, parse_money, parse_size, parse_tokens
from maestro_dsl.records import copier

if TYPE_CHECKING:
    from maestro_dsl.lang.sourcemap import Pointer

Converter: TypeAlias = Callable[[Any], Any]

_CLASS_OF: Final[dict[Kind, type[Any]]] = {
    Kind.PROJECT: model.Project,
    Kind.PLAN: model.Plan,
    Kind.BLUEPRINT: model.Blueprint,
    Kind.PERSONA: model.Persona,
    Kind.CONTRACT: model.Contract,
    Kind.POLICY: model.Policy,
    Kind.LIBRARY: model.Library,
}
_UNITS: Final[tuple[tuple[str, Converter], ...]] = (
    ("_nano_usd", parse_money),
    ("_bytes", parse_size),
    ("_s", parse_duration),
)
_TOKENS: Final = frozenset({"token_budget", "max_tokens", "max_output_tokens"})
_KEYS: Final = {("NodeSpec", "as_name"): "as", ("NodeSpec", "params"): "with"}
_POLICY_KEYS: Final = ("retry", "safety", "give_up")
_HOLE: Final = object()


def decode(kind: Kind, data: Json, holes: tuple[Pointer, ...] = ()) -> DocumentValue:
    """Return the value of a document of `kind`; `holes` are the parts of `data` that have errors."""
    sound = _without(data, holes) if holes else data
    value: DocumentValue = _document(_CLASS_OF[kind], sound if isinstance(sound, dict) else {})
    return value


def _without(data: Any, holes: tuple[Pointer, ...]) -> Any:
    """Return a copy of `data`, where it differs, without the holes; the items of lists keep their places."""
    root = {"": data}
    copies: dict[int, Any] = {}
    for hole in holes:
        _punch(root, ("", *hole), copies)
    return root.get("")


def _punch(node: Any, hole: Pointer, copies: dict[int, Any]) -> None:
    """Take a hole out of `node`, in copies of what stands on the way; `copies` has these by their ids."""
    for step in hole[:-1]:
        try:
            inner = node[step]
        except (KeyError, IndexError, TypeError):
            return  # lies inside a larger hole, or names a key that is missing
        if isinstance(inner, (dict, list)) and id(inner) not in copies:
            inner = inner.copy()
            copies[id(inner)] = node[step] = inner
        node = inner
    if isinstance(node, dict):
        node.pop(hole[-1], None)
    elif isinstance(node, list) and isinstance(hole[-1], int):
        node[hole[-1]] = _HOLE


def _document(cls: type[Any], data: dict[str, Any]) -> Any:
    """Return the value of a whole document; what is required and missing gets an empty value."""
    if cls is model.Policy:
        data = {**data, "policies": {key: data[key] for key in _POLICY_KEYS if key in data}}
    if cls is model.Project:
        data = {**data, "state": _flat_state(data.get("state", {}))}
    known = _fields_of(cls, data)
    for item in fields(cls):
        if item.default is MISSING and item.default_factory is MISSING and item.name not in known:
            known[item.name] = _EMPTY.get(item.name, "")
    return cls(**known)


_EMPTY: Final[dict[str, Any]] = {
    "team": types.MappingProxyType({}),
    "nodes": types.MappingProxyType({}),
    "deliverables": (),
}


def _flat_state(state: dict[str, Any]) -> dict[str, Any]:
    retention = state.get("retention", {})
    return {name: retention[key] for name, key in _RETENTION.items() if key in retention}


_RETENTION: Final = {"keep_runs": "runs", "keep_age": "age", "keep": "size"}


def _fields_of(cls: type[Any], data: dict[str, Any]) -> dict[str, Any]:
    table = _table(cast("Hashable", cls))
    known: dict[str, Any] = {}
    for key, value in data.items():
        entry = table.get(key)
        if entry is not None:
            decoded = entry[1](value)
            if decoded is not _HOLE:
                known[entry[0]] = decoded
    return known


def _part(cls: type[Any]) -> Converter:
    """Return a decoder of a mapping inside a document; without a required key it yields a hole."""
    required = _required(cast("Hashable", cls))

    def convert(data: Any) -> Any:
        if data is _HOLE:
            return _HOLE
        known = _fields_of(cls, data)
        return cls(**known) if required <= known.keys() else _HOLE

    return convert


@cache
def _required(cls: Any) -> frozenset[str]:
    bare = (item for item in fields(cls) if item.default is MISSING and item.default_factory is MISSING)
    return frozenset(item.name for item in bare)


@cache
def _table(cls: Any) -> dict[str, tuple[str, Converter]]:
    """Return key → (field, converter) of a class of the model."""
    hints = get_type_hints(cls)
    table: dict[str, tuple[str, Converter]] = {}
    for item in fields(cls):
        name, unit = item.name, None
        for suffix, parse in _UNITS:
            if name.endswith(suffix):
                name, unit = name.removesuffix(suffix), parse
                break
        if name in _TOKENS:
            unit = parse_tokens
        key = _KEYS.get((cls.__name__, item.name), name)
        table[key] = (item.name, _converter(hints[item.name], unit))
    if cls is model.NodeSpec:
        table["needs"] = ("needs", _needs)
        table["when"] = ("when", _condition)
    return table


def _converter(hint: Any, unit: Converter | None) -> Converter:
    origin, args = get_origin(hint), get_args(hint)
    if origin in {Union, types.UnionType}:
        inner = [arg for arg in args if arg is not type(None)]
        return _converter(inner[0], unit) if len(inner) == 1 else _same
    if origin is tuple:
        return _list_of(_converter(args[0], unit))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _nodes if args[1] is model.NodeSpec else _map_of(_converter(args[1], unit))
    if unit is not None:
        return unit
    if hint is model.Criterion:
        return _criterion
    if hint is model.Released:
        return _released
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    if isinstance(hint, type) and hint.__module__ == model.__name__:
        return _part(hint)
    if hint is float:
        return float
    return _whole if hint is int else _same


def _whole(value: Any) -> Any:
    """Return a whole number as such where it is written as 2.0 or 1e3, which the grammar takes too."""
    return int(value) if isinstance(value, float) else value


def _same(value: Any) -> Any:
    return value


def _list_of(convert: Converter) -> Converter:
    def items(data: Any) -> Any:
        decoded = (convert(item) for item in data if item is not _HOLE)
        return tuple(item for item in decoded if item is not _HOLE)

    return items


def _map_of(convert: Converter) -> Converter:
    if convert is _same:
        return _plain_map

    def entries(data: Any) -> Any:
        decoded = ((key, convert(value)) for key, value in data.items())
        return types.MappingProxyType({key: value for key, value in decoded if value is not _HOLE})

    return entries


def _plain_map(data: Any) -> Any:
    return types.MappingProxyType({key: value for key, value in data.items() if value is not _HOLE})


def _released(data: Any) -> Any:
    return model.Released(contract=data) if isinstance(data, str) else _part(model.Released)(data)


def _criterion(data: Any) -> Any:
    if isinstance(data, str):
        return model.Criterion(text=data)
    known = _fields_of(model.Criterion, data)
    return model.Criterion(**known) if known.get("check") or known.get("text") else _HOLE


def _nodes(data: Any) -> Any:
    shapes: dict[tuple[str, ...], tuple[list[str], list[Any]]] = {}
    for node_id, body in data.items():
        shape = tuple(body)
        if shape not in shapes:
            shapes[shape] = [], []
        ids, bodies = shapes[shape]
        ids.append(node_id)
        bodies.append(body)
    decoded: dict[str, Any] = dict.fromkeys(data)
    shared: dict[bytes, Any] = {}
    for shape, (ids, bodies) in shapes.items():
        decoded.update(zip(ids, _alike(shape, ids, bodies, shared), strict=True))
    return types.MappingProxyType({name: node for name, node in decoded.items() if node is not None})


def _alike(
    shape: tuple[str, ...], ids: list[str], bodies: list[Any], shared: dict[bytes, Any]
) -> Iterable[Any]:
    """Return nodes with the keys of `shape`, made a column of values at a time; None for what is no node."""
    steps, make = _maker(shape)
    if make is None:
        decoded = (_fields_of(model.NodeSpec, body) for body in bodies)
        return [
            model.NodeSpec(id=node_id, **known) if "action" in known else None
            for node_id, known in zip(ids, decoded, strict=True)
        ]
    columns: list[Iterable[Any]] = list(zip(*map(dict.values, bodies), strict=True))
    for place, convert in steps:
        columns[place] = map(convert, columns[place])
    if "with" in shape:
        place = shape.index("with")
        columns[place] = map(_params, columns[place], repeat(shared))
    return map(make, ids, *columns)


def _params(data: Any, shared: dict[bytes, Any]) -> Any:
    """Return parameters; equal ones are one value, so that others look at each of them once."""
    try:
        key = marshal.dumps(data, _AS_TREE)  # tells 1 from 1.0 and true, which compare equal
    except ValueError:  # a hole
        return _plain_map(data)
    found = shared.get(key)
    if found is None:
        found = shared[key] = _plain_map(data)
    return found


_AS_TREE: Final = 2
"""The version of the format in which it does not count whether equal values are one object."""


@lru_cache(maxsize=256)
def _maker(
    keys: tuple[str, ...],
) -> tuple[tuple[tuple[int, Converter], ...], Callable[..., model.NodeSpec] | None]:
    """Return how nodes with these keys are made: which values are decoded by what, and what takes them all.

    Parameters are not among the first. Nodes have few orders of keys, and twenty fields each: this takes a
    third of the time of the general way, which decides where nothing takes them. No part of a node has
    required keys, so that none of its values becomes a hole.
    """
    table = _table(cast("Hashable", model.NodeSpec))
    entries = [table.get(key) for key in keys]
    known = [entry for entry in entries if entry is not None]
    if len(known) < len(keys) or "action" not in keys:
        return (), None
    steps = ((place, convert) for place, (name, convert) in enumerate(known) if name != "params")
    bare = model.NodeSpec(id="", action="")
    make = copier(bare, "id", *(name for name, _ in known))
    return tuple(step for step in steps if step[1] is not _same), make


_need_of: Final = copier(model.Need(node=""), "node")


def _needs(data: Any) -> Any:
    if isinstance(data, list):
        return tuple(
            map(_need_of, data if _HOLE not in data else [item for item in data if item is not _HOLE])
        )
    return tuple(_need(node, body) for node, body in data.items())


def _need(node: str, body: dict[str, Any]) -> model.Need:
    known: dict[str, Any] = {"join": body["join"]} if "join" in body else {}
    if "states" in body:
        states = body["states"]
        known["states"] = (states,) if isinstance(states, str) else tuple(s for s in states if s is not _HOLE)
    return model.Need(node=node, **known)


def _condition(data: Any) -> Any:
    return data if isinstance(data, str) else str(data).lower()
