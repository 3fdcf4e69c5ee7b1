"""Reads price files: what models cost in USD per million tokens, with every mistake on its token.

Of the packaged file and of `prices_file` of a project. Counts no money: `maestro_dsl.providers.prices` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from decimal import Decimal
from math import inf
from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.diagnostics import Diagnostic, Diagnostics, Severity
from maestro_dsl.lang.contracts import read_stated
from maestro_dsl.lang.files import Names, area_of
from maestro_dsl.lang.source import load
from maestro_dsl.lang.suggest import closest, guessed
from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import Project
    from maestro_dsl.lang.source import Loaded
    from maestro_dsl.lang.sourcemap import Pointer

CODE: Final = "RUN010"
NAME: Final = "unusable-prices"
EXAMPLE: Final = (
    'as_of: "2026-11-01", models: {my-model: [{from_tokens: 0, input: 3, output: 15, cache_read: 0.3,'
    " cache_write: 3.75}]}, in USD per million tokens"
)
_TOP: Final = ("as_of", "free", "models")
_RATES: Final = ("input", "output", "cache_read", "cache_write", "cache_write_1h")
_TIER: Final = ("from_tokens", *_RATES)
_NEEDED: Final = ("input", "output")


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTier:
    """What tokens cost from a size of the prompt on; `rates` has `input` and `output` and more."""

    from_tokens: int
    rates: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFile:
    """Prices by model, in USD per million tokens; `free` names providers that cost nothing."""

    as_of: str
    free: tuple[str, ...]
    models: Mapping[str, tuple[PriceTier, ...]]
    text: str = field(repr=False)


def stated_prices(project: Document[Project]) -> tuple[PriceFile | None, Diagnostics]:
    """Return the prices of the file that a project states, None where it states none, or no usable one."""
    stated = project.value.prices_file
    if not stated:
        return None, Diagnostics()
    span = project.map.value_span(("prices_file",))
    found, problem = read_stated(area_of(project.path), project.path, stated, span)
    if found is None:
        return None, Diagnostics([problem] if problem else [])
    path, content = found
    return read_prices(content, Names()(path))


def read_prices(content: bytes | str, file: str) -> tuple[PriceFile | None, Diagnostics]:
    """Return the prices, None where something is wrong, and all that is; `file` is what messages call it."""
    loaded = load(content, file)
    found = Diagnostics(loaded.diagnostics.items)
    if not found.has_errors:
        found.extend(_Reader(loaded).mistakes())
    return (None if found.has_errors else _values(loaded)), found


class _Reader:
    """Looks for mistakes in one file."""

    def __init__(self, loaded: Loaded) -> None:
        self._data: Any = loaded.data
        self._map = loaded.map

    def mistakes(self) -> Iterator[Diagnostic]:
        if not isinstance(self._data, dict):
            yield self._at((), "a price file states as_of and models", EXAMPLE)
            return
        yield from self._keys((), _TOP, ("as_of", "models"), "a price file")
        free = self._data.get("free", [])
        if not isinstance(free, list):
            yield self._at(("free",), "free must be a list of model providers", f"write [{free}]")
        models = self._data.get("models", {})
        if not isinstance(models, dict):
            yield self._at(("models",), "models must be names of models with what they cost", EXAMPLE)
            return
        for name, stated in models.items():
            yield from self._model(("models", name), stated)

    def _model(self, pointer: Pointer, stated: Any) -> Iterator[Diagnostic]:
        name = pointer[-1]
        tiers = [stated] if isinstance(stated, dict) else stated
        if not isinstance(tiers, list) or not tiers or not all(isinstance(tier, dict) for tier in tiers):
            message = f"{name} must have prices, or a list of them by size of the prompt"
            yield self._at(pointer, message, "write {input: 3, output: 15}, in USD per million tokens")
            return
        begins: set[int] = set()
        for place, tier in enumerate(tiers):
            where = pointer if isinstance(stated, dict) else (*pointer, place)
            yield from self._keys(where, _TIER, _NEEDED, f"a price of {name}")
            yield from self._rates(where, tier)
            size = tier.get("from_tokens", 0)
            if isinstance(size, bool) or not isinstance(size, int) or size < 0:
                yield self._wrong((*where, "from_tokens"), "a number of tokens, 0 or more")
            elif size in begins:
                yield self._at(where, f"two prices of {name} begin at {size} tokens", "leave one out")
            begins.add(size if isinstance(size, int) else 0)
        if begins and min(begins) > 0:
            message = f"no price of {name} holds from the first token on"
            yield self._at((*pointer, 0, "from_tokens"), message, "begin with from_tokens: 0")

    def _rates(self, where: Pointer, tier: Mapping[str, Any]) -> Iterator[Diagnostic]:
        for key in _RATES:
            value = tier.get(key, 0)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < inf:
                yield self._wrong((*where, key), "a number of USD per million tokens, 0 or more")

    def _keys(
        self, where: Pointer, known: tuple[str, ...], needed: tuple[str, ...], what: str
    ) -> Iterator[Diagnostic]:
        stated: Any = self._data
        for step in where:
            stated = stated[step]
        missing = [key for key in needed if key not in stated]
        for key in stated:
            if key not in known:
                near = closest(str(key), [name for name in known if name not in stated])
                missing = [name for name in missing if name != near]
                guess = guessed(near)
                message, hint = f'unknown key "{key}" in {what}', f"{guess}valid keys: {', '.join(known)}"
                yield self._at((*where, key), message, hint, is_key=True)
        for key in missing:
            yield self._at(where, f'missing key "{key}" in {what}', EXAMPLE, is_key=bool(where))

    def _wrong(self, pointer: Pointer, wanted: str) -> Diagnostic:
        message = f"{pointer[-1]} must be {wanted}, not {self._map.raw(pointer)}"
        return self._at(pointer, message, "write a plain number, such as 3")

    def _at(self, pointer: Pointer, message: str, hint: str, *, is_key: bool = False) -> Diagnostic:
        span = self._map.key_span(pointer) if is_key else self._map.value_span(pointer)
        return Diagnostic(
            code=CODE, name=NAME, severity=Severity.ERROR, span=span, message=message, help=hint
        )


def _values(loaded: Loaded) -> PriceFile:
    data: Any = loaded.data
    return PriceFile(
        text=loaded.text,
        as_of=str(data["as_of"]),
        free=tuple(map(str, data.get("free", ()))),
        models={
            str(name): tuple(_tier(tier) for tier in ([stated] if isinstance(stated, dict) else stated))
            for name, stated in data["models"].items()
        },
    )


def _tier(stated: Mapping[str, Any]) -> PriceTier:
    rates = {key: Decimal(str(stated[key])) for key in _RATES if key in stated}
    return PriceTier(from_tokens=stated.get("from_tokens", 0), rates=rates)
