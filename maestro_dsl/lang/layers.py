"""Layers of settings as flat keys with origins, and the built-in defaults at the bottom.

A layer maps keys such as "policies.retry.delay" to a value and the place that states it. The attempts of a
persona and of `policies.retry` are one setting, called "max_attempts". Only looks values up; what a value
means is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, TypeVar, cast

from maestro_dsl.lang.model import (
    BreakerSettings,
    ExecutionSettings,
    GiveUp,
    GuardrailSettings,
    Limits,
    PolicySettings,
    RetrySettings,
    SafetySettings,
    Schedule,
    StateSettings,
)
from maestro_dsl.money import NANO_USD
from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from maestro_dsl.lang.sourcemap import Pointer, SourceMap

Origin: TypeAlias = str
"""Where a value came from: "plan.yaml:14", "environment MAESTRO_PROVIDER", "command line" …"""
Layer: TypeAlias = Mapping[str, tuple[Any, Origin]]
S = TypeVar("S")

BUILT_IN: Final[Origin] = "built-in default"
COMMAND_LINE: Final[Origin] = "command line"
DEFAULT_MAX_ATTEMPTS: Final = 3

_UNITS: Final = ("_nano_usd", "_bytes", "_s")
_ONE_SETTING: Final = {"policies.retry.max_attempts": "max_attempts"}
_KEYS: Final = {
    "state.keep_runs": "state.retention.runs",
    "state.keep_age": "state.retention.age",
    "state.keep": "state.retention.size",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _BuiltIn:
    """The shape of the lowest layer: the names of its fields give the keys."""

    provider: str
    quality_threshold: float
    output: str
    timeout_s: float
    attempt_timeout_s: float
    token_budget: int
    give_up_on_failure: bool
    sandbox: str
    policies: PolicySettings
    guardrails: GuardrailSettings
    execution: ExecutionSettings
    limits: Limits
    state: StateSettings


_DEFAULTS: Final = _BuiltIn(
    provider="scaffold",
    quality_threshold=0.80,
    output="build",
    timeout_s=900.0,
    attempt_timeout_s=300.0,
    token_budget=100_000,
    give_up_on_failure=True,
    sandbox="auto",
    policies=PolicySettings(
        retry=RetrySettings(
            temperatures=(),
            efforts=(),
            delay_s=1.0,
            max_delay_s=5.0,
            jitter=0.2,
            max_transport_attempts=5,
            max_throttle_wait_s=600.0,
        ),
        safety=SafetySettings(
            max_attempts=2,
            delays_s=(5.0, 10.0, 20.0),
            breaker=BreakerSettings(failures=5, reset_after_s=60.0, max_wait_s=300.0),
        ),
        give_up=GiveUp.SKIP_DEPENDANTS,
    ),
    guardrails=GuardrailSettings(
        max_cost_nano_usd=200 * NANO_USD, on_exceeded="pause", warn_at=0.8, on_unknown_price="warn"
    ),
    execution=ExecutionSettings(
        max_concurrency=100, max_per_persona=4, max_per_provider=50, schedule=Schedule.READY
    ),
    limits=Limits(
        max_nodes=100_000,
        max_fanout=10_000,
        max_artifact_bytes=16 * 1024 * 1024,
        max_prompt_bytes=1024 * 1024,
        max_log_bytes=4 * 1024 * 1024,
    ),
    state=StateSettings(keep_runs=50, keep_age_s=30 * 86_400.0, keep_bytes=10 * 1024**3),
)


class Found:
    """Looks keys up, highest layer first, and remembers where each value came from."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._layers = layers
        self.origins: dict[str, Origin] = {}

    def value(self, key: str) -> Any:
        """Return the highest value of `key`, or None where no layer states it."""
        for layer in self._layers:
            if key in layer:
                value, self.origins[key] = layer[key]
                return value
        return None

    def group(self, key: str, cls: type[S]) -> S:
        """Return a settings class whose fields are the highest values of the keys below `key`."""
        known: dict[str, Any] = {}
        for place in _places(cast("Hashable", cls), key):
            value = self.value(place.key)
            if value is not None:
                known[place.name] = value
        return cls(**known)


def key_of(path: str) -> str:
    """Return the key as a user writes it, without the unit that the field's name carries."""
    for unit in _UNITS:
        if path.endswith(unit):
            path = path.removesuffix(unit)
            break
    path = _KEYS.get(path, path)
    return _ONE_SETTING.get(path, path)


class _Place(NamedTuple):
    """A field of a settings class."""

    name: str
    path: str
    key: str
    written: str
    """The path as it is written in a document."""


@cache
def _places(cls: Any, prefix: str) -> tuple[_Place, ...]:
    """Return the fields of a settings class below the key `prefix`; it is asked for each layer and node."""
    found: list[_Place] = []
    for item in fields(cls):
        path = f"{prefix}.{item.name}" if prefix else item.name
        written = next((path.removesuffix(unit) for unit in _UNITS if path.endswith(unit)), path)
        found.append(_Place(item.name, path, key_of(path), _KEYS.get(written, written)))
    return tuple(found)


def stated(settings: object, prefix: str, where: Callable[[str], Origin]) -> Layer:
    """Return what `settings` states below the key `prefix`; `where` gives the origin of a written path."""
    layer: dict[str, tuple[Any, Origin]] = {}
    for name, path, key, written in _places(cast("Hashable", type(settings)), prefix):
        value = getattr(settings, name)
        if value is None:
            continue
        if is_dataclass(value):
            inner = stated(value, path, where)
            layer.update({key: entry for key, entry in inner.items() if key not in layer})
        else:
            layer[key] = (value, where(written))
    return layer


def in_document(source: SourceMap, base: Pointer = (), *, drop: str = "") -> Callable[[str], Origin]:
    """Return the origin of a written path in a document: "file:line" of the value below `base`."""

    def where(path: str) -> Origin:
        steps = path.removeprefix(drop).strip(".").split(".")
        return f"{source.file}:{source.value_span((*base, *steps)).line}"

    return where


@cache
def built_in() -> Layer:
    """Return the lowest layer."""
    return MappingProxyType(dict(stated(_DEFAULTS, "", lambda _: BUILT_IN)))
