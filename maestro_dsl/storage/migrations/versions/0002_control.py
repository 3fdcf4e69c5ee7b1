"""Commands from other terminals, breakers, and the outbox of tickets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add what processes on one state directory tell each other."""
    op.create_table(
        "commands",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("run_id", sa.String(200), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("checksum", sa.String(64), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("commands_by_run", "commands", ["run_id", "status"])
    op.create_table(
        "breakers",
        sa.Column("model", sa.String(400), primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("checksum", sa.String(64), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tickets",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("run_id", sa.String(200), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("next_at", sa.Double, nullable=False),
        sa.Column("made_at", sa.Double, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("checksum", sa.String(64), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("tickets_by_status", "tickets", ["status", "next_at"])
