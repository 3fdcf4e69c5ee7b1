"""Quantities as people write them: one parser and one error message for each.

Durations become seconds, money integer nano-dollars, sizes bytes, tokens plain counts. Money is counted in
decimal arithmetic, never in floats.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import Final, TypeGuard

from maestro_dsl.lang.late import pattern
from maestro_dsl.money import NANO_USD

_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)", re.ASCII)
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_TOKENS: Final = pattern(r"([0-9]+(?:\.[0-9]+)?)([kM]?)", re.ASCII)
_COUNT: Final = {"": 1, "k": 1_000, "M": 1_000_000}
_MONEY: Final = pattern(r"([0-9]+(?:\.[0-9]{1,9})?) USD", re.ASCII)
_SIZE: Final = pattern(r"([0-9]+(?:\.[0-9]+)?) ?(B|kB|KB|MB|GB|KiB|MiB|GiB)", re.ASCII)
_BYTES: Final = {
    "B": 1, "kB": 1000, "KB": 1000, "MB": 1000**2, "GB": 1000**3, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3,
}  # fmt: skip
_VERSION: Final = pattern(
    r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?", re.ASCII
)
_CARET: Final = pattern(r"\^([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?", re.ASCII)

MESSAGES: Final = {
    "duration": "is not a duration: write a number with ms, s, m, h or d, such as 15m",
    "tokens": "is not a number of tokens: write a whole number, or one with k or M, such as 100k",
    "money": "is not an amount of money: write a number and USD, such as 12.50 USD",
    "size": "is not a size: write bytes, or a number with kB, MB, GB, KiB, MiB or GiB, such as 16 MiB",
    "version": 'is not a version: write three numbers in quotes where needed, such as "1.0.0"',
    "range": "is not a version range: write such as ^1.2, 1.4.0 or >=1.2,<2",
    "id": "is not an id: write small letters, digits and _, a letter first",
    "name": "is not a name: write small letters, digits, _ and -, a letter first",
    "kebab": "is not a name: write small letters, digits and single - between them, a letter first",
    "id_or_expression": "is neither an id (small letters, digits and _) nor one whole {{ expression }}",
}
"""What is said about a value that is not of a unit; the value stands before it."""


class UnitError(ValueError):
    """A text is not a quantity of the wanted unit; the message is for people."""

    def __init__(self, value: object, unit: str) -> None:
        super().__init__(f'"{value}" {MESSAGES[unit]}')


def parse_duration(value: object) -> float:
    """Return seconds: "500ms", "5s", "15m", "2h", "30d".

    Raises:
        UnitError: `value` is not a duration.
    """
    if not isinstance(value, str):
        raise UnitError(value, "duration")
    return _seconds(value)


def is_duration(value: object) -> bool:
    """Return whether a value is a duration, of whatever length."""
    return isinstance(value, str) and _DURATION.fullmatch(value) is not None


@lru_cache(maxsize=1024)
def _seconds(text: str) -> float:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise UnitError(text, "duration")
    return float(Decimal(match[1]) * Decimal(str(_SECONDS[match[2]])))


def duration_text(value: float) -> str:
    """Return a duration as people write it: 90 is "90s", 900 is "15m"."""
    for unit, size in (("h", 3600), ("m", 60)):
        if value >= size and value % size == 0:
            return f"{value / size:g}{unit}"
    return f"{value:g}s"


def parse_tokens(value: object) -> int:
    """Return a count of tokens: 100000, "100k", "2M".

    Raises:
        UnitError: `value` is not a number of tokens.
    """
    if _is_count(value):
        return int(value)
    match = _TOKENS.fullmatch(value) if isinstance(value, str) else None
    count = Decimal(match[1]) * _COUNT[match[2]] if match else Decimal("0.5")
    if count != int(count):
        raise UnitError(value, "tokens")
    return int(count)


def _is_count(value: object) -> TypeGuard[float]:
    """Return whether a value is a whole number, which may be written as 2.0 or 1e3."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return value >= 0 and (isinstance(value, int) or value.is_integer())


def parse_money(value: object) -> int:
    """Return nano-dollars (10^9 make one dollar): "12.50 USD".

    Raises:
        UnitError: `value` is not an amount of money.
    """
    match = _MONEY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise UnitError(value, "money")
    return int(Decimal(match[1]) * NANO_USD)


def parse_size(value: object) -> int:
    """Return bytes: 4096, "64 KiB", "10MB".

    Raises:
        UnitError: `value` is not a size.
    """
    if _is_count(value):
        return int(value)
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise UnitError(value, "size")
    return int(Decimal(match[1]) * _BYTES[match[2]])


def parse_version(value: object) -> tuple[int, int, int]:
    """Return major, minor and patch of a version: "1.0.0".

    Raises:
        UnitError: `value` is not a version.
    """
    match = _VERSION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise UnitError(value, "version")
    return int(match[1]), int(match[2]), int(match[3])


def is_in_range(version: str, wanted: str) -> bool:
    """Return whether `version` meets the range `wanted`: "^1.2", "1.4.0", ">=1.2,<2".

    Raises:
        UnitError: `wanted` is not a version range, or `version` not a version.
    """
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # loads slowly, and is needed rarely
    from packaging.version import InvalidVersion, Version

    try:
        found = Version(version)
    except InvalidVersion as error:
        raise UnitError(version, "version") from error
    try:
        return SpecifierSet(_as_specifier(wanted)).contains(found, prereleases=True)
    except InvalidSpecifier as error:
        raise UnitError(wanted, "range") from error


def _as_specifier(wanted: str) -> str:
    """Translate "^1.2" (no breaking change) and a bare version into the words of `packaging`."""
    caret = _CARET.fullmatch(wanted.strip())
    if caret is None:
        return f"=={wanted.strip()}" if wanted.strip()[:1].isdigit() else wanted
    given = [int(part) for part in caret.groups() if part is not None]
    at = next((index for index, part in enumerate(given) if part), len(given) - 1)
    upper = [*given[:at], given[at] + 1]
    return f">={'.'.join(map(str, given))},<{'.'.join(map(str, upper))}"
