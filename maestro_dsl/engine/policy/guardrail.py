"""Limits of the whole run: what passing one means, and when to warn before."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from maestro_dsl.engine.events import LimitRaised
from maestro_dsl.money import money_text

if TYPE_CHECKING:
    from maestro_dsl.compiler.plan import Guardrails
    from maestro_dsl.engine.policy.ledger import Account, Refusal

RUN_ACCOUNT: Final = "run"
BUDGET_ALERT: Final = "budget"


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
    limit: str = ""
    """The key of the guardrail that stands in the way, such as "max_cost"."""


def in_force(guardrails: Guardrails, raised: LimitRaised | None) -> LimitRaised:
    """Return the limits of a run: each as a person raised it, else as the plan states it."""
    stated = LimitRaised(
        max_cost_nano_usd=guardrails.max_cost_nano_usd,
        max_tokens=guardrails.max_tokens,
        max_duration_s=guardrails.max_duration_s,
    )
    return stated if raised is None else overlaid(stated, raised)


def overlaid(limits: LimitRaised, raised: LimitRaised) -> LimitRaised:
    """Return `limits` with those that `raised` states in their places."""
    stated = {key: value for key, value in asdict(raised).items() if value is not None}
    return replace(limits, **stated)


def decide(guardrails: Guardrails, refusal: Refusal, account: Account) -> LimitDecision:
    """Return what a refused reservation leads to: only a limit of the run can pause the run."""
    in_tokens = refusal.kind == "tokens"
    limit = tokens_text(account.max_tokens) if in_tokens else money_text(account.max_nano_usd)
    if refusal.wait:
        return LimitDecision(action=OnLimit.WAIT, reason=f"calls in flight hold the rest of {limit}")
    spent = tokens_text(account.spent_tokens) if in_tokens else money_text(account.spent_nano_usd)
    wanted = tokens_text(refusal.amount.tokens) if in_tokens else money_text(refusal.amount.nano_usd)
    reason = (
        f"the next call could pass the limit of {limit} ({_owner(refusal.account)}):"
        f" {spent} used, and it may take {wanted}"
    )
    if refusal.account == RUN_ACCOUNT and guardrails.on_exceeded == "pause":
        key = "max_tokens" if in_tokens else "max_cost"
        return LimitDecision(action=OnLimit.PAUSE, reason=reason, limit=key)
    return LimitDecision(action=OnLimit.STOP_NODE, reason=reason)


def tokens_text(count: int | None) -> str:
    """Return a number of tokens as a sentence names it."""
    return f"{count or 0:,} tokens"


def _owner(account: str) -> str:
    kind, _, name = account.partition(":")
    return f"{kind} {name}" if name else "whole run"


def should_warn(account: Account, warn_at: float) -> bool:
    """Return whether so much is spent that a person should know."""
    return account.used_share >= warn_at > 0


def time_left_s(limit_s: float | None, active_s: float) -> float | None:
    """Return the seconds until the run's deadline, at least 0; None = no deadline."""
    return None if limit_s is None else max(0.0, limit_s - active_s)
