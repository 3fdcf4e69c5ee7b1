"""The fields of every object of OpenAPI 3.0 to 3.2, and which object stands in each: tables only.

Versions are not told apart: a field of a later version is no misspelling of an earlier one's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

Fields: TypeAlias = Mapping[str, str]
"""By field what it holds: "" a plain value, "x" an object, "[x" a list of objects, "{x" a map to objects."""

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
LATER_METHODS: Final = ("query",)
"""Methods that 3.2 added."""

TYPES: Final = ("string", "number", "integer", "boolean", "array", "object", "null")
"""What `type` of a schema may be; "null" from 3.1 on."""


def _object(plain: str, **objects: str) -> dict[str, str]:
    return {**dict.fromkeys(plain.split(), ""), **objects}


_SAID = "example examples description deprecated required style explode allowReserved"
_PATH: Final = {
    **_object("summary description $ref", servers="[server", parameters="[parameter"),
    **dict.fromkeys(METHODS, "operation"),
}
_SCHEMA: Final = {
    **_object(
        "title multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength "
        "pattern maxItems minItems uniqueItems maxProperties minProperties required enum type "
        "description format default nullable readOnly writeOnly example examples deprecated const "
        "maxContains minContains dependentRequired contentEncoding contentMediaType $id $schema "
        "$ref $anchor $dynamicRef $dynamicAnchor $vocabulary $comment",
        discriminator="discriminator",
        xml="xml",
        externalDocs="docs",
    ),
    **dict.fromkeys(("allOf", "oneOf", "anyOf", "prefixItems"), "[schema"),
    **dict.fromkeys(("properties", "patternProperties", "$defs", "dependentSchemas"), "{schema"),
    **dict.fromkeys(("not", "if", "then", "else", "items", "contains", "propertyNames"), "schema"),
    **dict.fromkeys(
        ("additionalProperties", "unevaluatedItems", "unevaluatedProperties", "contentSchema"), "schema"
    ),
}
FIELDS: Final[Mapping[str, Fields]] = {
    "document": _object(
        "openapi jsonSchemaDialect security $self",
        info="info",
        servers="[server",
        paths="paths",
        webhooks="{path",
        components="components",
        tags="[tag",
        externalDocs="docs",
    ),
    "info": _object("title summary description termsOfService version", contact="contact", license="license"),
    "contact": _object("name url email"),
    "license": _object("name identifier url"),
    "server": _object("url description variables name"),
    "components": _object(
        "",
        schemas="{schema",
        responses="{response",
        parameters="{parameter",
        examples="{example",
        requestBodies="{body",
        headers="{header",
        securitySchemes="{security",
        links="{link",
        callbacks="{callback",
        pathItems="{path",
        mediaTypes="{media",
    ),
    "path": _PATH,
    "operation": _object(
        "summary description operationId deprecated security tags",
        externalDocs="docs",
        parameters="[parameter",
        requestBody="body",
        responses="responses",
        callbacks="{callback",
        servers="[server",
    ),
    "docs": _object("description url"),
    "parameter": _object(f"name in allowEmptyValue {_SAID}", schema="schema", content="{media"),
    "header": _object(_SAID, schema="schema", content="{media"),
    "body": _object("description required", content="{media"),
    "media": _object(
        "example examples prefixEncoding itemEncoding",
        schema="schema",
        itemSchema="schema",
        encoding="{encoding",
    ),
    "encoding": _object("contentType style explode allowReserved", headers="{header"),
    "response": _object("summary description", headers="{header", content="{media", links="{link"),
    "example": _object("summary description value externalValue dataValue serializedValue"),
    "link": _object("operationRef operationId parameters requestBody description", server="server"),
    "tag": _object("name summary description parent kind", externalDocs="docs"),
    "schema": _SCHEMA,
    "discriminator": _object("propertyName mapping defaultMapping"),
    "xml": _object("name namespace prefix attribute wrapped nodeType"),
    "security": _object(
        "type description name in scheme bearerFormat flows openIdConnectUrl oauth2MetadataUrl deprecated"
    ),
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
    "security": "a security scheme",
    "xml": "xml",
}
"""How messages call an object that is not simply called by "a" and its own name."""
