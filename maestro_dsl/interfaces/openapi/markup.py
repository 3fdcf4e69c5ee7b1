"""JSON values of a schema as XML text, by the `xml` hints of OpenAPI: name, attribute, wrapped, prefix.

Only writes; a root without a name of its own is `<xml>`, as in Prism.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

from maestro_dsl.interfaces.openapi import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from maestro_dsl.interfaces.openapi.model import Api, Schema

_ROOT = "xml"
_MAX_DEPTH = 40
_NOT_IN_NAMES = re.compile(r"[^\w.:-]")
_CONTROL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def is_xml(media_type: str) -> bool:
    """Return whether a body of this media type is XML."""
    bare = media_type.partition(";")[0].strip().lower()
    return bare.endswith(("/xml", "+xml"))


def to_xml(api: Api, schema: Schema | None, value: Any) -> str:
    """Return `value` as one XML element; a text that starts as XML does is XML already."""
    if isinstance(value, str) and value.lstrip().startswith("<"):
        return value
    own = hints(api, schema)
    name = _name(own, _ROOT)
    if isinstance(value, list):
        entry = shapes.items(api, schema)
        inner = "".join(_element(api, entry, _name(hints(api, entry), name), item, 1) for item in value)
        return f"<{name}>{inner}</{name}>"
    return _element(api, schema, name, value, 0)


def _element(api: Api, schema: Schema | None, name: str, value: Any, depth: int) -> str:
    if not isinstance(value, dict) or depth > _MAX_DEPTH:
        text = "" if isinstance(value, (dict, list)) else _text(value)
        return f"<{name}>{escape(text)}</{name}>"
    known = shapes.properties(api, schema)
    attributes, inner = "", ""
    for key, item in value.items():
        part = known.get(key, True)
        own = hints(api, part)
        if own.get("attribute") is True and not isinstance(item, (dict, list)):
            attributes += f" {_name(own, key)}={quoteattr(_text(item))}"
        else:
            inner += "".join(_children(api, part, _name(own, key), item, depth + 1))
    return f"<{name}{attributes}>{inner}</{name}>"


def _children(api: Api, schema: Schema, name: str, value: Any, depth: int) -> Iterator[str]:
    if not isinstance(value, list):
        yield _element(api, schema, name, value, depth)
        return
    entry = shapes.items(api, schema)
    wrapped = hints(api, schema).get("wrapped") is True
    own = _name(hints(api, entry), name)
    inner = (_element(api, entry, own, item, depth + 1) for item in value)
    if wrapped:
        yield f"<{name}>{''.join(inner)}</{name}>"
    else:
        yield from inner


def hints(api: Api, schema: Schema | None) -> dict[str, Any]:
    """Return the `xml` hints of a schema; empty where it has none."""
    found = shapes.keyword(api, schema, "xml")
    return found if isinstance(found, dict) else {}


def _name(found: dict[str, Any], default: str) -> str:
    stated, prefix = found.get("name"), found.get("prefix")
    name = stated if isinstance(stated, str) and stated else default
    whole = f"{prefix}:{name}" if isinstance(prefix, str) and prefix else name
    safe = _NOT_IN_NAMES.sub("_", whole)
    return safe if safe[:1].isalpha() or safe[:1] == "_" else f"_{safe}"


def _text(value: Any) -> str:
    if value is None:
        return ""
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    return _CONTROL.sub("", text)
