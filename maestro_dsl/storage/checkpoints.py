"""Snapshots of a run's state, so that a resume need not read its whole history.

Holds bytes and knows nothing of their meaning. A snapshot is only a shortcut: where all are bad, the history
itself is read, and `Restored.skipped` says which ones were.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from maestro_dsl.codec import digest_bytes
from maestro_dsl.storage.files import make_folder, read_regular, write_durably, writing_to

if TYPE_CHECKING:
    from pathlib import Path

_KIND: Final = b"maestro-checkpoint-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """The newest good snapshot: the state after event `seq`; `content` is None where there is none."""

    seq: int = 0
    content: bytes | None = None
    skipped: tuple[str, ...] = ()
    """One sentence for each newer snapshot that is damaged."""


class Checkpoints:
    """The snapshots in the folder `checkpoints` of a state directory; each run keeps the newest `keep`."""

    def __init__(self, folder: Path, *, keep: int = 2) -> None:
        self._folder = folder / "checkpoints"
        self._keep = keep

    def save(self, run_id: str, seq: int, content: bytes) -> None:
        """Store the state after event `seq` durably, then remove snapshots beyond the newest ones.

        Raises:
            EnvironmentFailure: the folder cannot be written.
        """
        path = self._of(run_id) / f"{seq:012d}.json"
        with writing_to(path):
            make_folder(path.parent)
            write_durably(path, _header(seq, content) + content)
            for old in self._newest_first(run_id)[self._keep :]:
                old.unlink(missing_ok=True)

    def restore_latest(self, run_id: str) -> Restored:
        """Return the newest snapshot that is in order."""
        skipped: list[str] = []
        for path in self._newest_first(run_id):
            try:
                seq = int(path.stem)
                header, _, content = read_regular(path).partition(b"\n")
            except (OSError, ValueError) as problem:
                skipped.append(f"checkpoint {path.name} of run {run_id} cannot be read: {problem}")
                continue
            if header + b"\n" == _header(seq, content):
                return Restored(seq=seq, content=content, skipped=tuple(skipped))
            skipped.append(f"checkpoint {path.name} of run {run_id} is damaged; an older one is used")
        return Restored(skipped=tuple(skipped))

    def remove(self, run_id: str) -> None:
        """Remove all snapshots of a run, e.g. when it has ended."""
        shutil.rmtree(self._of(run_id), ignore_errors=True)

    def _newest_first(self, run_id: str) -> list[Path]:
        return sorted(self._of(run_id).glob("*.json"), reverse=True)

    def _of(self, run_id: str) -> Path:
        # A digest, so that no run id can name a folder elsewhere.
        return self._folder / digest_bytes(run_id.encode())[:32]


def _header(seq: int, content: bytes) -> bytes:
    return b"%s %d %s\n" % (_KIND, seq, digest_bytes(b"%d\n%s" % (seq, content)).encode())
