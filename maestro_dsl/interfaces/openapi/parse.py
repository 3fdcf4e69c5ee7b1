"""Bytes of an OpenAPI 3.0 or 3.1 file to an `Api`, with findings.

Real documents are dirty: whatever can be served is served and the rest is a warning. The one error is CTR001,
where nothing can be served. References are followed inside the document; the network is never asked.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from maestro_dsl.diagnostics import Diagnostic, Diagnostics, Severity, Span
from maestro_dsl.interfaces.openapi import operations
from maestro_dsl.interfaces.openapi.model import Api, lookup
from maestro_dsl.lang.source import Profile, load
from maestro_dsl.lang.suggest import closest

if TYPE_CHECKING:
    from maestro_dsl.lang.sourcemap import Pointer, SourceMap

_EXAMPLES = frozenset({"example", "examples", "default", "enum", "const"})
"""Keys whose values are data, in which a "$ref" is no reference."""

_MAX_LOST = 20
_MOST_PATHS = 50
_SHOWN = 4
_SHOWN_LENGTH = 40
_TOLD_BY_VALUE = frozenset({"$ref", "openapi", "operationId", "swagger"})
"""Keys whose value is what is wrong; of others the key is shown."""


def parse(content: bytes, file: str) -> tuple[Api | None, Diagnostics]:
    """Return the API that `content` describes, or None and one CTR001 error that says why there is none."""
    source = _Source(content, file)
    data = source.data()
    if source.diagnostics.has_errors:
        return None, source.diagnostics
    reason, place = _refusal(data)
    if reason is not None or not isinstance(data, dict):
        source.refuse(reason or "it is empty", place)
        return None, source.diagnostics
    api = _api(data, source)
    if not api.operations:
        source.refuse("it describes no operation that can be served", ("paths",))
        return None, source.diagnostics
    return api, source.diagnostics


class _Source:
    """One document: its data, its findings, and the places of both, which are looked up only where needed."""

    def __init__(self, content: bytes, file: str) -> None:
        self.diagnostics = Diagnostics()
        self._content = content
        self._file = file
        self._map: SourceMap | None = None

    def data(self) -> Any:
        """Return what the document holds, every key of it as text."""
        stripped = self._content.lstrip(b"\xef\xbb\xbf \t\r\n")
        if stripped.startswith(b"{"):
            try:
                return json.loads(stripped)
            except (ValueError, RecursionError):
                pass  # YAML's flow style also starts with a brace, and the YAML reader knows positions
        loaded = load(self._content, self._file, profile=Profile.INTERFACE)
        self._map = loaded.map
        self.diagnostics.extend(loaded.diagnostics)
        return _text_keys(loaded.data)

    def refuse(self, reason: str, place: Pointer) -> None:
        """Report the one error: the document cannot be served at all."""
        message = f"{self._file} is no OpenAPI document that can be served: {reason}"
        help_text = 'an OpenAPI file starts with "openapi: 3.0.3" or "openapi: 3.1.0" and lists "paths"'
        self._report(Severity.ERROR, message, place, help_text)

    def warn(self, message: str, place: Pointer, help_text: str | None = None) -> None:
        """Report a part that is left out."""
        self._report(Severity.WARNING, message, place, help_text)

    def _report(self, severity: Severity, message: str, place: Pointer, help_text: str | None) -> None:
        self.diagnostics.add(
            Diagnostic(
                code="CTR001",
                name="invalid-interface",
                severity=severity,
                span=self._span(place) if place else Span(self._file),
                message=message,
                help=help_text,
            )
        )

    def _span(self, place: Pointer) -> Span:
        if self._map is None:
            self._map = load(self._content, self._file, profile=Profile.INTERFACE).map
        is_value = place[-1] in _TOLD_BY_VALUE or not self._map.has(place)
        return self._map.value_span(place) if is_value else self._map.key_span(place)


def _text_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {key if isinstance(key, str) else _key(key): _text_keys(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_text_keys(item) for item in value]
    return value


def _key(key: object) -> str:
    return str(key).lower() if key is None or isinstance(key, bool) else str(key)


def _refusal(data: Any) -> tuple[str | None, Pointer]:
    """Return why a document cannot be served, and the way to what says so."""
    if data is None:
        return "it is empty", ()
    if not isinstance(data, dict):
        return f"it holds a {'list' if isinstance(data, list) else 'single value'}, not a mapping", ()
    if "swagger" in data:
        return f"it is Swagger {data['swagger']}; OpenAPI 3.0 or 3.1 is needed", ("swagger",)
    if "openapi" not in data:
        hint = ' ("asyncapi" is another kind of interface)' if "asyncapi" in data else ""
        reason = f'the key "openapi" with the version is missing{hint}; found {_found(data)}'
        return reason, ("asyncapi",) if hint else ()
    if not str(data["openapi"]).startswith("3."):
        return f'its version is "{data["openapi"]}"; OpenAPI 3.0 or 3.1 is needed', ("openapi",)
    if not isinstance(data.get("paths") or {}, dict):
        return 'its "paths" is not a mapping', ("paths",)
    return None, ()


def _found(data: dict[str, Any]) -> str:
    """Return what a mapping is that is no OpenAPI document, in a few words."""
    if str(data.get("apiVersion", "")).startswith("maestro/"):
        return f"a {data.get('kind', 'document')} of maestro"
    named = ", ".join(f'"{key[:_SHOWN_LENGTH]}"' for key in list(data)[:_SHOWN])
    more = f" and {len(data) - _SHOWN} more" if len(data) > _SHOWN else ""
    return f"{named}{more}" if data else "an empty mapping"


def _api(data: dict[str, Any], source: _Source) -> Api:
    info = data.get("info")
    info = info if isinstance(info, dict) else {}
    for ref, (reason, place) in _lost_references(data):
        message = f'the reference "{ref}" {reason}; what it stands for may be anything'
        source.warn(message, place, _guess(data, ref))
    return Api(
        title=str(info.get("title") or "Untitled API"),
        version=str(info.get("version") or "0"),
        openapi_version=str(data["openapi"]),
        base_paths=_base_paths(_servers(data)),
        operations=operations.read(data, source.warn),
        document=data,
        description=str(info.get("description") or ""),
    )


def _guess(data: dict[str, Any], ref: str) -> str | None:
    """Return a question about the part that a lost reference probably means."""
    node: Any = data
    way = ref.removeprefix("#/").split("/") if ref.startswith("#/") else []
    meant = []
    for step in way:
        if not isinstance(node, dict):
            return None
        name = step.replace("~1", "/").replace("~0", "~")
        near = name if name in node else closest(name, node)
        if near is None:
            return None
        meant.append(near.replace("~", "~0").replace("/", "~1"))
        node = node[near]
    return f'did you mean "#/{"/".join(meant)}"?' if meant else None


def _lost_references(data: dict[str, Any]) -> list[tuple[str, tuple[str, Pointer]]]:
    """Return the references that lead nowhere, or out of the document, each with a reason and its place."""
    found: dict[str, tuple[str, Pointer]] = {}
    seen: set[str] = set()
    waiting: list[tuple[Any, Pointer]] = [(data, ())]
    while waiting:
        node, place = waiting.pop()
        if isinstance(node, list):
            waiting += [
                (item, (*place, at)) for at, item in enumerate(node) if isinstance(item, (dict, list))
            ]
            continue
        ref = node.get("$ref")
        if isinstance(ref, str) and ref not in seen:
            seen.add(ref)
            if not ref.startswith("#"):
                found[ref] = ("leads out of this file and is not followed", (*place, "$ref"))
            elif lookup(data, ref) is None:
                found[ref] = ("leads nowhere", (*place, "$ref"))
        waiting += [
            (item, (*place, key))
            for key, item in node.items()
            if isinstance(item, (dict, list)) and key not in _EXAMPLES
        ]
    return sorted(found.items())[:_MAX_LOST]


def _servers(data: dict[str, Any]) -> list[Any]:
    """Return the servers of the document, then those that single paths and operations name."""
    found = [data.get("servers")]
    paths = data.get("paths")
    for item in paths.values() if isinstance(paths, dict) else ():
        if isinstance(item, dict):
            found.append(item.get("servers"))
            found += [part.get("servers") for part in item.values() if isinstance(part, dict)]
    return [server for servers in found if isinstance(servers, list) for server in servers]


def _base_paths(servers: list[Any]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for server in servers:
        url = server.get("url") if isinstance(server, dict) else None
        if isinstance(url, str):
            for written in _spelled_out(url, server.get("variables")):
                found[_path_of(written)] = None
    return tuple(found)[:_MOST_PATHS] or ("",)


def _spelled_out(url: str, variables: Any) -> list[str]:
    """Return an address with its variables filled in: their defaults first, then what else they list."""
    urls = [url]
    for name, variable in (variables if isinstance(variables, dict) else {}).items():
        if isinstance(variable, dict) and len(urls) <= _MOST_PATHS:
            listed = variable.get("enum")
            values = [variable.get("default", ""), *(listed if isinstance(listed, list) else [])]
            texts = dict.fromkeys(map(str, values))
            urls = [known.replace("{" + str(name) + "}", text) for text in texts for known in urls]
    return urls


def _path_of(url: str) -> str:
    try:
        path = urlsplit(url).path if "://" in url or url.startswith("/") else "/" + url.partition("/")[2]
    except ValueError:
        return ""
    return "" if "{" in path else path.rstrip("/")
