"""Bytes of one file → a document: text, grammar and value in a row, with every finding of the three.

Reads the files it is handed; finds none by itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

from maestro_dsl.codec import digest_bytes
from maestro_dsl.diagnostics import Diagnostic, Diagnostics, Severity, Span
from maestro_dsl.lang.decode import decode
from maestro_dsl.lang.disk import NO_REGULAR_FILE
from maestro_dsl.lang.disk import read as read_file
from maestro_dsl.lang.document import Document
from maestro_dsl.lang.files import kind_of_name
from maestro_dsl.lang.head import meant_kind, other_kind, unknown_head, unknown_kind
from maestro_dsl.lang.migration import modernise, rename_keys
from maestro_dsl.lang.model import API_VERSION, DocumentValue, Kind
from maestro_dsl.lang.schema import Checked, check
from maestro_dsl.lang.source import Loaded, load
from maestro_dsl.lang.sourcemap import Pointer
from maestro_dsl.lang.suggest import closest
from maestro_dsl.lang.unknown import unknown_in
from maestro_dsl.lang.validators import schema_of
from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from maestro_dsl.lang.model import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What one file gave: its document where it is one, and all findings."""

    document: Document[DocumentValue] | None
    diagnostics: Diagnostics


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What the content of one file was parsed to; `kind` is None where it is no document of ours."""

    kind: Kind | None
    loaded: Loaded
    found: tuple[Diagnostic, ...]
    holes: tuple[Pointer, ...] = ()
    digest: str


def read_document(path: Path, file: str) -> Read:
    """Read the document at `path`, which is shown to the user as `file`."""
    try:
        content = read_file(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return Read(document=None, diagnostics=Diagnostics([missing_file(Span(file), file, reason)]))
    return read_content(content, path, file)


def read_content(content: bytes, path: Path, file: str) -> Read:
    """Return the document that `content` holds, as partial as its errors make it."""
    return document_of(parse_content(content, file), path, file)


def parse_content(content: bytes, file: str) -> Parsed:
    """Return what `content` holds and what the grammar says about it; the rest is `document_of`."""
    digest = digest_bytes(content)
    loaded = load(content, file)
    diagnostics = Diagnostics(list(loaded.diagnostics.items))
    if loaded.data is None and diagnostics.has_errors:
        return Parsed(kind=None, loaded=loaded, found=tuple(diagnostics.items), digest=digest)
    unknown = unknown_in(loaded.data, loaded.map.root, loaded.unknown) if loaded.unknown else ()
    diagnostics.extend(_misspelt_head(loaded))
    stranger = unknown_kind(loaded.data, loaded.map, promised=kind_of_name(file.rpartition("/")[2]))
    if stranger is not None and not {("apiVersion",), ("kind",)}.intersection(unknown):
        diagnostics.add(stranger)
    kind = meant_kind(loaded.data) if isinstance(loaded.data, dict) else None
    if kind is None or not isinstance(loaded.data, dict):
        return Parsed(kind=None, loaded=loaded, found=tuple(diagnostics.items), digest=digest)
    loaded.data["apiVersion"] = API_VERSION  # what else is wrong is said at once, not after this is mended
    loaded.data["kind"] = kind.value
    checked = check(kind, loaded.data, loaded.map, unknown=unknown)
    promised = kind_of_name(file.rpartition("/")[2])
    if checked.diagnostics and promised is not None and promised is not kind:
        kind, checked = _as_promised(kind, promised, loaded, checked, diagnostics)
    if checked.diagnostics:
        old = modernise(kind, loaded.data, loaded.map)
        diagnostics.extend(old)
        if old:
            unknown = unknown_in(loaded.data, loaded.map.root, loaded.unknown) if unknown else ()
            checked = check(kind, loaded.data, loaded.map, unknown=unknown)
    if 0 < len(checked.misspelt) + len(checked.meant) < _MOST_MISSPELT:
        checked = _as_meant(kind, loaded, checked, diagnostics)
    diagnostics.extend(checked.diagnostics)
    wrong = {item.span for item in checked.diagnostics}  # of such a value, it tells nothing more
    found = tuple(item for item in diagnostics.items if item.code != "SYN003" or item.span not in wrong)
    holes = (*checked.holes, *_cut_off(kind, loaded.data, found))
    return Parsed(kind=kind, loaded=loaded, found=found, holes=holes, digest=digest)


def _as_promised(
    kind: Kind, promised: Kind, loaded: Loaded, checked: Checked, diagnostics: Diagnostics
) -> tuple[Kind, Checked]:
    """Return the kind of a document: the one that its name promises, where its keys are of that one only."""
    data = cast("dict[str, Json]", loaded.data)
    data["kind"] = promised.value
    other = check(promised, data, loaded.map)
    codes = [{item.code for item in found.diagnostics} for found in (checked, other)]
    if "SCH001" not in codes[0] or {"SCH001", "SCH002"} & codes[1]:
        data["kind"] = kind.value
        return kind, checked
    diagnostics.add(other_kind(loaded.map, kind, promised))
    return promised, other


_HEAD: Final = ("apiVersion", "kind")


def _misspelt_head(loaded: Loaded) -> Iterator[Diagnostic]:
    """Yield SCH001 for a misspelt `apiVersion` or `kind`, which count as meant from then on."""
    data: Any = loaded.data
    for name in _HEAD if isinstance(data, dict) else ():
        near = closest(name, [key for key in data if key not in _HEAD]) if name not in data else None
        if near is not None and isinstance(data[near], str):
            span = loaded.map.key_span((near,))
            rename_keys(data, loaded.map, (), {near: name})
            yield unknown_head(loaded.map, span, near, name)


def _cut_off(kind: Kind, data: dict[str, Json], found: tuple[Diagnostic, ...]) -> Iterator[Pointer]:
    """Yield the keys that may stand in a second document of the file, which is not read (SYN004)."""
    if any(item.code == "SYN004" for item in found):
        for name in schema_of(kind).get("properties", ()):
            if name not in data:
                yield (name,)


_MOST_ROUNDS: Final = 8
_MOST_MISSPELT: Final = 100
"""Of a document with more of them, nobody knows what is meant."""


def _as_meant(kind: Kind, loaded: Loaded, checked: Checked, diagnostics: Diagnostics) -> Checked:
    """Report misspelt keys and values, and return what is wrong beside: they count as what was meant.

    A guess at a key that the value does not suit is none, and told with what the value would have to be.
    """
    doubtful: dict[Pointer, str] = {}
    for _ in range(_MOST_ROUNDS):
        before = checked
        told = _respelt(loaded, before)
        renamed = _renamed(loaded, {old: new for old, new in before.misspelt if old not in doubtful})
        if not renamed and not told:
            return replace(before, diagnostics=_doubted(loaded, before.diagnostics, doubtful))
        unknown = unknown_in(loaded.data, loaded.map.root, loaded.unknown) if loaded.unknown else ()
        checked = check(kind, cast("dict[str, Json]", loaded.data), loaded.map, unknown=unknown)
        wrong = {place: str(old[-1]) for place, old in renamed.items() if place in checked.holes}
        if wrong:
            why = {item.span: item.message for item in checked.diagnostics}
            for place in wrong:
                doubtful[renamed[place]] = why.get(loaded.map.value_span(place), "")
            _renamed(loaded, wrong)
            checked = check(kind, cast("dict[str, Json]", loaded.data), loaded.map, unknown=unknown)
        told |= {("SCH001", loaded.map.key_span(place)) for place in renamed if place not in wrong}
        diagnostics.extend(item for item in before.diagnostics if (item.code, item.span) in told)
    return replace(checked, diagnostics=_doubted(loaded, checked.diagnostics, doubtful))


def _doubted(
    loaded: Loaded, found: tuple[Diagnostic, ...], doubtful: Mapping[Pointer, str]
) -> tuple[Diagnostic, ...]:
    """Return findings in which a guess that the value does not suit says so."""
    why = {("SCH001", loaded.map.key_span(place)): text for place, text in doubtful.items() if text}
    return tuple(
        replace(item, help=(item.help or "").replace('"? ', f'"? but {text}; ', 1))
        if (text := why.get((item.code, item.span))) is not None
        else item
        for item in found
    )


def _respelt(loaded: Loaded, checked: Checked) -> set[tuple[str, Span]]:
    """Put what was meant in place of misspelt values; return code and place of what is said about them."""
    told = set()
    for pointer, meant in checked.meant:
        value: Any = loaded.data
        for step in pointer[:-1]:
            value = value[step]
        value[pointer[-1]] = meant
        told.add(("SCH004", loaded.map.value_span(pointer)))
    return told


def _renamed(loaded: Loaded, new: Mapping[Pointer, str]) -> dict[Pointer, Pointer]:
    """Give keys of the data other names, where these are free; return where each stands now, and stood."""
    data: Any = loaded.data
    groups: dict[Pointer, dict[str, str]] = {}
    for (*above, old), name in new.items():
        names = groups.setdefault(tuple(above), {})
        if name not in names.values():
            names[str(old)] = name
    for pointer, names in groups.items():
        rename_keys(data, loaded.map, pointer, names)
    return {(*above, name): (*above, old) for above, names in groups.items() for old, name in names.items()}


def document_of(parsed: Parsed, path: Path, file: str) -> Read:
    """Return the document at `path` from what its content was parsed to."""
    diagnostics, loaded = Diagnostics(list(parsed.found)), parsed.loaded
    if parsed.kind is None:
        return Read(document=None, diagnostics=diagnostics)
    document = Document(
        kind=parsed.kind,
        value=decode(parsed.kind, loaded.data, parsed.holes),
        data=loaded.data,
        map=loaded.map,
        file=file,
        path=path,
        text=loaded.text,
        digest=parsed.digest,
        holes=parsed.holes,
    )
    return Read(document=document, diagnostics=diagnostics)


def missing_file(span: Span, shown: str, reason: str) -> Diagnostic:
    """Return REF008 for a file that cannot be read."""
    return Diagnostic(
        code="REF008",
        name="missing-file",
        severity=Severity.ERROR,
        span=span,
        message=f'cannot read "{shown}": {reason}',
        help=_WAYS_OUT.get(reason),
    )


_WAYS_OUT: Final = {
    "No such file or directory": "where a symbolic link leads there, mend or remove the link",
    "Permission denied": "give yourself the right to read it, or name other files",
    "Too many levels of symbolic links": "the link leads back to itself: mend or remove it",
    NO_REGULAR_FILE: "write it into a file, or pipe it to: maestro lint -",
}
