"""How errors look in an interface: the declared error schemas as Python expressions.

The expression fills each field by its name and type; a schema with a required field that nothing explains is
not used, and the answer is a problem document (RFC 9457) instead.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from maestro_dsl.interfaces.openapi.model import Api, Operation, Schema
from maestro_dsl.providers.scaffold.names import normal, snake, unique
from maestro_dsl.providers.scaffold.pysource import Node, Raw, literal
from maestro_dsl.providers.scaffold.records import first_value
from maestro_dsl.providers.scaffold.shapes import Field, items_of, kind_of, resolved, shape_of

FALLBACK: Final = "problem_details"
_MAX_DEPTH = 3
_UNSPECIFIC: Final = "error|invalid|bad_request|unknown"
_TEXT: Final = {
    "message": "message", "detail": "message", "description": "message", "errormessage": "message",
    "error": "message", "errordescription": "message", "msg": "message", "reason": "message",
    "title": "phrase(status)", "code": "word(status)", "errorcode": "word(status)", "name": "word(status)",
    "status": "str(status)", "type": '"about:blank"',
}  # fmt: skip
_LISTS: Final = {
    "fields",
    "errors",
    "details",
    "issues",
    "violations",
    "problems",
    "invalidparams",
    "validationerrors",
}
_PLACE: Final = {"field", "path", "location", "property", "name", "param", "pointer", "key"}


@dataclass
class ErrorWriter:
    """Gives each distinct error schema a function of the generated `errors.py`."""

    api: Api
    bodies: dict[str, Node] = field(default_factory=dict)
    _known: dict[str, str] = field(default_factory=dict)

    def function(self, schema: Schema | None) -> str:
        """Return the name of the function that writes this error schema."""
        if not isinstance(schema, dict):
            return FALLBACK
        known = repr(schema)
        if known not in self._known:
            body = self._object(schema, 0)
            if body is None:
                self._known[known] = FALLBACK
            else:
                same = next((name for name, other in self.bodies.items() if other == body), None)
                title = str(schema.get("$ref", "error")).rpartition("/")[2]
                name = same or unique(snake(f"{title} body"), self.bodies)
                self.bodies[name] = body
                self._known[known] = name
        return self._known[known]

    def declared(self, operation: Operation) -> dict[str, str]:
        """Return status → function for the error answers that the operation declares."""
        found: dict[str, str] = {}
        for status, response in operation.responses.items():
            if status == "default" or status[0] in "45":
                media = response.json
                found[status] = self.function(None if media is None else media.schema)
        return found

    def common(self) -> str:
        """Return the function that most declared errors of the interface use."""
        counts = Counter(
            name for operation in self.api.operations for name in self.declared(operation).values()
        )
        usable = [(count, name) for name, count in counts.items() if name != FALLBACK]
        return max(usable, key=lambda pair: pair[0])[1] if usable else FALLBACK

    def _object(self, schema: object, depth: int) -> dict[str, Node] | None:
        shape = shape_of(self.api, schema)
        if not shape.fields or depth > _MAX_DEPTH:
            return None
        made: dict[str, Node] = {}
        has_message = any(_TEXT.get(normal(item.name)) == "message" for item in shape.fields)
        for item in shape.fields:
            value = self._value(item, depth)
            if value == Raw(_TEXT["title"]) and not has_message:
                value = Raw("message")
            if value is not None:
                made[item.name] = value
            elif item.required:
                start = first_value(self.api, item.schema)
                if start is None or "(" in start:
                    return None
                made[item.name] = Raw(start)
        return made or None

    def _value(self, item: Field, depth: int) -> Node | None:
        name, node = normal(item.name), resolved(self.api, item.schema)
        if "const" in node or node.get("enum"):
            options = [node["const"]] if "const" in node else node["enum"]
            fitting = [option for option in options if re.search(_UNSPECIFIC, str(option), re.IGNORECASE)]
            chosen = fitting[0] if fitting else options[0]
            is_told = item.required or len(options) == 1
            return Raw(literal(chosen)) if is_told and isinstance(chosen, (str, int)) else None
        if item.kind == "integer" and name in {"code", "status", "statuscode", "errorcode", "httpstatus"}:
            return Raw("status")
        if item.kind == "string" and name in _TEXT and "pattern" not in node:
            return Raw(_TEXT[name])
        if item.kind == "array" and name in _LISTS:
            return self._list(items_of(self.api, item.schema))
        if item.kind == "object" and (item.required or name == "error"):
            return self._object(item.schema, depth + 1)
        return None

    def _list(self, items: Schema | None) -> Node | None:
        if kind_of(self.api, items) == "string":
            return Raw('[f"{item.field} {item.message}".strip() for item in problems]')
        shape = shape_of(self.api, items)
        parts: list[str] = []
        for entry in shape.fields:
            name = normal(entry.name)
            if entry.kind == "string" and name in _PLACE:
                parts.append(f"{literal(entry.name)}: item.field")
            elif entry.kind == "string" and _TEXT.get(name) == "message":
                parts.append(f"{literal(entry.name)}: item.message")
            elif entry.required:
                return None
        return Raw("[{" + ", ".join(parts) + "} for item in problems]") if parts else None


def invalid_status(operation: Operation) -> int:
    """Return the status for a bad request: the declared 422, then 400; 400 also for a default."""
    for status in (422, 400):
        if str(status) in operation.responses:
            return status
    return 400 if {"default", "4XX"} & operation.responses.keys() else 422
