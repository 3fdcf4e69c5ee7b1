"""Frozen values to JSON and back, and the canonical bytes that digests are taken over.

Works from the type hints of dataclasses: scalars, enums of strings, `tuple[T, ...]`, fixed tuples,
`frozenset[str]`, `Mapping[str, T]`, `T | None`, nested dataclasses and plain JSON. Canonical form: sorted
keys, no spaces, UTF-8 without escapes, so equal values give equal bytes on every machine.
"""

from __future__ import annotations

import hashlib
import json
import types
from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Final, TypeAlias, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")
Decoder: TypeAlias = Callable[[Any], Any]


def to_json(value: object) -> Any:
    """Return `value` as plain dicts, lists, strings, numbers, booleans and None.

    Raises:
        TypeError: the value holds something that has no JSON form.
    """
    kind = type(value)
    if kind in _SCALARS:
        return value
    if kind is dict:
        return {
            str(key): item if type(item) in _SCALARS else to_json(item)
            for key, item in cast("dict[object, object]", value).items()
        }
    if kind is tuple or kind is list:
        return [item if type(item) in _SCALARS else to_json(item) for item in cast("list[object]", value)]
    if is_dataclass(value) and not isinstance(value, type):
        return {
            name: item if type(item := getattr(value, name)) in _SCALARS else to_json(item)
            for name in _field_names(cast("Hashable", kind))
        }
    return _rare(value)


_SCALARS: Final = frozenset({str, int, float, bool, type(None)})
"""Types that are their own JSON form; the look-up saves most of the calls."""


def _rare(value: object) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (str, int, float)):
        return value
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [to_json(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(to_json(item) for item in value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def from_json(kind: type[T], data: object) -> T:
    """Build a `kind` from what `to_json` returned; unknown keys are ignored, so that newer writers can add.

    Raises:
        ValueError, TypeError, KeyError: `data` does not have the shape of `kind`.
    """
    result: T = _decoder(cast("Hashable", kind))(data)
    return result


def canonical(value: object) -> bytes:
    """Return the canonical JSON bytes of `value`."""
    return _text(to_json(value)).encode("utf-8", "surrogatepass")


def _text_maker() -> Callable[[Any], str]:
    """Return what writes canonical JSON: the encoder in C, which `json` makes anew for each value."""
    encoder = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return encoder.encode
    escaped = json.encoder.encode_basestring
    chunks = make(None, encoder.default, escaped, None, ":", ",", encoder.sort_keys, False, True)
    return lambda data: "".join(chunks(data, 0))


_text: Final = _text_maker()


def digest(value: object) -> str:
    """Return the SHA-256 of the canonical bytes of `value`, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def digest_bytes(content: bytes) -> str:
    """Return the SHA-256 of `content`, as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


@cache
def _field_names(kind: type) -> tuple[str, ...]:
    return tuple(item.name for item in fields(kind))


@cache
def _decoder(kind: Any) -> Decoder:
    origin, args = get_origin(kind), get_args(kind)
    if isinstance(kind, type) and is_dataclass(kind):
        return _dataclass_decoder(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    if origin in {Union, types.UnionType}:
        inner = [arg for arg in args if arg is not type(None)]
        if len(inner) == 1 and len(inner) < len(args):
            return _optional(_decoder(inner[0]))
        return _same
    if origin is tuple:
        if args[-1] is Ellipsis:
            return _tuple_of(_decoder(args[0]))
        return _fixed_tuple(tuple(_decoder(arg) for arg in args))
    if origin is frozenset:
        return frozenset
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping_of(_decoder(args[1]))
    if kind is float:
        return float
    return _same


def _same(data: Any) -> Any:
    return data


def _optional(decode: Decoder) -> Decoder:
    return lambda data: None if data is None else decode(data)


def _tuple_of(decode: Decoder) -> Decoder:
    return lambda data: tuple(decode(item) for item in data)


def _fixed_tuple(decoders: tuple[Decoder, ...]) -> Decoder:
    return lambda data: tuple(decode(item) for decode, item in zip(decoders, data, strict=True))


def _mapping_of(decode: Decoder) -> Decoder:
    return lambda data: {key: decode(item) for key, item in data.items()}


def _dataclass_decoder(kind: type) -> Decoder:
    hints: dict[str, Any] | None = None

    def decode(data: Any) -> Any:
        nonlocal hints
        if hints is None:  # resolved on first use, so that a type may refer to itself
            hints = {name: _decoder(hint) for name, hint in get_type_hints(kind).items()}
        known = {name: hints[name](data[name]) for name in _field_names(kind) if name in data}
        return kind(**known)

    return decode
