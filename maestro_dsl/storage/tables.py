"""Tables of the journal, as SQLAlchemy Core; portable between SQLite and PostgreSQL.

The history of the schema is in `migrations/`; a test holds that both agree. Each row carries a checksum of
itself, and `counters` how many rows a table has, so that a damaged or vanished row is noticed.

Tables with small rows are kept in the order of their primary keys. Large rows (`events`, `results`, `plans`,
`contents`) are appended, and an index holds their keys alone: in the order of random keys, each insertion
moved neighbours of half a kilobyte from page to page.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Index, Integer, LargeBinary, MetaData, String, Table, Text

METADATA = MetaData()

RUNS = Table(
    "runs",
    METADATA,
    Column("run_id", String(200), primary_key=True),
    Column("plan_id", Text, nullable=False),
    Column("plan_digest", String(64), nullable=False),
    Column("plan_blob", String(64), nullable=False),
    Column("output", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("checksum", String(64), nullable=False),
    sqlite_with_rowid=False,
)
"""What never changes about a run."""

HEADS = Table(
    "heads",
    METADATA,
    Column("run_id", String(200), primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("updated_at", Double, nullable=False),
    Column("status", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("chain", String(64), nullable=False),
    Column("checksum", String(64), nullable=False),
    sqlite_with_rowid=False,
)
"""Where a run's history ends, and which epoch may add to it."""

EVENTS = Table(
    "events",
    METADATA,
    Column("run_id", String(200), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    Column("chain", String(64), nullable=False),
)
"""Append-only: the events of one append a row, a line each; `seq` is that of the last one, and `chain` the
digest of the chain before and this body."""

PLANS = Table(
    "plans",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)
"""Plans as stored bytes, once for all their runs."""

RESULTS = Table(
    "results",
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("body", Text, nullable=False),
    Column("checksum", String(64), nullable=False),
)
"""Results by content key."""

NEWEST = Table(
    "newest",
    METADATA,
    Column("plan_id", String(200), primary_key=True),
    Column("node", String(500), primary_key=True),
    Column("key", String(64), nullable=False),
    Column("checksum", String(64), nullable=False),
    sqlite_with_rowid=False,
)
"""The newest result of each node address of a plan."""

COUNTERS = Table(
    "counters",
    METADATA,
    Column("name", String(40), primary_key=True),
    Column("rows", BigInteger, nullable=False),
    Column("checksum", String(64), nullable=False),
    sqlite_with_rowid=False,
)
"""How many rows a counted table has."""

COMMANDS = Table(
    "commands",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("run_id", String(200), nullable=False),
    Column("status", String(20), nullable=False),
    Column("body", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("checksum", String(64), nullable=False),
    Index("commands_by_run", "run_id", "status"),
    sqlite_autoincrement=True,
)
"""What people asked of runs from another terminal, and what became of it."""

CONTENTS = Table(
    "contents",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("used_at", Double, nullable=False),
)
"""Small contents, named by SHA-256, which is their checksum too."""

BREAKERS = Table(
    "breakers",
    METADATA,
    Column("model", String(400), primary_key=True),
    Column("body", Text, nullable=False),
    Column("checksum", String(64), nullable=False),
    sqlite_with_rowid=False,
)
"""The breaker of each model that has failed lately, shared by all processes."""

TICKETS = Table(
    "tickets",
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("run_id", String(200), nullable=False),
    Column("status", String(20), nullable=False),
    Column("next_at", Double, nullable=False),
    Column("made_at", Double, nullable=False),
    Column("body", Text, nullable=False),
    Column("checksum", String(64), nullable=False),
    Index("tickets_by_status", "status", "next_at"),
    sqlite_with_rowid=False,
)
"""The outbox: tickets that wait for delivery, and those that were delivered or dropped."""
