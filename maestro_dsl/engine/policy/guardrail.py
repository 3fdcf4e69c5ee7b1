"""Limits of the whole run: what passing one means, and when to warn before."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from maestro_dsl.compiler.plan import Guardrails
    from maestro_dsl.engine.policy.ledger import Account, Refusal

RUN_ACCOUNT: Final = "run"


class OnLimit(StrEnum):
    """What a refused reservation leads to."""

    WAIT = "wait"
    PAUSE = "pause"
    STOP_NODE = "stop_node"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitDecision:
    """What to do, in a sentence."""

    action: OnLimit
    reason: str


def decide(guardrails: Guardrails, refusal: Refusal, account: Account) -> LimitDecision:
    """Return what a refused reservation leads to: only a limit of the run can pause the run."""
    limit = (
        f"{account.max_tokens:,} tokens"
        if refusal.kind == "tokens"
        else f"{(account.max_nano_usd or 0) / 1e9:.2f} USD"
    )
    if refusal.wait:
        return LimitDecision(action=OnLimit.WAIT, reason=f"calls in flight hold the rest of {limit}")
    reason = f"the next call could pass the limit of {limit} ({_owner(refusal.account)})"
    if refusal.account == RUN_ACCOUNT and guardrails.on_exceeded == "pause":
        return LimitDecision(action=OnLimit.PAUSE, reason=reason)
    return LimitDecision(action=OnLimit.STOP_NODE, reason=reason)


def _owner(account: str) -> str:
    kind, _, name = account.partition(":")
    return f"{kind} {name}" if name else "whole run"


def should_warn(account: Account, warn_at: float) -> bool:
    """Return whether so much is spent that a person should know."""
    return account.used_share >= warn_at > 0


def time_left_s(guardrails: Guardrails, active_s: float) -> float | None:
    """Return the seconds until the run's deadline, at least 0; None = no deadline."""
    return None if guardrails.max_duration_s is None else max(0.0, guardrails.max_duration_s - active_s)
