"""Example values of a schema for tests and forms: what the document gives, else what its limits allow.

Deterministic, and readable before realistic: these values stand as literals in generated tests. `variant` 1
differs from 0 wherever the schema leaves a choice, so that a test can see a change.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.interfaces.openapi.validate import errors
from maestro_dsl.providers.scaffold.names import label
from maestro_dsl.providers.scaffold.patterns import matching_text
from maestro_dsl.providers.scaffold.shapes import kind_of, resolved, shape_of

if TYPE_CHECKING:
    from maestro_dsl.interfaces.openapi.dialect import Direction
    from maestro_dsl.interfaces.openapi.model import Api, Schema

_MAX_DEPTH = 6
_MAX_LENGTH = 2_000

_BY_FORMAT: Final = {
    "date": ("2026-12-24", "2027-01-31"),
    "date-time": ("2026-12-24T18:00:00Z", "2027-01-31T09:30:00Z"),
    "time": ("18:00:00Z", "09:30:00Z"),
    "email": ("ada@example.com", "alan@example.com"),
    "uuid": ("3f2b8f0e-8d0c-4d6a-9b1e-2c7a5f4e6d10", "8a1c4e52-6b7d-4f3a-a2c9-0d5e7b9f1a34"),
    "uri": ("https://example.com/one", "https://example.com/two"),
    "url": ("https://example.com/one", "https://example.com/two"),
    "uri-reference": ("/one", "/two"),
    "hostname": ("one.example.com", "two.example.com"),
    "ipv4": ("192.0.2.1", "192.0.2.2"),
    "ipv6": ("2001:db8::1", "2001:db8::2"),
    "byte": ("b25l", "dHdv"),
    "duration": ("PT1H", "PT2H"),
}


class NoExample(ValueError):  # noqa: N818 - not a fault: the caller goes without an example
    """No value could be found that the schema allows."""


def example(
    api: Api, schema: Schema, *, name: str = "value", variant: int = 0, response: bool = False
) -> Any:
    """Return a value of `schema` as a request holds it (`readOnly` left out), or as a response does.

    Raises:
        NoExample: the limits of the schema are beyond what is tried here.
    """
    direction: Direction = "response" if response else "request"
    problems: list[str] = []
    for with_examples in (True, False):
        value = _Maker(api, variant, response, with_examples).value(schema, name, 0)
        problems = errors(api, schema, value, direction)
        if not problems:
            return value
    raise NoExample(problems[0])


class _Maker:
    def __init__(self, api: Api, variant: int, response: bool, with_examples: bool) -> None:
        self._api = api
        self._variant = variant
        self._response = response
        self._with_examples = with_examples

    def value(self, schema: object, name: str, depth: int) -> Any:  # noqa: C901 - one branch a JSON type
        node = resolved(self._api, schema)
        kind = kind_of(self._api, schema)
        if "const" in node:
            return node["const"]
        if isinstance(node.get("enum"), list) and node["enum"]:
            options = [item for item in node["enum"] if item is not None] or node["enum"]
            return options[min(self._variant, len(options) - 1)]
        if kind == "object":
            return self._object(schema, node, depth)
        given = _given(node) if self._with_examples else None
        if given is not None and self._variant == 0 and _fits(given, kind):
            return given
        if depth > _MAX_DEPTH:
            raise NoExample(f"{name} is nested too deep")
        match kind:
            case "array":
                return self._array(node, name, depth)
            case "string":
                return self._text(node, name)
            case "integer" | "number":
                return self._number(node, kind)
            case "boolean":
                return bool(self._variant) if node.get("default") is not True else not self._variant
            case "null":
                return None
        for key in ("allOf", "oneOf", "anyOf"):
            parts = node.get(key)
            if isinstance(parts, list) and parts:
                return self.value(parts[0], name, depth + 1)
        return given if given is not None else f"Some {label(name).lower()}"

    def _object(self, schema: object, node: dict[str, Any], depth: int) -> dict[str, Any]:
        if depth > _MAX_DEPTH:
            raise NoExample("an object is nested too deep")
        required = required_names(self._api, schema)
        made: dict[str, Any] = {}
        for item in shape_of(self._api, schema).fields:
            if item.write_only if self._response else item.read_only:
                continue
            if item.name not in required and depth > 0 and item.kind in {"object", "array", "any"}:
                continue
            try:
                made[item.name] = self.value(item.schema, item.name, depth + 1)
            except NoExample:
                if item.name in required:
                    raise
        extra = node.get("additionalProperties")
        if not made and isinstance(extra, dict):
            made["one"] = self.value(extra, "one", depth + 1)
        return made

    def _array(self, node: dict[str, Any], name: str, depth: int) -> list[Any]:
        count = max(1 if depth < 2 else 0, _whole(node.get("minItems"), 0))  # noqa: PLR2004 - depth of a table
        count = min(count, _whole(node.get("maxItems"), count))
        items = [_Maker(self._api, index % 2, self._response, self._with_examples) for index in range(count)]
        return [maker.value(node.get("items", {}), name.removesuffix("s"), depth + 1) for maker in items]

    def _text(self, node: dict[str, Any], name: str) -> str:
        least, most = _whole(node.get("minLength"), 0), _whole(node.get("maxLength"), _MAX_LENGTH)
        text = _BY_FORMAT.get(str(node.get("format")), ("", ""))[self._variant]
        pattern = node.get("pattern")
        if isinstance(pattern, str) and not (text and _matches(pattern, text)):
            found = matching_text(pattern, self._variant)
            if found is None:
                raise NoExample(f"no text for the pattern of {name} is known")
            text = found
        elif not text:
            text = f"{'Another' if self._variant else 'Some'} {label(name).lower()}"
            text = text[:most] if len(text) >= least else text.ljust(least, "x")
        if not least <= len(text) <= most:
            raise NoExample(f"{name} has limits that contradict each other")
        return text

    def _number(self, node: dict[str, Any], kind: str) -> float:
        step = node.get("multipleOf")
        step = step if isinstance(step, (int, float)) and step > 0 else 1
        low, high = bounds(node)
        value: float = (1 + self._variant) * step
        if low is not None and value < low:
            value = low + self._variant * step
            value = -(-value // step) * step
        if high is not None and value > high:
            value = high // step * step
        if low is not None and value < low:
            raise NoExample("no number lies between the limits")
        return int(value) if kind == "integer" or float(value).is_integer() else value


def bounds(node: dict[str, Any]) -> tuple[float | None, float | None]:
    """Return the least and the greatest value of a numeric schema; exclusive limits are moved by one."""
    low, high = node.get("minimum"), node.get("maximum")
    above, below = node.get("exclusiveMinimum"), node.get("exclusiveMaximum")
    if above is True and low is not None:
        low = low + 1
    elif isinstance(above, (int, float)) and not isinstance(above, bool):
        low = above + 1
    if below is True and high is not None:
        high = high - 1
    elif isinstance(below, (int, float)) and not isinstance(below, bool):
        high = below - 1
    return low, high


def required_names(api: Api, schema: object) -> frozenset[str]:
    """Return the names that an object must have, those of its first alternative included."""
    node = resolved(api, schema)
    found = {item for item in node.get("required", ()) if isinstance(item, str)}
    for key in ("allOf", "oneOf", "anyOf"):
        parts = node.get(key)
        if isinstance(parts, list) and parts:
            chosen = parts if key == "allOf" else parts[:1]
            for part in chosen:
                if part is not schema:
                    found |= required_names(api, part)
    return frozenset(found)


def _given(node: dict[str, Any]) -> Any:
    if "example" in node:
        return node["example"]
    examples = node.get("examples")
    if isinstance(examples, list) and examples:
        return examples[0]
    return node.get("default")


def _fits(value: object, kind: str) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    kinds = {"string": str, "integer": int, "boolean": bool, "array": list}
    if kind == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == "integer" and isinstance(value, bool):
        return False
    return kind not in kinds or isinstance(value, kinds[kind])


def _matches(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text, re.ASCII) is not None
    except re.error:
        return False


def _whole(value: object, fallback: int) -> int:
    return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else fallback
