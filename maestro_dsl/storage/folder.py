"""Files below one folder, reached by directory descriptors so that nothing outside can be touched.

No step follows a symbolic link, nothing is written in place (a hard link's other names keep their content),
and only regular files are read. Does not know which files are ours.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from maestro_dsl.errors import UnrecoverableError
from maestro_dsl.lang.disk import is_text
from maestro_dsl.storage.files import write_all

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OWN: Final = ".maestro"
"""The folder inside the output that is ours; no node may write there."""

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_BLOCKED: Final = frozenset({errno.ELOOP, errno.ENOTDIR})
_MAX_NAME: Final = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What stands at a path: `kind` is absent, file, folder, link, special or blocked (below a link)."""

    kind: str
    digest: str = ""
    executable: bool = False

    @property
    def mark(self) -> str:
        """A text that is equal for equal content."""
        return self.digest or self.kind


ABSENT: Final = Seen(kind="absent")


def checked_parts(path: str) -> tuple[str, ...]:
    """Return the parts of a relative path with `/`.

    Raises:
        UnrecoverableError: it is absolute, leaves the folder, or names our own files.
    """
    if not is_plain(path):
        raise UnrecoverableError(
            f"{path[:200]!r} is not a path inside the output folder",
            hint='write relative paths with "/", without "." and "..", outside ".maestro"',
        )
    return tuple(path.split("/"))


def is_plain(path: str) -> bool:
    """Return whether a node may write to `path`."""
    if not is_text(path):
        return False
    parts = path.split("/")
    odd = any(part in {"", ".", ".."} or len(part.encode()) > _MAX_NAME for part in parts)
    control = any(letter < " " or letter in "\\\x7f" for letter in path)
    return not odd and not control and parts[0].casefold() != OWN


class Folder:
    """A root folder, created by the first write; every method takes paths relative to it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def create(self) -> None:
        """Create the root with our folder in it."""
        self.root.mkdir(parents=True, exist_ok=True)
        with self._descriptor() as descriptor, self._below(descriptor, (OWN, "tmp"), create=True):
            pass

    def look(self, path: str) -> Seen:
        """Return what stands at `path`, with the digest of a regular file."""
        *folders, name = checked_parts(path)
        try:
            with self._descriptor() as root, self._below(root, folders) as parent:
                return _look_at(parent, name)
        except FileNotFoundError:
            return ABSENT
        except OSError as problem:
            if problem.errno in _BLOCKED:
                return Seen(kind="blocked")
            raise

    def walk(self, top: str) -> Iterator[str]:
        """Yield the paths below `top` ("" = all) that are no folders, without ours; follows no link."""
        folders = checked_parts(top) if top else ()
        with (
            suppress(FileNotFoundError, NotADirectoryError),
            self._descriptor() as root,
            self._below(root, folders) as start,
        ):
            yield from _walk(start, "/".join(folders))

    def stage(self, name: str, content: bytes, *, executable: bool = False) -> None:
        """Write `content` durably to the unfinished file `name`, to be put in place by `place`."""
        mode = 0o777 if executable else 0o666  # the user's umask decides the rest
        self.create()
        with self._descriptor() as root, self._below(root, (OWN, "tmp")) as scratch:
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=scratch)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            descriptor = os.open(name, flags, mode, dir_fd=scratch)
            try:
                write_all(descriptor, content)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def place(self, name: str, path: str) -> None:
        """Rename the staged file `name` to `path`, creating folders on the way."""
        self._place(name, checked_parts(path))

    def place_own(self, name: str, own: str) -> None:
        """Rename the staged file `name` to the file `own` of our folder."""
        self._place(name, (OWN, own))

    def _place(self, name: str, parts: tuple[str, ...]) -> None:
        with (
            self._descriptor() as root,
            self._below(root, (OWN, "tmp")) as scratch,
            self._below(root, parts[:-1], create=True) as parent,
        ):
            os.rename(name, parts[-1], src_dir_fd=scratch, dst_dir_fd=parent)
            os.fsync(parent)

    def remove(self, path: str) -> None:
        """Remove the file at `path`, and the folders above that this leaves empty."""
        *folders, name = checked_parts(path)
        with self._descriptor() as root:
            with suppress(FileNotFoundError), self._below(root, folders) as parent:
                os.unlink(name, dir_fd=parent)
                os.fsync(parent)
            for depth in range(len(folders), 0, -1):
                try:
                    with self._below(root, folders[: depth - 1]) as parent:
                        os.rmdir(folders[depth - 1], dir_fd=parent)
                except FileNotFoundError:
                    continue  # an interrupted removal came as far as here
                except OSError:
                    break  # it is not empty

    def read_own(self, own: str) -> bytes | None:
        """Return the content of a file of our folder, or None where there is none."""
        with (
            suppress(FileNotFoundError),
            self._descriptor() as root,
            self._below(root, (OWN,)) as parent,
        ):
            descriptor = os.open(own, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=parent)
            with os.fdopen(descriptor, "rb") as stream:
                return stream.read()
        return None

    def remove_own(self, own: str) -> None:
        """Remove a file of our folder."""
        with suppress(FileNotFoundError), self._descriptor() as root, self._below(root, (OWN,)) as parent:
            os.unlink(own, dir_fd=parent)
            os.fsync(parent)

    def clear_staged(self) -> None:
        """Remove what an interrupted process left unfinished."""
        with (
            suppress(FileNotFoundError),
            self._descriptor() as root,
            self._below(root, (OWN, "tmp")) as scratch,
        ):
            for name in os.listdir(scratch):  # noqa: PTH208 - a descriptor has no path
                os.unlink(name, dir_fd=scratch)

    @contextmanager
    def _descriptor(self) -> Iterator[int]:
        descriptor = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def _below(
        self, root: int, folders: tuple[str, ...] | list[str], *, create: bool = False
    ) -> Iterator[int]:
        descriptor = os.dup(root)
        try:
            for name in folders:
                if create:
                    with suppress(FileExistsError):
                        os.mkdir(name, dir_fd=descriptor)
                        os.fsync(descriptor)
                inner = os.open(name, _FOLDER, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = inner
            yield descriptor
        finally:
            os.close(descriptor)


def _look_at(parent: int, name: str) -> Seen:
    found = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if stat.S_ISDIR(found.st_mode):
        return Seen(kind="folder")
    if stat.S_ISLNK(found.st_mode):
        return Seen(kind="link")
    if not stat.S_ISREG(found.st_mode):
        return Seen(kind="special")
    # O_NONBLOCK: what is a file now may have become a FIFO before it is opened.
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=parent)
    with os.fdopen(descriptor, "rb") as stream:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            return Seen(kind="special")
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Seen(kind="file", digest=digest, executable=bool(mode & stat.S_IXUSR))


def _walk(descriptor: int, prefix: str) -> Iterator[str]:
    for name in sorted(os.listdir(descriptor)):
        path = f"{prefix}/{name}" if prefix else name
        if not prefix and name == OWN:
            continue
        try:
            inner = os.open(name, _FOLDER, dir_fd=descriptor)
        except OSError:
            yield path
            continue
        try:
            yield from _walk(inner, path)
        finally:
            os.close(inner)
