"""A request body as it is sent to a provider: which way of writing it is taken, and its bytes.

The first of JSON, a form, parts of a form, XML and plain content. What the body says is for `entities`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from maestro_dsl.interfaces.openapi import shapes
from maestro_dsl.interfaces.openapi.forms import FORM, MULTIPART
from maestro_dsl.interfaces.openapi.markup import is_xml, to_xml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from maestro_dsl.interfaces.openapi.model import Api, Media, Operation
    from maestro_dsl.lang.model import Json

_BOUNDARY: Final = "maestro-0d6f7a3c5b1e"
_OCTETS: Final = "application/octet-stream"


def writable(operation: Operation) -> Media | None:
    """Return the first way to write the body that can be made here, None where there is none."""
    if operation.body is None:
        return None
    content = operation.body.content
    found = operation.body.json or content.get(FORM) or content.get(MULTIPART)
    others = (item for item in content.values() if is_xml(item.media_type) or _is_plain(item))
    return found or next(others, None)


def _is_plain(media: Media) -> bool:
    return media.media_type.startswith("text/") or media.media_type == _OCTETS


def written(api: Api, media: Media, body: Json) -> tuple[str, bytes]:
    """Return the content type and the bytes of `body`."""
    kind = media.media_type
    if media.is_json:
        return kind if "*" not in kind else "application/json", json.dumps(body).encode()
    if kind == FORM:
        return kind, urlencode(list(_pairs(body))).encode()
    if kind == MULTIPART:
        return f'{kind}; boundary="{_BOUNDARY}"', b"".join(_parts(api, media, body))
    if is_xml(kind):
        return kind, str(to_xml(api, media.schema, body)).encode()
    return kind if "*" not in kind else "text/plain", text_of(body).encode()


def text_of(value: Json) -> str:
    """Return a value as it stands in an address, a header or a form."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


def _pairs(body: Json) -> Iterator[tuple[str, str]]:
    for name, value in body.items() if isinstance(body, dict) else ():
        yield name, text_of(value)


def _parts(api: Api, media: Media, body: Json) -> Iterator[bytes]:
    known = shapes.properties(api, media.schema)
    for name, value in body.items() if isinstance(body, dict) else ():
        schema = known.get(name)
        is_file = shapes.keyword(api, schema, "format") == "binary" or not shapes.type_of(api, schema)
        stated = media.encoding.get(name)
        wanted = stated.get("contentType") if isinstance(stated, dict) else None
        head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'
        if is_file:
            kind = wanted.partition(",")[0].strip() if isinstance(wanted, str) else _OCTETS
            head += f'; filename="maestro.bin"\r\nContent-Type: {kind}'
        for item in value if isinstance(value, list) else [value]:
            yield f"{head}\r\n\r\n{text_of(item)}\r\n".encode()
    yield f"--{_BOUNDARY}--\r\n".encode()
