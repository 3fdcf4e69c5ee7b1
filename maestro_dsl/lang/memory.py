"""What was made of documents before, for those who ask again after every keystroke.

A value counts as long as its document is the same, and the disk, unsaved texts laid over it, still gives the
same answers to all that was asked of it while the value was made. Values are shared: nobody changes them.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from maestro_dsl.codec import digest_bytes
from maestro_dsl.diagnostics import limit
from maestro_dsl.lang.disk import Question, note, noted, read
from maestro_dsl.lang.document import Document
from maestro_dsl.lang.files import Names, still_holds
from maestro_dsl.lang.model import DocumentValue
from maestro_dsl.lang.read import Read
from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Made:
    document: Document[DocumentValue]
    most: int
    answers: Mapping[Question, str]
    values: tuple[Any, ...]

    def counts(self) -> bool:
        """Return whether the disk is the same, and no limit cuts anything that another one did not."""
        most = limit()
        is_whole = self.most == most or len(self.values) <= min(self.most, most)
        return is_whole and (not self.answers or still_holds(self.answers))


@dataclass(slots=True)
class Memory:
    """What is known of the documents of one working folder."""

    names: Names = field(default_factory=Names)
    reads: dict[Path, tuple[str, bytes, Read]] = field(default_factory=dict)
    """What was made of files: the name it was made with, the content, the document and what is wrong."""
    _contents: dict[Path, tuple[tuple[int, ...], bytes]] = field(default_factory=dict)
    _made: dict[tuple[Hashable, Path], _Made] = field(default_factory=dict)

    def look_again(self) -> None:
        """Forget what files are called and hold: some have been changed, moved or linked anew."""
        self.names.forget()
        self._contents.clear()

    def content(self, path: Path) -> bytes:
        """Return the content of the file at `path`, read again where its times, size or place differ.

        Raises:
            OSError: it cannot be read.
        """
        try:
            found = path.stat()
        except OSError:
            return read(path)  # which notes why it cannot be read
        stamp = (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev)
        known = self._contents.get(path)
        if known is None or known[0] != stamp:
            content = read(path)
            self._contents[path] = (stamp, content)
            return content
        content = known[1]
        note(("read", str(path)), lambda: digest_bytes(content))
        return content

    def of(
        self,
        what: Hashable,
        document: Document[DocumentValue],
        make: Callable[[Document[DocumentValue]], Iterable[T]],
    ) -> tuple[T, ...]:
        """Return what `make` makes of a document, or made of it before; `what` names the way of making."""
        known = self._made.get((what, document.path))
        if known is not None and known.document is document and known.counts():
            return cast("tuple[T, ...]", known.values)
        with noted() as notes:
            values = tuple(make(document))
        if notes.is_steady:
            self._made[what, document.path] = _Made(document, limit(), notes.answers, values)
        return values
