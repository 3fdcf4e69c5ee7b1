"""What every `BreakerStore` has to keep: the one in memory, and the one that all processes share."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from maestro_dsl.compiler.plan import BreakerPolicy
from maestro_dsl.engine.breakers import MemoryBreakers
from maestro_dsl.engine.policy import breaker
from maestro_dsl.engine.policy.breaker import PROBE, Breaker, BreakerMode
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.errors import IntegrityError
from maestro_dsl.storage.breakers import Breakers
from maestro_dsl.storage.database import open_database

MODEL, OTHER = ("acme", "m"), ("acme", "n")
POLICY = BreakerPolicy()


@pytest.fixture(params=["memory", "database"])
def store(request, tmp_path):
    if request.param == "memory":
        yield MemoryBreakers()
        return
    database = open_database(tmp_path)
    yield Breakers(database)
    database.close()


def fail(store, times, model=MODEL, at=100.0):
    for _ in range(times):
        store.change(model, lambda found: breaker.record(POLICY, found, Failure.TRANSPORT, at))


def test_nothing_known_is_closed(store):
    assert store.load(MODEL) == Breaker()


def test_changes_are_seen_and_each_model_has_its_own(store):
    fail(store, 5)
    fail(store, 1, OTHER)
    assert store.load(MODEL) == Breaker(failures=5, opened_at=100.0)
    assert store.load(OTHER) == Breaker(failures=1)


def test_a_change_returns_what_it_made_and_may_close_again(store):
    fail(store, 5)
    probing = store.change(MODEL, lambda found: breaker.admit(POLICY, found, 200.0)[1])
    assert (probing, probing.mode) == (store.load(MODEL), BreakerMode.HALF_OPEN)
    assert store.change(MODEL, lambda _: Breaker()) == store.load(MODEL) == Breaker()


def test_a_change_that_raises_changes_nothing(store):
    fail(store, 2)

    def broken(_):
        raise KeyError

    with pytest.raises(KeyError):
        store.change(MODEL, broken)
    assert store.load(MODEL) == Breaker(failures=2)


# ---- the shared one --------------------------------------------------------------------------------------


def test_two_processes_see_one_breaker_and_it_survives_both(tmp_path):
    program = (
        "import sys, pathlib\n"
        "from maestro_dsl.engine.policy.breaker import Breaker\n"
        "from maestro_dsl.storage.breakers import Breakers\n"
        "from maestro_dsl.storage.database import open_database\n"
        "store = Breakers(open_database(pathlib.Path(sys.argv[1])))\n"
        "before = store.load(('acme', 'm'))\n"
        "store.change(('acme', 'm'), lambda found: Breaker(failures=found.failures + 1, opened_at=7.0))\n"
        "print(before.failures)\n"
    )
    database = open_database(tmp_path)
    store = Breakers(database)
    fail(store, 4)
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "4\n"
    assert store.load(MODEL) == Breaker(failures=5, opened_at=7.0)
    database.close()
    again = open_database(tmp_path)
    assert Breakers(again).load(MODEL) == Breaker(failures=5, opened_at=7.0)
    again.close()


def test_of_many_who_ask_at_once_one_becomes_the_probe(tmp_path):
    databases = [open_database(tmp_path) for _ in range(4)]
    stores = [Breakers(database) for database in databases]
    fail(stores[0], 5)

    def ask(store):
        taken = []

        def take(found):
            answer, after = breaker.admit(POLICY, found, 200.0)
            taken.append(answer)
            return after

        store.change(MODEL, take)
        return taken[-1]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, stores * 3))
    assert answers.count(PROBE) == 1
    for database in databases:
        database.close()


def test_a_damaged_row_is_noticed(tmp_path):
    database = open_database(tmp_path)
    store = Breakers(database)
    fail(store, 5)
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE breakers SET body = replace(body, '100.0', '900.0')")
    with pytest.raises(IntegrityError, match="the stored record of the breaker of acme/m is damaged"):
        store.load(MODEL)
    database.close()


def test_a_model_that_answers_leaves_no_row(tmp_path):
    database = open_database(tmp_path)
    store = Breakers(database)
    store.load(MODEL)
    assert store.all() == ()
    fail(store, 1)
    assert store.all() == (("acme/m", replace(Breaker(), failures=1)),)
    database.close()
