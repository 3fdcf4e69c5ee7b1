"""What model calls cost, from the dated file `prices.yaml`; money is integer nano-dollars.

Cost of a call = uncached input, output, cache writes and cache reads, each at the rate of the tier that the
whole prompt falls into. A model without a price is unknown (None), never free.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.diagnostics import Severity
from maestro_dsl.errors import EnvironmentFailure
from maestro_dsl.lang.source import load

if TYPE_CHECKING:
    from maestro_dsl.engine.events import Usage
    from maestro_dsl.engine.ports.models import ModelKey

_PACKAGED: Final = Path(__file__).with_name("prices.yaml")
_RATE_KEYS: Final = ("from_tokens", "input", "output", "cache_read", "cache_write", "cache_write_1h")
_EXAMPLE: Final = (
    'as_of: "2026-11-01", models: {my-model: [{from_tokens: 0, input: 3, output: 15, cache_read: 0.3,'
    " cache_write: 3.75}]}, in USD per million tokens"
)
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
    loaded = load(content, name)
    for problem in loaded.diagnostics:
        if problem.severity is Severity.ERROR:
            raise _unusable(name, f"line {problem.span.line}: {problem.message}")
    data: Any = loaded.data
    try:
        return _table(data)
    except ValueError as error:
        raise _unusable(name, str(error)) from error


def _table(data: Any) -> PriceTable:
    if not isinstance(data, dict) or "as_of" not in data or not isinstance(data.get("models"), dict):
        raise ValueError("it needs as_of, the day of the prices, and models, their names with what they cost")
    free = data.get("free", [])
    if not isinstance(free, list):
        raise ValueError("free: this is a list of model providers")  # noqa: TRY004 - a mistake in a file
    models = {str(model): _tiers(str(model), stated) for model, stated in data["models"].items()}
    return PriceTable(as_of=str(data["as_of"]), free=frozenset(map(str, free)), models=models)


def _tiers(model: str, stated: Any) -> tuple[Rates, ...]:
    """Return the tiers of a model; one mapping stands for one tier from the first token on."""
    tiers = [stated] if isinstance(stated, dict) else stated
    if not isinstance(tiers, list) or not tiers or not all(isinstance(tier, dict) for tier in tiers):
        raise ValueError(f"models.{model}: this is a list of prices by size of the prompt")
    rates = tuple(_rates(tier, f"models.{model}[{place}]") for place, tier in enumerate(tiers))
    if min(tier.from_tokens for tier in rates):
        raise ValueError(f"models.{model}: no price holds from the first token on (from_tokens: 0)")
    return rates


def _unusable(name: str, why: object) -> EnvironmentFailure:
    return EnvironmentFailure(f"the price file {name} cannot be used: {why}", hint=_EXAMPLE)


def _rates(tier: Mapping[str, Any], where: str) -> Rates:
    for key in tier:
        if key not in _RATE_KEYS:
            raise ValueError(f'{where}: unknown key "{key}"; there are {", ".join(_RATE_KEYS)}')

    def nano(name: str, usual: Decimal | None = None) -> Decimal:
        if name not in tier and usual is not None:
            return usual
        value = tier.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < inf:
            raise ValueError(f"{where}.{name}: this is a number of USD per million tokens, 0 or more")
        return Decimal(str(value)) * _NANO_PER_MILLION

    size = tier.get("from_tokens", 0)
    if isinstance(size, bool) or not isinstance(size, int) or size < 0:
        raise ValueError(f"{where}.from_tokens: this is a number of tokens, 0 or more")
    plain = nano("input")
    # The longer-lived cache write is the dearer one; a bound must hold for either.
    write = max(nano("cache_write", plain), nano("cache_write_1h", Decimal(0)))
    return Rates(
        from_tokens=size,
        input=plain,
        output=nano("output"),
        cache_read=nano("cache_read", plain),
        cache_write=write,
    )


def _tier(tiers: tuple[Rates, ...], prompt_tokens: int) -> Rates:
    return max((t for t in tiers if t.from_tokens <= prompt_tokens), key=lambda t: t.from_tokens)


def _ceil(value: Decimal) -> int:
    return int(value.to_integral_value(rounding="ROUND_CEILING"))
