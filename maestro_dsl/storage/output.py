"""The output folder: puts a node's files in place, and knows which files there are ours.

Publishing can be interrupted anywhere and done again: a note names what is under way before the first rename.
A file that a person changed is never overwritten or removed unless they said so. Does not run anything.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from maestro_dsl.codec import digest_bytes
from maestro_dsl.engine.events import FileRef
from maestro_dsl.engine.ports.storage import Pruned
from maestro_dsl.errors import UnrecoverableError
from maestro_dsl.lang.patterns import glob_match
from maestro_dsl.storage.files import looking_at, writing_to
from maestro_dsl.storage.folder import OWN, Folder, Seen, is_plain
from maestro_dsl.storage.lease import Lock
from maestro_dsl.storage.manifest import Entry, Manifest, Note, Underway, decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from maestro_dsl.engine.ports.storage import ArtifactStore

_MANIFEST = "manifest.json"
_UNDERWAY = "underway.json"
_SHOWN = 5
_WILD = re.compile(r"[*?\[{]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A path where a person's content and ours meet; `node` made ours, "" where we have none there."""

    path: str
    reason: str
    node: str = ""


class OutputFolder:
    """The engine's `Publisher` on a folder; hold `lock()` while a run publishes.

    `plan` is the id of the plan that publishes here; what another plan made in the folder is not removed.
    """

    def __init__(self, root: Path, artifacts: ArtifactStore, plan: str = "") -> None:
        self.root = root
        self._plan = plan
        self._artifacts = artifacts
        self._guard = threading.RLock()
        self._folder = Folder(root)

    def lock(self) -> Lock:
        """Return the lock of this folder, whatever the state directory; nothing is taken yet."""
        with writing_to(self.root):
            self._folder.create()
        return Lock(self.root / OWN / "lock", f"the output folder {self.root}")

    def files(self) -> Mapping[str, Entry]:
        """Return what the manifest lists.

        Raises:
            IntegrityError: the manifest is damaged.
            EnvironmentFailure: it cannot be read.
        """
        with looking_at(self.root):
            return self._manifest().files

    # ---- publishing --------------------------------------------------------------------------------------

    def publish(self, node: str, key: str, files: Sequence[FileRef]) -> None:
        """Put the files in place and remove what this node no longer makes; idempotent by digest.

        Raises:
            UnrecoverableError: a path leaves the folder, or a file that is not ours stands in the way.
            IntegrityError: stored content or the manifest is damaged; nothing was renamed.
            EnvironmentFailure, DiskFailure: the folder cannot be written.
        """
        with self._guard, writing_to(self.root):
            manifest, underway = self._manifest(), self._underway()
            wanted = {file.path: file for file in files}
            if len(wanted) != len(files):
                raise UnrecoverableError(f"{node} wrote the same path twice")
            seen = {path: self._folder.look(path) for path in wanted}
            self._refuse_conflicts(manifest, underway, wanted, seen)
            entries = {
                path: self._entry(node, key, file, manifest.files.get(path)) for path, file in wanted.items()
            }
            to_write = [file for path, file in wanted.items() if not _in_place(entries[path], seen[path])]
            stale = _made_by(manifest, underway, lambda maker: maker.node == node) - set(wanted)
            if to_write:
                self._stage(to_write)
                underway = _noted(underway, Note(node=node, digests=(), plan=self._plan), to_write)
                self._save(_UNDERWAY, encode(underway))
            for file in to_write:
                self._folder.place(_staged_name(file), file.path)
            self._remove(stale, manifest, underway)
            kept = {path: entry for path, entry in manifest.files.items() if path not in stale}
            self._finish(Manifest(files={**kept, **entries}), underway, {*wanted, *stale}, manifest)

    def prune(self, nodes: Collection[str]) -> Pruned:
        """Remove what this plan made here with nodes that are not among `nodes`; idempotent.

        A file that was changed since stays and is not ours any more.

        Raises:
            IntegrityError: the manifest is damaged; nothing was removed.
            EnvironmentFailure, DiskFailure: the folder cannot be written; doing it again goes on.
        """
        with self._guard, writing_to(self.root):
            manifest, underway = self._manifest(), self._underway()
            stale = self._outdated(manifest, underway, nodes)
            if not stale:
                return Pruned()
            removed = self._remove(stale, manifest, underway)
            kept = {path: entry for path, entry in manifest.files.items() if path not in stale}
            self._finish(Manifest(files=kept), underway, stale, manifest)
        return Pruned(removed=tuple(removed), kept=tuple(sorted(stale.difference(removed))))

    def accepted(self) -> Sequence[str]:
        """Return the paths of this plan at which a person's version is kept in the place of ours.

        Raises:
            IntegrityError: the manifest is damaged.
        """
        files = self.files().items()
        return tuple(path for path, item in sorted(files) if item.accepted and item.plan in {"", self._plan})

    def outdated(self, nodes: Collection[str]) -> Sequence[str]:
        """Return the paths that `prune` would remove, as the folder is now; changes nothing."""
        with self._guard, writing_to(self.root):
            manifest, underway = self._manifest(), self._underway()
            stale = self._outdated(manifest, underway, nodes)
            return tuple(path for path in sorted(stale) if self._may_go(path, manifest, underway))

    # ---- a person's changes ------------------------------------------------------------------------------

    def conflicts(self, writes: Iterable[str] = ()) -> Sequence[Conflict]:
        """Return listed files that differ from ours, and unlisted ones that match a glob of `writes`."""
        with self._guard, writing_to(self.root):
            manifest, underway = self._manifest(), self._underway()
            found: dict[str, Conflict] = {}
            for path, entry in manifest.files.items():
                seen = self._folder.look(path)
                if seen.kind != "absent" and not _is_ours(path, entry, underway, seen):
                    found[path] = Conflict(path=path, reason=_reason(seen), node=entry.node)
            for path in self._unlisted(writes, manifest):
                seen = self._folder.look(path)
                if not _is_ours(path, None, underway, seen):
                    found[path] = Conflict(path=path, reason=_reason(seen, listed=False))
        return tuple(found[path] for path in sorted(found))

    def accept(self, paths: Iterable[str]) -> None:
        """Keep what a person put at `paths`: publishing leaves it there, and it is no conflict any more.

        Raises:
            UnrecoverableError: no regular file stands there.
        """
        with self._guard, writing_to(self.root):
            manifest = self._manifest()
            files = dict(manifest.files)
            for path in paths:
                seen = self._folder.look(path)
                if seen.kind != "file":
                    raise UnrecoverableError(f"{path} cannot be kept: {_reason(seen)}")
                entry = files.get(path) or Entry(sha256=seen.digest, node="", key="")
                files[path] = replace(entry, accepted=seen.digest)
            self._save_changed(Manifest(files=files), manifest)

    def replaceable(self, paths: Iterable[str]) -> Mapping[str, Seen]:
        """Return what stands at `paths`; changes nothing.

        Raises:
            UnrecoverableError: a folder stands there, or the path is reached through a symbolic link.
        """
        with self._guard, writing_to(self.root):
            found = {path: self._folder.look(path) for path in paths}
        for path, seen in found.items():
            if seen.kind in {"folder", "blocked"}:
                raise UnrecoverableError(
                    f"{path} cannot be replaced: {_reason(seen)}", hint="move it away by hand"
                )
        return found

    def replace(self, paths: Iterable[str]) -> None:
        """Allow what stands at `paths` to be replaced: listed files at once, others when they are published.

        Raises:
            UnrecoverableError: a folder stands there, or the path is reached through a symbolic link.
        """
        with self._guard, writing_to(self.root):
            manifest, underway = self._manifest(), self._underway()
            files, allowed = dict(manifest.files), dict(underway.replace)
            for path, seen in self.replaceable(paths).items():
                if seen.kind != "absent":
                    allowed[path] = seen.mark
                if path in files:
                    files[path] = replace(files[path], accepted=None)
            self._save(_UNDERWAY, encode(replace(underway, replace=allowed)))
            self._save_changed(Manifest(files=files), manifest)
            self.restore([p for p in allowed if p in files and self._artifacts.has(files[p].sha256)])

    def missing(self) -> Sequence[str]:
        """Return the listed files that are gone."""
        with self._guard, writing_to(self.root):
            return tuple(path for path in self._manifest().files if self._folder.look(path).kind == "absent")

    def restore(self, paths: Iterable[str]) -> None:
        """Put our version of listed files back from the artifact store, without running anything.

        Raises:
            IntegrityError: the store has lost the content.
            UnrecoverableError: a file that is not ours stands there.
        """
        with self._guard, writing_to(self.root):
            manifest, underway = self._manifest(), self._underway()
            entries = {p: replace(manifest.files[p], accepted=None) for p in paths if p in manifest.files}
            wanted = {
                path: FileRef(path=path, digest=entry.sha256, size=0, executable=entry.executable)
                for path, entry in entries.items()
            }
            seen = {path: self._folder.look(path) for path in wanted}
            self._refuse_conflicts(manifest, underway, wanted, seen)
            to_write = [file for path, file in wanted.items() if not _in_place(entries[path], seen[path])]
            self._stage(to_write)
            for file in to_write:
                self._folder.place(_staged_name(file), file.path)
            self._finish(Manifest(files={**manifest.files, **entries}), underway, set(wanted), manifest)

    # ---- steps -------------------------------------------------------------------------------------------

    def _refuse_conflicts(
        self,
        manifest: Manifest,
        underway: Underway,
        wanted: Mapping[str, FileRef],
        seen: Mapping[str, Seen],
    ) -> None:
        bad = [
            f"{path} ({_reason(seen[path], listed=path in manifest.files)})"
            for path, file in wanted.items()
            if seen[path].mark != file.digest
            and seen[path].kind != "absent"
            and not _is_ours(path, manifest.files.get(path), underway, seen[path])
        ]
        if bad:
            more = f" and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
            raise UnrecoverableError(
                f"in {self.root} stands what is not ours: {', '.join(bad[:_SHOWN])}{more}",
                hint="keep it with --accept, overwrite it with --replace, or move it away",
            )

    def _entry(self, node: str, key: str, file: FileRef, old: Entry | None) -> Entry:
        accepted = old.accepted if old is not None else None
        return Entry(
            sha256=file.digest,
            node=node,
            key=key,
            executable=file.executable,
            accepted=accepted,
            plan=self._plan,
        )

    def _outdated(self, manifest: Manifest, underway: Underway, nodes: Collection[str]) -> set[str]:
        """Return the paths whose maker has left this plan; of an unknown plan (an old manifest) none."""
        if not self._plan:
            return set()
        return _made_by(
            manifest,
            underway,
            lambda maker: maker.plan == self._plan and maker.node not in nodes,
        )

    def _may_go(self, path: str, manifest: Manifest, underway: Underway) -> bool:
        """Return whether what stands there is ours, or nothing does."""
        seen, entry, note = self._folder.look(path), manifest.files.get(path), underway.ours.get(path)
        ours = set(note.digests if note else ())
        if entry is not None:
            ours = (ours | {entry.sha256}) - {entry.accepted}
        return seen.kind == "absent" or seen.digest in ours

    def _stage(self, files: Iterable[FileRef]) -> None:
        for file in files:
            content = self._artifacts.get(file.digest)
            self._folder.stage(_staged_name(file), content, executable=file.executable)

    def _remove(self, paths: Iterable[str], manifest: Manifest, underway: Underway) -> list[str]:
        removed = []
        for path in sorted(paths):
            if self._may_go(path, manifest, underway):
                self._folder.remove(path)  # where it is absent, folders may have been left empty
                removed.append(path)
        return removed

    def _finish(self, new: Manifest, underway: Underway, done: Collection[str], old: Manifest) -> None:
        self._save_changed(new, old)
        rest = Underway(
            ours={path: note for path, note in underway.ours.items() if path not in done},
            replace={path: mark for path, mark in underway.replace.items() if path not in done},
        )
        if rest.ours or rest.replace:
            self._save(_UNDERWAY, encode(rest))
        else:
            self._folder.remove_own(_UNDERWAY)
        self._folder.clear_staged()

    def _save_changed(self, new: Manifest, old: Manifest) -> None:
        if new != old or self._folder.read_own(_MANIFEST) is None:
            self._save(_MANIFEST, encode(new))

    def _save(self, name: str, content: bytes) -> None:
        self._folder.stage(name, content)
        self._folder.place_own(name, name)

    def _manifest(self) -> Manifest:
        return decode(Manifest, self._folder.read_own(_MANIFEST), str(self.root / OWN / _MANIFEST))

    def _underway(self) -> Underway:
        return decode(Underway, self._folder.read_own(_UNDERWAY), str(self.root / OWN / _UNDERWAY))

    def _unlisted(self, writes: Iterable[str], manifest: Manifest) -> Iterable[str]:
        for glob in writes:
            folders = _fixed_folders(glob)
            above = ("/".join(folders[:depth]) for depth in range(1, len(folders) + 1))
            blocker = next((p for p in above if self._folder.look(p).kind not in {"absent", "folder"}), None)
            if blocker is not None:
                yield blocker
                continue
            if not _WILD.search(glob) and self._folder.look(glob).kind == "folder":
                yield glob
            for path in self._folder.walk("/".join(folders)):
                # What no node could write to cannot be in the way of one.
                if path not in manifest.files and is_plain(path) and glob_match(glob, path):
                    yield path


def _fixed_folders(glob: str) -> tuple[str, ...]:
    """Return the folders of a glob before its first part with a wildcard."""
    folders = glob.split("/")[:-1]
    wild = next((place for place, part in enumerate(folders) if _WILD.search(part)), len(folders))
    return tuple(folders[:wild])


def _in_place(entry: Entry, seen: Seen) -> bool:
    if entry.accepted is not None and seen.digest == entry.accepted:
        return True
    return seen.digest == entry.sha256 and seen.executable == entry.executable


def _is_ours(path: str, entry: Entry | None, underway: Underway, seen: Seen) -> bool:
    note = underway.ours.get(path)
    known = {underway.replace.get(path), *(note.digests if note else ())}
    if entry is not None:
        known |= {entry.sha256, entry.accepted}
    return seen.mark in known


def _made_by(manifest: Manifest, underway: Underway, chosen: Callable[[Entry | Note], bool]) -> set[str]:
    """Return the paths whose maker is `chosen`; what is listed goes before what was only under way."""
    makers: dict[str, Entry | Note] = {**underway.ours, **manifest.files}
    return {path for path, maker in makers.items() if chosen(maker)}


def _noted(underway: Underway, maker: Note, files: Iterable[FileRef]) -> Underway:
    added = {}
    for file in files:
        old = underway.ours.get(file.path)
        digests = {file.digest, *(old.digests if old else ())}
        added[file.path] = replace(maker, digests=tuple(sorted(digests)))
    return replace(underway, ours={**underway.ours, **added})


def _staged_name(file: FileRef) -> str:
    return digest_bytes(file.path.encode())[:32]


def _reason(seen: Seen, *, listed: bool = True) -> str:
    return {
        "file": "changed since we wrote it" if listed else "an unlisted file",
        "folder": "a folder",
        "link": "a symbolic link",
        "special": "a device, pipe or socket",
        "blocked": "reached through a symbolic link or a file",
        "absent": "nothing is there",
    }[seen.kind]
