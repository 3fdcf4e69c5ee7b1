"""Content-addressed files: `objects/ab/cdef…`, named by SHA-256, verified on every read.

Small contents that were written with their events stand in the journal's database instead (`contents`); for
readers there is no difference.

Any number of processes may put the same content at once; the last rename wins and all wrote the same bytes.
What somebody relies on without writing it (content that is there already) is touched, so that a sweep that
began before the journal names it can tell it from what is in nobody's use.
"""

from __future__ import annotations

import fcntl
import os
import re
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from maestro_dsl.codec import digest_bytes
from maestro_dsl.errors import DiskFailure, IntegrityError
from maestro_dsl.scratch import OF_THE_MACHINE, REASONS
from maestro_dsl.storage.contents import StoredObject
from maestro_dsl.storage.files import (
    FILE_MODE,
    at_once,
    make_folder,
    make_folders,
    read_regular,
    sync_folder,
    write_all_durably,
    write_durably,
    writing_to,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from maestro_dsl.storage.contents import Contents

_DIGEST = re.compile(r"[0-9a-f]{64}")
_TOGETHER = 64
"""How many files are open at once."""
_ABANDONED_S = 86_400.0
_HINT = "run the node that made it again, or restore the state directory from a backup"


class Artifacts:
    """The engine's `ArtifactStore` in the folder `objects` of a state directory, and in its `contents`."""

    def __init__(self, folder: Path, contents: Contents | None = None, *, looking: bool = False) -> None:
        self.contents = contents
        self._objects = folder / "objects"
        self._scratch = folder / "objects" / "tmp"
        self._relied: set[str] = set()
        if not looking:  # who only looks makes nothing
            with writing_to(folder):
                make_folder(self._scratch)

    def put(self, content: bytes) -> str:
        """Store `content` durably and return its SHA-256; a damaged copy is replaced by this good one.

        Raises:
            DiskFailure: the folder cannot be written.
        """
        digest = digest_bytes(content)
        path = self._path(digest)
        with writing_to(path):
            if self._read(path) == content and self._touch(digest):
                sync_folder(path.parent)  # another process may be between its rename and its sync
                return digest
            make_folder(path.parent)
            write_durably(path, content, scratch=self._scratch)
        return digest

    def put_all(self, contents: Sequence[bytes]) -> tuple[str, ...]:
        """Store several contents durably and return their digests: as `put`, with fewer waits for the disk.

        Raises:
            DiskFailure: the folder cannot be written.
        """
        digests = tuple(map(digest_bytes, contents))
        named = dict(zip(digests, contents, strict=True))
        places = {digest: self._path(digest) for digest in named}
        absent = {
            place: named[digest]
            for digest, place in places.items()
            if self._read(place) != named[digest] or not self._touch(digest)
        }
        folders = list({place.parent for place in places.values()})
        paths = list(absent)
        with writing_to(self._objects):
            make_folders(folders)
            for start in range(0, len(paths), _TOGETHER):
                some = paths[start : start + _TOGETHER]
                write_all_durably({path: absent[path] for path in some}, scratch=self._scratch)
            at_once(sync_folder, folders)  # of what was there too: see `put`
        return digests

    def get(self, digest: str) -> bytes:
        """Return the content.

        Raises:
            IntegrityError: it is absent or differs from its digest.
            DiskFailure: the machine cannot read it.
        """
        try:
            content = read_regular(self._path(digest))
        except FileNotFoundError:
            row = None if self.contents is None else self.contents.get(digest)
            if row is None:
                raise IntegrityError(f"stored content {digest[:12]} is not there", hint=_HINT) from None
            content = row
        except OSError as problem:
            if problem.errno in OF_THE_MACHINE:  # what cannot be read now may be whole
                reason = REASONS.get(problem.errno, problem.strerror)
                raise DiskFailure(
                    f"cannot read stored content {digest[:12]}: {reason}",
                    hint="check the disk and the permissions, then go on",
                ) from problem
            raise IntegrityError(
                f"stored content {digest[:12]} cannot be read: {problem.strerror}", hint=_HINT
            ) from problem
        if digest_bytes(content) != digest:
            raise IntegrityError(f"stored content {digest[:12]} differs from its digest", hint=_HINT)
        return content

    def has(self, digest: str) -> bool:
        """Return whether the content is stored; its bytes are not read. What is, stays for the time being."""
        if self._path(digest).is_file() and self._rely(digest):
            return True
        return self.contents is not None and self.contents.has(digest)

    def objects(self) -> Iterator[StoredObject]:
        """Yield every stored object; what comes or goes meanwhile may be among them or not."""
        for path in self._objects.glob("[0-9a-f][0-9a-f]/*"):
            with suppress(FileNotFoundError):
                found = path.lstat()
                digest = path.parent.name + path.name
                yield StoredObject(digest=digest, size=found.st_size, used_at=found.st_mtime)
        if self.contents is not None:
            yield from self.contents.objects()

    def remove(self, digests: Sequence[str], *, unused_since: float) -> tuple[int, int]:
        """Remove those that nobody wrote or relied on since then; return how many and their bytes."""
        count = size = 0
        for digest in digests:
            path = self._path(digest)
            with self._locked(exclusive=True), suppress(FileNotFoundError):
                found = path.lstat()
                if found.st_mtime < unused_since:
                    path.unlink()
                    count, size = count + 1, size + found.st_size
        if self.contents is None:
            return count, size
        rows, inside = self.contents.remove(digests, unused_since=unused_since)
        return count + rows, size + inside

    def _rely(self, digest: str) -> bool:
        """Keep a sweep from removing an object that this process counts on; False where it is gone."""
        if digest not in self._relied and not self._touch(digest):
            return False
        self._relied.add(digest)
        return True

    def _touch(self, digest: str) -> bool:
        try:
            with self._locked(exclusive=False):
                os.utime(self._path(digest))
        except FileNotFoundError:
            return False
        except OSError:
            return True  # a disk that takes no time stamp takes no removal either
        return True

    @contextmanager
    def _locked(self, *, exclusive: bool) -> Iterator[None]:
        """Keep "is it old? then remove it" and "it is in use" apart."""
        descriptor = os.open(self._objects / "sweep.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, FILE_MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
            yield
        finally:
            os.close(descriptor)

    def sweep(self, now: float) -> int:
        """Remove what killed processes left unfinished for a day; return how many files that were.

        A file is unfinished for moments only. Should a process have been frozen for so long, its `put` fails
        when it goes on, and nothing is stored.
        """
        removed = 0
        for path in self._scratch.glob(".*.tmp"):
            with suppress(OSError):
                if now - path.lstat().st_mtime > _ABANDONED_S:
                    path.unlink()
                    removed += 1
        return removed

    def verify(self) -> Iterator[str]:
        """Read everything; yield the digest of each object whose content differs from it."""
        for path in sorted(self._objects.glob("[0-9a-f][0-9a-f]/*")):
            digest = path.parent.name + path.name
            content = self._read(path)
            if content is None or digest_bytes(content) != digest:
                yield digest
        if self.contents is not None:
            yield from self.contents.damaged()

    def _path(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise IntegrityError(f'"{digest[:70]}" is not a SHA-256 digest', hint=_HINT)
        return self._objects / digest[:2] / digest[2:]

    @staticmethod
    def _read(path: Path) -> bytes | None:
        try:
            return read_regular(path)
        except OSError:
            return None
