"""How far each run's history is known to reach, beside the database.

SQLite drops the end of its write-ahead log without a word where a checksum in it is wrong. A mark is written
after each commit, so a history that is shorter than its mark has lost what was acknowledged. Marks are not
synced: after a power cut one may be behind, never ahead.
"""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

from maestro_dsl.codec import digest_bytes
from maestro_dsl.storage.files import FILE_MODE, make_folder

if TYPE_CHECKING:
    from pathlib import Path


class Watermarks:
    """One small file a run in the folder `watermarks` of a state directory. Callers serialise writes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "watermarks"
        self._open: dict[str, int] = {}

    def note(self, run_id: str, seq: int) -> None:
        """Say that events up to `seq` are durable; where that cannot be written, nothing is said."""
        with suppress(OSError):
            descriptor = self._open.get(run_id)
            if descriptor is None:
                make_folder(self._folder)
                flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW
                descriptor = self._open[run_id] = os.open(self._path(run_id), flags, FILE_MODE)
            os.pwrite(descriptor, _record(seq), 0)

    def reached(self, run_id: str) -> int | None:
        """Return the last sequence number noted, or None where nothing (legible) was."""
        try:
            content = self._path(run_id).read_bytes()
            seq = int(content.split()[0])
        except (OSError, ValueError, IndexError):
            return None
        return seq if content == _record(seq) else None

    def forget(self, run_id: str) -> None:
        """Remove the mark of a run that has ended."""
        descriptor = self._open.pop(run_id, None)
        if descriptor is not None:
            os.close(descriptor)
        with suppress(OSError):
            self._path(run_id).unlink()

    def close(self) -> None:
        """Close the files; the marks stay."""
        while self._open:
            os.close(self._open.popitem()[1])

    def _path(self, run_id: str) -> Path:
        return self._folder / digest_bytes(run_id.encode())[:32]


def _record(seq: int) -> bytes:
    number = b"%020d" % seq
    return b"%s %08x\n" % (number, zlib.crc32(number))
