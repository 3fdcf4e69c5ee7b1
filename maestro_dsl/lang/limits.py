"""What one file may hold; looked at before it is parsed where that is possible, else while events arrive.

How many findings of one rule a file may give stands in `maestro_dsl.diagnostics`.
"""

from __future__ import annotations

from typing import Final

from maestro_dsl.records import dataclass

MIB: Final = 1024 * 1024
LARGEST_FILE: Final = 32 * MIB
"""More of a file than this is never read into memory."""
LARGEST_PROMPT: Final = MIB // 4
"""Bytes of a prompt template."""
MOST_IN_PROMPT: Final = 2_000
"""Expressions and statements of a prompt template."""

MOST_UNKNOWN: Final = 200
"""Values of a document with tags or aliases that mean nothing; one more, and reading ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one document may hold, and whether it is one of ours (`strict`) or written for other tools."""

    depth: int
    nodes: int
    size: int
    lines: int
    """Line ends; in a document of ours also commas, which part values in one line."""
    strict: bool


DOCUMENT: Final = Limits(depth=100, nodes=115_000, size=4 * MIB, lines=115_000, strict=True)
"""Holds a blueprint of 10,000 nodes, and keeps lint of whatever fits below 100 MB of memory."""
INTERFACE: Final = Limits(depth=200, nodes=4_000_000, size=LARGEST_FILE, lines=2_000_000, strict=False)
