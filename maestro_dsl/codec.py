"""Frozen values to JSON and back, and the canonical bytes that digests are taken over.

Works from the type hints of dataclasses: scalars, enums of strings, `tuple[T, ...]`, fixed tuples,
`frozenset[str]`, `Mapping[str, T]`, `T | None`, nested dataclasses and plain JSON. Canonical form: sorted
keys, no spaces, UTF-8 without escapes, so equal values give equal bytes on every machine.
"""

from __future__ import annotations

import hashlib
import json
import types
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from json.encoder import encode_basestring, encode_basestring_ascii
from math import isfinite
from operator import attrgetter
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
    return _CANONICAL.text(value).encode("utf-8", "surrogatepass")


def ascii_text(value: object) -> str:
    """Return the JSON of `value` in ASCII, otherwise in canonical form; for what is stored as text.

    Raises:
        ValueError: it holds a number that is none, or is infinite.
    """
    return _ASCII.text(value)


def sparse_printer(kind: type, *added: str) -> Callable[..., str]:
    """Return `ascii_text` for dataclasses of one kind without the fields that hold their defaults.

    `added` members are printed among them; their values are given behind the dataclass, in the same order.
    `from_json` reads what this printed as long as defaults never change.
    """
    known = {item.name: item for item in fields(kind) if item.init}
    space: dict[str, Any] = {"text": _ASCII.text, "known": _ASCII.known}
    lines: list[str] = []
    for name in sorted({*known, *added}):
        lines.append(f"    item = {name}_" if name in added else f"    item = value.{name}")
        field = known.get(name)
        if field is not None and field.default is not MISSING:
            space[f"usual_{name}"] = field.default
            lines.append(f"    if item is not usual_{name}:")
        elif field is not None and field.default_factory is not MISSING:
            space[f"usual_{name}"] = field.default_factory
            lines.append(f"    if item != usual_{name}():")
        else:
            lines.append("    if True:")
        head = f",{encode_basestring_ascii(name)}:"
        lines.append(f"        parts.append(f'{head}{{(known.get(type(item)) or text)(item)}}')")
    head = f"def printed({', '.join(['value', *(f'{name}_' for name in added)])}):\n    parts = []"
    text = "\n".join([head, *lines, "    return '{' + ''.join(parts)[1:] + '}'"])
    exec(text, space)  # noqa: S102 - names of fields, as `records` does
    printed: Callable[..., str] = space["printed"]
    return printed


class _Printer:
    """Prints values as JSON with sorted keys and no spaces, dataclasses straight from their fields.

    A tree of dicts in between takes 37 µs for an event of an ended attempt, this takes 6 µs.
    """

    def __init__(self, string: Callable[[str], str], *, ensure_ascii: bool, allow_nan: bool) -> None:
        self._string = string
        self.plain = library = _library(string, ensure_ascii=ensure_ascii, allow_nan=allow_nan)
        """Prints what is plain JSON already."""
        self.known: dict[type, Callable[[Any], str]] = {
            str: string,
            int: int.__repr__,
            float: lambda value: float.__repr__(value) if isfinite(value) else library(value),
            bool: lambda value: "true" if value else "false",
            type(None): lambda _: "null",
            dict: lambda value: library(to_json(value)) if value else "{}",
            tuple: self._list,
            list: self._list,
        }

    def text(self, value: object) -> str:
        """Return the JSON of any value that `to_json` knows."""
        found = self.known.get(type(value))
        return found(value) if found is not None else self._other(value)

    def _list(self, items: Sequence[object]) -> str:
        return f"[{','.join(map(self.text, items))}]" if items else "[]"

    def _other(self, value: object) -> str:
        if not is_dataclass(value) or isinstance(value, type):
            return self.text(_rare(value))
        self.known[type(value)] = found = self._of_fields(type(value))
        return found(value)

    def _of_fields(self, kind: type) -> Callable[[object], str]:
        """Return a function that prints dataclasses of a kind."""
        usual_of: dict[str, Any] = {item.name: item.default for item in fields(kind) if item.init}
        text, known = self.text, self.known
        members: list[tuple[str, Any, str]] = []
        for name in sorted(usual_of):
            head = f"{',' if members else ''}{self._string(name)}:"
            usual = usual_of[name]
            members.append((head, usual, "" if usual is MISSING else head + text(usual)))
        read = _reader(sorted(usual_of))

        def printed(value: object) -> str:
            # Most fields hold their defaults, and these are printed already.
            parts = [
                plain if item is usual else head + (known.get(type(item)) or text)(item)
                for item, (head, usual, plain) in zip(read(value), members, strict=True)
            ]
            return f"{{{''.join(parts)}}}"

        return printed


def _reader(names: Sequence[str]) -> Callable[[object], tuple[object, ...]]:
    """Return a function that reads all these attributes at once."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda value: tuple(getattr(value, name) for name in names)


def _library(string: Callable[[str], str], *, ensure_ascii: bool, allow_nan: bool) -> Callable[[Any], str]:
    """Return what prints plain JSON: the encoder in C, which `json` would make anew for each value."""
    encoder = json.JSONEncoder(
        sort_keys=True, ensure_ascii=ensure_ascii, allow_nan=allow_nan, separators=(",", ":")
    )
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return encoder.encode
    chunks = make(None, encoder.default, string, None, ":", ",", encoder.sort_keys, False, allow_nan)
    return lambda data: "".join(chunks(data, 0))


_CANONICAL: Final = _Printer(encode_basestring, ensure_ascii=False, allow_nan=True)
_ASCII: Final = _Printer(encode_basestring_ascii, ensure_ascii=True, allow_nan=False)


def digest(value: object) -> str:
    """Return the SHA-256 of the canonical bytes of `value`, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def digest_plain(value: Mapping[str, object]) -> str:
    """Return what `digest` does of plain JSON, keys of text and lists included, in half of the time.

    Raises:
        TypeError: the value holds something that is no plain JSON.
    """
    text = _CANONICAL.plain(value if type(value) is dict else dict(value))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def digest_bytes(content: bytes) -> str:
    """Return the SHA-256 of `content`, as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


@cache
def _field_names(kind: type) -> tuple[str, ...]:
    return tuple(item.name for item in fields(kind) if item.init)


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
