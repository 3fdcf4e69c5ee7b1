"""Finds blueprints, personas, policies and contracts: `core/x`, `team/x@^1.0`, an id, or `./x.persona.yaml`.

An id is looked for in the project first, then in the core library. A library names what it exports, and
inside a library its own documents come first. Answers a miss with what there is.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Diagnostics, Fix, Severity, Span
from maestro_dsl.lang.disk import note
from maestro_dsl.lang.document import Document
from maestro_dsl.lang.edits import respell
from maestro_dsl.lang.files import (
    DID_YOU_MEAN,
    PATH_SIGNS,
    Area,
    Names,
    PathProblem,
    Searched,
    core_area,
    searched,
)
from maestro_dsl.lang.memory import Memory
from maestro_dsl.lang.model import DocumentValue, Kind
from maestro_dsl.lang.parallel import WORTH_IT, parse_ahead
from maestro_dsl.lang.read import Read, document_of, read_content, read_document
from maestro_dsl.lang.shelves import Shelf, Shelves
from maestro_dsl.lang.suggest import closest, guessed, listed
from maestro_dsl.lang.units import UnitError, is_in_range
from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_CORE: Final = "core"
_FOLDERS: Final = {Kind.BLUEPRINT: "", Kind.PERSONA: "personas", Kind.POLICY: "policies"}
_CODES: Final = {
    Kind.BLUEPRINT: ("REF004", "undefined-blueprint"),
    Kind.PERSONA: ("REF002", "undefined-persona"),
    Kind.POLICY: ("REF008", "missing-file"),
    Kind.CONTRACT: ("REF003", "undefined-contract"),
}


@dataclass(slots=True)
class Reader:
    """Reads each file once; `documents` and `diagnostics` grow with what is used."""

    names: Names = field(default_factory=Names)
    diagnostics: Diagnostics = field(default_factory=Diagnostics)
    documents: dict[Path, Document[DocumentValue]] = field(default_factory=dict)
    overlay: Mapping[Path, bytes] = field(default_factory=dict)
    """Contents that count in place of what is on disk, by real path: unsaved buffers, planned fixes."""
    jobs: int = 1
    """How many processes may parse files that are read together."""
    memory: Memory | None = None
    """What earlier readers made of files; taken again where name and content are the same."""
    _seen: dict[Path, Read] = field(default_factory=dict)
    _searched: dict[Path, Searched] = field(default_factory=dict)
    _found: dict[tuple[Hashable, Path], tuple[Diagnostic, ...]] = field(default_factory=dict)

    def another(self) -> Reader:
        """Return a reader that has used nothing yet and reads no file again."""
        return Reader(
            names=self.names,
            overlay=self.overlay,
            jobs=self.jobs,
            memory=self.memory,
            _seen=self._seen,
            _searched=self._searched,
            _found=self._found,
        )

    def searched(self, folder: Path) -> Searched:
        """Return the documents below a folder, which is looked through once."""
        known = self._searched.get(folder)
        if known is None:
            known = self._searched[folder] = searched(folder)
        else:
            known.noted()
        return known

    def of(
        self,
        what: Hashable,
        document: Document[DocumentValue],
        make: Callable[[Document[DocumentValue]], Iterable[Diagnostic]],
    ) -> Iterable[Diagnostic]:
        """Return what `make` finds in a document, which it is asked for once."""
        if self.memory is not None:
            return self.memory.of(what, document, make)
        known = self._found.get((what, document.path))
        if known is None:
            known = self._found[what, document.path] = tuple(make(document))
        return known

    def look_at_all(self, paths: Sequence[Path]) -> None:
        """Read many files, on several cores where that is worth it; `look` and `use` find them read."""
        if self.jobs < 2 or len(paths) < WORTH_IT:  # noqa: PLR2004 - one is this process
            return
        self.look(paths[0])  # loads what reading needs, for all processes
        files = [(path, self.names(path)) for path in paths[1:] if path not in self.overlay]
        for (path, file), parsed in parse_ahead(files, self.jobs):
            note(("read", str(path)), partial(str, parsed.digest))
            self._seen[path] = document_of(parsed, path, file)

    def look(self, path: Path) -> Document[DocumentValue] | None:
        """Return the document at `path` without reporting anything about it."""
        if path not in self._seen:
            self._seen[path] = self._read(path, self.names(path))
        return self._seen[path].document

    def _read(self, path: Path, name: str) -> Read:
        content = self.overlay.get(path)
        if self.memory is None:
            return read_document(path, name) if content is None else read_content(content, path, name)
        try:
            content = self.memory.content(path) if content is None else content
        except OSError:
            return read_document(path, name)
        known = self.memory.reads.get(path)
        if known is None or known[:2] != (name, content):
            known = self.memory.reads[path] = (name, content, read_content(content, path, name))
        return known[2]

    def use(self, path: Path) -> Document[DocumentValue] | None:
        """Return the document at `path`, and report what is wrong with it."""
        document = self.look(path)
        self.diagnostics.extend(self._seen[path].diagnostics.items)
        if document is not None:
            self.documents[path] = document
        return document


@dataclass(slots=True)
class Finder:
    """Finds documents of a project and of the core library."""

    reader: Reader
    area: Area | None
    """The project; None = only the core library."""
    _known: dict[tuple[Kind, str], dict[str, Path]] = field(default_factory=dict)
    _shelves: Shelves | None = None
    _unread: dict[tuple[Kind, str], Path] = field(default_factory=dict)
    """Files of the project without a usable id, by the id that their name promises."""

    def find(self, kind: Kind, reference: str, stated_in: Path, span: Span) -> Document[DocumentValue] | None:
        """Return the document of `kind` that `reference` means; report at `span` where there is none."""
        if reference.startswith(PATH_SIGNS):
            return self._at_path(kind, reference, stated_in, span)
        name, _, wanted = reference.partition("@")
        owner = self.shelves.holding(stated_in) if self.shelves is not None else None
        path = self.all(kind, owner).get(name)
        if path is None and owner is None and (kind, name) in self._unread:
            self.reader.use(self._unread[kind, name])  # why it cannot be read is the one mistake
            return None
        if path is None:
            if self.reader.diagnostics.has_room(_CODES[kind][0], span.file):
                self.reader.diagnostics.add(self._undefined(kind, reference, name, (stated_in, span), owner))
            return None
        document = self.reader.use(path)
        if document is not None and wanted and not self._meets(document, kind, wanted, span):
            return None
        return document

    @property
    def shelves(self) -> Shelves | None:
        """The libraries of the project; None where there is no project."""
        if self._shelves is None and self.area is not None:
            self._shelves = Shelves(self.area.root, self.reader)
        return self._shelves

    def all(self, kind: Kind, owner: Shelf | None = None) -> dict[str, Path]:
        """Return every reference to documents of `kind`: `core/x`, `team/x`, and `x` where no other has it.

        These are the references that documents of the project may hold, or those of the library `owner`.
        """
        key = (kind, "" if owner is None else owner.name)
        if key not in self._known:
            known = self._own(kind) if owner is None else owner.all(kind, self.reader)
            for path in self.core(kind):
                name = path.name.partition(".")[0]
                known.setdefault(name, path)
                known[f"{_CORE}/{name}"] = path
            for shelf in self.shelves.usable(owner) if self.shelves is not None else ():
                exported = shelf.exported(kind, self.reader)
                known |= {f"{shelf.name}/{name}": path for name, path in exported.items()}
            self._known[key] = known
        return self._known[key]

    def _own(self, kind: Kind) -> dict[str, Path]:
        """Return the documents of the project itself by id; what lies in its libraries is theirs."""
        known: dict[str, Path] = {}
        if self.area is None or self.shelves is None:
            return known
        libraries = self.shelves.folders()
        for path, named in self.reader.searched(self.area.root).files:
            if named is not kind or any(path.is_relative_to(folder) for folder in libraries):
                continue
            document = self.reader.look(path)
            if document is not None and document.kind is kind and document.value.id:
                known.setdefault(document.value.id, path)
            elif document is None or not document.value.id:
                self._unread[kind, path.name.partition(".")[0]] = path
        return known

    @staticmethod
    def core(kind: Kind) -> list[Path]:
        """Return the files of the core library of one kind, sorted; their names are their ids."""
        if kind not in _FOLDERS:
            return []
        folder = core_area().root / _FOLDERS[kind]
        return sorted(folder.glob(f"*.{kind.value.lower()}.yaml"))

    def _at_path(
        self, kind: Kind, reference: str, stated_in: Path, span: Span
    ) -> Document[DocumentValue] | None:
        area = self.area or Area(stated_in.resolve().parent)
        if not self.reader.diagnostics.has_room("REF008", span.file):
            return None
        try:
            path = area.locate(stated_in, reference)
        except PathProblem as problem:
            self.reader.diagnostics.add(not_found(span, reference, str(problem)))
            return None
        return self.expected(kind, self.reader.use(path), span)

    def expected(
        self, kind: Kind, document: Document[DocumentValue] | None, span: Span
    ) -> Document[DocumentValue] | None:
        """Return the document where it is of `kind`, else report at `span` that another is needed."""
        if document is None or document.kind is kind:
            return document
        message = f'"{document.file}" is a {document.kind.value}, and a {kind.value} is needed here'
        hint = f"name a file such as ./x.{kind.value.lower()}.yaml"
        self.reader.diagnostics.add(_error(*_CODES[kind], span, message, hint))
        return None

    def _meets(self, document: Document[DocumentValue], kind: Kind, wanted: str, span: Span) -> bool:
        version = getattr(document.value, "version", None) or "0.0.0"
        try:
            if is_in_range(version, wanted):
                return True
            message = f'{kind.value.lower()} "{document.value.id}" has version {version}, not {wanted}'
        except UnitError as error:
            message = str(error)
        hint = f"there is {version}: write @^{version}, or leave the range out"
        self.reader.diagnostics.add(_error(*_CODES[kind], span, message, hint))
        return False

    def _undefined(
        self, kind: Kind, reference: str, name: str, place: tuple[Path, Span], owner: Shelf | None
    ) -> Diagnostic:
        stated_in, span = place
        known = self.all(kind, owner)
        library = name.partition("/")[0] if "/" in name else _CORE
        names = sorted(key for key in known if "/" in key or f"{_CORE}/{key}" not in known)
        noun = kind.value.lower()
        if library != _CORE and not any(shelf.name == library for shelf in self._usable(owner)):
            return self._no_library(kind, reference, library, span, owner)
        shared = next((key for key in names if key.endswith(f"/{name}")), None)
        near = shared or closest(name, names) or closest(name.removeprefix(f"{_CORE}/"), known)
        guess = guessed(near) if not name.endswith(_ENDINGS) else _as_path(name)
        finding = _error(
            *_CODES[kind],
            span,
            f'unknown {noun} "{reference}"',
            f"{guess}{_PLURALS.get(noun, f'{noun}s')}: {listed(names) or 'none'}",
        )
        document = self.reader.look(stated_in.resolve())
        if near is None or document is None:
            return finding
        meant = near + reference.removeprefix(name)
        edits = (respell(document.text, span, meant),)
        fix = Fix(title=f'change to "{meant}"', edits=edits, safe=False)
        return replace(finding, fix=fix)

    def _usable(self, owner: Shelf | None) -> tuple[Shelf, ...]:
        return () if self.shelves is None else self.shelves.usable(owner)

    def _no_library(
        self, kind: Kind, reference: str, library: str, span: Span, owner: Shelf | None
    ) -> Diagnostic:
        """Return the finding about a reference into a library that cannot be used."""
        if reference.endswith(_ENDINGS):
            message = f'unknown {kind.value.lower()} "{reference}"'
            return _error(*_CODES[kind], span, message, _as_path(reference) + "names with / are of libraries")
        reason = self.shelves.missing(library) if self.shelves is not None and owner is None else None
        if reason is not None:
            return _error(*_CODES[kind], span, *reason)
        if owner is not None and self.shelves is not None and library in self.shelves.locked:
            message = f'{owner.name} uses the library "{library}" and does not require it'
            return _error(*_CODES[kind], span, message, "add it to requires in its library.yaml")
        names = [_CORE, *(self.shelves.declared if self.shelves is not None else ())]
        near = closest(library, names)
        guess = guessed(near)
        message = f'unknown library "{library}" in "{reference}"'
        hint = f"{guess}libraries: {', '.join(names)}; another comes with: maestro lib add SOURCE"
        return _error(*_CODES[kind], span, message, hint)


_PLURALS: Final = {"policy": "policies"}
_ENDINGS: Final = (".yaml", ".yml")


def _as_path(name: str) -> str:
    return f'a path begins with ./ or ../: did you mean "./{name}"? '


ONLY_IN_NODES: Final = (
    "expressions are evaluated in with, persona, contract and idempotency_key of a blueprint's nodes"
)
"""What to say of braces anywhere else."""


def not_found(span: Span, text: str, problem: str) -> Diagnostic:
    """Return REF008 for a path that cannot be used."""
    reason, _, guess = problem.partition(DID_YOU_MEAN)
    hint = f"did you mean {guess}" if guess else None
    if hint is None and reason in {"does not exist", "matches no file"}:
        here = "a path starts at the folder of the file that states it"
        hint = ONLY_IN_NODES if "{{" in text else here
    return _error("REF008", "missing-file", span, f'"{text}" {reason}', hint)


def _error(code: str, name: str, span: Span, message: str, help_text: str | None) -> Diagnostic:
    return Diagnostic(
        code=code, name=name, severity=Severity.ERROR, span=span, message=message, help=help_text
    )
