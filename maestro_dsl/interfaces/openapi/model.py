"""An OpenAPI description as values: operations with references and path-level parameters resolved.

Schemas stay the raw data of the document: `$ref` inside them is followed by whoever reads them
(`Api.resolve`), never expanded, so documents with cycles and of any size cost what is used of them.
Judges nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import unquote

from maestro_dsl.lang.model import Json

Schema: TypeAlias = "dict[str, Any] | bool"
"""A raw schema of the document, or True where there is none."""

METHODS = ("GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE")
_MAX_REFS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One input of an operation outside its body; `schema` is True where the document gives none."""

    name: str
    location: str
    """"path", "query", "header" or "cookie"."""
    required: bool = False
    schema: Schema = True
    style: str = "simple"
    explode: bool = False
    allow_empty: bool = False
    media_type: str | None = None
    """Set where the value is serialised by `content` and not by `style`."""
    description: str = ""
    deprecated: bool = False
    examples: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """One way to write a body; `examples` by name, the single `example` under the name ""."""

    media_type: str
    schema: Schema | None = None
    examples: Mapping[str, Json] = field(default_factory=dict)
    encoding: Mapping[str, Json] = field(default_factory=dict)

    @property
    def is_json(self) -> bool:
        """True for application/json, anything ending in +json, and wildcards that cover them."""
        return is_json_media(self.media_type)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The request body of an operation, by media type in the order of the document."""

    content: Mapping[str, Media]
    required: bool = False
    description: str = ""

    @property
    def json(self) -> Media | None:
        """The first JSON way to write it, if there is one."""
        return _first_json(self.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One declared answer; `status` is "200", a range such as "2XX", or "default"."""

    status: str
    description: str = ""
    content: Mapping[str, Media] = field(default_factory=dict)
    headers: Mapping[str, Parameter] = field(default_factory=dict)

    @property
    def json(self) -> Media | None:
        """The first JSON way to write it, if there is one."""
        return _first_json(self.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityScheme:
    """How a caller identifies itself; `kind` is apiKey, http, oauth2, openIdConnect or mutualTLS."""

    name: str
    kind: str
    location: str = ""
    """Of an apiKey: "header", "query" or "cookie"."""
    parameter: str = ""
    """Of an apiKey: the name of that header, query parameter or cookie."""
    http_scheme: str = ""
    """Of kind http: "basic", "bearer" …, lower case."""
    shown: tuple[str, ...] = ()
    """Words that its description quotes; one of them may be a credential to try it with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityRequirement:
    """Schemes that are needed together; without schemes, anybody may call."""

    schemes: tuple[SecurityScheme, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method on one path; `id` is the operationId, or "METHOD path" where there is none."""

    id: str
    operation_id: str | None
    method: str
    """Upper case."""
    path: str
    """As written, e.g. "/pets/{petId}"."""
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    responses: Mapping[str, Response] = field(default_factory=dict)
    security: tuple[SecurityRequirement, ...] = ()
    """Alternatives; empty where none is needed."""
    summary: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    deprecated: bool = False
    callbacks: tuple[Callback, ...] = ()

    def parameters_in(self, location: str) -> tuple[Parameter, ...]:
        """Return the parameters of one location, in the order of the document."""
        return tuple(item for item in self.parameters if item.location == location)

    @property
    def success(self) -> Response | None:
        """The answer to a good request: lowest declared 2xx, else 2XX, else default, else the first."""
        exact = sorted(key for key in self.responses if key[0] == "2" and key.isdigit())
        for key in (*exact, "2XX", "default", *self.responses):
            if key in self.responses:
                return self.responses[key]
        return None

    @property
    def success_status(self) -> int:
        """The status number that goes with `success`; 200 where only a range or default is declared."""
        response = self.success
        if response is None or response.status == "default":
            return 200
        return int(response.status[0] + "00") if response.status.endswith("XX") else int(response.status)


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """A request that the provider sends back to its caller."""

    name: str
    url: str
    """With runtime expressions in it, e.g. "{$request.body#/callbackUrl}"."""
    operation: Operation
    """What is sent, and what the caller should answer; its path is `url`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """A whole description; `base_paths` are those of its servers, without a final slash."""

    title: str
    version: str
    openapi_version: str
    base_paths: tuple[str, ...] = ("",)
    operations: tuple[Operation, ...] = ()
    document: Mapping[str, Any] = field(repr=False)
    """The raw data."""
    description: str = ""
    memo: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)
    """What others made of the document on first use (validators); no part of the value."""

    @property
    def is_31(self) -> bool:
        """True where schemas are JSON Schema 2020-12; False for the dialect of OpenAPI 3.0."""
        return not self.openapi_version.startswith("3.0")

    @property
    def schemas(self) -> Mapping[str, Schema]:
        """The named schemas of the document."""
        components = self.document.get("components")
        found = components.get("schemas") if isinstance(components, dict) else None
        return found if isinstance(found, dict) else {}

    def operation(self, operation_id: str) -> Operation | None:
        """Return the operation with this `id`, if there is one."""
        return next((item for item in self.operations if item.id == operation_id), None)

    def resolve(self, ref: str) -> Json:
        """Return what a `$ref` of this document points to, one step; None where nothing is there."""
        found: Json = lookup(self.document, ref)
        return found

    def deref(self, value: Any) -> Any:
        """Follow `$ref` until something else stands there; None for a dangling or endless reference."""
        return follow(self.document, value)


def lookup(document: Mapping[str, Any], ref: str) -> Any:
    """Return what the fragment `ref` ("#/a/b") points to in `document`; None where nothing is there."""
    if not ref.startswith("#"):
        return None
    node: Any = document
    for raw in ref[1:].split("/")[1:]:
        key = unquote(raw).replace("~1", "/").replace("~0", "~")
        if isinstance(node, dict) and key in node:
            node = node[key]
        elif isinstance(node, list) and key.isdigit() and int(key) < len(node):
            node = node[int(key)]
        else:
            return None
    return node


def follow(document: Mapping[str, Any], value: Any) -> Any:
    """Return `value`, or what its chain of `$ref` ends at; None for a dangling or endless one."""
    for _ in range(_MAX_REFS):
        if not (isinstance(value, dict) and isinstance(value.get("$ref"), str)):
            return value
        value = lookup(document, value["$ref"])
    return None


def is_json_media(media_type: str) -> bool:
    """Return whether `media_type` is written as JSON (wildcards count)."""
    bare = media_type.partition(";")[0].strip().lower()
    return bare in {"application/json", "text/json", "*/*", "application/*"} or bare.endswith("+json")


def _first_json(content: Mapping[str, Media]) -> Media | None:
    return next((media for media in content.values() if media.is_json), None)
