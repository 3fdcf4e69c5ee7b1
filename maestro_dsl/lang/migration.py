"""Brings data in old spellings to today's, in place, with the finding and the fix for each (SCH006).

Keys keep their position, so that every later finding still stands on the word in the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from maestro_dsl.diagnostics import Diagnostic, Edit, Fix, Severity
from maestro_dsl.lang.edits import respell
from maestro_dsl.lang.model import API_VERSION, Json, Kind
from maestro_dsl.lang.respellings import KEYS, OLD_VERSIONS, VALUES, OldKey, OldValue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from maestro_dsl.lang.respellings import Place
    from maestro_dsl.lang.sourcemap import Pointer, SourceMap


def modernise(kind: Kind, data: dict[str, Json], source: SourceMap) -> list[Diagnostic]:
    """Rename what is in old spelling in `data` and in `source`, and return a finding for each."""
    found: list[Diagnostic] = []
    for key in KEYS:
        if key.kind is kind:
            for pointer, mapping in _mappings(data, key.place, ()):
                finding = _rename(key, pointer, mapping, source)
                found += [finding] if finding is not None else []
    for value in VALUES:
        if value.kind is kind:
            for pointer, mapping in _mappings(data, value.place[:-1], ()):
                if mapping.get(value.place[-1]) == value.old:
                    found.append(_respell(value, (*pointer, value.place[-1]), mapping, source))
    return found


def old_version(data: dict[str, Json], source: SourceMap) -> Edit | None:
    """Return the edit that states today's version where `data` states an old one, and state it there."""
    if data.get("apiVersion") not in OLD_VERSIONS:
        return None
    edit = respell(source.text, source.value_span(("apiVersion",)), API_VERSION)
    data["apiVersion"] = API_VERSION
    return edit


def _mappings(value: Any, place: Place, at: Pointer) -> Iterator[tuple[Pointer, dict[str, Json]]]:
    """Yield every mapping at `place` below `value` with the way to it."""
    if not place:
        if isinstance(value, dict):
            yield at, value
        return
    step, *rest = place
    if step == "*":
        inner: Any = (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        )
    else:
        inner = [(step, value[step])] if isinstance(value, dict) and step in value else []
    for name, item in inner:
        yield from _mappings(item, tuple(rest), (*at, name))


def _rename(key: OldKey, pointer: Pointer, mapping: dict[str, Json], source: SourceMap) -> Diagnostic | None:
    if key.old not in mapping or key.new in mapping:
        return None
    place = (*pointer, key.old)
    span = source.key_span(place)
    edits = [respell(source.text, span, key.new)]
    value = mapping[key.old]
    if key.rewrite is not None:
        text = key.rewrite(value)
        if text is None:
            return None
        edits.append(Edit(span=source.value_span(place), replacement=text))
        value = text
    items = [(key.new, value) if name == key.old else (name, item) for name, item in mapping.items()]
    mapping.clear()
    mapping.update(items)
    source.renamed(pointer)
    title = f'write "{key.new}"' + (f": {text}" if key.rewrite is not None else "")
    return _finding(span, f'"{key.old}" is an old spelling of "{key.new}"', title, edits)


def rename_keys(data: dict[str, Json], source: SourceMap, pointer: Pointer, new: Mapping[str, str]) -> None:
    """Call keys of the mapping at `pointer` otherwise from now on (old → new), in `data` and in `source`."""
    mapping: Any = data
    for step in pointer:
        mapping = mapping[step]
    items = [(new.get(name, name), item) for name, item in mapping.items()]
    mapping.clear()
    mapping.update(items)
    source.renamed(pointer)


def _respell(value: OldValue, pointer: Pointer, mapping: dict[str, Json], source: SourceMap) -> Diagnostic:
    span = source.value_span(pointer)
    mapping[cast("str", pointer[-1])] = value.new
    message = f'"{value.old}" is an old spelling of "{value.new}"'
    return _finding(span, message, f'write "{value.new}"', [respell(source.text, span, value.new)])


def _finding(span: Any, message: str, title: str, edits: list[Edit]) -> Diagnostic:
    return Diagnostic(
        code="SCH006",
        name="deprecated-key",
        severity=Severity.WARNING,
        span=span,
        message=message,
        help="it still works; maestro schema migrate rewrites all old spellings",
        fix=Fix(title=title, edits=tuple(edits)),
    )
