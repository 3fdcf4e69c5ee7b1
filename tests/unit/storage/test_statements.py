from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy.dialects import postgresql, sqlite
from support.states import Place

from maestro_dsl.storage.database import open_database
from maestro_dsl.storage.journal import Journal
from maestro_dsl.storage.statements import Statements
from maestro_dsl.storage.tables import HEADS, METADATA, NEWEST

SQL = Statements(sqlite.dialect())


def test_each_form_is_what_it_says():
    assert SQL.select(NEWEST, "plan_id", "node", columns=("key",), order=("key", "node")) == (
        "SELECT key AS key FROM newest WHERE plan_id = ? AND node = ? ORDER BY key, node"
    )
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


def test_results_have_their_names_whatever_the_schema_calls_them(tmp_path):
    """A flipped bit that changes a letter's case is the same name to SQLite, but not to who reads the row."""
    place = Place(tmp_path)
    place.run("a")
    place.journal.close()
    with closing(sqlite3.connect(tmp_path / "journal.db")) as connection, connection:
        connection.execute("PRAGMA writable_schema = ON")
        for name in ("created_at", "checksum", "key", "rows"):
            changed = f"replace(sql, '{name}', '{name.upper()}')"
            connection.execute(f"UPDATE sqlite_master SET sql = {changed} WHERE type = 'table'")
    with closing(Journal.open(tmp_path)) as journal:
        (result,) = journal.results()
        assert journal.result(result.key) == journal.last_result("p", "n") == result
        assert journal.result("none") is None
        assert (journal.run("a"), journal.verify()) == (journal.runs()[0], ())
