"""Every region of the stored state flipped or cut: it is noticed, or everything reads as before.

The state is that of a process which was killed: half of it only stands in the write-ahead log. Never is
something else read, and never nothing. The default suite damages some places of each file by chance,
`MAESTRO_TEST_ALL_DAMAGE=1` each byte of small files and of all headers, the others in strides, and cuts at
and beside each border (`-s` prints how many).
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from support import damage
from support.damage import FRAME, PAGE, Death, outcome, views

ALL = os.environ.get("MAESTRO_TEST_ALL_DAMAGE") == "1"
SEED = 5
PARTS = 4 if ALL else 1
"""So that several processes share what is long."""
MEMORY = Path("/dev/shm")
SMALL = 1000
STRIDE = 37
WAL_HEADER = 32
FILES = {
    "database": ("journal.db", 24),
    "database below a log": ("journal.db", 4),
    "write-ahead log": ("journal.db-wal", 20),
    "its index": ("journal.db-shm", 4),
    "rollback journal": ("journal.db-journal", 8),
    "marker": ("state.json", 3),
    "watermarks": ("watermarks/*", 8),
    "locks": ("locks/*", 4),
    "contents": ("objects/??/*", 8),
    "manifest": ("out/.maestro/manifest.json", 6),
    "note": ("out/.maestro/underway.json", 6),
}
"""What there is, where it lies, and how many places of it the default suite damages."""

OTHERS = {"database": Death.CLOSED, "rollback journal": Death.COMMITTING}
"""Of which death what is damaged was left; most of being killed at work."""


@dataclass(frozen=True)
class Damage:
    """One byte of a file changed by `mask`, or the file cut off there (`mask` 0), or gone (`at` -1)."""

    file: str
    at: int
    mask: int = 0

    def __call__(self, state) -> None:
        path = state / self.file
        content = path.read_bytes()
        if self.at < 0:
            path.unlink()
        elif not self.mask:
            path.write_bytes(content[: self.at])
        else:
            changed = bytes([content[self.at] ^ self.mask])
            path.write_bytes(content[: self.at] + changed + content[self.at + 1 :])


@pytest.fixture(scope="module")
def states(tmp_path_factory):
    """The state as each death leaves it."""
    return {death: damage.make(tmp_path_factory.mktemp(death), death) for death in Death}


@pytest.fixture(scope="module")
def whole(states, tmp_path_factory):
    """What the undamaged state reads as, whatever the death."""
    folder = tmp_path_factory.mktemp("whole")
    assert outcome(states[Death.WORKING], lambda _: None, {}, folder) == "equal"
    found = views(folder / "state")
    for state in states.values():
        assert outcome(state, lambda _: None, found, folder) == "equal"
    return found


def damages(name, size):
    """Yield the damages of one file, all or where it matters most."""
    if size <= SMALL:
        flips, cuts = range(size), range(size)
    elif name.endswith("-wal"):
        starts = range(WAL_HEADER, size, FRAME)
        headers = {start + byte for start in starts for byte in range(24)}
        flips = sorted({*range(WAL_HEADER), *headers, *range(0, size, STRIDE)})
        cuts = sorted({at for start in starts for at in (start - 1, start, start + 1, start + 24)} | {0})
    else:
        pages = range(0, size, PAGE)
        headers = {start + byte for start in pages for byte in range(16)}
        flips = sorted({*range(100), *headers, *range(0, size, STRIDE)})
        cuts = sorted({abs(at) for start in pages for at in (start - 1, start, start + 1)} | {99, 100, 511})
    if not name.startswith("out/"):  # an output folder without a manifest is one in which nothing is ours
        yield Damage(name, -1)
    for at in cuts:
        yield Damage(name, at)
    for place, at in enumerate(flips):
        yield Damage(name, at, (1, 255, 32, 128)[place % 4])


@pytest.fixture
def scratch(tmp_path):
    """Where the copies lie: in memory where that can be, because making and removing them is most of it."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else tmp_path) as folder:
        yield Path(folder)


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("kind", FILES)
def test_damage_is_noticed_or_makes_no_difference(kind, part, states, whole, scratch):
    pattern, count = FILES[kind]
    state = states[OTHERS.get(kind, Death.WORKING)]
    names = sorted(path.relative_to(state).as_posix() for path in state.glob(pattern))
    assert names
    chosen = [item for name in names for item in damages(name, (state / name).stat().st_size)]
    if not ALL:
        chosen = random.Random(SEED).sample(chosen, min(count, len(chosen)))
    chosen = chosen[part::PARTS]
    outcomes, bad = Counter(), []
    for item in chosen:
        try:
            found = outcome(state, item, whole, scratch)
            assert found == "noticed" or kind != "contents" or item.at < 0, "the content of an object differs"
            outcomes[found] += 1
        except Exception as error:  # noqa: BLE001 - all of them are told together
            bad.append(f"{item}: {type(error).__name__}: {error}"[:400])
    sys.stdout.write(f"\n{kind}: {len(chosen)} damages, {dict(outcomes)}\n")
    assert not bad, f"{len(bad)} of {len(chosen)} went unnoticed:\n" + "\n".join(bad[:20])
