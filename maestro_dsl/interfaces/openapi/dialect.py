"""Schemas of OpenAPI 3.0 and 3.1 rewritten as plain JSON Schema 2020-12, for one direction of travel.

Keeps the keywords that decide whether a value is valid and nothing else, so a validator never meets vendor
extensions, `$id`s or keywords of the wrong type. References are rewritten to `#/$defs/<n>` of a bundle that
holds just what is reachable. A request need not carry what is read-only, nor an answer what is write-only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from maestro_dsl.interfaces.openapi import shapes
from maestro_dsl.interfaces.openapi.meant import meant
from maestro_dsl.interfaces.openapi.tidy import is_number, tidy

if TYPE_CHECKING:
    from collections.abc import Callable

    from maestro_dsl.interfaces.openapi.model import Api, Schema

Direction: TypeAlias = Literal["request", "response"]

FORMATS = frozenset({"date-time", "date", "time", "email", "uuid", "uri", "ipv4", "ipv6", "hostname"})
"""Formats that are checked; others say what a value is for, not which values there are."""

_HIDDEN: dict[Direction, str] = {"request": "readOnly", "response": "writeOnly"}
_CLOSING = frozenset(
    {
        "additionalProperties",
        "allOf",
        "oneOf",
        "anyOf",
        "not",
        "const",
        "enum",
        "if",
        "propertyNames",
    }
    | {"patternProperties", "minProperties", "maxProperties", "unevaluatedProperties", "nullable"}
)
"""Keywords by which an object may exclude another."""

_MAX_DEPTH = 100
_INTEGERS = {"int32": 2**31, "int64": 2**63}


class Dialect:
    """Converts the schemas of one `api` for one `direction`; each referenced schema is converted once."""

    def __init__(self, api: Api, direction: Direction, *, usable_pattern: Callable[[str], bool]) -> None:
        self.definitions: dict[str, Any] = {}
        """Converted targets of references, by number; complete after `convert` has returned."""
        self._api = api
        self._hidden = _HIDDEN[direction]
        self._usable_pattern = usable_pattern
        self._numbers: dict[str, str] = {}
        self._uses: dict[str, set[str]] = {}
        self._using: set[str] = set()
        self._waiting: list[tuple[str, Schema]] = []
        self._depth = 0

    def bundle(self, schema: Schema) -> Any:
        """Return `schema` with a `$defs` of everything reachable from it."""
        converted, uses = self.convert_with_uses(schema)
        if not isinstance(converted, dict) or not uses:
            return converted
        return {**converted, "$defs": {number: self.definitions[number] for number in sorted(uses)}}

    def convert_with_uses(self, schema: Schema) -> tuple[Any, set[str]]:
        """Return the converted schema and the numbers of all definitions reachable from it."""
        outer, self._using = self._using, set()
        try:
            converted = self._convert(schema)
            direct = self._using
            while self._waiting:
                number, target = self._waiting.pop()
                self._using = self._uses[number] = set()
                self.definitions[number] = self._convert(target)
        finally:
            self._using = outer
        return converted, self._closure(direct)

    def _closure(self, direct: set[str]) -> set[str]:
        seen: set[str] = set()
        waiting = list(direct)
        while waiting:
            number = waiting.pop()
            if number not in seen:
                seen.add(number)
                waiting += self._uses.get(number, ())
        return seen

    def _reference(self, ref: str) -> Any:
        target = self._api.resolve(ref)
        if not isinstance(target, (dict, bool)):
            return True
        number = self._numbers.get(ref)
        if number is None:
            number = self._numbers[ref] = str(len(self._numbers))
            self.definitions[number] = True
            self._waiting.append((number, target))
        self._using.add(number)
        return {"$ref": f"#/$defs/{number}"}

    def _convert(self, schema: Any) -> Any:
        if not isinstance(schema, dict) or self._depth >= _MAX_DEPTH:
            return schema if isinstance(schema, bool) else True
        self._depth += 1
        try:
            return self._converted(schema)
        finally:
            self._depth -= 1

    def _converted(self, schema: dict[str, Any]) -> Any:
        schema = meant(tidy(schema))
        ref = schema.get("$ref")
        result: dict[str, Any] = {}
        if isinstance(ref, str):
            target = self._reference(ref)
            if not self._api.is_31 or len(schema) == 1 or target is True:
                return target
            result["$ref"] = target["$ref"]
        self._scalars(schema, result)
        self._bounds(schema, result)
        self._parts(schema, result)
        self._objects(schema, result)
        return _nullable(result) if schema.get("nullable") is True else result

    def _scalars(self, schema: dict[str, Any], result: dict[str, Any]) -> None:
        kinds = schema.get("type")
        listed = [kind for kind in (kinds if isinstance(kinds, list) else [kinds]) if isinstance(kind, str)]
        if listed:
            result["type"] = listed if len(listed) > 1 else listed[0]
        if isinstance(schema.get("enum"), list) and schema["enum"]:
            result["enum"] = schema["enum"]
        if "const" in schema:
            result["const"] = schema["const"]
        if schema.get("format") in FORMATS and "string" in (listed or ["string"]):
            result["format"] = schema["format"]
        top = _INTEGERS.get(str(schema.get("format")))
        if top is not None and "integer" in listed:
            result["minimum"], result["maximum"] = -top, top - 1
        pattern = schema.get("pattern")
        if isinstance(pattern, str) and self._usable_pattern(pattern):
            result["pattern"] = pattern
        if schema.get("uniqueItems") is True:
            result["uniqueItems"] = True

    @staticmethod
    def _bounds(schema: dict[str, Any], result: dict[str, Any]) -> None:
        for key in ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"):
            if is_number(schema.get(key)) and schema[key] >= 0:
                result[key] = int(schema[key])
        for key in ("minContains", "maxContains"):
            if is_number(schema.get(key)) and "contains" in schema:
                result[key] = int(schema[key])
        if is_number(schema.get("multipleOf")) and schema["multipleOf"] > 0:
            result["multipleOf"] = schema["multipleOf"]
        for key, strict in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
            if is_number(schema.get(strict)):
                result[strict] = schema[strict]
            if is_number(schema.get(key)):
                result.pop(key, None)
                result[strict if schema.get(strict) is True else key] = schema[key]

    def _parts(self, schema: dict[str, Any], result: dict[str, Any]) -> None:
        for key in ("allOf", "anyOf", "oneOf"):
            if isinstance(schema.get(key), list) and schema[key]:
                result[key] = [self._convert(part) for part in schema[key]]
        told_apart = self._told_apart(schema, result.get("oneOf"))
        if told_apart is None and "anyOf" not in result and self._is_open(schema.get("oneOf")):
            told_apart = result["oneOf"]
        if told_apart is not None:
            del result["oneOf"]
            result["anyOf"] = told_apart
        for key in (
            "not",
            "if",
            "then",
            "else",
            "items",
            "contains",
            "propertyNames",
            "additionalProperties",
        ):
            if isinstance(schema.get(key), (dict, bool)):
                result[key] = self._convert(schema[key])
        for key in ("unevaluatedProperties", "unevaluatedItems"):
            if isinstance(schema.get(key), (dict, bool)):
                result[key] = self._convert(schema[key])
        if isinstance(schema.get("prefixItems"), list) and schema["prefixItems"]:
            result["prefixItems"] = [self._convert(part) for part in schema["prefixItems"]]

    def _told_apart(self, schema: dict[str, Any], options: Any) -> list[Any] | None:
        """Return alternatives that a discriminator chooses between, so that none excludes another.

        Documents often write `oneOf` over schemas that overlap; the discriminator is what tells them apart.
        """
        discriminator = schema.get("discriminator")
        name = discriminator.get("propertyName") if isinstance(discriminator, dict) else None
        if not isinstance(name, str) or not isinstance(options, list) or "anyOf" in schema:
            return None
        found: list[Any] = []
        for raw, option in zip(schema["oneOf"], options, strict=True):
            values = discriminator_values(schema, raw)
            own = shapes.properties(self._api, raw).get(name)
            fixed = shapes.keyword(self._api, own, "enum") or shapes.keyword(self._api, own, "const")
            is_open = fixed is None and bool(values)
            only = {"properties": {name: {"enum": values}}}
            found.append({"allOf": [option, only]} if is_open else option)
        return found

    def _is_open(self, options: Any) -> bool:
        """Return whether every object of an alternative is one of another too, so that one means any of them.

        Documents list objects with other optional properties each, or one that needs less than the others.
        """
        if not isinstance(options, list) or len(options) < 2:  # noqa: PLR2004 - one alternative is none
            return False
        known: dict[str, Any] = {}
        needs: list[set[str]] = []
        for option in options:
            node = self._api.deref(option)
            if not isinstance(node, dict) or node.get("type") != "object" or _CLOSING & node.keys():
                return False
            own, needed = node.get("properties"), node.get("required")
            for name, part in own.items() if isinstance(own, dict) else ():
                converted = self._convert(part)  # without descriptions and examples
                if known.setdefault(name, converted) != converted:
                    return False
            needs.append({str(name) for name in needed} if isinstance(needed, list) else set())
        return all(
            any(other <= one for other in needs[:at] + needs[at + 1 :]) for at, one in enumerate(needs)
        )

    def _objects(self, schema: dict[str, Any], result: dict[str, Any]) -> None:
        for key in ("properties", "dependentSchemas"):
            if isinstance(schema.get(key), dict):
                result[key] = {name: self._convert(part) for name, part in schema[key].items()}
        patterns = schema.get("patternProperties")
        if isinstance(patterns, dict):
            result["patternProperties"] = {
                name: self._convert(part) for name, part in patterns.items() if self._usable_pattern(name)
            }
        dependent = schema.get("dependentRequired")
        if isinstance(dependent, dict):
            result["dependentRequired"] = {
                name: list(dict.fromkeys(names))
                for name, names in dependent.items()
                if isinstance(names, list)
            }
        names = schema.get("required")
        if isinstance(names, list):
            needed = [name for name in dict.fromkeys(names) if isinstance(name, str)]
            owned = shapes.properties(self._api, schema) if needed else {}
            kept = [name for name in needed if not self.is_hidden(owned.get(name))]
            if kept:
                result["required"] = kept

    def is_hidden(self, schema: Schema | None) -> bool:
        """Return whether a property does not travel in this direction."""
        if not isinstance(schema, dict):
            return False
        return shapes.keyword(self._api, schema, self._hidden) is True


def discriminator_values(schema: dict[str, Any], option: Any) -> list[str]:
    """Return the values of a schema's discriminator that stand for one of its alternatives, the best first.

    The name of the alternative stands for it as well, unless the mapping gives that name to another one.
    """
    ref = option.get("$ref") if isinstance(option, dict) else None
    if not isinstance(ref, str):
        return []
    stated = schema["discriminator"].get("mapping")
    mapping = stated if isinstance(stated, dict) else {}
    short = ref.rpartition("/")[2]
    mapped = [key for key, target in mapping.items() if target in {ref, short}]
    return mapped if short in mapping else [*mapped, short]


def _nullable(schema: dict[str, Any]) -> Any:
    if "type" not in schema:
        return {"anyOf": [schema, {"type": "null"}]} if schema else True
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if {"allOf", "anyOf", "oneOf", "$ref", "const", "not"} & schema.keys():
        return {"anyOf": [schema, {"type": "null"}]}
    widened = {**schema, "type": [*kinds, "null"] if "null" not in kinds else kinds}
    if "enum" in schema and None not in schema["enum"]:
        widened["enum"] = [*schema["enum"], None]
    return widened
