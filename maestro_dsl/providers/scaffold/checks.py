"""Schemas of request bodies and parameters as expressions of the generated `checks.py` classes.

Named schemas become constants in dependency order; a schema that contains itself is looked up later. What no
check expresses is collected in `unchecked`, never passed over in silence.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from maestro_dsl.interfaces.openapi.model import Api
from maestro_dsl.providers.scaffold.names import constant, unique
from maestro_dsl.providers.scaffold.patterns import usable
from maestro_dsl.providers.scaffold.pysource import Call, Node, Raw, call
from maestro_dsl.providers.scaffold.shapes import kind_of, resolved

FORMATS = frozenset({"date", "date-time", "time", "email", "uri", "url", "uuid", "ipv4", "ipv6"})
_INT32 = {"minimum": -(2**31), "maximum": 2**31 - 1}
_NOT_CHECKED = (
    "if",
    "dependentRequired",
    "dependentSchemas",
    "contains",
    "prefixItems",
    "patternProperties",
    "propertyNames",
    "unevaluatedItems",
)
_RECORD_KEYS = frozenset({"properties", "required", "additionalProperties", "minProperties", "maxProperties"})


@dataclass
class CheckWriter:
    """Turns schemas into check expressions and remembers what they need."""

    api: Api
    constants: dict[str, Node] = field(default_factory=dict)
    uses: set[str] = field(default_factory=set)
    formats: set[str] = field(default_factory=set)
    unchecked: set[str] = field(default_factory=set)
    _names: dict[str, str] = field(default_factory=dict)
    _open: set[str] = field(default_factory=set)

    def named(self, schema: object, fallback: str) -> str:
        """Return the name of a constant that checks `schema`."""
        if isinstance(schema, dict) and isinstance(schema.get("$ref"), str) and len(schema) == 1:
            node = self._reference(schema["$ref"])
            if isinstance(node, Raw) and node.text in self.constants:
                return node.text
        name = unique(constant(fallback), self.constants)
        self.constants[name] = self.check(schema)
        return name

    def check(self, schema: object) -> Node:
        """Return the expression that checks `schema` in a request."""
        if schema is False:
            return self._use("Nothing")
        if not isinstance(schema, dict):
            return self._use("Anything")
        node = dict(schema)
        if isinstance(node.get("$ref"), str):
            reference = self._reference(node.pop("$ref"))
            beside = {key: value for key, value in node.items() if key in _ASSERTIONS}
            return self._every([reference, self.check(beside)]) if beside else reference
        self.unchecked.update(key for key in _NOT_CHECKED if key in node)
        is_nullable = node.get("nullable") is True
        types = node.get("type")
        if isinstance(types, list):
            kinds = [item for item in types if item != "null"]
            is_nullable = is_nullable or "null" in types
            if not kinds:
                return self._use("Choice", (None,))
            if len(kinds) > 1:
                parts = tuple(self.check({**node, "type": kind}) for kind in kinds)
                return self._nullable(self._use("Either", parts), is_nullable)
            node["type"] = kinds[0]
        return self._nullable(self._combined(node), is_nullable)

    def _combined(self, node: dict[str, Any]) -> Node:
        parts: list[Node] = []
        own = self._own(node)
        if own is not None:
            parts.append(own)
        parts += [self.check(part) for part in _list(node, "allOf")]
        for key in ("oneOf", "anyOf"):
            alternatives = tuple(self.check(part) for part in _list(node, key))
            if len(alternatives) == 1:
                parts.append(alternatives[0])
            elif alternatives:
                is_alone = key == "oneOf" and "discriminator" not in node
                more = {"alone": True} if is_alone else {}
                parts.append(self._use("Either", alternatives, **more))
        if isinstance(node.get("not"), (dict, bool)):
            parts.append(self._use("Lacking", self.check(node["not"])))
        return self._every(parts)

    def _own(self, node: dict[str, Any]) -> Node | None:
        if "const" in node:
            return self._use("Choice", (_frozen(node["const"]),))
        if isinstance(node.get("enum"), list) and node["enum"]:
            return self._use("Choice", tuple(_frozen(item) for item in node["enum"]))
        kind = node.get("type") or _implied_kind(node)
        match kind:
            case "string":
                return self._text(node)
            case "integer" | "number":
                return self._number(node, kind)
            case "boolean":
                return self._use("Flag")
            case "array":
                limits = _limits(node, minItems="min_items", maxItems="max_items")
                if node.get("uniqueItems") is True:
                    limits["unique"] = True
                return self._use("ListOf", self.check(node.get("items", True)), **limits)
            case "object":
                return self._record(node)
            case "null":
                return self._use("Choice", (None,))
        return None

    def _text(self, node: dict[str, Any]) -> Node:
        limits = _limits(node, minLength="min_length", maxLength="max_length")
        if isinstance(node.get("pattern"), str):
            pattern = usable(node["pattern"])
            if pattern is None:
                self.unchecked.add("a pattern that is not safe to run or not known to Python")
            else:
                limits["pattern"] = pattern
                self.uses.add("pattern")
        name = "uri" if node.get("format") == "url" else node.get("format")
        if name in FORMATS:
            limits["format"] = str(name)
            self.formats.add(str(name))
        return self._use("Text", **limits)

    def _number(self, node: dict[str, Any], kind: str) -> Node:
        limits: dict[str, Node] = {"whole": True} if kind == "integer" else {}
        bounded = {**_INT32, **node} if node.get("format") == "int32" else node
        limits |= _limits(bounded, minimum="minimum", maximum="maximum", multipleOf="multiple_of")
        for key, plain, name in (
            ("exclusiveMinimum", "minimum", "above"),
            ("exclusiveMaximum", "maximum", "below"),
        ):
            value = node.get(key)
            if value is True and plain in limits:
                limits[name] = limits.pop(plain)
            elif isinstance(value, (int, float)) and not isinstance(value, bool):
                limits[name] = value
        if limits.get("multiple_of") == 0:
            del limits["multiple_of"]
        return self._use("Number", **limits)

    def _record(self, node: dict[str, Any]) -> Node:
        properties = node.get("properties")
        known = properties if isinstance(properties, dict) else {}
        writable = {
            str(name): self.check(schema)
            for name, schema in known.items()
            if resolved(self.api, schema).get("readOnly") is not True
        }
        read_only = set(map(str, known)) - set(writable)
        required = tuple(
            item for item in _list(node, "required") if isinstance(item, str) and item not in read_only
        )
        parts: dict[str, Node] = {}
        if required:
            parts["required"] = required
        if writable:
            parts["fields"] = writable
        extra = node.get("additionalProperties")
        if extra is False:
            parts["others"] = None
        elif isinstance(extra, dict) and extra:
            parts["others"] = self.check(extra)
        parts |= _limits(node, minProperties="min_fields", maxProperties="max_fields")
        return self._use("Record", **parts)

    def _reference(self, ref: str) -> Node:
        name = self._names.get(ref)
        if name is not None:
            if name in self._open:
                return self._use("Later", Raw(f"lambda: {name}"))
            return Raw(name)
        name = unique(constant(ref.rpartition("/")[2]), {*self.constants, *self._names.values()})
        self._names[ref] = name
        self._open.add(name)
        node = self.check(self.api.deref({"$ref": ref}))
        self._open.discard(name)
        self.constants[name] = node
        return Raw(name)

    def _every(self, parts: list[Node]) -> Node:
        distinct = [part for part in parts if part != Call("Anything")] or [self._use("Anything")]
        return distinct[0] if len(distinct) == 1 else self._use("Every", tuple(distinct))

    def _nullable(self, node: Node, is_nullable: bool) -> Node:
        return self._use("Nullable", node) if is_nullable else node

    def _use(self, name: str, *args: Node, **keywords: Node) -> Node:
        self.uses.add(name)
        return call(name, *args, **keywords)


_ASSERTIONS = frozenset(
    {
        *_RECORD_KEYS, "type", "enum", "const", "allOf", "oneOf", "anyOf", "not", "items", "minItems",
        "maxItems", "minLength", "maxLength", "pattern", "format", "minimum", "maximum", "nullable",
        "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "uniqueItems",
    }
)  # fmt: skip


def parameter_check(writer: CheckWriter, schema: object) -> tuple[Node, bool]:
    """Return the check of one value of a parameter, and whether the parameter is a list of such values."""
    node = resolved(writer.api, schema)
    kind = kind_of(writer.api, schema)
    if kind == "array":
        inner, _ = parameter_check(writer, node.get("items", True))
        return inner, True
    if kind in {"object", "any"}:
        writer.uses.add("Anything")
        return call("Anything"), False
    flat = {
        key: value for key, value in node.items() if key not in {"nullable", "allOf", "oneOf", "anyOf", "not"}
    }
    return writer.check({**flat, "type": kind}), False


def _implied_kind(node: dict[str, Any]) -> str | None:
    if _RECORD_KEYS & node.keys():
        return "object"
    return "array" if "items" in node else None


def _limits(node: dict[str, Any], **names: str) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for key, name in names.items():
        value = node.get(key)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            found[name] = value
    return found


def _frozen(value: Any) -> Node:
    return value if not isinstance(value, list) else list(value)


def _list(node: dict[str, Any], key: str) -> list[Any]:
    value = node.get(key)
    return value if isinstance(value, list) else []
