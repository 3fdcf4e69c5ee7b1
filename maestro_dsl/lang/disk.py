"""What the front end asks of the disk, with the answers: findings hold as long as every answer is the same.

Every module of the front end reads files and looks for names through functions that note their questions
here (`read` below, the others in `maestro_dsl.lang.files`). Nothing is noted unless somebody listens.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from maestro_dsl.codec import digest_bytes
from maestro_dsl.lang.limits import LARGEST_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

NO_REGULAR_FILE: Final = "no regular file"

Question: TypeAlias = tuple[str, ...]
"""What was asked, then what about: `("read", "/plans/plan.yaml")`."""


def is_text(name: str) -> bool:
    """Return whether a name can be written as UTF-8; half a surrogate pair is a byte that cannot."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


class Notes:
    """Questions and answers of one run; `is_steady` is False once two answers to one question differed."""

    def __init__(self) -> None:
        self.answers: dict[Question, str] = {}
        self.is_steady = True

    def add(self, question: Question, answer: str) -> None:
        """Keep one answer."""
        if self.answers.setdefault(question, answer) != answer:
            self.is_steady = False


_LISTENING: Final[ContextVar[Notes | None]] = ContextVar("notes of what is asked of the disk", default=None)


_OVERLAID: Final[ContextVar[Mapping[Path, bytes]]] = ContextVar("contents that are not on disk yet")
_SEALED: Final[ContextVar[tuple[Path, ...]]] = ContextVar("folders that hold nothing else", default=())


@contextmanager
def overlaid(contents: Mapping[Path, bytes], *, sealed: tuple[Path, ...] = ()) -> Iterator[None]:
    """Let `contents`, by real path, count in place of what is on disk inside the block.

    Of the real folders in `sealed` nothing else can be read.
    """
    tokens = _OVERLAID.set(contents), _SEALED.set(sealed)
    try:
        yield
    finally:
        _OVERLAID.reset(tokens[0])
        _SEALED.reset(tokens[1])


@contextmanager
def noted() -> Iterator[Notes]:
    """Give the notes of all that is asked of the disk inside the block; who listens outside hears it too."""
    notes = Notes()
    token = _LISTENING.set(notes)
    try:
        yield notes
    finally:
        _LISTENING.reset(token)
        outer = _LISTENING.get()
        if outer is not None:
            for question, answer in notes.answers.items():
                outer.add(question, answer)


def note(question: Question, answer: Callable[[], str]) -> None:
    """Tell whoever listens what was asked and answered."""
    notes = _LISTENING.get()
    if notes is not None:
        notes.add(question, answer())


def laid_over(path: Path) -> bytes | None:
    """Return the content that counts in place of the file at `path`, or None where the disk's does.

    Raises:
        OSError: it lies in a sealed folder and is not among what counts there.
    """
    overlay = _OVERLAID.get(None)
    laid = overlay.get(path) if overlay else None
    if laid is None and any(path.is_relative_to(folder) for folder in _SEALED.get()):
        raise PermissionError(errno.EACCES, "it is not among the files that were checked", str(path))
    return laid


def read(path: Path) -> bytes:
    """Return the content of the file at `path`; of one that is larger than any may be, the beginning.

    Raises:
        OSError: it cannot be read, or is no regular file: a pipe may never end.
    """
    question = ("read", str(path))
    try:
        laid = laid_over(path)
        content = _content(path) if laid is None else laid
    except OSError as error:
        reason = f"{type(error).__name__}: {error.strerror}"
        note(question, lambda: reason)
        raise
    note(question, lambda: digest_bytes(content))
    return content


def _content(path: Path) -> bytes:
    about = path.stat()
    if not stat.S_ISREG(about.st_mode):
        is_folder = stat.S_ISDIR(about.st_mode)
        raise OSError(
            errno.EISDIR if is_folder else errno.EINVAL, "a folder" if is_folder else NO_REGULAR_FILE
        )
    with path.open("rb") as file:
        return file.read(min(about.st_size, LARGEST_FILE) + 1)


def is_file(path: Path) -> bool:
    """Return whether a regular file stands at `path`."""
    found = has_file(path)
    note(("is_file", str(path)), lambda: str(found))
    return found


def has_file(path: Path | str) -> bool:
    """Return whether a regular file stands at `path`; False also where nobody may look."""
    return os.path.isfile(path)  # noqa: PTH113 - the like in pathlib raises


def has_folder(path: Path) -> bool:
    """Return whether a folder stands at `path`; False also where nobody may look."""
    return os.path.isdir(path)  # noqa: PTH112 - the like in pathlib raises


def has_link(path: Path) -> bool:
    """Return whether a symbolic link stands at `path`; False also where nobody may look."""
    return os.path.islink(path)  # noqa: PTH114 - the like in pathlib raises


def real(path: Path) -> Path:
    """Return a path without symbolic links; where they lead round in a circle, up to them."""
    return Path(os.path.realpath(path))


def size(path: Path) -> int:
    """Return the size of the file at `path` in bytes.

    Raises:
        OSError: there is none.
    """
    found = path.stat().st_size
    note(("size", str(path)), lambda: str(found))
    return found
