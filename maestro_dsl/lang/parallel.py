"""Many documents parsed on several cores; what they mean is decided in the process that asked.

Processes are forked, so that they start in milliseconds with everything loaded. Where forking is not safe, or
the work is too little to be worth it, nothing is parsed here and the caller reads as ever.
"""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from maestro_dsl.lang.disk import read
from maestro_dsl.lang.read import Parsed, parse_content

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WORTH_IT: Final = 100
"""Fewer files are read sooner than processes are started."""
_CHUNK: Final = 25
Item = tuple[Path, str]
"""A file, and what it is called in messages."""


def can_fork() -> bool:
    """Return whether this process may be forked: other threads could hold locks for ever in the copy."""
    return sys.platform == "linux" and threading.active_count() == 1


def parse_ahead(files: Sequence[Item], jobs: int) -> Iterator[tuple[Item, Parsed]]:
    """Yield the files with what they hold, in their order; those that cannot be read are left out."""
    if jobs < 2 or len(files) < WORTH_IT or not can_fork():  # noqa: PLR2004 - one is this process
        return
    from concurrent.futures.process import BrokenProcessPool, ProcessPoolExecutor  # loads much
    from multiprocessing import get_context

    chunks = [files[start : start + _CHUNK] for start in range(0, len(files), _CHUNK)]
    # A worker that dies, for want of memory say, leaves the rest to the caller.
    with suppress(BrokenProcessPool), ProcessPoolExecutor(jobs, mp_context=get_context("fork")) as pool:
        for chunk, parsed in zip(chunks, pool.map(_parse, chunks), strict=True):
            yield from ((item, found) for item, found in zip(chunk, parsed, strict=True) if found is not None)


def _parse(chunk: Sequence[Item]) -> list[Parsed | None]:
    found: list[Parsed | None] = []
    for path, file in chunk:
        try:
            found.append(parse_content(read(path), file))
        except OSError:
            found.append(None)
    return found
