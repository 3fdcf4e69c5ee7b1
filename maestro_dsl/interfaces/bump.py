"""What the difference between two versions asks of their numbers, by the rules of semver.org.

Before 1.0.0 the second number stands for the first.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from maestro_dsl.interfaces.changes import Level

if TYPE_CHECKING:
    from maestro_dsl.interfaces.changes import Comparison

_VERSION: Final = re.compile(r"v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:[-+.].*)?")
_NEEDED: Final = {None: "none", Level.SAFE: "minor", Level.DANGEROUS: "minor", Level.BREAKING: "major"}


def needed_bump(comparison: Comparison) -> str:
    """Return "major", "minor" or "none"."""
    return _NEEDED[comparison.worst]


def is_bumped(old: str | None, new: str | None) -> bool | None:
    """Return whether `new` announces a breaking change after `old`; None where one is no version."""
    was, now = _numbers(old), _numbers(new)
    if was is None or now is None:
        return None
    return now > was and _major(now) != _major(was)


def next_major(version: str | None) -> str | None:
    """Return the next version that may break, e.g. "2.0.0" after "1.4.2" and "0.3.0" after "0.2.1"."""
    numbers = _numbers(version)
    if numbers is None:
        return None
    return f"{numbers[0] + 1}.0.0" if numbers[0] else f"0.{numbers[1] + 1}.0"


def _major(numbers: tuple[int, int, int]) -> tuple[int, ...]:
    return numbers[:1] if numbers[0] else numbers[:2]


def _numbers(text: str | None) -> tuple[int, int, int] | None:
    match = _VERSION.fullmatch((text or "").strip())
    if match is None:
        return None
    first, second, third = (int(part or 0) for part in match.groups())
    return first, second, third
