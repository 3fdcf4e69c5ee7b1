"""Amounts of money as text; counted they are whole nano-dollars, and None is an amount that nobody knows."""

from __future__ import annotations

from typing import Final

NANO_USD: Final = 1_000_000_000
"""Nano-dollars of a dollar."""
_CENT: Final = 10_000_000
_FINEST: Final = 100_000


def money_text(nano_usd: int | None) -> str:
    """Return an amount for people, as documents state it: "unknown", "0.00 USD", "0.25 USD", "0.0090 USD".

    To the cent where that is exact, else to the hundredth of a cent, rounded up: what cost something never
    looks free, and what was nearly spent never looks like room.
    """
    if nano_usd is None:
        return "unknown"
    cents, rest = divmod(nano_usd, _CENT)
    if not rest:
        return f"{cents // 100}.{cents % 100:02} USD"
    finest = -(-nano_usd // _FINEST)
    return f"{finest // 10_000}.{finest % 10_000:04} USD"


def exact_usd(nano_usd: int) -> str:
    """Return dollars as an exact decimal without their unit: "200", "0.000012"."""
    whole, rest = divmod(nano_usd, NANO_USD)
    return f"{whole}.{rest:09}".rstrip("0").rstrip(".")
