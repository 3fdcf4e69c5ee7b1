"""Events of one append share a row; rows of events and results stand in the order in which they came.

What was a row stays one, byte for byte. No chain and no seal is made anew, so that what was damaged before is
still seen to be.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Copy both tables into new ones without clustering by key."""
    _copied(
        op.create_table(
            "events_0004",
            sa.Column("run_id", sa.String(200), primary_key=True),
            sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
            sa.Column("body", sa.Text, nullable=False),
            sa.Column("chain", sa.String(64), nullable=False),
        ),
        "events",
    )
    _copied(
        op.create_table(
            "results_0004",
            sa.Column("key", sa.String(64), primary_key=True),
            sa.Column("body", sa.Text, nullable=False),
            sa.Column("checksum", sa.String(64), nullable=False),
        ),
        "results",
    )


def _copied(new: sa.Table, name: str) -> None:
    """Let `new` take the place and the rows of the table `name`."""
    old = sa.table(name, *(sa.column(column.name) for column in new.columns))
    rows = sa.select(*old.columns).order_by(*(old.columns[column.name] for column in new.primary_key))
    op.execute(new.insert().from_select(new.columns.keys(), rows))
    op.drop_table(name)
    op.rename_table(new.name, name)
