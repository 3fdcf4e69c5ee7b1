"""Alembic scripts of the journal's schema; append-only."""
