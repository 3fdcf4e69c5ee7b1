"""Resolved settings of the language to the policies that a compiled plan carries."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final, TypeVar

from maestro_dsl.compiler.plan import (
    BreakerPolicy,
    Execution,
    Guardrails,
    RetryPolicy,
    SafetyPolicy,
    SizeLimits,
)
from maestro_dsl.lang.model_providers import PROVIDERS

if TYPE_CHECKING:
    from maestro_dsl.lang.model import (
        ExecutionSettings,
        GuardrailSettings,
        Limits,
        RetrySettings,
        SafetySettings,
    )

P = TypeVar("P")

DEFAULT_MAX_OUTPUT_TOKENS: Final = 16_000
"""Reserved for an answer where `max_output_tokens` is not stated; the ledger reserves the same."""
OFFLINE: Final = frozenset(PROVIDERS)
"""Model providers that call no model: so far all that there are."""


def retry_policy(settings: RetrySettings) -> RetryPolicy:
    """Return the retry policy (level 1)."""
    return _filled(RetryPolicy, settings, leave_out=("use",))


def safety_policy(settings: SafetySettings) -> SafetyPolicy:
    """Return the safety policy (level 2) with its breaker."""
    breaker = _filled(BreakerPolicy, settings.breaker)
    base = _filled(SafetyPolicy, settings, leave_out=("breaker",))
    return dataclasses.replace(base, breaker=breaker)


def guardrails_of(settings: GuardrailSettings) -> Guardrails:
    """Return the guardrails; None means "no limit" for the three limits, the rest has a default."""
    limits = ("max_cost_nano_usd", "max_tokens", "max_duration_s")
    base = _filled(Guardrails, settings, leave_out=limits)
    return dataclasses.replace(base, **{name: getattr(settings, name) for name in limits})


def execution_of(settings: ExecutionSettings) -> Execution:
    """Return how much may run at once."""
    return _filled(Execution, settings)


def sizes_of(limits: Limits) -> SizeLimits:
    """Return the limits that hold while a plan runs; the others are the compiler's own."""
    return _filled(SizeLimits, limits, leave_out=("max_nodes", "max_fanout", "max_prompt_bytes"))


def _filled(kind: type[P], settings: object, leave_out: tuple[str, ...] = ()) -> P:
    """Return a policy from resolved settings of the same field names; None keeps the policy's default."""
    names = (item.name for item in dataclasses.fields(settings))  # type: ignore[arg-type]  # always a dataclass
    stated = {name: getattr(settings, name) for name in names if name not in leave_out}
    return kind(**{name: value for name, value in stated.items() if value is not None})
