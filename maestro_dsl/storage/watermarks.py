"""How far each run's history, and the count of all other changes, is known to reach, beside the database.

SQLite drops the end of its write-ahead log without a word where a checksum in it is wrong. A mark is written
after each commit, so what is shorter than its mark has lost what was acknowledged. Marks are not synced:
after a power cut one may be behind, never ahead.
"""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from maestro_dsl.codec import digest_bytes
from maestro_dsl.storage.files import FILE_MODE, make_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_CHANGES: Final = "changes"
_DIGITS: Final = 32


class Watermarks:
    """One small file a run, and one for the rest, in the folder `watermarks`. Callers serialise writes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "watermarks"
        self._open: dict[str, int] = {}

    def note(self, run_id: str, seq: int) -> None:
        """Say that events up to `seq` are durable; where that cannot be written, nothing is said."""
        self._note(mark_name(run_id), seq)

    def reached(self, run_id: str) -> int | None:
        """Return the last sequence number noted, or None where nothing (legible) was."""
        return self._read(mark_name(run_id))

    def note_changes(self, count: int) -> None:
        """Say that so many changes of other kinds are durable."""
        self._note(_CHANGES, count)

    def changes(self) -> int | None:
        """Return the last count of changes noted, or None where nothing (legible) was."""
        return self._read(_CHANGES)

    def standing(self) -> Mapping[str, int]:
        """Return the legible marks of runs by their names (`mark_name`)."""
        try:
            names = [name for name in os.listdir(self._folder) if len(name) == _DIGITS]  # noqa: PTH208 - names
        except OSError:
            return {}
        found = {name: self._read(name) for name in names}
        return {name: seq for name, seq in found.items() if seq is not None}

    def forget(self, run_id: str) -> None:
        """Remove the mark of a run that has ended."""
        self.remove(mark_name(run_id))

    def remove(self, name: str) -> None:
        """Remove a mark by its name."""
        descriptor = self._open.pop(name, None)
        if descriptor is not None:
            os.close(descriptor)
        with suppress(OSError):
            (self._folder / name).unlink()

    def close(self) -> None:
        """Close the files; the marks stay."""
        while self._open:
            os.close(self._open.popitem()[1])

    def _note(self, name: str, reached: int) -> None:
        with suppress(OSError):
            descriptor = self._open.get(name)
            if descriptor is None:
                make_folder(self._folder)
                flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW
                descriptor = self._open[name] = os.open(self._folder / name, flags, FILE_MODE)
            os.pwrite(descriptor, _record(reached), 0)

    def _read(self, name: str) -> int | None:
        try:
            content = (self._folder / name).read_bytes()
            reached = int(content.split()[0])
        except (OSError, ValueError, IndexError):
            return None
        return reached if content == _record(reached) else None


def mark_name(run_id: str) -> str:
    """Return the name of a run's mark."""
    return digest_bytes(run_id.encode())[:_DIGITS]


def _record(seq: int) -> bytes:
    number = b"%020d" % seq
    return b"%s %08x\n" % (number, zlib.crc32(number))
