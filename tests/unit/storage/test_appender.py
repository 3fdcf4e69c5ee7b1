"""Who waits for the disk: the loop while it is quick, a thread for some appends where it is not."""

from concurrent.futures import Future

import pytest

from maestro_dsl.storage.appender import PAUSE, QUICK_S, DiskAppender


class Disk:
    """Appends that take as long as it is told; the executor beside it makes them at once."""

    def __init__(self):
        self.time, self.takes, self.in_thread = 0.0, 0.0, 0

    def append(self):
        self.time += self.takes

    def submit(self, append):
        self.in_thread += 1
        append()
        done = Future()
        done.set_result(None)
        return done


@pytest.fixture
def desk():
    disk = Disk()
    return disk, DiskAppender(disk, monotonic=lambda: disk.time)


def appended(disk, appender, *takes):
    """Make an append of each length; return who made it, "l" for the loop and "t" for the thread."""
    made = ""
    for seconds in takes:
        disk.takes = seconds
        made += "l" if appender.is_quick else "t"
        if appender.is_quick:
            appender.here(disk.append)
        else:
            appender.submit(disk.append).result()
    return made


def test_a_quick_disk_needs_no_thread(desk):
    assert appended(*desk, *[QUICK_S] * 100) == "l" * 100


def test_a_slow_disk_has_a_thread_but_for_a_try_now_and_then(desk):
    made = appended(*desk, *[10 * QUICK_S] * (3 * (PAUSE + 1)))
    assert made == ("l" + "t" * PAUSE) * 3


def test_what_the_thread_takes_is_no_news_of_the_disk(desk):
    made = appended(*desk, 10 * QUICK_S, *[10 * QUICK_S] * PAUSE, *[QUICK_S / 4] * 20)
    assert made == "l" + "t" * PAUSE + "l" * 20


def test_one_long_append_among_quick_ones_changes_nothing(desk):
    made = appended(*desk, *[QUICK_S / 4] * 10, 3 * QUICK_S, *[QUICK_S / 4] * 10)
    assert made == "l" * 21


def test_a_refused_append_is_told(desk):
    _, appender = desk

    def refuse():
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        appender.here(refuse)
    assert appender.is_quick
