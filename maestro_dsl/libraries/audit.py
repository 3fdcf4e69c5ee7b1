"""Whether manifest, lock and disk agree about the libraries. Asks no network and changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from maestro_dsl.errors import IntegrityError
from maestro_dsl.lang.disk import is_file
from maestro_dsl.lang.files import LIBRARY_FILE, PROJECT_FILE
from maestro_dsl.lang.folder import Folder, FolderProblem, read_folder
from maestro_dsl.lang.lockfile import INSTALLED, LOCK_FILE, Lock, Locked, LockRead, lock_of
from maestro_dsl.lang.units import is_in_range
from maestro_dsl.libraries.manifest import (
    CORE,
    Manifest,
    ManifestProblem,
    core_version,
    manifest_of,
    required,
)
from maestro_dsl.libraries.sources import SourceProblem, Stated, parse_source, parse_stated

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_TOLD: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """What manifest and lock do not agree about."""

    name: str
    message: str
    in_lock: bool = False
    """True where the lock holds what the manifest does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """An installed library that is not what the lock says."""

    name: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What was found about the libraries of one project."""

    read: LockRead | None
    """None where there is no lock."""
    disagreements: tuple[Disagreement, ...] = ()
    broken: tuple[Broken, ...] = ()
    missing: tuple[str, ...] = ()
    """Libraries that are pinned and not installed."""
    folders: Mapping[Path, Folder] = field(default_factory=dict, repr=False)
    """Real folder → what it holds, of each library that is what the lock says."""

    @property
    def lock(self) -> Lock | None:
        """The lock, where there is one that can be read."""
        return None if self.read is None else self.read.lock


def audit(root: Path, libraries: Mapping[str, str], *, file: str = LOCK_FILE) -> Audit:
    """Compare the `libraries` of the project at `root` with its lock, called `file`, and with the disk."""
    read = lock_of(root, file=file)
    if read is None or read.lock is None:
        reason = f"there is no {LOCK_FILE}" if read is None else f"{LOCK_FILE} {read.problem}"
        found = [
            Disagreement(name=name, message=f"library {name} is not locked: {reason}") for name in libraries
        ]
        if read is not None and not libraries:
            found.append(Disagreement(name="", message=f"{LOCK_FILE} {read.problem}", in_lock=True))
        return Audit(read=read, disagreements=tuple(found))
    return _Auditor(root, libraries, read.lock).audit(read)


def require_sound(found: Audit) -> None:
    """Refuse to go on where the lock is out of date, or a library is not what it says.

    Raises:
        IntegrityError: that is so; the text says what was found.
    """
    if found.broken:
        told = "; ".join(item.message for item in found.broken[:_MOST_TOLD])
        raise IntegrityError(
            told, hint="see what changed, then put the pinned files back: maestro lib install"
        )
    if found.disagreements:
        told = "; ".join(item.message for item in found.disagreements[:_MOST_TOLD])
        raise IntegrityError(
            f"{LOCK_FILE} is out of date: {told}", hint="maestro lib lock brings it up to date"
        )


def contents_of(found: Audit) -> dict[Path, bytes]:
    """Return the contents that were checked, by real path, so that nothing else is read in their place."""
    return {
        folder / name: content
        for folder, item in found.folders.items()
        for name, content in item.files.items()
    }


class _Auditor:
    def __init__(self, root: Path, libraries: Mapping[str, str], lock: Lock) -> None:
        self._root = root
        self._libraries = libraries
        self._locked = lock.libraries
        self._wanted: dict[str, Stated] = {}
        self._folders: dict[Path, Folder] = {}
        self._missing: list[str] = []
        self._broken: list[Broken] = []

    def audit(self, read: LockRead) -> Audit:
        disagreements = [*self._own(), *self._required(), *self._on_disk()]
        unique = {(item.name, item.message): item for item in disagreements}
        return Audit(
            read=read,
            disagreements=tuple(unique.values()),
            broken=tuple(self._broken),
            missing=tuple(self._missing),
            folders=self._folders,
        )

    def _own(self) -> Iterator[Disagreement]:
        """Yield where the lock does not give the project what it asks for."""
        for name, text in self._libraries.items():
            if name == CORE:
                yield Disagreement(name=name, message=f'the library "{CORE}" is built in: use another name')
                continue
            try:
                self._wanted[name] = parse_stated(text)
            except SourceProblem as problem:
                yield Disagreement(name=name, message=f'library {name}: "{text}" {problem}')
                continue
            yield from self._unmet(name, self._wanted[name], PROJECT_FILE, name)

    def _required(self) -> Iterator[Disagreement]:
        """Yield where it does not give a library what that requires, and what nobody asks for."""
        reached = [name for name in self._wanted if name in self._locked]
        for name in reached:  # grows
            for other, text in self._locked[name].requires.items():
                try:
                    stated = required(other, text)
                except ManifestProblem as problem:
                    yield Disagreement(name=name, message=f"library {name} {problem}", in_lock=True)
                    continue
                yield from self._unmet(other, stated, f"{name} {self._locked[name].version}", name)
                if other in self._locked and other not in reached:
                    reached.append(other)
        for name in self._locked:
            if name not in reached and name not in self._libraries:
                message = f"{LOCK_FILE} pins {name}, which nobody asks for"
                yield Disagreement(name=name, message=message, in_lock=True)

    def _unmet(self, name: str, stated: Stated, by: str, place: str) -> Iterator[Disagreement]:
        """Yield why what is pinned as `name` is not what `by` asks for; it is told at `place`."""
        in_lock = place not in self._libraries
        if name == CORE:
            if stated.range and not is_in_range(core_version(), stated.range):
                message = f"{by} asks for {CORE} {stated.range}, and {core_version()} is built in"
                yield Disagreement(name=place, message=message, in_lock=in_lock)
            return
        locked = self._locked.get(name)
        if locked is None:
            message = f"library {name} is not in {LOCK_FILE}"
            message += "" if by == PROJECT_FILE else f", and {by} requires it"
            yield Disagreement(name=place, message=message, in_lock=in_lock)
            return
        reason = self._reason(locked, stated, is_own=by == PROJECT_FILE)
        if reason is not None:
            yield Disagreement(name=place, message=f"{by} asks for {name} {reason}", in_lock=in_lock)

    def _reason(self, locked: Locked, stated: Stated, *, is_own: bool) -> str | None:
        try:
            parse_source(locked.source)
        except SourceProblem as problem:
            return f'and {LOCK_FILE} says "{locked.source}", which {problem}'
        if stated.source is not None and is_own and str(stated.source) != locked.source:
            return f"from {stated.source}, and {LOCK_FILE} has it from {locked.source}"
        if stated.commit is not None and stated.commit != locked.commit:
            return f"at {stated.commit[:12]}, and {LOCK_FILE} pins {str(locked.commit)[:12]}"
        if stated.range and not is_in_range(locked.version, stated.range):
            return f"{stated.range}, and {LOCK_FILE} pins {locked.version}"
        return None

    def _on_disk(self) -> Iterator[Disagreement]:
        """Yield the folders that changed since they were pinned; note what is missing and what is broken."""
        for name, locked in self._locked.items():
            folder = locked.folder(self._root)
            if locked.is_local:
                problem = self._difference(locked, folder)
                if problem is not None:
                    yield Disagreement(name=name, message=problem, in_lock=name not in self._libraries)
                continue
            if folder.resolve() != self._root.resolve().joinpath(*INSTALLED, name):
                message = f"library {name}: {'/'.join(INSTALLED)} is a symbolic link to elsewhere"
                self._broken.append(Broken(name=name, message=message))
            elif not is_file(folder / LIBRARY_FILE) and not folder.is_dir():
                self._missing.append(name)
            else:
                problem = self._difference(locked, folder)
                if problem is not None:
                    self._broken.append(Broken(name=name, message=problem))

    def _difference(self, locked: Locked, folder: Path) -> str | None:
        """Return what is wrong with the folder of a library; what is right with it is kept."""
        try:
            found = read_folder(folder, is_strict=not locked.is_local)
        except FolderProblem as problem:
            return f"library {locked.name} cannot be used: {problem}"
        try:
            manifest = manifest_of(found.files.get(LIBRARY_FILE), name=locked.name)
        except ManifestProblem as problem:
            return f"library {locked.name} {problem}"
        if found.digest != locked.digest:
            if locked.is_local:
                return _moved_on(locked, manifest)
            return f"library {locked.name} is not what {LOCK_FILE} pins: its files were changed"
        if manifest.version != locked.version or dict(manifest.requires) != dict(locked.requires):
            return f"{LOCK_FILE} does not say what library {locked.name} says: it was changed by hand"
        self._folders[folder.resolve()] = found
        return None


def _moved_on(locked: Locked, manifest: Manifest) -> str:
    if manifest.version != locked.version:
        return f"library {locked.name} is {manifest.version} now, and {LOCK_FILE} pins {locked.version}"
    return f"library {locked.name} has changed since it was locked"
