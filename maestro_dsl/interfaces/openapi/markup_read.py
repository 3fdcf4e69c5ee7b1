"""XML request bodies as JSON values, by a plan made from the schema; `emit_mock_server.js` reads alike.

A plan is data: kind, XML name, attribute, wrapped, properties and items. Document types and entities of
their own are refused, so nothing expands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from maestro_dsl.interfaces.openapi import shapes
from maestro_dsl.interfaces.openapi.forms import as_kind
from maestro_dsl.interfaces.openapi.markup import hints

if TYPE_CHECKING:
    from maestro_dsl.interfaces.openapi.model import Api, Schema

_PLAN_DEPTH = 5
_MAX_DEPTH = 100
_TOKEN = re.compile(
    r"<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[([\s\S]*?)\]\]>|<(/?)([^\s<>/!?\"'=]+)"
    r"((?:\s+[^\s=<>/\"']+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*)\s*(/?)>|([^<]+)"
)
_ATTRIBUTE = re.compile(r"([^\s=<>/\"']+)\s*=\s*(?:\"([^\"<]*)\"|'([^'<]*)')")
_ENTITY = re.compile(r"&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|(lt|gt|amp|quot|apos));")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_TOP = 0x10FFFF


@dataclass(slots=True)
class _Node:
    name: str
    attributes: dict[str, str]
    children: list[_Node] = field(default_factory=list)
    text: str = ""


def plan(api: Api, schema: Schema | None, depth: int = 0) -> dict[str, Any]:
    """Return how a body of this schema is written as XML, a few levels deep."""
    kind = shapes.type_of(api, schema)
    found = hints(api, schema)
    name = found.get("name")
    result: dict[str, Any] = {
        "kind": kind,
        "name": name if isinstance(name, str) else None,
        "attribute": found.get("attribute") is True,
        "wrapped": found.get("wrapped") is True,
    }
    if kind == "array":
        result["items"] = plan(api, shapes.items(api, schema), depth + 1) if depth < _PLAN_DEPTH else None
    if kind == "object" and depth < _PLAN_DEPTH:
        known = shapes.properties(api, schema)
        result["properties"] = {key: plan(api, part, depth + 1) for key, part in known.items()}
    return result


def from_xml(how: dict[str, Any], text: str) -> Any:
    """Return the value that `text` writes.

    Raises:
        ValueError: it is not well-formed, or larger in depth than any body.
    """
    return _value(how, _tree(text))


def _tree(text: str) -> _Node:
    outer = _Node("", {})
    stack = [outer]
    position = 0
    while position < len(text):
        hit = _TOKEN.match(text, position)
        if hit is None:
            raise ValueError("not well-formed")
        position = hit.end()
        data, closing, name, attributes, empty, plain = hit.groups()
        if data is not None or plain is not None:
            stack[-1].text += data if data is not None else _plain(plain)
        elif closing:
            if len(stack) == 1 or stack.pop().name != _local(name):
                raise ValueError("an element ends that did not begin")
        elif name is not None:
            pairs = _ATTRIBUTE.finditer(attributes)
            node = _Node(_local(name), {_local(pair[1]): _plain(pair[2] or pair[3] or "") for pair in pairs})
            stack[-1].children.append(node)
            if not empty:
                stack.append(node)
            if len(stack) > _MAX_DEPTH:
                raise ValueError("too deep")
    if len(stack) != 1 or len(outer.children) != 1 or outer.text.strip():
        raise ValueError("not one element")
    return outer.children[0]


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _plain(text: str) -> str:
    def replaced(hit: re.Match[str]) -> str:
        if hit[3]:
            return _NAMED[hit[3]]
        number = int(hit[1], 16) if hit[1] else int(hit[2])
        return chr(number) if number <= _TOP and not 0xD800 <= number <= 0xDFFF else "\ufffd"  # noqa: PLR2004

    return _ENTITY.sub(replaced, text)


def _value(how: dict[str, Any] | None, node: _Node) -> Any:
    kind = "" if how is None else how["kind"]
    if kind in {"object", "array"} and not node.children and node.text.strip():
        return node.text  # of the wrong type, which is for the validator to say
    if how is not None and kind == "array":
        return [_value(how["items"], child) for child in node.children]
    if kind == "object" or (kind == "" and node.children):
        return _object((how or {}).get("properties") or {}, node)
    if node.children:
        return _object({}, node)
    return as_kind(kind, node.text)


def _object(known: dict[str, Any], node: _Node) -> dict[str, Any]:
    found: dict[str, Any] = {}
    used: set[str] = set()
    for key, how in known.items():
        name = _local(how["name"] or key)
        if how["attribute"]:
            if name in node.attributes:
                found[key] = as_kind(how["kind"], node.attributes[name])
            continue
        if how["kind"] == "array" and not how["wrapped"]:
            entry = how["items"]
            name = _local((entry or {}).get("name") or name)
            items = [_value(entry, child) for child in node.children if child.name == name]
            if items:
                found[key] = items
        else:
            child = next((child for child in node.children if child.name == name), None)
            if child is not None:
                found[key] = _value(how, child)
        used.add(name)
    for child in node.children:
        if child.name not in used:
            found[child.name] = _value(None, child)
    return found
