"""Bytes of an OpenAPI 3.0 or 3.1 file to an `Api`, with findings.

Real documents are dirty: whatever can be served is served and the rest is a warning. The one error is CTR001,
where nothing can be served. References are followed inside the document; the network is never asked.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from maestro_dsl.diagnostics import Diagnostic, Diagnostics, Severity, Span
from maestro_dsl.interfaces.openapi import operations
from maestro_dsl.interfaces.openapi.model import Api, lookup
from maestro_dsl.lang.source import Profile, load

_EXAMPLES = frozenset({"example", "examples", "default", "enum", "const"})
"""Keys whose values are data, in which a "$ref" is no reference."""

_MAX_LOST = 20


def parse(content: bytes, file: str) -> tuple[Api | None, Diagnostics]:
    """Return the API that `content` describes, or None and one CTR001 error that says why there is none."""
    diagnostics = Diagnostics()
    data = _data(content, file, diagnostics)
    if diagnostics.has_errors:
        return None, diagnostics
    reason = _refusal(data)
    if reason is not None or not isinstance(data, dict):
        diagnostics.add(_invalid(file, reason or "it is empty"))
        return None, diagnostics
    api = _api(data, file, diagnostics)
    if not api.operations:
        diagnostics.add(_invalid(file, "it describes no operation that can be served"))
        return None, diagnostics
    return api, diagnostics


def _data(content: bytes, file: str, diagnostics: Diagnostics) -> Any:
    stripped = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    if stripped.startswith(b"{"):
        try:
            return json.loads(stripped)
        except (ValueError, RecursionError):
            pass  # YAML's flow style also starts with a brace, and the YAML reader knows positions
    loaded = load(content, file, profile=Profile.INTERFACE)
    diagnostics.extend(loaded.diagnostics)
    return _text_keys(loaded.data)


def _text_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {key if isinstance(key, str) else _key(key): _text_keys(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_text_keys(item) for item in value]
    return value


def _key(key: object) -> str:
    return str(key).lower() if key is None or isinstance(key, bool) else str(key)


def _refusal(data: Any) -> str | None:
    if data is None:
        return "it is empty"
    if not isinstance(data, dict):
        return f"it holds a {'list' if isinstance(data, list) else 'single value'}, not a mapping"
    if "swagger" in data:
        return f"it is Swagger {data['swagger']}; OpenAPI 3.0 or 3.1 is needed"
    if "openapi" not in data:
        hint = ' ("asyncapi" is another kind of interface)' if "asyncapi" in data else ""
        return f'the key "openapi" with the version is missing{hint}'
    if not str(data["openapi"]).startswith("3."):
        return f'its version is "{data["openapi"]}"; OpenAPI 3.0 or 3.1 is needed'
    if not isinstance(data.get("paths") or {}, dict):
        return 'its "paths" is not a mapping'
    return None


def _invalid(file: str, reason: str) -> Diagnostic:
    return Diagnostic(
        code="CTR001",
        name="invalid-interface",
        severity=Severity.ERROR,
        span=Span(file),
        message=f"{file} is no OpenAPI document that can be served: {reason}",
        help='an OpenAPI file starts with "openapi: 3.0.3" or "openapi: 3.1.0" and lists "paths"',
    )


def _api(data: dict[str, Any], file: str, diagnostics: Diagnostics) -> Api:
    info = data.get("info")
    info = info if isinstance(info, dict) else {}

    def warn(message: str) -> None:
        diagnostics.add(
            Diagnostic(
                code="CTR001",
                name="invalid-interface",
                severity=Severity.WARNING,
                span=Span(file),
                message=message,
            )
        )

    for ref, reason in _lost_references(data):
        warn(f'the reference "{ref}" {reason}; what it stands for may be anything')
    return Api(
        title=str(info.get("title") or "Untitled API"),
        version=str(info.get("version") or "0"),
        openapi_version=str(data["openapi"]),
        base_paths=_base_paths(data.get("servers")),
        operations=operations.read(data, warn),
        document=data,
        description=str(info.get("description") or ""),
    )


def _lost_references(data: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the references that lead nowhere, or out of the document, each with a reason."""
    found: dict[str, str] = {}
    seen: set[str] = set()
    waiting: list[Any] = [data]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += [item for item in node if isinstance(item, (dict, list))]
            continue
        ref = node.get("$ref")
        if isinstance(ref, str) and ref not in seen:
            seen.add(ref)
            if not ref.startswith("#"):
                found[ref] = "leads out of this file and is not followed"
            elif lookup(data, ref) is None:
                found[ref] = "leads nowhere"
        waiting += [
            item for key, item in node.items() if isinstance(item, (dict, list)) and key not in _EXAMPLES
        ]
    return sorted(found.items())[:_MAX_LOST]


def _base_paths(servers: Any) -> tuple[str, ...]:
    found: list[str] = []
    for server in servers if isinstance(servers, list) else []:
        url = server.get("url") if isinstance(server, dict) else None
        if isinstance(url, str):
            path = _path_of(url, server.get("variables"))
            if path not in found:
                found.append(path)
    return tuple(found) or ("",)


def _path_of(url: str, variables: Any) -> str:
    for name, variable in (variables if isinstance(variables, dict) else {}).items():
        if isinstance(variable, dict):
            url = url.replace("{" + str(name) + "}", str(variable.get("default", "")))
    try:
        path = urlsplit(url).path if "://" in url or url.startswith("/") else "/" + url.partition("/")[2]
    except ValueError:
        return ""
    return "" if "{" in path else path.rstrip("/")
