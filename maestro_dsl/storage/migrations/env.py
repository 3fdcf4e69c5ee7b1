"""Runs the scripts on the connection of `maestro_dsl.storage.database`, inside its transaction."""

from __future__ import annotations

from alembic import context

from maestro_dsl.storage.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
