"""How a mock misbehaves on purpose: waits, failures and timeouts, the same ones for the same seed.

Kind-agnostic and without a clock: says what happens to the n-th request; whoever serves does it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from maestro_dsl.errors import UsageError
from maestro_dsl.interfaces.chance import between, hash32

if TYPE_CHECKING:
    from maestro_dsl.lang.model import MockOptions

_LATENCY: Final = re.compile(r"(\d+(?:\.\d+)?)(?:(ms|s)?-(\d+(?:\.\d+)?))?(ms|s)", re.ASCII)
_MS: Final = {"ms": 1, "s": 1000}
_MOST_MS: Final = 600_000
_SHARES: Final = 2**32
HELD_S: Final = 60.0
"""How long a request that times out is held before it is answered 504."""


class Fault(StrEnum):
    """What happens to a request instead of its answer."""

    ERROR = "error"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What happens to one request: it waits `delay_ms`, then is answered, or suffers `fault`."""

    delay_ms: int = 0
    fault: Fault | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """Settings of one served mock; without any it answers at once and as the contract says."""

    latency_ms: tuple[int, int] = (0, 0)
    error_rate: float = 0.0
    timeout_rate: float = 0.0
    is_dynamic: bool = False
    """Values are made even where the contract has examples."""
    callback_hosts: tuple[str, ...] = ()
    """Hosts beside this machine's own that callbacks may be sent to: "name" or "name:port"."""
    credentials: tuple[str, ...] = ()
    """The only credentials that are taken, "*" for whatever is there; none = what looks like one."""
    on_callback: Callable[[str], None] | None = field(default=None, compare=False)
    """Told in a sentence of each callback that was sent or refused."""

    @property
    def is_faulty(self) -> bool:
        """True where any request can be delayed or fail."""
        return self.latency_ms != (0, 0) or self.error_rate > 0 or self.timeout_rate > 0


NO_OPTIONS: Final = ServeOptions()
_UNTOUCHED: Final = Fate()


def fate_of(options: ServeOptions, seed: str, count: int) -> Fate:
    """Return what happens to the `count`-th request (from 1) of a mock with this `seed`."""
    if not options.is_faulty:
        return _UNTOUCHED
    roll = hash32(f"{seed}|fault|{count}") / _SHARES
    fault = None
    if roll < options.timeout_rate:
        fault = Fault.TIMEOUT
    elif roll < options.timeout_rate + options.error_rate:
        fault = Fault.ERROR
    return Fate(delay_ms=between(*options.latency_ms, f"{seed}|latency|{count}"), fault=fault)


def parse_latency(text: str) -> tuple[int, int]:
    """Return the least and the most milliseconds of "50ms", "50-200ms" or "0.5s-2s".

    Raises:
        UsageError: the text is none of these, or asks for more than ten minutes.
    """
    hit = _LATENCY.fullmatch(text.strip())
    if hit is not None:
        low = float(hit[1]) * _MS[hit[2] or hit[4]]
        high = low if hit[3] is None else float(hit[3]) * _MS[hit[4]]
        if low <= high <= _MOST_MS:
            return round(low), round(high)
    raise UsageError(f'"{text}" is no latency', hint="write a time such as 50ms, or a range such as 50-200ms")


def options_of(stated: MockOptions | None) -> ServeOptions:
    """Return the settings that a contract states for its mock."""
    if stated is None:
        return NO_OPTIONS
    return ServeOptions(
        latency_ms=(0, 0) if stated.latency is None else parse_latency(stated.latency),
        error_rate=stated.error_rate,
        timeout_rate=stated.timeout_rate,
        callback_hosts=stated.callback_hosts,
        credentials=stated.credentials,
    )


def overridden(
    options: ServeOptions,
    *,
    latency: str | None = None,
    error_rate: float | None = None,
    timeout_rate: float | None = None,
    is_dynamic: bool = False,
    callback_hosts: tuple[str, ...] = (),
    credentials: tuple[str, ...] = (),
    on_callback: Callable[[str], None] | None = None,
) -> ServeOptions:
    """Return `options` with what a command line says in place of them."""
    return replace(
        options,
        latency_ms=options.latency_ms if latency is None else parse_latency(latency),
        error_rate=options.error_rate if error_rate is None else error_rate,
        timeout_rate=options.timeout_rate if timeout_rate is None else timeout_rate,
        is_dynamic=is_dynamic or options.is_dynamic,
        callback_hosts=(*options.callback_hosts, *callback_hosts),
        credentials=credentials or options.credentials,
        on_callback=on_callback,
    )
