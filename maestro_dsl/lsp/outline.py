"""The outline of a document: its keys, and what they hold, a few levels deep."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from lsprotocol import types

if TYPE_CHECKING:
    from collections.abc import Iterator

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import DocumentValue, Json
    from maestro_dsl.lang.sourcemap import Pointer
    from maestro_dsl.lsp.positions import Positions

_DEPTH: Final = 3
_NAMES: Final = ("name", "id", "check")


def outline(document: Document[DocumentValue], positions: Positions) -> list[types.DocumentSymbol]:
    """Return the symbols of a document."""
    return list(_symbols(document, positions, (), document.data))


def _symbols(
    document: Document[DocumentValue], positions: Positions, pointer: Pointer, value: Json
) -> Iterator[types.DocumentSymbol]:
    if len(pointer) >= _DEPTH:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            yield _symbol(document, positions, (*pointer, name), name, inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            if isinstance(inner, dict):
                name = next((str(inner[key]) for key in _NAMES if key in inner), f"{index + 1}")
                yield _symbol(document, positions, (*pointer, index), name, inner)


def _symbol(
    document: Document[DocumentValue], positions: Positions, pointer: Pointer, name: str, value: Json
) -> types.DocumentSymbol:
    key, held = document.map.key_span(pointer), document.map.value_span(pointer)
    end = max((held.end_line, held.end_column), (key.end_line, key.end_column))
    whole = replace(key, end_line=end[0], end_column=end[1])
    start = min((held.line, held.column), (key.line, key.column))
    whole = replace(whole, line=start[0], column=start[1])
    is_group = isinstance(value, dict | list)
    return types.DocumentSymbol(
        name=name or '""',
        detail=None if is_group else str(value)[:80],
        kind=types.SymbolKind.Object if is_group else types.SymbolKind.Field,
        range=positions.range(whole),
        selection_range=positions.range(key) if key.line == key.end_line else positions.range(whole),
        children=list(_symbols(document, positions, pointer, value)) or None,
    )
