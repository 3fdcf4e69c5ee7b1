"""Bytes of a JSON Schema, a Python protocol or a TypeScript file to an `Interface`, with findings (CTR001).

Python is only read, never run. What a language can say beyond types and methods is left out.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from maestro_dsl.diagnostics import Diagnostic, Diagnostics, Severity, Span
from maestro_dsl.interfaces.stubs.model import REF, Interface
from maestro_dsl.interfaces.stubs.read_python import read_python
from maestro_dsl.interfaces.stubs.read_typescript import read_typescript
from maestro_dsl.interfaces.stubs.refusal import Refused
from maestro_dsl.lang.source import Profile, load

_HELP = "an interface is a JSON Schema (.json, .yaml), a Python protocol (.py) or a TypeScript file (.ts)"
_NAME = re.compile(r"[^A-Za-z0-9_]+")


def parse(content: bytes, file: str) -> tuple[Interface | None, Diagnostics]:
    """Return what `content` describes, or None and one CTR001 error that says why and where."""
    suffix = PurePosixPath(file).suffix.lower()
    found = Diagnostics()
    try:
        if suffix == ".py":
            return _sound(read_python(_text(content), _title(file))), found
        if suffix in {".ts", ".mts", ".cts"}:
            return _sound(read_typescript(_text(content), _title(file))), found
        return _schema(content, file, found), found
    except Refused as refused:
        span = Span(file) if refused.line is None else Span(file, refused.line, refused.column)
        message = f"{file} is no interface that stubs can be made of: {refused.reason}"
        found.add(
            Diagnostic(
                code="CTR001",
                name="invalid-interface",
                severity=Severity.ERROR,
                span=span,
                message=message,
                help=_HELP,
            )
        )
        return None, found


def _sound(interface: Interface) -> Interface:
    """Return the interface with "anything" in place of names that stand for no data of the file."""

    def known(node: Any) -> Any:
        if isinstance(node, list):
            return [known(item) for item in node]
        if not isinstance(node, dict):
            return node
        ref = node.get("$ref")
        if isinstance(ref, str) and ref.removeprefix(REF) not in interface.types:
            return {}
        return {key: value if key in {"enum", "const"} else known(value) for key, value in node.items()}

    services = tuple(
        replace(
            service,
            methods=tuple(
                replace(
                    method,
                    returns=known(method.returns),
                    arguments=tuple(replace(item, schema=known(item.schema)) for item in method.arguments),
                )
                for method in service.methods
            ),
        )
        for service in interface.services
    )
    types = {name: known(schema) for name, schema in interface.types.items()}
    return replace(interface, types=types, services=services)


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(f"it is not UTF-8 ({error.reason} at byte {error.start})") from error


def _title(file: str) -> str:
    return type_name(PurePosixPath(file).name.partition(".")[0])


def type_name(text: str) -> str:
    """Return `text` as the name of a type: "todo-item" is "TodoItem"."""
    words = [word for word in _NAME.split(text) if word]
    joined = "".join(word[:1].upper() + word[1:] for word in words)
    return joined if joined[:1].isalpha() else f"Type{joined}"


def _schema(content: bytes, file: str, found: Diagnostics) -> Interface | None:
    loaded = load(content, file, profile=Profile.INTERFACE)
    if loaded.diagnostics.has_errors:
        found.extend(loaded.diagnostics)
        return None
    data = loaded.data
    if not isinstance(data, dict):
        raise Refused("it holds no mapping", 1, 1)
    if "openapi" in data or "swagger" in data or "asyncapi" in data:
        raise Refused("it describes an API; a contract of type REST_API takes it", 1, 1)
    title = data.get("title")
    root = type_name(title) if isinstance(title, str) and title.strip() else _title(file)
    types = _definitions(data)
    own = {key: value for key, value in data.items() if key not in {"$defs", "definitions"}}
    has_own = bool(
        own.keys() & {"type", "properties", "items", "enum", "const", "anyOf", "oneOf", "allOf", "$ref"}
    )
    if has_own:
        while root in types:
            root += "Document"
        types[root] = own
    if not types:
        raise Refused("it describes no type: neither a schema nor $defs", 1, 1)
    names = {name: type_name(name) for name in types}
    if len(set(names.values())) != len(names):
        names = {name: f"{type_name(name)}{place}" for place, name in enumerate(types)}
    moved = {
        names[name]: _moved(schema, names, names[root] if has_own else None) for name, schema in types.items()
    }
    return Interface(title=root, types=moved, root=names[root] if has_own else None)


def _definitions(data: dict[str, Any]) -> dict[str, Any]:
    return {
        name: schema
        for key in ("definitions", "$defs")
        if isinstance(data.get(key), dict)
        for name, schema in data[key].items()
        if isinstance(schema, (dict, bool))
    }


def _moved(schema: Any, names: dict[str, str], root: str | None) -> Any:
    """Return a schema with its references pointed at the types' new places."""
    if isinstance(schema, list):
        return [_moved(item, names, root) for item in schema]
    if not isinstance(schema, dict):
        return schema
    moved = {
        key: value
        if key in {"enum", "const", "default", "examples", "example"}
        else _moved(value, names, root)
        for key, value in schema.items()
    }
    ref = schema.get("$ref")
    if isinstance(ref, str):
        name = ref.rpartition("/")[2]
        if ref == "#" and root is not None:
            moved["$ref"] = REF + root
        elif ref.startswith(("#/$defs/", "#/definitions/")) and name in names:
            moved["$ref"] = REF + names[name]
        else:
            raise Refused(f"the reference {json.dumps(ref)} leads nowhere in this file")
    return moved
