"""What can be typed at the cursor: keys, allowed values, ids, files, words of expressions, codes of rules."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from lsprotocol import types

from maestro_dsl.app.rulebook import all_rules
from maestro_dsl.errors import UsageError
from maestro_dsl.lang.explain import explain, yaml_line
from maestro_dsl.lang.model import Kind
from maestro_dsl.lang.quoting import written
from maestro_dsl.lsp.cursor import Role
from maestro_dsl.lsp.expressions import expression_words
from maestro_dsl.lsp.ids import keys_at, words_at
from maestro_dsl.lsp.places import key_path
from maestro_dsl.reporters.explain import page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from maestro_dsl.app.editing import Scene
    from maestro_dsl.lang.grammar import Part
    from maestro_dsl.lsp.places import Place
    from maestro_dsl.lsp.positions import Positions

_KINDS: Final = types.CompletionItemKind
_EXPRESSION_KINDS: Final = {
    "name": _KINDS.Variable,
    "filter": _KINDS.Function,
    "test": _KINDS.Operator,
}
_IGNORED: Final = re.compile(r"maestro:\s*ignore\[(?:[^\],]*,\s*)*(?P<word>[\w-]*)$")


def complete(place: Place, scene: Scene, positions: Positions) -> list[types.CompletionItem]:
    """Return everything that can stand at `place`."""
    if place.cursor.role is Role.COMMENT:
        return list(_codes(place, positions))
    if place.expression is not None:
        return list(_expressions(place, scene, positions))
    if place.cursor.role is Role.KEY:
        return [*_keys(place, scene, positions), *_lone_values(place, scene, positions)]
    if place.cursor.role is Role.VALUE:
        found = list(_values(place, scene, positions))
        is_item = bool(place.cursor.steps) and isinstance(place.cursor.steps[-1], int)
        return [*found, *(_keys(place, scene, positions) if is_item else ())]
    return []


def help_text(path: str) -> str | None:
    """Return what `maestro explain` says about a key, or None where it knows none."""
    try:
        return "\n".join(page(item) for item in explain(path))
    except UsageError:
        return None


def as_markdown(text: str) -> types.MarkupContent:
    """Return plain text so that an editor shows it as it is."""
    return types.MarkupContent(kind=types.MarkupKind.Markdown, value=f"```text\n{text.rstrip()}\n```")


def _item(
    place: Place,
    positions: Positions,
    label: str,
    text: str,
    kind: types.CompletionItemKind,
    detail: str = "",
    *,
    order: int = 0,
    word: str | None = None,
) -> types.CompletionItem:
    cursor = place.cursor
    start, end = cursor.start, cursor.end
    if word is not None:
        start, end = place.column - len(word), place.column
    return types.CompletionItem(
        label=label,
        kind=kind,
        detail=" ".join(detail.split()) or None,
        filter_text=label,
        sort_text=f"{order:03}{label}",
        text_edit=types.TextEdit(range=positions.on_line(place.line, start, end), new_text=text),
    )


def _keys(place: Place, scene: Scene, positions: Positions) -> Iterator[types.CompletionItem]:
    part, cursor = place.part, place.cursor
    if part is None:
        return
    order = 0
    for name in _allowed(part):
        if name in cursor.beside and name != cursor.word and not cursor.has_colon:
            continue
        inner = part.key(name, cursor.beside)
        text = written(name) + ("" if cursor.has_colon else _behind(inner))
        is_required = name in part.required
        title = "" if inner is None else str(inner.schema.get("title", ""))
        item = _item(
            place, positions, name, text, _KINDS.Property, title, order=order + (0 if is_required else 100)
        )
        item.data = key_path(place, name)
        order += 1
        yield item
    for name, detail in keys_at(place, scene):
        if name not in cursor.beside:
            text = name if cursor.has_colon else f"{name}: "
            yield _item(place, positions, name, text, _KINDS.Reference, detail)


def _allowed(part: Part) -> list[str]:
    names = dict.fromkeys(part.keys)
    for parts in part.cases.values():
        names |= dict.fromkeys(parts)
    return list(names)


def _behind(part: Part | None) -> str:
    return ": " if part is None or not (part.keys or part.entries) else ":"


def documented(item: types.CompletionItem) -> types.CompletionItem:
    """Return an item with its documentation, which is only made for the one that is looked at."""
    text = help_text(item.data) if isinstance(item.data, str) else None
    if text is not None:
        item.documentation = as_markdown(text)
    return item


def _lone_values(place: Place, scene: Scene, positions: Positions) -> Iterator[types.CompletionItem]:
    """Yield what a line below a key can hold that is no key: items of a list, with their dash."""
    part = place.part
    if part is None or part.items is None or place.cursor.is_flow:
        return
    inner = _as_item(place)
    for item in _values(inner, scene, positions):
        if isinstance(item.text_edit, types.TextEdit):
            item.text_edit.new_text = f"- {item.text_edit.new_text}"
            yield item


def _as_item(place: Place) -> Place:
    cursor = replace(place.cursor, steps=(*place.cursor.steps, 0), siblings=(*place.cursor.siblings, {}))
    return replace(place, cursor=cursor, part=place.part.items if place.part is not None else None)


def _values(place: Place, scene: Scene, positions: Positions) -> Iterator[types.CompletionItem]:
    cursor = place.cursor
    quoted = cursor.start > 0 and place.lines[place.line][cursor.start - 1 : cursor.start] in {'"', "'"}
    for name, detail in words_at(place, scene):
        text = name if quoted else written(name, in_flow=cursor.is_flow)
        yield _item(place, positions, name, text, _KINDS.Reference, detail)
    if cursor.steps == ("apiVersion",):
        yield _item(place, positions, "maestro/v1", "maestro/v1", _KINDS.Constant)
    if cursor.steps == ("kind",):
        for kind in Kind:
            yield _item(place, positions, kind.value, kind.value, _KINDS.EnumMember)
        return
    if place.part is not None:
        yield from _stated(place, place.part, positions)


def _stated(place: Place, part: Part, positions: Positions) -> Iterator[types.CompletionItem]:
    """Yield the values that the grammar names: all that are allowed, else examples of units."""
    schema = part.schema
    values = schema.get("enum") or ([schema["const"]] if "const" in schema else [])
    if not values and "boolean" in _types(schema):
        values = [True, False]
    for order, value in enumerate(values):
        text = yaml_line(value)
        detail = "default" if "default" in schema and value == schema["default"] else ""
        yield _item(place, positions, text, text, _KINDS.EnumMember, detail, order=order)
    if not values and "x-unit" in schema:
        for value in schema.get("examples", ()):
            if isinstance(value, str | int | float) and "{{" not in str(value):
                yield _item(place, positions, yaml_line(value), yaml_line(value), _KINDS.Value, "example")


def _types(schema: object) -> list[str]:
    stated = schema.get("type", ()) if hasattr(schema, "get") else ()
    return [stated] if isinstance(stated, str) else list(stated)


def _expressions(place: Place, scene: Scene, positions: Positions) -> Iterator[types.CompletionItem]:
    word, found = expression_words(place, scene)
    for name, sort, detail in found:
        yield _item(place, positions, name, name, _EXPRESSION_KINDS[sort], detail, word=word)


def _codes(place: Place, positions: Positions) -> Iterator[types.CompletionItem]:
    match = _IGNORED.search(place.cursor.word)
    if match is None:
        return
    end = place.cursor.start + len(place.cursor.word)
    area = positions.on_line(place.line, end - len(match["word"]), end)
    for rule in all_rules():
        yield types.CompletionItem(
            label=rule.code,
            kind=_KINDS.Constant,
            detail=f"{rule.name}: {rule.summary}",
            filter_text=f"{rule.code} {rule.name}",
            text_edit=types.TextEdit(range=area, new_text=rule.code),
        )
