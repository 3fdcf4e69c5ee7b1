"""Small contents in the table `contents`: durable in the transaction of the events that name them.

A file of its own takes two syncs, a row here none beyond that of its events. Each is named by its SHA-256 and
verified on every read, as the files of `artifacts` are; whoever asks for a content need not know where it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, func, select

from maestro_dsl.codec import digest_bytes
from maestro_dsl.storage.tables import CONTENTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from sqlalchemy.engine.interfaces import DBAPICursor

    from maestro_dsl.storage.database import Database

MAX_BYTES: Final = 16 * 1024
"""What is larger is a file: reading it should not move through the pages of a database."""
_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """One stored content: its digest, its size, and when somebody last wrote it or relied on it."""

    digest: str
    size: int
    used_at: float
    is_row: bool = False
    """Whether it stands in the database and is no file."""


class Contents:
    """The small contents of one state directory."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert = database.inserter(
            CONTENTS,
            "ON CONFLICT (digest) DO UPDATE SET content = excluded.content, used_at = excluded.used_at",
        )
        self._select = database.sql.select(CONTENTS, "digest", columns=("content",))

    def put_all(self, cursor: DBAPICursor, contents: Collection[bytes], now: float) -> None:
        """Store contents as part of the caller's transaction; a damaged one is replaced by this good one."""
        named = {digest_bytes(content): content for content in contents}
        self._insert.put(cursor, [(digest, content, now) for digest, content in named.items()])

    def get(self, digest: str) -> bytes | None:
        """Return a content as it is stored, or None where it is not here."""
        found = self._database.row(self._select, (digest,))
        content: object = None if found is None else found[0]
        return bytes(content) if isinstance(content, bytes | memoryview) else None  # else it is damaged

    def has(self, digest: str) -> bool:
        """Return whether a content is here and whole.

        Nothing has to be noted about who relies on it: see `keep`.
        """
        content = self.get(digest)
        return content is not None and digest_bytes(content) == digest

    def objects(self) -> Iterator[StoredObject]:
        """Yield every content that is here."""
        columns = CONTENTS.c.digest, func.length(CONTENTS.c.content), CONTENTS.c.used_at
        with self._database.reading() as connection:
            rows = connection.execute(select(*columns)).all()
        for digest, size, used_at in rows:
            if not isinstance(size, int) or not isinstance(used_at, float):
                continue  # a damaged row counts as absent
            yield StoredObject(digest=str(digest), size=int(size), used_at=float(used_at), is_row=True)

    def keep(self, digests: Collection[str], now: float) -> None:
        """Say that contents were in use until now; called before stored results go that name them.

        A run finds a content of another one through a stored result alone. While that is there, the content
        is named; after this call it outlives whoever may have looked it up before.
        """
        for some in _portions(digests):
            with self._database.writing() as connection:
                change = CONTENTS.update().where(CONTENTS.c.digest.in_(some) & (CONTENTS.c.used_at < now))
                connection.execute(change.values(used_at=now))

    def remove(self, digests: Collection[str], *, unused_since: float) -> tuple[int, int]:
        """Remove those that nobody wrote since then; return how many and their bytes."""
        count = size = 0
        for some in _portions(digests):
            with self._database.writing() as connection:
                old = CONTENTS.c.digest.in_(some) & (CONTENTS.c.used_at < unused_since)
                sizes = list(connection.scalars(select(func.length(CONTENTS.c.content)).where(old)))
                connection.execute(delete(CONTENTS).where(old))
            count, size = count + len(sizes), size + sum(sizes)
        return count, size

    def damaged(self) -> Iterator[str]:
        """Read everything; yield the digest of each content that differs from it."""
        for item in self.objects():
            content = self.get(item.digest)
            if content is not None and digest_bytes(content) != item.digest:
                yield item.digest


def _portions(digests: Collection[str]) -> Iterator[Sequence[str]]:
    listed = sorted(digests)
    for start in range(0, len(listed), _AT_ONCE):
        yield listed[start : start + _AT_ONCE]
