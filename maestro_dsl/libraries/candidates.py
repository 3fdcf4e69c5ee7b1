"""Which versions of a library there are: a folder is one, a repository has one a tag, the lock pins one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from maestro_dsl.errors import IntegrityError, UsageError
from maestro_dsl.lang.files import LIBRARY_FILE
from maestro_dsl.lang.folder import Folder, FolderProblem, read_folder
from maestro_dsl.lang.units import UnitError, parse_version
from maestro_dsl.libraries.git import Mirror, mirror
from maestro_dsl.libraries.manifest import CORE, Manifest, ManifestProblem, core_version, manifest_of
from maestro_dsl.libraries.sources import GitSource, LocalSource, Source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from maestro_dsl.lang.lockfile import Lock, Locked

Fits: TypeAlias = Callable[[str], bool]
"""Whether a version is one of those that are looked for."""
_TAG: Final = re.compile(
    r"(?:(?P<owner>[a-z][a-z0-9]*(?:-[a-z0-9]+)*)-)?v?(?P<version>\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One version of one library; `source` is None for the built-in one."""

    name: str
    version: str
    source: Source | None
    commit: str | None = None
    tag: str | None = None
    requires: Mapping[str, str] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        """Its name and version."""
        return f"{self.name} {self.version}"


class Catalogue(Protocol):
    """Where candidates are looked for; what was found and cannot be used is kept in `refused`."""

    refused: dict[str, list[str]]

    def versions(self, name: str, source: Source, fits: Fits) -> Iterator[Candidate]:
        """Yield the versions that `fits` likes, the newest first, releases before what leads to them."""

    def at(self, name: str, source: Source, commit: str) -> Candidate | None:
        """Return the library as it is at one commit."""


class Offline:
    """What can be said without a network: folders, and what is pinned already."""

    def __init__(self, root: Path, lock: Lock | None) -> None:
        self._root = root
        self._lock = lock
        self._folders: dict[str, Folder] = {}
        self.refused: dict[str, list[str]] = {}

    def versions(self, name: str, source: Source, fits: Fits) -> Iterator[Candidate]:
        """Yield the version of a folder, or the one that is pinned."""
        if isinstance(source, LocalSource):
            manifest = self._usable(name, source.path, self.folder(source).files.get(LIBRARY_FILE))
            if manifest is not None and fits(manifest.version):
                yield Candidate(
                    name=name, version=manifest.version, source=source, requires=manifest.requires
                )
            return
        pinned = self.pinned(name, source)
        if pinned is not None and fits(pinned.version):
            yield pinned

    def at(self, name: str, source: Source, commit: str) -> Candidate | None:
        """Return what is pinned where it is of this commit."""
        pinned = self.pinned(name, source)
        return pinned if pinned is not None and pinned.commit == commit else None

    def pinned(self, name: str, source: Source) -> Candidate | None:
        """Return what the lock pins where it comes from `source`, a repository."""
        locked = None if self._lock is None else self._lock.libraries.get(name)
        if locked is None or locked.is_local or locked.source != str(source):
            return None
        return candidate_of(locked, source)

    def folder(self, source: LocalSource) -> Folder:
        """Return a folder of documents as it is now.

        Raises:
            UsageError: it is not there.
            IntegrityError: it holds what cannot be shared.
        """
        if source.path not in self._folders:
            place = self._root / source.path
            if not place.is_dir():
                raise UsageError(f"there is no folder {source.path}", hint="a library is said to be there")
            try:
                self._folders[source.path] = read_folder(place)
            except FolderProblem as problem:
                raise IntegrityError(f"the library at {source.path} cannot be used: {problem}") from problem
        return self._folders[source.path]

    def contents(self, source: Source, commit: str | None) -> Folder:
        """Return the files of a library, where they lie in a folder.

        Raises:
            UsageError: the folder is not there, or they come from a repository.
            IntegrityError: it holds what cannot be shared.
        """
        if isinstance(source, GitSource):
            raise UsageError(f"{source} at {commit} is not here", hint="maestro lib lock fetches it")
        return self.folder(source)

    def _usable(
        self, name: str, shown: str, content: bytes | None, version: str | None = None
    ) -> Manifest | None:
        try:
            return manifest_of(content, name=name, version=version)
        except ManifestProblem as problem:
            reasons = self.refused.setdefault(name, [])
            if f"{shown} {problem}" not in reasons:
                reasons.append(f"{shown} {problem}")
            return None


class Online(Offline):
    """Folders and repositories; each repository is asked once."""

    def __init__(
        self,
        root: Path,
        lock: Lock | None,
        *,
        cache: Path,
        environ: Mapping[str, str],
        freed: frozenset[str] | None = frozenset(),
    ) -> None:
        super().__init__(root, lock)
        self._cache = cache
        self._environ = environ
        self._freed = freed
        """Names of libraries whose pins do not count; None = of all."""
        self._mirrors: dict[str, Mirror] = {}
        self._manifests: dict[tuple[str, str, str], Manifest | None] = {}

    def versions(self, name: str, source: Source, fits: Fits) -> Iterator[Candidate]:
        """Yield what is pinned first, so that as little as possible changes, then the newest."""
        if isinstance(source, LocalSource):
            yield from super().versions(name, source, fits)
            return
        pinned = None if self._freed is None or name in self._freed else self.pinned(name, source)
        if pinned is not None and fits(pinned.version):
            yield pinned
        for version, tag, commit in tagged(self.mirror(source), name):
            if not fits(version) or (pinned is not None and version == pinned.version):
                continue
            found = self._candidate(name, source, commit, version=version, tag=tag)
            if found is not None:
                yield found

    def at(self, name: str, source: Source, commit: str) -> Candidate | None:
        """Return the library at a commit, which is fetched where it is not here."""
        pinned = super().at(name, source, commit)
        if pinned is not None or not isinstance(source, GitSource):
            return pinned
        self.mirror(source).require(commit)
        return self._candidate(name, source, commit)

    def mirror(self, source: GitSource) -> Mirror:
        """Return the mirror of a repository."""
        key = str(source)
        if key not in self._mirrors:
            self._mirrors[key] = mirror(source, self._cache, self._environ)
        return self._mirrors[key]

    def contents(self, source: Source, commit: str | None) -> Folder:
        """Return the files of a library.

        Raises:
            IntegrityError: it holds what cannot be shared.
            EnvironmentFailure: it cannot be fetched.
        """
        if isinstance(source, LocalSource) or commit is None:
            return super().contents(source, commit)
        repository = self.mirror(source)
        repository.require(commit)
        return repository.read(commit)

    def _candidate(
        self, name: str, source: GitSource, commit: str, *, version: str | None = None, tag: str | None = None
    ) -> Candidate | None:
        key = (name, str(source), commit)
        if key not in self._manifests:
            content = self.mirror(source).file(commit, LIBRARY_FILE)
            self._manifests[key] = self._usable(name, tag or commit[:12], content, version)
        manifest = self._manifests[key]
        if manifest is None:
            return None
        return Candidate(
            name=name,
            version=manifest.version,
            source=source,
            commit=commit,
            tag=tag,
            requires=manifest.requires,
        )


def tagged(repository: Mirror, name: str | None = None) -> list[tuple[str, str, str]]:
    """Return (version, tag, commit) of the tags of the library `name`, or of any, the newest first.

    Tags are `team-v1.2.3` where there are such, else `v1.2.3` or `1.2.3`; others mean no version.
    """
    from packaging.version import InvalidVersion, Version  # loads slowly

    found = []
    for tag in repository.tags():
        match = _TAG.fullmatch(tag.name)
        try:
            parse_version(match["version"] if match else "")
            order = Version(match["version"] if match else "")
        except (UnitError, InvalidVersion):
            continue
        owner = match["owner"] if match else None
        found.append((not order.is_prerelease, order, owner, tag, match["version"] if match else ""))
    own = [item for item in found if item[2] == name] if name is not None else found
    chosen = own or [item for item in found if item[2] is None]
    chosen.sort(key=lambda item: item[:2], reverse=True)
    return [(version, tag.name, tag.commit) for _, _, _, tag, version in chosen]


def candidate_of(locked: Locked, source: Source) -> Candidate:
    """Return what a lock pins."""
    return Candidate(
        name=locked.name,
        version=locked.version,
        source=source,
        commit=locked.commit,
        tag=locked.tag,
        requires=locked.requires,
    )


def built_in() -> Candidate:
    """Return the library that comes with the tool."""
    return Candidate(name=CORE, version=core_version(), source=None)
