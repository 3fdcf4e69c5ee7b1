"""Exact edits that add or remove one entry of a mapping or a list, in flow and in block style.

Everything else stays as it is written. Where an entry cannot be moved without touching more than itself (a
comment inside a flow list, an alias, a key that shares its line) there is no edit: None.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Edit, Span
from maestro_dsl.lang.edits import lines_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import Blueprint, DocumentValue, Json
    from maestro_dsl.lang.sourcemap import Pointer

_ALIAS: Final = re.compile(r"[:\[{,-]\s*\*\w")


def mapping_at(data: Json, pointer: Pointer) -> Mapping[str, Json]:
    """Return the mapping at `pointer`, an empty one where there is none."""
    for step in pointer:
        if isinstance(data, dict) and isinstance(step, str):
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            return {}
    return data if isinstance(data, dict) else {}


def need_span(document: Document[Blueprint], node: str, needed: str) -> Span:
    """Return where the needs of `node` name `needed`."""
    pointer: Pointer = ("nodes", node, "needs")
    written = mapping_at(document.data, pointer[:-1]).get("needs")
    if isinstance(written, list) and needed in written:
        return document.map.value_span((*pointer, written.index(needed)))
    return document.map.key_span((*pointer, needed))


def without_need(document: Document[Blueprint], node: str, needed: str) -> Edit | None:
    """Return the edit that takes `needed` out of the needs of `node`, which has others."""
    pointer: Pointer = ("nodes", node, "needs")
    written = mapping_at(document.data, pointer[:-1]).get("needs")
    if isinstance(written, list):
        return _without_item(document, pointer, written.index(needed), len(written))
    return without_key(document, (*pointer, needed))


def with_need(document: Document[Blueprint], node: str, needed: str) -> Edit | None:
    """Return the edit that adds `needed` to the needs of `node`."""
    pointer: Pointer = ("nodes", node, "needs")
    written = mapping_at(document.data, pointer[:-1]).get("needs")
    if written is None:
        return _behind(document, ("nodes", node, "action"), f"needs: [{needed}]", is_list=False)
    if not written or not isinstance(written, (list, dict)):
        return None
    if isinstance(written, list):
        return _behind(document, (*pointer, len(written) - 1), needed, is_list=True)
    return _behind(document, (*pointer, list(written)[-1]), f"{needed}: {{}}", is_list=False)


def without_key(document: Document[DocumentValue] | Document[Blueprint], pointer: Pointer) -> Edit | None:
    """Return the edit that takes the key at `pointer` and its value out of a mapping that has others."""
    text, lines = document.text, lines_of(document.text)
    names = list(mapping_at(document.data, pointer[:-1]))
    if len(names) < 2 or _has_alias(text):  # noqa: PLR2004 - an empty mapping would be left
        return None
    start, _ = lines.range(document.map.key_span(pointer))
    _, end = lines.range(document.map.value_span(pointer))
    at = names.index(str(pointer[-1]))
    if _is_flow(document, pointer[:-1]):
        if at + 1 < len(names):
            end, _ = lines.range(document.map.key_span((*pointer[:-1], names[at + 1])))
        else:
            _, start = lines.range(document.map.value_span((*pointer[:-1], names[at - 1])))
        return _cut(document, start, end)
    return _cut_lines(document, start, end, re.compile(r"[ ]*"))


def _without_item(document: Document[Blueprint], pointer: Pointer, index: int, count: int) -> Edit | None:
    lines = lines_of(document.text)
    if count < 2 or _has_alias(document.text):  # noqa: PLR2004 - an empty list would be left
        return None
    start, end = lines.range(document.map.value_span((*pointer, index)))
    if _is_flow(document, pointer):
        if index + 1 < count:
            end, _ = lines.range(document.map.value_span((*pointer, index + 1)))
        else:
            _, start = lines.range(document.map.value_span((*pointer, index - 1)))
        return _cut(document, start, end)
    return _cut_lines(document, start, end, re.compile(r"[ ]*-[ ]+"))


def _is_flow(document: Document[DocumentValue] | Document[Blueprint], pointer: Pointer) -> bool:
    if not pointer:
        return document.text.lstrip()[:1] == "{"
    start, _ = lines_of(document.text).range(document.map.value_span(pointer))
    return document.text[start : start + 1] in {"[", "{"}


def _cut(document: Document[DocumentValue] | Document[Blueprint], start: int, end: int) -> Edit | None:
    if "#" in document.text[start:end]:
        return None
    return Edit(span=document.map.span(start, end), replacement="")


def _cut_lines(
    document: Document[DocumentValue] | Document[Blueprint], start: int, end: int, before: re.Pattern[str]
) -> Edit | None:
    text = document.text
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", end)
    rest = text[end : last if last >= 0 else len(text)].strip()
    if not before.fullmatch(text[first:start]) or (rest and not rest.startswith("#")):
        return None
    return Edit(span=document.map.span(first, last + 1 if last >= 0 else len(text)), replacement="")


def _behind(document: Document[Blueprint], pointer: Pointer, entry: str, *, is_list: bool) -> Edit | None:
    """Return the edit that puts `entry` behind the entry at `pointer`, in the style of its collection."""
    text, lines = document.text, lines_of(document.text)
    if not document.map.has(pointer) or _has_alias(text):
        return None
    _, end = lines.range(document.map.value_span(pointer))
    if _is_flow(document, pointer[:-1]):
        return Edit(span=document.map.span(end, end), replacement=f", {entry}")
    start, _ = lines.range(document.map.value_span(pointer) if is_list else document.map.key_span(pointer))
    before = text[text.rfind("\n", 0, start) + 1 : start]
    if not re.fullmatch(r"[ ]*-[ ]+" if is_list else r"[ ]*", before):
        return None
    last = text.find("\n", end)
    last = last if last >= 0 else len(text)
    newline = "\r\n" if text[last - 1 : last] == "\r" else "\n"
    last -= len(newline) - 1
    return Edit(span=document.map.span(last, last), replacement=f"{newline}{before}{entry}")


@lru_cache(maxsize=4)
def _has_alias(text: str) -> bool:
    return _ALIAS.search(text) is not None
