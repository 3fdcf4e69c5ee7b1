"""Credentials that a description itself shows: words quoted where a scheme is described, tokens in examples.

A consumer that logs in gets the token of such an example from the mock and sends it back; it is to be taken.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from maestro_dsl.interfaces.openapi import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from maestro_dsl.interfaces.openapi.model import Api, Media, Schema

_TOKEN_NAME = re.compile(r"(?:token|key|secret|session|jwt|credentials?)$", re.IGNORECASE)
_DEPTH = 3


def credentials_shown(api: Api) -> frozenset[str]:
    """Return the texts that `api` shows as credentials, in its own words or in an answer."""
    quoted = {
        word
        for operation in api.operations
        for option in operation.security
        for scheme in option.schemes
        for word in scheme.shown
        if word.lower() != scheme.parameter.lower()
    }
    answered = {
        text
        for operation in api.operations
        for response in operation.responses.values()
        for media in response.content.values()
        if media.is_json
        for text in _in_media(api, media)
    }
    return frozenset(quoted | answered)


def _in_media(api: Api, media: Media) -> Iterator[str]:
    for value in media.examples.values():
        yield from _in_value(value, _DEPTH)
    if media.schema is not None:
        yield from _in_schema(api, media.schema, _DEPTH)


def _in_value(value: Any, depth: int) -> Iterator[str]:
    inner = value[0] if isinstance(value, list) and value else value
    for name, item in inner.items() if isinstance(inner, dict) and depth else ():
        if isinstance(item, str) and _TOKEN_NAME.search(name):
            yield item
        yield from _in_value(item, depth - 1)


def _in_schema(api: Api, schema: Schema, depth: int) -> Iterator[str]:
    example = shapes.keyword(api, schema, "example")
    yield from _in_value(example, _DEPTH)
    for name, part in shapes.properties(api, schema).items() if depth else ():
        if _TOKEN_NAME.search(name):
            examples = shapes.keyword(api, part, "examples")
            found = (shapes.keyword(api, part, "example"), *(examples if isinstance(examples, list) else ()))
            yield from (item for item in found if isinstance(item, str))
        else:
            yield from _in_schema(api, part, depth - 1)
