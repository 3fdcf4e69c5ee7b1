"""Makes one value for a schema in one go, by its keywords, names and formats; never fails, may be invalid.

Whether the value is valid, and what to do if it is not, is for `sample`.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from maestro_dsl.interfaces import wording
from maestro_dsl.interfaces.chance import hash32, pick
from maestro_dsl.interfaces.openapi import patterns, shapes
from maestro_dsl.interfaces.openapi.merge import MADE, flatten
from maestro_dsl.interfaces.openapi.validate import dialect, is_valid

if TYPE_CHECKING:
    from maestro_dsl.interfaces.openapi.dialect import Direction
    from maestro_dsl.interfaces.openapi.model import Api, Schema

_DEEP = 5
_TOO_DEEP = 14
_BUDGET = 1500
_MAX_ITEMS = 200
_MAX_TEXT = 100_000
_UNIQUE_TRIES = 20
_INT64 = 2**53 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """One way to try: another `salt` gives other values, a `shift` other alternatives."""

    salt: str = ""
    shift: int = 0
    optional: bool = True
    examples: bool = True


def without_hidden(api: Api, schema: Schema, value: Any, direction: Direction, depth: int = 0) -> Any:
    """Return a copy of `value` without the properties that do not travel in `direction`."""
    if isinstance(value, dict):
        known = shapes.properties(api, schema) if depth <= _TOO_DEEP else {}
        convert = dialect(api, direction)
        return {
            name: without_hidden(api, known.get(name, True), item, direction, depth + 1)
            for name, item in value.items()
            if not convert.is_hidden(known.get(name))
        }
    if isinstance(value, list):
        entry = shapes.items(api, schema)
        return [
            without_hidden(api, True if entry is None else entry, item, direction, depth + 1)
            for item in value
        ]
    return value


class Generator:
    """Makes values of one API in one direction; use one for each value, it counts what it has made."""

    def __init__(self, api: Api, direction: Direction, seed: str, mode: Mode) -> None:
        self._api = api
        self._direction = direction
        self._seed = f"{seed}{mode.salt}"
        self._mode = mode
        self._made = 0

    def value(self, schema: Schema, name: str = "") -> Any:
        """Return a value for `schema`, held by something called `name`."""
        return self._value(schema, name, path="", refs=(), first=True)

    def _value(self, schema: Any, name: str, *, path: str, refs: tuple[str, ...], first: bool) -> Any:
        self._made += 1
        if schema is False or not isinstance(schema, (dict, bool)):
            return None
        if schema is True or not schema:
            return wording.text(name, f"{self._seed}{path}") if name else {}
        ref = schema.get("$ref")
        if isinstance(ref, str):
            refs = (*refs, ref)
        flat = flatten(self._api, schema, f"{self._seed}{path}", shift=self._mode.shift)
        given = self._given(schema, flat, name, first=first)
        if given is not None:
            return given[0]
        kind = _kind(flat)
        if kind == "object":
            return self._object(flat, path, refs, first=first)
        if kind == "array":
            return self._array(flat, name, path, refs, first=first)
        return self._scalar(flat, kind, name, f"{self._seed}{path}", owner=_owner(refs))

    def _given(
        self, schema: dict[str, Any], flat: dict[str, Any], name: str, *, first: bool
    ) -> tuple[Any] | None:
        """Return what the document itself says the value is or may be, in a tuple."""
        if "const" in flat:
            return (copy.deepcopy(flat["const"]),)
        if self._mode.examples and (first or not self._has_own_wording(flat, name)):
            for value in _examples(flat):
                if self._usable(schema, flat, value):
                    return (without_hidden(self._api, schema, value, self._direction),)
        values = flat.get("enum")
        if isinstance(values, list) and values:
            options = [item for item in values if item is not None] or values
            options = [item for item in options if _suits(_kind(flat), item)] or options
            if "default" in flat and flat["default"] in options and first:
                return (flat["default"],)
            return (copy.deepcopy(pick(options, f"{self._seed}{name}{self._made}")),)
        return None

    @staticmethod
    def _has_own_wording(flat: dict[str, Any], name: str) -> bool:
        if isinstance(flat.get("enum"), list) or _kind(flat) in {"integer", "number", "boolean"}:
            return True
        if name == "name" or wording.is_identity(name) or wording.known_pool(name) is not None:
            return True
        return flat.get("format") in ("date-time", "date", "uuid", "email")

    def _usable(self, schema: dict[str, Any], flat: dict[str, Any], value: Any) -> bool:
        if MADE in schema or schema.get("allOf"):
            return not isinstance(value, (dict, list)) and _suits(_kind(flat), value)
        if isinstance(value, (dict, list)):
            value = without_hidden(self._api, schema, value, self._direction)
            return bool(value) and is_valid(self._api, schema, value, self._direction)
        return value is not None and is_valid(self._api, schema, value, self._direction)

    def _object(
        self, flat: dict[str, Any], path: str, refs: tuple[str, ...], *, first: bool
    ) -> dict[str, Any]:
        declared = flat.get("properties")
        declared = declared if isinstance(declared, dict) else {}
        needed = [name for name in _strings(flat.get("required")) if not self._hidden(declared.get(name))]
        depth = path.count("/")
        frugal = (
            depth >= _DEEP or self._made > _BUDGET or len(refs) != len(set(refs)) or not self._mode.optional
        )
        result: dict[str, Any] = {}
        for name, schema in declared.items():
            if self._hidden(schema) or schema is False or (name not in needed and frugal):
                continue
            if depth < _TOO_DEEP:
                result[name] = self._value(schema, name, path=f"{path}/{name}", refs=refs, first=first)
        for name in needed:
            if name not in result and depth < _TOO_DEEP:
                schema = declared.get(name, flat.get("additionalProperties", True))
                result[name] = self._value(schema, name, path=f"{path}/{name}", refs=refs, first=first)
        self._fill(flat, result, path, refs, frugal=frugal)
        return result

    def _fill(
        self, flat: dict[str, Any], result: dict[str, Any], path: str, refs: tuple[str, ...], *, frugal: bool
    ) -> None:
        """Add entries that have no declared name, where the schema is a map or asks for more."""
        wanted = flat.get("minProperties")
        count = wanted if isinstance(wanted, int) else 0
        schema, source = flat.get("additionalProperties"), flat.get("propertyNames")
        by_pattern = flat.get("patternProperties")
        if isinstance(by_pattern, dict) and by_pattern and not result:
            pattern, schema = next(iter(by_pattern.items()))
            source, count = {"type": "string", "pattern": pattern, MADE: True}, max(count, 1)
        elif isinstance(schema, dict) and schema and not flat.get("properties") and not frugal:
            count = max(count, 2)
        if isinstance(flat.get("maxProperties"), int):
            count = min(count, flat["maxProperties"])
        names = wording.pools()["word"]
        start = hash32(f"{self._seed}{path}")
        for turn in range(len(names)):
            if len(result) >= count or path.count("/") >= _TOO_DEEP:
                return
            name = names[(start + turn) % len(names)]
            if isinstance(source, dict):
                made = self._value({**source, MADE: True}, "", path=f"{path}/@{turn}", refs=refs, first=False)
                name = made if isinstance(made, str) else name
            entry = schema if isinstance(schema, dict) else {"type": "string", MADE: True}
            result.setdefault(
                name, self._value(entry, name, path=f"{path}/{name}", refs=refs, first=turn == 0)
            )

    def _array(
        self, flat: dict[str, Any], name: str, path: str, refs: tuple[str, ...], *, first: bool
    ) -> list[Any]:
        low, high = _bound(flat, "minItems", 0), _bound(flat, "maxItems", _MAX_ITEMS)
        depth = path.count("/")
        frugal = (
            depth >= _DEEP or self._made > _BUDGET or len(refs) != len(set(refs)) or not self._mode.optional
        )
        wanted = 0 if frugal else 3 if depth == 0 else 2 if depth == 1 else 1
        result = [
            self._value(part, name, path=f"{path}/{index}", refs=refs, first=first)
            for index, part in enumerate(
                flat["prefixItems"] if isinstance(flat.get("prefixItems"), list) else []
            )
        ]
        schema = flat.get("items", flat.get("contains", True))
        if schema is False or depth >= _TOO_DEEP:
            return result
        singular = name.removesuffix("s")
        tries = 0
        while len(result) < min(max(low, wanted), high, _MAX_ITEMS) and tries < _UNIQUE_TRIES * (
            min(low, _MAX_ITEMS) + 1
        ):
            turn = len(result) + tries
            tries += 1
            item = self._value(
                schema, singular, path=f"{path}/{turn}", refs=refs, first=first and not result and tries == 1
            )
            if item not in result or not flat.get("uniqueItems"):
                result.append(item)
        return result

    def _scalar(self, flat: dict[str, Any], kind: str, name: str, seed: str, *, owner: str) -> Any:
        if kind == "boolean":
            return bool(hash32(seed) % 2)
        if kind == "null":
            return None
        if kind == "integer":
            return _integer(flat, wording.whole_number(name, seed))
        if kind == "number":
            return _number(flat, wording.number(name, seed))
        return self._text(flat, name, seed, owner)

    def _text(self, flat: dict[str, Any], name: str, seed: str, owner: str) -> str:
        low = min(_bound(flat, "minLength", 0), _MAX_TEXT)
        top = _bound(flat, "maxLength", _MAX_TEXT)
        pattern = flat.get("pattern")
        kind = flat.get("format")
        made = wording.by_format(kind, seed) if isinstance(kind, str) else None
        if isinstance(pattern, str):
            ready = made if made is not None else wording.fit(wording.text(name, seed, owner=owner), low, top)
            if is_valid(self._api, _pattern_schema(self._api, pattern), ready):
                return ready
            try:
                return patterns.matching(pattern, seed, min_length=low, max_length=top)
            except patterns.UnreadablePattern:
                return ready
        if made is not None:
            return made[:top]
        return wording.fit(wording.text(name, seed, owner=owner), low, top)

    def _hidden(self, schema: Any) -> bool:
        return dialect(self._api, self._direction).is_hidden(schema)


def _pattern_schema(api: Api, pattern: str) -> dict[str, Any]:
    """Return one lasting schema for each pattern, so that its validator is compiled once."""
    found: dict[str, Any] = api.memo.setdefault(("pattern", pattern), {"type": "string", "pattern": pattern})
    return found


def _kind(flat: dict[str, Any]) -> str:
    kind = flat.get("type")
    if isinstance(kind, list):
        kind = next((item for item in kind if item != "null"), "null")
    if isinstance(kind, str):
        return kind
    for key, implied in (
        ("properties", "object"),
        ("additionalProperties", "object"),
        ("patternProperties", "object"),
        ("required", "object"),
        ("items", "array"),
        ("prefixItems", "array"),
        ("minimum", "number"),
        ("maximum", "number"),
    ):
        if key in flat:
            return implied
    return "string"


def _suits(kind: str, value: Any) -> bool:
    kinds: dict[str, tuple[type, ...]] = {
        "string": (str,),
        "integer": (int,),
        "number": (int, float),
        "boolean": (bool,),
    }
    return isinstance(value, kinds.get(kind, ())) and (kind == "boolean") == isinstance(value, bool)


def _examples(flat: dict[str, Any]) -> list[Any]:
    found = [flat["example"]] if "example" in flat else []
    listed = flat.get("examples")
    if isinstance(listed, list):
        found += listed
    if "default" in flat:
        found.append(flat["default"])
    return found


def _integer(flat: dict[str, Any], value: int) -> int:
    low, high = _limits(flat)
    step = flat.get("multipleOf")
    if isinstance(step, (int, float)) and not isinstance(step, bool) and step > 0:
        whole = max(1, math.ceil(step))
        value = value // whole * whole
    else:
        whole = 1
    if low is not None and value < low:
        value = math.ceil(low / whole) * whole if whole > 1 else math.ceil(low)
    if high is not None and value > high:
        value = math.floor(high / whole) * whole if whole > 1 else math.floor(high)
    return max(-_INT64, min(_INT64, value))


def _number(flat: dict[str, Any], value: float) -> float:
    low, high = _limits(flat, strict=0.01)
    step = flat.get("multipleOf")
    if isinstance(step, (int, float)) and not isinstance(step, bool) and step > 0:
        value = round(value / step) * step
    if low is not None and value < low:
        value = low if high is None else low + (high - low) / 2
    if high is not None and value > high:
        value = high if low is None else low + (high - low) / 2
    return round(value, 6)


def _limits(flat: dict[str, Any], *, strict: float = 1) -> tuple[float | None, float | None]:
    bounds: list[float | None] = []
    for key, exclusive, sign in (("minimum", "exclusiveMinimum", 1), ("maximum", "exclusiveMaximum", -1)):
        inclusive, beyond = flat.get(key), flat.get(exclusive)
        found = float(inclusive) if isinstance(inclusive, (int, float)) else None
        if beyond is True and found is not None:
            found += sign * strict
        elif isinstance(beyond, (int, float)) and not isinstance(beyond, bool):
            found = beyond + sign * strict
        bounds.append(found)
    return bounds[0], bounds[1]


def _bound(flat: dict[str, Any], key: str, default: int) -> int:
    value = flat.get(key)
    usable = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return int(value) if usable and value is not None else default


def _strings(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _owner(refs: tuple[str, ...]) -> str:
    return refs[-1].rpartition("/")[2] if refs else ""
