from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy.dialects import postgresql, sqlite

from maestro_dsl.storage.database import open_database
from maestro_dsl.storage.statements import Statements
from maestro_dsl.storage.tables import HEADS, METADATA, NEWEST

SQL = Statements(sqlite.dialect())


def test_each_form_is_what_it_says():
    assert SQL.select(NEWEST, "plan_id", "node", columns=("key",), order=("key", "node")) == (
        "SELECT key FROM newest WHERE plan_id = ? AND node = ? ORDER BY key, node"
    )
    assert SQL.select(NEWEST) == "SELECT plan_id, node, key, checksum FROM newest"
    assert SQL.count(HEADS) == "SELECT count(checksum) FROM heads"
    assert SQL.insert(NEWEST) == "INSERT INTO newest (plan_id, node, key, checksum) VALUES (?, ?, ?, ?)"
    assert SQL.update(NEWEST, "node").endswith("key = ?, checksum = ? WHERE node = ?")


def test_other_drivers_have_their_own_mark():
    assert Statements(postgresql.psycopg2.dialect()).select(HEADS, "run_id").endswith("WHERE run_id = %s")


@pytest.mark.parametrize("table", METADATA.sorted_tables, ids=lambda table: table.name)
def test_the_database_understands_them_without_quotes(tmp_path, table):
    names = table.columns.keys()
    database = open_database(tmp_path)
    with database.reading() as connection:
        for text in (SQL.select(table, *names, order=names), SQL.insert(table), SQL.update(table, *names)):
            connection.exec_driver_sql(f"EXPLAIN {text}", (None,) * text.count("?"))
        with pytest.raises(Exception, match="no such column") as caught:
            connection.exec_driver_sql(SQL.select(table, "missing"), (None,))
        assert isinstance(caught.value.__cause__, sqlite3.Error)
    database.close()
