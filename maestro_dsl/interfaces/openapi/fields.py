"""The fields of every object of OpenAPI 3.0 to 3.2, and what stands in each: tables only.

Versions are not told apart here: a field of a later version is no misspelling of an earlier one's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

Fields: TypeAlias = Mapping[str, str]
"""By field what it holds: a type of `PLAIN`, "x" an object, "[x" a list of objects, "{x" a map to objects."""

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
LATER_METHODS: Final = ("query",)
"""Methods that 3.2 added."""

TYPES: Final = ("string", "number", "integer", "boolean", "array", "object", "null")
"""What `type` of a schema may be; "null" from 3.1 on."""

PLAIN: Final[Mapping[str, frozenset[type]]] = {
    "": frozenset({str, bool, int, float, list, dict, type(None)}),
    ":text": frozenset({str, type(None)}),
    ":flag": frozenset({bool, type(None)}),
    ":number": frozenset({int, float, type(None)}),
    ":list": frozenset({list}),
    ":map": frozenset({dict}),
}
"""Types of values that are no objects, as they are read. A single value that is empty is not there."""


def _fields(
    *, any_: str = "", text: str = "", flag: str = "", number: str = "", lists: str = "", maps: str = ""
) -> dict[str, str]:
    """Return the fields that hold no objects, by type."""
    types = {"": any_, ":text": text, ":flag": flag, ":number": number, ":list": lists, ":map": maps}
    return {name: type_ for type_, names in types.items() for name in names.split()}


def _all(holds: str, names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), holds)


_SAID: Final = {
    **_fields(any_="example", text="description style", flag="deprecated required explode allowReserved"),
    **_all("{example", "examples"),
    **_all("schema", "schema"),
    **_all("{media", "content"),
}
_FLOW: Final = _fields(text="authorizationUrl deviceAuthorizationUrl tokenUrl refreshUrl", maps="scopes")
_SCHEMA: Final = {
    **_fields(
        any_="exclusiveMaximum exclusiveMinimum type default example const",
        text="title pattern description format contentEncoding contentMediaType "
        "$id $schema $ref $anchor $dynamicRef $dynamicAnchor $comment",
        flag="uniqueItems nullable readOnly writeOnly deprecated",
        number="multipleOf maximum minimum maxLength minLength maxItems minItems maxProperties "
        "minProperties maxContains minContains",
        lists="required enum examples",
        maps="dependentRequired $vocabulary",
    ),
    "discriminator": "discriminator",
    "xml": "xml",
    "externalDocs": "docs",
    **_all("[schema", "allOf oneOf anyOf prefixItems"),
    **_all("{schema", "properties patternProperties $defs dependentSchemas"),
    **_all("schema", "not if then else items contains propertyNames"),
    **_all("schema", "additionalProperties unevaluatedItems unevaluatedProperties contentSchema"),
}
FIELDS: Final[Mapping[str, Fields]] = {
    "document": {
        **_fields(text="openapi jsonSchemaDialect $self", lists="security"),
        "info": "info",
        "servers": "[server",
        "paths": "paths",
        "webhooks": "{path",
        "components": "components",
        "tags": "[tag",
        "externalDocs": "docs",
    },
    "info": {
        **_fields(text="title summary description termsOfService version"),
        "contact": "contact",
        "license": "license",
    },
    "contact": _fields(text="name url email"),
    "license": _fields(text="name identifier url"),
    "server": {**_fields(text="url description name"), "variables": "{variable"},
    "variable": _fields(text="default description", lists="enum"),
    "components": {
        "schemas": "{schema",
        "responses": "{response",
        "parameters": "{parameter",
        "examples": "{example",
        "requestBodies": "{body",
        "headers": "{header",
        "securitySchemes": "{security",
        "links": "{link",
        "callbacks": "{callback",
        "pathItems": "{path",
        "mediaTypes": "{media",
    },
    "path": {
        **_fields(text="summary description $ref"),
        "servers": "[server",
        "parameters": "[parameter",
        **dict.fromkeys(METHODS, "operation"),
    },
    "operation": {
        **_fields(text="summary description operationId", flag="deprecated", lists="security tags"),
        "externalDocs": "docs",
        "parameters": "[parameter",
        "requestBody": "body",
        "responses": "responses",
        "callbacks": "{callback",
        "servers": "[server",
    },
    "docs": _fields(text="description url"),
    "parameter": {**_fields(text="name in", flag="allowEmptyValue"), **_SAID},
    "header": _SAID,
    "body": {**_fields(text="description", flag="required"), "content": "{media"},
    "media": {
        **_fields(any_="example prefixEncoding itemEncoding"),
        "examples": "{example",
        "schema": "schema",
        "itemSchema": "schema",
        "encoding": "{encoding",
    },
    "encoding": {**_fields(text="contentType style", flag="explode allowReserved"), "headers": "{header"},
    "response": {
        **_fields(text="summary description"),
        "headers": "{header",
        "content": "{media",
        "links": "{link",
    },
    "example": _fields(any_="value dataValue", text="summary description externalValue serializedValue"),
    "link": {
        **_fields(any_="requestBody", text="operationRef operationId description", maps="parameters"),
        "server": "server",
    },
    "tag": {**_fields(text="name summary description parent kind"), "externalDocs": "docs"},
    "schema": _SCHEMA,
    "discriminator": _fields(text="propertyName defaultMapping", maps="mapping"),
    "xml": _fields(text="name namespace prefix nodeType", flag="attribute wrapped"),
    "security": {
        **_fields(
            text="type description name in scheme bearerFormat openIdConnectUrl oauth2MetadataUrl",
            flag="deprecated",
        ),
        "flows": "flows",
    },
    "flows": {
        name: f"{name} flow"
        for name in ("implicit", "password", "clientCredentials", "authorizationCode", "deviceAuthorization")
    },
    "implicit flow": _FLOW,
    "password flow": _FLOW,
    "clientCredentials flow": _FLOW,
    "authorizationCode flow": _FLOW,
    "deviceAuthorization flow": _FLOW,
}

MAPS: Final = {"paths": "path", "responses": "response", "callback": "path"}
"""Objects that are maps themselves, and may have extensions beside what they map."""

OLDER: Final = frozenset(
    {"id", "definitions", "dependencies", "extends", "disallow", "divisibleBy", "additionalItems"}
    | {"$recursiveRef", "$recursiveAnchor"}
)
"""Keywords of other drafts of JSON Schema: no misspellings."""

WORDS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "parameter": {"in": ("query", "header", "path", "cookie")},
    "security": {
        "in": ("cookie", "header", "query"),
        "type": ("apiKey", "http", "mutualTLS", "oauth2", "openIdConnect"),
    },
}
"""Of some objects the fields whose value is one of some words."""

NAMES: Final = {
    "document": "an OpenAPI document",
    "path": "a path item",
    "operation": "an operation",
    "info": "info",
    "docs": "externalDocs",
    "body": "a request body",
    "media": "a media type",
    "encoding": "an encoding",
    "example": "an example",
    "license": "the license",
    "contact": "the contact",
    "components": "components",
    "paths": "paths",
    "responses": "responses",
    "security": "a security scheme",
    "variable": "a server variable",
    "flows": "flows",
    "xml": "xml",
}
"""How messages call an object that is not simply called by "a" and its own name."""
