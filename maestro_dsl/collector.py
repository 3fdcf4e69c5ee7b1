"""Keeps the garbage collector out of work that makes many values, keeps them all and leaves no cycles."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_SELDOM: Final = 20_000
"""How many values more than before make a collection due in `collector_seldom`; usual are 700."""
_usual: list[tuple[int, int, int]] = []
"""An entry for each open block of `collector_seldom`; the first one is put back when the last block ends."""


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the collector inside the block: it would walk a tree that only grows again and again.

    What was made counts as old afterwards. As young it would be walked once more as soon as the collector is
    back, which is a tenth of the time of a lint.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            _make_old()
            gc.enable()


@contextmanager
def collector_seldom() -> Iterator[None]:
    """Let the collector look seldom inside the block, for work that keeps most of what it makes but is long.

    What there is when the block begins counts as old. Blocks may overlap, as runs of one process do.
    """
    _make_old()
    usual = gc.get_threshold()
    _usual.append(usual)
    if 0 < usual[0] < _SELDOM:
        gc.set_threshold(_SELDOM, *usual[1:])
    try:
        yield
    finally:
        usual = _usual.pop()
        if not _usual:
            _make_old()
            gc.set_threshold(*usual)


def _make_old() -> None:
    if not gc.get_freeze_count():  # nobody else's objects are frozen, which would come back
        gc.freeze()
        gc.unfreeze()
