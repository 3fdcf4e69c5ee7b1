"""Orphans of a killed run are found by their lease, and nobody else's process is touched."""

import os
import subprocess
import sys
import uuid

from maestro_dsl.sandbox.processes import LEASE_VARIABLE, end_orphans, find_orphans

WAIT = "print('up', flush=True); import time; time.sleep(60)"


def started(lease: str) -> subprocess.Popen:
    environment = {**os.environ, LEASE_VARIABLE: lease}
    process = subprocess.Popen(
        [sys.executable, "-c", WAIT], env=environment, stdout=subprocess.PIPE, start_new_session=True
    )
    process.stdout.readline()
    return process


def test_an_orphan_is_found_and_ended_by_its_lease() -> None:
    ours, other = uuid.uuid4().hex, uuid.uuid4().hex
    with started(ours) as orphan, started(other) as foreign:
        try:
            assert [item.pid for item in find_orphans(ours)] == [orphan.pid]
            assert end_orphans(ours, orphan.pid) == 1
            assert orphan.wait(10) == -9
            assert find_orphans(ours) == ()
            assert foreign.poll() is None
        finally:
            orphan.kill()
            foreign.kill()


def test_a_process_group_that_was_reused_is_left_alone() -> None:
    with started(uuid.uuid4().hex) as foreign:
        try:
            assert end_orphans(uuid.uuid4().hex, foreign.pid) == 0
            assert foreign.poll() is None
        finally:
            foreign.kill()


def test_a_longer_lease_of_the_same_beginning_is_another_one() -> None:
    lease = uuid.uuid4().hex
    with started(lease + "0") as foreign:
        try:
            assert find_orphans(lease) == ()
        finally:
            foreign.kill()
