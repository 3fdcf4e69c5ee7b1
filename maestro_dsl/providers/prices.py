"""What model calls cost, from the dated file `prices.yaml`; money is integer nano-dollars.

Cost of a call = uncached input, output, cache writes and cache reads, each at the rate of the tier that the
whole prompt falls into. A model without a price is unknown (None), never free.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Severity
from maestro_dsl.errors import EnvironmentFailure
from maestro_dsl.lang.price_file import EXAMPLE, PriceTier, read_prices

if TYPE_CHECKING:
    from maestro_dsl.engine.events import Usage
    from maestro_dsl.engine.ports.models import ModelKey

_PACKAGED: Final = Path(__file__).with_name("prices.yaml")
_NANO_PER_MILLION: Final = 1000
"""1 USD a million tokens = 1000 nano-dollars a token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Nano-dollars a token from `from_tokens` of prompt on."""

    from_tokens: int
    input: Decimal
    output: Decimal
    cache_read: Decimal
    cache_write: Decimal

    def cost(self, usage: Usage) -> int:
        """Return the price of `usage`, rounded up to a whole nano-dollar."""
        total = (
            self.input * usage.input_tokens
            + self.output * usage.output_tokens
            + self.cache_read * usage.cache_read_tokens
            + self.cache_write * usage.cache_write_tokens
        )
        return _ceil(total)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    """Prices by model; `free` names providers that cost nothing because they are programs."""

    as_of: str
    free: frozenset[str]
    models: Mapping[str, tuple[Rates, ...]]

    def cost_nano_usd(self, model: ModelKey, usage: Usage) -> int | None:
        """Return the price of `usage`, or None where the model has no price."""
        provider, name = model
        tiers = self.models.get(name)
        if tiers is None:
            return 0 if provider in self.free else None
        prompt = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
        return _tier(tiers, prompt).cost(usage)

    def bound_nano_usd(self, model: ModelKey, input_tokens: int, output_tokens: int) -> int | None:
        """Return the dearest price that so many tokens can have, whichever way they are billed."""
        provider, name = model
        tiers = self.models.get(name)
        if tiers is None:
            return 0 if provider in self.free else None
        reached = [tier for tier in tiers if tier.from_tokens <= input_tokens] or [tiers[0]]
        dearest_in = max(max(tier.input, tier.cache_write, tier.cache_read) for tier in reached)
        dearest_out = max(tier.output for tier in reached)
        return _ceil(dearest_in * input_tokens + dearest_out * output_tokens)


def prices_of(text: str | None) -> PriceTable:
    """Return the packaged prices, with what a project's own price file says above them.

    Raises:
        EnvironmentFailure: the text is no price file.
    """
    packaged = load_prices()
    if text is None:
        return packaged
    own = _parsed(text.encode(), "of the project")
    return PriceTable(
        as_of=own.as_of, free=packaged.free | own.free, models={**packaged.models, **own.models}
    )


def load_prices(path: Path | None = None) -> PriceTable:
    """Read a price file (the packaged one by default).

    Raises:
        EnvironmentFailure: the file is absent or not a price file.
    """
    source = path or _PACKAGED
    try:
        content = source.read_bytes()
    except OSError as error:
        raise _unusable(source.name, error) from error
    return _parsed(content, source.name)


def _parsed(content: bytes, name: str) -> PriceTable:
    found, problems = read_prices(content, name)
    if found is None:
        first = next(item for item in problems if item.severity is Severity.ERROR)
        raise _unusable(name, f"line {first.span.line}: {first.message}")
    return PriceTable(
        as_of=found.as_of,
        free=frozenset(found.free),
        models={model: tuple(map(_rates, tiers)) for model, tiers in found.models.items()},
    )


def _unusable(name: str, why: object) -> EnvironmentFailure:
    return EnvironmentFailure(f"the price file {name} cannot be used: {why}", hint=EXAMPLE)


def _rates(tier: PriceTier) -> Rates:
    """Return the rates of a tier; what it does not state about caches costs what input does."""
    rates = {key: value * _NANO_PER_MILLION for key, value in tier.rates.items()}
    plain = rates["input"]
    return Rates(
        from_tokens=tier.from_tokens,
        input=plain,
        output=rates["output"],
        cache_read=rates.get("cache_read", plain),
        # The longer-lived cache write is the dearer one; a bound must hold for either.
        cache_write=max(rates.get("cache_write", plain), rates.get("cache_write_1h", Decimal(0))),
    )


def _tier(tiers: tuple[Rates, ...], prompt_tokens: int) -> Rates:
    return max((t for t in tiers if t.from_tokens <= prompt_tokens), key=lambda t: t.from_tokens)


def _ceil(value: Decimal) -> int:
    return int(value.to_integral_value(rounding="ROUND_CEILING"))
