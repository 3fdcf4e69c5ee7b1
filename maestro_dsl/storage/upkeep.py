"""Small works of cleaning: files of runs that are gone, and the space that a database does not give back."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from maestro_dsl.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from maestro_dsl.storage.database import Database

_NAME: Final = 32
"""Files of a run are named by so many digits of the digest of its id."""
_WORTH_PAGES: Final = 256
_WORTH_SHARE: Final = 4


def sweep_leftovers(folder: Path, run_digests: Callable[[], set[str]]) -> int:
    """Remove watermarks and locks of runs that are gone; return how many files that were.

    The files are listed before the runs are asked for: a run stands in the journal before it has any file.
    """
    files = [path for path in (folder / "watermarks").glob("*") if len(path.name) == _NAME]
    files += (folder / "locks").glob("run-*")
    files += (folder / "locks").glob(".run-*")  # not finished
    known = {digest[:_NAME] for digest in run_digests()}
    removed = 0
    for path in files:
        name = path.name.removeprefix(".").removeprefix("run-")[:_NAME]
        if name not in known:
            with suppress(OSError):
                path.unlink()
                removed += 1
    return removed


def database_bytes(database: Database) -> int:
    """Return how much of the database is in use; one that is only in memory takes nothing of the disk."""
    used, _, size = _pages(database)
    return used * size if database.path.exists() else 0


def shrink(database: Database, *, alone: bool) -> bool:
    """Empty the write-ahead log, and give free pages back to the disk where they are many.

    Only where no run is live (`alone`): it would have to wait meanwhile.
    """
    if not alone:
        return False
    used, free, _ = _pages(database)
    many = free >= _WORTH_PAGES and free * _WORTH_SHARE >= used
    with suppress(StateError), database.lock:  # busy: the next cleaning does it
        connection = database.engine.raw_connection()
        try:
            if many:
                connection.cursor().execute("VACUUM")
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()
        return True
    return False


def _pages(database: Database) -> tuple[int, int, int]:
    """Return pages in use, free pages and the size of a page."""
    with database.reading() as connection:
        count, free, size = (
            int(connection.exec_driver_sql(f"PRAGMA {name}").scalar() or 0)
            for name in ("page_count", "freelist_count", "page_size")
        )
    return count - free, free, size
