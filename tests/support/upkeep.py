"""What is done to a state directory besides running: cleaned, written out, taken over, migrated.

Each is a function of a folder, so that a process of its own can do it and be killed over it.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from support.states import ME, Place

from maestro_dsl.storage import database as module
from maestro_dsl.storage.archive import Archive
from maestro_dsl.storage.database import open_database
from maestro_dsl.storage.lease import run_lock

NOW = 10.0
KEPT, GONE = ("c", "d"), ("a", "b")
OLD = "0001"


def lived_in(folder: Path) -> None:
    """Make a state directory with runs of which half is too many, rows and files of all kinds."""
    place = Place(folder / "state")
    for at, name in enumerate((*GONE, *KEPT), 1):
        place.run(name, float(at), unique=b" of its own")
        run_lock(folder / "state", name).acquire(ME).release()  # leaves a file
    place.age()
    place.journal.close()


def clean(folder: Path) -> None:
    """Clean, as `state gc` does."""
    place = Place(folder / "state")
    with closing(place.journal):
        place.clean(now=NOW)


def write_out(folder: Path) -> None:
    """Export all runs."""
    place = Place(folder / "state")
    with closing(place.journal):
        archive(place).export(sorted(place.ids()), folder / "out" / "all.zip", with_newest=True)


def take_over(folder: Path) -> None:
    """Import them into another state directory."""
    place = Place(folder / "other")
    with closing(place.journal):
        archive(place).load(folder / "out" / "all.zip")


def migrate(folder: Path) -> None:
    """Open a journal, which brings it to what this program knows."""
    open_database(folder / "state").close()


def archive(place: Place) -> Archive:
    """Return the way in and out of a state directory."""
    return Archive(place.journal, place.artifacts, tool_version="1")


def older(state: Path, revision: str = OLD) -> None:
    """Make a journal as an earlier version did, with a plan in it."""
    state.mkdir(parents=True, exist_ok=True)
    engine = module.engine_of(state / "journal.db", "WAL")
    config = Config()
    config.set_main_option("script_location", str(Path(module.__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.exec_driver_sql("INSERT INTO plans VALUES ('d', x'7b7d')")
    engine.dispose()
    (state / "state.json").write_bytes(module._MARKER_CONTENT)
