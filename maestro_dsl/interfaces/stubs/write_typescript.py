"""An interface as a TypeScript module: types, services, and stubs that answer with the sample values.

What it writes passes `tsc --strict`. Every name and text of the source stands in it as JSON.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.interfaces.stubs.model import MODULE, REF

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.interfaces.stubs.model import Argument, Interface, Method, Service
    from maestro_dsl.lang.model import Json

_SCALARS: Final = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}
_NAME: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_TAKEN: Final = frozenset(
    {"break", "case", "catch", "class", "const", "continue", "debugger", "default", "delete", "do", "else"}
    | {"enum", "export", "extends", "false", "finally", "for", "function", "if", "import", "in", "instanceof"}
    | {"new", "null", "return", "super", "switch", "this", "throw", "true", "try", "typeof", "var", "void"}
    | {"while", "with", "yield", "let", "static", "implements", "interface", "package", "private", "any"}
    | {"protected", "public", "await", "async", "string", "number", "boolean", "object", "unknown", "never"}
    | {"symbol", "bigint", "undefined", "Promise", "Record", "Array", "Date", "arguments", "eval"}
)
_MOST_DEPTH: Final = 12


def write_typescript(interface: Interface, samples: Mapping[str, list[Json]]) -> str:
    """Return the module with its `samples` in it."""
    lines = [f"// Types and stubs of {_line(interface.title)}; written again on every run.", ""]
    for name, schema in interface.types.items():
        lines += [f"export type {_type_name(name)} = {_type(schema)};", ""]
    for service in interface.services:
        lines += [*_service(service, samples), ""]
    for name in interface.types:
        data = _data(samples.get(name, []))
        lines += [f"export const {_type_name(name)}Samples = {data} as unknown as {_type_name(name)}[];", ""]
    return "\n".join(lines)


def _line(text: str) -> str:
    return "".join(char for char in " ".join(text.split()) if char.isprintable())[:200]


def _data(value: Any) -> str:
    """Return JSON that is a JavaScript expression, too."""
    text = json.dumps(value, ensure_ascii=True)
    return f"JSON.parse({json.dumps(text)})" if '"__proto__"' in text else text


def _type_name(name: str) -> str:
    return f"{name}_" if name in _TAKEN or not _NAME.fullmatch(name) else name


def _key(name: str) -> str:
    return name if _NAME.fullmatch(name) else json.dumps(name)


def _type(schema: Any, depth: int = 0) -> str:
    if not isinstance(schema, dict) or depth > _MOST_DEPTH:
        return "unknown"
    ref = schema.get("$ref")
    if isinstance(ref, str):
        return _type_name(ref.removeprefix(REF))
    if "enum" in schema or "const" in schema:
        return _literals(schema["enum"] if "enum" in schema else [schema["const"]])
    for key, mark in (("anyOf", " | "), ("oneOf", " | "), ("allOf", " & ")):
        parts = schema.get(key)
        if isinstance(parts, list) and parts:
            texts = [f"({_type(part, depth + 1)})" for part in parts]
            own = {name: value for name, value in schema.items() if name in {"properties", "required"}}
            texts += [f"({_record(own, depth)})"] if own.get("properties") and mark == " & " else []
            return mark.join(dict.fromkeys(texts))
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return " | ".join(f"({_type({**schema, 'type': kind}, depth + 1)})" for kind in kinds) or "unknown"
    text = _typed(schema, str(kinds), depth)
    return f"{text} | null" if schema.get("nullable") is True else text


def _typed(schema: dict[str, Any], kind: str, depth: int) -> str:
    if kind == "array":
        fixed = schema.get("prefixItems")
        if isinstance(fixed, list) and schema.get("maxItems") == schema.get("minItems") == len(fixed):
            return f"[{', '.join(_type(part, depth + 1) for part in fixed)}]"
        return f"({_type(schema.get('items'), depth + 1)})[]"
    if isinstance(schema.get("properties"), dict) and schema["properties"] and kind in {"object", "None"}:
        return _record(schema, depth)
    if kind == "object":
        return f"Record<string, {_type(schema.get('additionalProperties'), depth + 1)}>"
    return _SCALARS.get(kind, "unknown")


def _record(schema: dict[str, Any], depth: int) -> str:
    needed = schema.get("required") or ()
    fields = [
        f"{_key(name)}{'' if name in needed else '?'}: {_type(part, depth + 1)};"
        for name, part in schema["properties"].items()
    ]
    return "{ " + " ".join(fields) + " }"


def _literals(values: list[Any]) -> str:
    if any(isinstance(value, (dict, list)) for value in values) or not values:
        return "unknown"
    return " | ".join(dict.fromkeys(json.dumps(value) for value in values))


def _service(service: Service, samples: Mapping[str, list[Json]]) -> list[str]:
    if service.name == MODULE:
        return [
            f"export {'async ' if method.is_async else ''}function {_type_name(method.name)}"
            f"{_signature(method)} {_answer(service, method, samples)}"
            for method in service.methods
        ]
    name = _type_name(service.name)
    asked = [f"  {_key(method.name)}{_signature(method)};" for method in service.methods]
    made = [
        f"  {'async ' if method.is_async else ''}{_key(method.name)}{_signature(method)} "
        f"{_answer(service, method, samples)}"
        for method in service.methods
    ]
    return [
        f"export interface {name} {{",
        *asked,
        "}",
        "",
        f"export class Stub{name} implements {name} {{",
        *made,
        "}",
    ]


def _signature(method: Method) -> str:
    needed = [item for item in method.arguments if item.required]
    others = [item for item in method.arguments if not item.required]
    arguments = ", ".join(map(_argument, (*needed, *others)))
    return f"({arguments}): {_returns(method)}"


def _returns(method: Method) -> str:
    text = "void" if method.returns == {"type": "null"} else _type(dict(method.returns))
    return f"Promise<{text}>" if method.is_async else text


def _argument(item: Argument) -> str:
    return f"{_type_name(item.name)}{'' if item.required else '?'}: {_type(dict(item.schema))}"


def _answer(service: Service, method: Method, samples: Mapping[str, list[Json]]) -> str:
    if method.returns == {"type": "null"}:
        return "{ }"
    made = samples.get(f"{service.name}.{method.name}", [])
    if not made:
        return '{ throw new Error("no valid value can be made"); }'
    text = _type(dict(method.returns))
    return f"{{ return {_data(made[0])} as unknown as {text}; }}"
