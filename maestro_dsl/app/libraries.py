"""Shared libraries of a project: lock, install, update, add, verify and list them.

Writes `maestro.lock` and `.maestro/libraries` only after everything was found sound.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from maestro_dsl.app.library_changes import ContractBreak, contract_breaks
from maestro_dsl.app.library_contents import require_contents
from maestro_dsl.app.lint_cache import cache_of
from maestro_dsl.app.rewriting import write_whole
from maestro_dsl.diagnostics import Severity
from maestro_dsl.errors import CompileError, EnvironmentFailure, IntegrityError, UsageError
from maestro_dsl.lang.files import PROJECT_FILE, root_above
from maestro_dsl.lang.finder import Reader
from maestro_dsl.lang.lockfile import LOCK_FILE, Lock, Locked, lock_of, lock_text
from maestro_dsl.lang.model import Project
from maestro_dsl.lang.suggest import closest
from maestro_dsl.libraries.audit import Audit, audit, require_sound
from maestro_dsl.libraries.candidates import Online
from maestro_dsl.libraries.install import install, require_digest
from maestro_dsl.libraries.locking import make_lock, wanted_of
from maestro_dsl.libraries.sources import parse_source
from maestro_dsl.reporters.text import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.folder import Folder
    from maestro_dsl.lang.model import DocumentValue

_NO_PROJECT: Final = f"make a {PROJECT_FILE} first, or go to the folder that has one"


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryChange:
    """A library whose pin changes; None = it was not pinned before, or is not pinned any more."""

    name: str
    before: str | None
    after: str | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LockResult:
    """What locking came to; with `breaks` that were not accepted nothing was written."""

    root: Path
    libraries: tuple[Locked, ...]
    changes: tuple[LibraryChange, ...] = ()
    breaks: tuple[ContractBreak, ...] = ()
    installed: tuple[str, ...] = ()
    is_written: bool = False
    """True where the lock is another one than before."""

    @property
    def is_refused(self) -> bool:
        """True where broken contracts keep the lock as it was."""
        return bool(self.breaks) and not self.is_written


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryInfo:
    """One library of a project and how it stands: ok, changed, broken, "not installed", "not locked"."""

    name: str
    stated: str | None
    """As `maestro.yaml` has it; None where only other libraries require it."""
    version: str | None
    source: str | None
    commit: str | None
    digest: str | None
    state: str
    detail: str = ""
    required_by: tuple[str, ...] = ()


def project_of(folder: Path) -> tuple[Path, Document[DocumentValue], Project]:
    """Return the folder of the project around `folder`, its document and what it says.

    Raises:
        UsageError: there is none.
        CompileError: it has mistakes.
    """
    root = root_above(folder.resolve())
    reader = Reader()
    document = reader.use(root / PROJECT_FILE) if (root / PROJECT_FILE).is_file() else None
    if reader.diagnostics.has_errors:
        sources = {} if document is None else {document.file: document.text}
        told = plural(reader.diagnostics.count(Severity.ERROR), "mistake")
        raise CompileError(f"{PROJECT_FILE} has {told}", reader.diagnostics, sources=sources)
    if document is None or not isinstance(document.value, Project):
        raise UsageError(f"there is no {PROJECT_FILE} here", hint=_NO_PROJECT)
    return root, document, document.value


def lock_libraries(
    folder: Path,
    *,
    environ: Mapping[str, str],
    update: Sequence[str] | None = (),
    accept_breaking: bool = False,
    with_install: bool = False,
) -> LockResult:
    """Write the lock of the project around `folder`; `update` names pins that do not count (None = all).

    Raises:
        UsageError: there is no project, or no such library.
        CompileError: no choice of versions suits everybody, or what a new one exports has mistakes.
        IntegrityError: a library is not what it was, or holds what cannot be shared.
        EnvironmentFailure: a repository cannot be reached, or a file not written.
    """
    root, _, project = project_of(folder)
    before = lock_of(root)
    previous = None if before is None else before.lock
    known = {*project.libraries, *(previous.libraries if previous is not None else ())}
    for name in update or ():
        if name not in known:
            near = closest(name, known)
            guess = f': did you mean "{near}"?' if near else ""
            there = ", ".join(sorted(known)) or "none"
            raise UsageError(f'no library "{name}"{guess}', hint=f"libraries: {there}")
    freed = None if update is None else frozenset(update)
    catalogue = online(root, previous, environ, freed)
    lock = make_lock(wanted_of(project.libraries), catalogue, previous)
    result = LockResult(
        root=root,
        libraries=tuple(lock.libraries.values()),
        changes=_changes(previous, lock),
        breaks=tuple(_breaks(previous, lock, catalogue)),
    )
    if result.breaks and not accept_breaking:
        return result
    _require_contents(previous, lock, catalogue)
    installed = install(root, lock, _contents(catalogue)) if with_install else ()
    text = lock_text(lock)
    is_new = (before is None and bool(lock.libraries)) or (before is not None and before.text != text)
    if is_new:
        _write(root / LOCK_FILE, text)
    return replace(result, installed=installed, is_written=is_new)


def install_libraries(folder: Path, *, environ: Mapping[str, str], frozen: bool = False) -> LockResult:
    """Install what the lock of the project around `folder` pins; `frozen` = refuse one that is out of date.

    Raises:
        IntegrityError: a library is not what the lock says; or `frozen` and the lock is out of date.
        UsageError, CompileError, EnvironmentFailure: as `lock_libraries`.
    """
    root, _, project = project_of(folder)
    found = audit(root, project.libraries)
    if found.disagreements or (found.lock is None and project.libraries):
        if frozen:
            require_sound(Audit(read=found.read, disagreements=found.disagreements))
        return lock_libraries(folder, environ=environ, with_install=True)
    lock = found.lock or Lock()
    installed = install(root, lock, _contents(online(root, lock, environ, frozenset())))
    return LockResult(root=root, libraries=tuple(lock.libraries.values()), installed=installed)


def verify_libraries(folder: Path) -> LockResult:
    """Compare manifest, lock and what is installed, byte by byte.

    Raises:
        IntegrityError: they do not agree, or a library is not installed.
        UsageError: there is no project.
    """
    root, _, project = project_of(folder)
    found = audit(root, project.libraries)
    require_sound(found)
    if found.missing:
        raise IntegrityError(f"not installed: {', '.join(found.missing)}", hint="maestro lib install")
    lock = found.lock or Lock()
    return LockResult(root=root, libraries=tuple(lock.libraries.values()))


def list_libraries(folder: Path) -> tuple[LibraryInfo, ...]:
    """Return the libraries of the project around `folder`, those that others require among them.

    Raises:
        UsageError: there is no project.
    """
    root, _, project = project_of(folder)
    found = audit(root, project.libraries)
    locked = {} if found.lock is None else dict(found.lock.libraries)
    return tuple(
        _info(name, project.libraries.get(name), locked, found)
        for name in dict.fromkeys([*project.libraries, *locked])
    )


def _info(name: str, stated: str | None, locked: Mapping[str, Locked], found: Audit) -> LibraryInfo:
    pin = locked.get(name)
    told = [item.message for item in found.disagreements if item.name == name]
    broken = [item.message for item in found.broken if item.name == name]
    if pin is None:
        state = "not locked"
    elif broken:
        state = "broken"
    elif told:
        state = "out of date"
    else:
        state = "not installed" if name in found.missing else "ok"
    return LibraryInfo(
        name=name,
        stated=stated,
        version=None if pin is None else pin.version,
        source=None if pin is None else pin.source,
        commit=None if pin is None else pin.commit,
        digest=None if pin is None else pin.digest,
        state=state,
        detail="; ".join([*broken, *told]),
        required_by=tuple(other for other, item in locked.items() if name in item.requires),
    )


def online(root: Path, lock: Lock | None, environ: Mapping[str, str], freed: frozenset[str] | None) -> Online:
    """Return where the libraries of the project at `root` are looked for; `freed` pins do not count."""
    cache = cache_of(environ)
    place = root / ".maestro" / "git" if cache is None else cache.folder.parent / "git"
    return Online(root, lock, cache=place, environ=environ, freed=freed)


def _contents(catalogue: Online) -> Callable[[Locked], Folder]:
    def read(locked: Locked) -> Folder:
        return catalogue.contents(parse_source(locked.source), locked.commit)

    return read


def _changes(previous: Lock | None, lock: Lock) -> tuple[LibraryChange, ...]:
    before = {} if previous is None else previous.libraries
    found = []
    for name in sorted({*before, *lock.libraries}):
        old, new = before.get(name), lock.libraries.get(name)
        if old == new:
            continue
        source = new.source if new is not None else old.source if old is not None else ""
        found.append(LibraryChange(name=name, before=_shown(old), after=_shown(new), source=source))
    return tuple(found)


def _shown(locked: Locked | None) -> str | None:
    return None if locked is None else locked.version


def _breaks(previous: Lock | None, lock: Lock, catalogue: Online) -> list[ContractBreak]:
    """Return the contracts that break between two pins of one library; of a folder, no older one is kept."""
    found: list[ContractBreak] = []
    for name, new in lock.libraries.items():
        old = None if previous is None else previous.libraries.get(name)
        if old is None or old.is_local or new.is_local or old.digest == new.digest:
            continue
        before, after = _contents(catalogue)(old), _contents(catalogue)(new)
        require_digest(old, before)
        found += contract_breaks(name, (old.version, before), (new.version, after))
    return found


def _require_contents(previous: Lock | None, lock: Lock, catalogue: Online) -> None:
    """Look into each library that was not pinned as it is now."""
    for name, new in lock.libraries.items():
        old = None if previous is None else previous.libraries.get(name)
        if old is None or old.digest != new.digest:
            place = new.source if new.is_local else name
            require_contents(f"library {name} {new.version}", place, _contents(catalogue)(new))


def _write(path: Path, text: str) -> None:
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise EnvironmentFailure(f"cannot write {path.name}: {error.strerror}") from error
