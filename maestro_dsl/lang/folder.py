"""A folder as one value: the contents of its files and one digest over them, for folders that are shared.

What may be shared is text of a few kinds: no program, no link, nothing that a machine could run or that means
another file elsewhere. Names that start with a dot are not part of it. Reads; writes nothing.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import unicodedata
from collections.abc import Mapping
from dataclasses import field
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from maestro_dsl.lang.disk import is_text, laid_over, note
from maestro_dsl.lang.late import pattern
from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_FILES: Final = 2_000
MOST_BYTES: Final = 32 * 1024 * 1024
MOST_IN_A_FILE: Final = 8 * 1024 * 1024
MOST_DEPTH: Final = 12
_MOST_CHARACTERS: Final = 200
_MOST_ENTRIES: Final = 20_000
_FORMAT: Final = b"maestro-folder-1\n"
PREFIX: Final = "sha256:"
_SUFFIXES: Final = (
    ".yaml", ".yml", ".json", ".md", ".txt", ".rst", ".csv", ".j2", ".graphql", ".graphqls", ".gql",
    ".proto", ".pyi", ".d.ts",
)  # fmt: skip
_NAMES: Final = frozenset({"LICENSE", "LICENCE", "COPYING", "NOTICE", "README", "CHANGELOG", "AUTHORS"})
_FORBIDDEN: Final = pattern(
    r'[\x00-\x1f\x7f<>:"|?*\\\u0080-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]'
)
_RESERVED: Final = pattern(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
_ANY_EXECUTABLE: Final = 0o111
_OPEN: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class FolderProblem(Exception):  # noqa: N818 - becomes a finding or an error of its own at once
    """A folder cannot be shared as it is; the text is a clause such as `"run.sh" is executable`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """The files of a folder by their paths (posix, sorted), and the digest of all names and contents."""

    files: Mapping[str, bytes] = field(repr=False)
    digest: str


def folder_of(files: Mapping[str, bytes]) -> Folder:
    """Return `files` as a folder.

    Raises:
        FolderProblem: a name, a kind of file or a size is not allowed.
    """
    if len(files) > MOST_FILES:
        raise FolderProblem(f"it has more than {MOST_FILES} files")
    seen: dict[str, str] = {}
    total = 0
    for path, content in files.items():
        problem = problem_of(path)
        if problem is not None:
            raise FolderProblem(problem)
        require_size(path, len(content))
        total += len(content)
        same = seen.setdefault(_folded(path), path)
        if same != path:
            raise FolderProblem(f"{_shown(path)} and {_shown(same)} are one file on some machines")
    if total > MOST_BYTES:
        raise FolderProblem(f"its files hold more than {MOST_BYTES // 1024 // 1024} MiB")
    ordered = dict(sorted(files.items()))
    for path in ordered:
        if any(str(parent) in ordered for parent in PurePosixPath(path).parents):
            raise FolderProblem(f"{_shown(path)} lies in what is a file as well")
    return Folder(files=ordered, digest=_digest(ordered))


def read_folder(folder: Path, *, is_strict: bool = False) -> Folder:
    """Return the folder at `folder` as it is on disk; `is_strict` = a name with a dot first may not be there.

    Raises:
        FolderProblem: it is not there, or holds what cannot be shared.
    """
    question = ("folder", str(folder), "strict" if is_strict else "")
    try:
        found = _read(folder, is_strict=is_strict)
    except FolderProblem as problem:
        reason = str(problem)
        note(question, lambda: reason)
        raise
    note(question, lambda: found.digest)
    return found


def is_left_out(path: str) -> bool:
    """Return whether a path is no part of a shared folder: one of its names starts with a dot."""
    return any(part.startswith(".") for part in path.split("/"))


def problem_of(path: str) -> str | None:
    """Return why no file of this name may be shared, or None where it may."""
    parts = path.split("/")
    if len(parts) > MOST_DEPTH or len(path) > _MOST_CHARACTERS:
        return f"the path {_shown(path)} is too long"
    for part in parts:
        if part in {"", ".", ".."} or part.startswith(("-", "~", ".")) or part.endswith((".", " ")):
            return f"{_shown(path)} is no name for a file"
        if _FORBIDDEN.search(part) or _RESERVED.fullmatch(part) or not is_text(part):
            return f"{_shown(path)} is no name that every machine can hold"
    name = parts[-1]
    if name not in _NAMES and not name.lower().endswith(_SUFFIXES):
        return f"{_shown(path)} is no kind of file that may be shared: documents, prompts and interfaces only"
    return None


def require_size(path: str, size: int) -> None:
    """Refuse a file that is too large.

    Raises:
        FolderProblem: it is.
    """
    if size > MOST_IN_A_FILE:
        raise FolderProblem(f"{_shown(path)} is larger than {MOST_IN_A_FILE // 1024 // 1024} MiB")


def _digest(files: Mapping[str, bytes]) -> str:
    whole = hashlib.sha256(_FORMAT)
    for path, content in files.items():
        name = path.encode()
        whole.update(b"%d:%s %s\n" % (len(name), name, hashlib.sha256(content).hexdigest().encode()))
    return PREFIX + whole.hexdigest()


def _read(folder: Path, *, is_strict: bool) -> Folder:
    if folder.is_symlink():
        raise FolderProblem(f"{folder} is a symbolic link")
    if not folder.is_dir():
        raise FolderProblem(f"there is no folder {folder}")
    files: dict[str, bytes] = {}
    total = 0
    try:
        for path, name in _walk(folder, is_strict=is_strict):
            if len(files) >= MOST_FILES:
                raise FolderProblem(f"it has more than {MOST_FILES} files")
            problem = problem_of(name)
            if problem is not None:
                raise FolderProblem(problem)
            files[name] = _content(path, name)
            total += len(files[name])
            if total > MOST_BYTES:
                raise FolderProblem(f"its files hold more than {MOST_BYTES // 1024 // 1024} MiB")
    except OSError as error:
        raise FolderProblem(f"{error.filename} cannot be read: {error.strerror}") from error
    return folder_of(files)


def _walk(folder: Path, *, is_strict: bool) -> Iterator[tuple[Path, str]]:
    """Yield every file with its name inside `folder`; links and special files are refused, not followed."""
    waiting = [(folder.resolve(), "")]
    entries = 0
    while waiting:
        here, prefix = waiting.pop()
        with os.scandir(here) as scanned:
            found = list(islice(scanned, _MOST_ENTRIES + 1 - entries))
        entries += len(found)
        if entries > _MOST_ENTRIES:
            raise FolderProblem(f"it has more than {MOST_FILES} files")
        for entry in sorted(found, key=lambda item: item.name):
            name = prefix + entry.name
            if entry.name.startswith("."):
                if is_strict:
                    raise FolderProblem(f"{_shown(name)} does not belong there")
                continue
            if entry.is_symlink():
                raise FolderProblem(f"{_shown(name)} is a symbolic link")
            if entry.is_dir(follow_symlinks=False):
                if name.count("/") + 1 >= MOST_DEPTH:
                    raise FolderProblem(f"the path {_shown(name)} is too long")
                waiting.append((Path(entry.path), f"{name}/"))
            else:
                yield Path(entry.path), name


def _content(path: Path, name: str) -> bytes:
    """Return what a file holds; what stands there must be one plain file from before to after the reading."""
    before = path.lstat()
    _require_plain(before, name)
    laid = laid_over(path)
    if laid is not None:
        require_size(name, len(laid))
        return laid
    try:
        handle = os.open(path, _OPEN)
    except OSError as error:
        raise FolderProblem(f"{_shown(name)} cannot be read: {error.strerror}") from error
    with os.fdopen(handle, "rb") as file:
        opened = os.fstat(file.fileno())
        _require_plain(opened, name)
        content = file.read(MOST_IN_A_FILE + 1)
        after = os.fstat(file.fileno())
    require_size(name, len(content))
    stamps = {(item.st_dev, item.st_ino, item.st_size, item.st_mtime_ns) for item in (before, opened, after)}
    if len(stamps) > 1 or len(content) != after.st_size:
        raise FolderProblem(f"{_shown(name)} changed while it was read")
    return content


def _require_plain(found: os.stat_result, name: str) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise FolderProblem(f"{_shown(name)} is no plain file")
    if found.st_nlink > 1:
        raise FolderProblem(f"{_shown(name)} has a second name on this disk (a hard link)")
    if os.name == "posix" and found.st_mode & _ANY_EXECUTABLE:
        raise FolderProblem(f"{_shown(name)} is executable")
    require_size(name, found.st_size)


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


def _shown(path: str) -> str:
    text = path if len(path) <= _MOST_CHARACTERS else f"{path[:_MOST_CHARACTERS]}…"
    return '"' + text.encode("utf-8", "backslashreplace").decode() + '"'
