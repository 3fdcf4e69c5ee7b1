"""What an object of OpenAPI must hold, and what it may not hold together, by version: for `lint`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

LATEST: Final = 2
"""The minor version of OpenAPI 3 that is the last one known."""

_NEEDED: Final[Mapping[str, Mapping[str, int]]] = {
    "document": {"info": LATEST, "paths": 0},
    "info": {"title": LATEST, "version": LATEST},
    "license": {"name": LATEST},
    "server": {"url": LATEST},
    "variable": {"default": LATEST},
    "tag": {"name": LATEST},
    "docs": {"url": LATEST},
    "operation": {"responses": 0},
    "parameter": {"name": LATEST, "in": LATEST},
    "body": {"content": LATEST},
    "response": {"description": 1},
    "discriminator": {"propertyName": LATEST},
    "security": {"type": LATEST},
    "implicit flow": {"authorizationUrl": LATEST, "scopes": LATEST},
    "password flow": {"tokenUrl": LATEST, "scopes": LATEST},
    "clientCredentials flow": {"tokenUrl": LATEST, "scopes": LATEST},
    "authorizationCode flow": {"authorizationUrl": LATEST, "tokenUrl": LATEST, "scopes": LATEST},
    "deviceAuthorization flow": {"deviceAuthorizationUrl": LATEST, "tokenUrl": LATEST, "scopes": LATEST},
}
"""By object its required fields, each with the last minor version that requires it."""

_NEEDED_OF_SCHEME: Final[Mapping[str, tuple[str, ...]]] = {
    "apiKey": ("name", "in"),
    "http": ("scheme",),
    "oauth2": ("flows",),
    "openIdConnect": ("openIdConnectUrl",),
}
_ONE_OF: Final[Mapping[str, tuple[tuple[str, ...], int]]] = {
    "document": (("paths", "components", "webhooks"), 1),
    "parameter": (("schema", "content"), 0),
    "header": (("schema", "content"), 0),
    "link": (("operationRef", "operationId"), 0),
}
"""By object the fields of which it needs one, and the first minor version that says so."""

_APART: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "license": (("identifier", "url"),),
    "parameter": (("schema", "content"), ("example", "examples")),
    "header": (("schema", "content"), ("example", "examples")),
    "media": (("example", "examples"),),
    "example": (("value", "externalValue"),),
    "link": (("operationRef", "operationId"),),
}
"""By object the fields of which it may have one only."""

NEEDY: Final = frozenset({*_NEEDED, *_ONE_OF, *_APART})
"""The objects that need anything; of schemas, of which there are most, arrays alone do."""

_WAYS: Final = {
    ("document", "info"): "add info: {title: …, version: …}",
    ("document", "paths"): "add paths:, with the operations in it",
    ("license", "name"): "add name: with the name of the license",
    ("variable", "default"): "add default: with the value that counts where nobody states another",
    ("body", "content"): "add content: {application/json: {schema: …}}",
    ("response", "description"): "add description: with a word or two",
    ("operation", "responses"): "say what it answers, at least one of its statuses",
    ("parameter", "schema"): "add schema: {type: string}, or the type that it has",
    ("header", "schema"): "add schema: {type: string}, or the type that it has",
    ("security", "type"): "add type: apiKey, http, mutualTLS, oauth2 or openIdConnect",
    ("schema", "items"): "add items: with the schema of what it lists; items: {} allows anything",
    ("security", "scheme"): "add scheme: bearer, basic or another of HTTP's",
}


def missing(
    kind: str, node: Mapping[str, Any], minor: int, meant: Collection[str | None]
) -> Iterator[tuple[str, str | None]]:
    """Yield what an object lacks, in words, and what to write; `meant` is what misspelt keys stand for."""

    def has(name: str) -> bool:
        return node.get(name) is not None or name in meant

    names = [name for name, last in _NEEDED.get(kind, {}).items() if minor <= last]
    if kind == "security" and isinstance(node.get("type"), str):
        names += _NEEDED_OF_SCHEME.get(node["type"], ())
    elif kind == "schema" and minor == 0:
        names.append("items")
    for name in names:
        if not has(name):
            yield f'"{name}"', _WAYS.get((kind, name))
    fields, first = _ONE_OF.get(kind, ((), 0))
    if fields and minor >= first and not any(map(has, fields)):
        yield " or ".join(f'"{name}"' for name in fields), _WAYS.get((kind, fields[0]))


def too_much(kind: str, node: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each field that may not stand beside another, and that other one, which comes first."""
    for pair in _APART.get(kind, ()):
        if pair[0] in node and pair[1] in node:
            first, second = sorted(pair, key=list(node).index)
            yield second, first
