"""Tokens by persona against their budgets: the ledger's public face for Python callers and reports.

Books and reports. What keeps a run within its budgets is the reservation before each call (`Purse`), on the
same ledger; a tracker built by hand is asked with `require`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from maestro_dsl.engine.policy.guardrail import RUN_ACCOUNT, should_warn
from maestro_dsl.engine.policy.ledger import Account, Amount, Ledger
from maestro_dsl.errors import TokenBudgetExceeded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.compiler.plan import CompiledPlan
    from maestro_dsl.engine.state import RunState

DEFAULT_BUDGET: Final = 100_000
_NO_BUDGETS: Final[Mapping[str, int]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUsage:
    """What one persona has used; `warning` = so much that a person should know."""

    persona_id: str
    tokens_used: int
    budget: int
    warning: bool = False

    @property
    def remaining(self) -> int:
        """Tokens left, never negative."""
        return max(0, self.budget - self.tokens_used)

    @property
    def exceeded(self) -> bool:
        """True where more was used than the budget allows."""
        return self.tokens_used > self.budget


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenReport:
    """All personas that have a budget of their own or used something, by name; `total` counts them all."""

    total: int
    personas: tuple[TokenUsage, ...]

    @property
    def warnings(self) -> tuple[TokenUsage, ...]:
        """The personas that have used so much that a person should know."""
        return tuple(item for item in self.personas if item.warning)


class TokenTracker:
    """Counts tokens by persona; `budgets` overrides the common budget for single personas."""

    def __init__(
        self,
        max_tokens_per_persona: int = DEFAULT_BUDGET,
        *,
        budgets: Mapping[str, int] = _NO_BUDGETS,
        warn_at: float = 0.8,
    ) -> None:
        self._budget = max_tokens_per_persona
        self._warn_at = warn_at
        self._ledger = Ledger()
        self._ledger.account(RUN_ACCOUNT)
        self._personas: dict[str, Account] = {}
        for persona_id, budget in budgets.items():
            self._open(persona_id, budget)

    @classmethod
    def of_run(cls, plan: CompiledPlan, state: RunState) -> TokenTracker:
        """Return the tracker of a run in any state: its budgets, and all that was charged so far."""
        budgets = {persona.id: persona.token_budget for persona in plan.personas}
        tracker = cls(budgets=budgets, warn_at=plan.guardrails.warn_at)
        owners = {node.address: node.persona_id for node in plan.nodes}
        for record in state.nodes.values():
            owner = owners.get(record.address)
            if owner is not None and record.tokens_spent:
                tracker.record(owner, record.tokens_spent)
        return tracker

    def record(self, persona_id: str, tokens: int) -> TokenUsage:
        """Book tokens that were used, beyond the budget too, and return where the persona stands.

        Raises:
            ValueError: `tokens` is negative.
        """
        if tokens < 0:
            raise ValueError("tokens that were used are not negative")
        account = self._account(persona_id)
        self._ledger.charge((RUN_ACCOUNT, account.name), Amount(tokens=tokens))
        return self._usage(persona_id, account)

    def require(self, persona_id: str, tokens: int) -> None:
        """Return where a call of at most so many tokens fits the persona's budget.

        Raises:
            TokenBudgetExceeded: it could pass the budget.
        """
        account = self._account(persona_id)
        if account.lacks(Amount(tokens=tokens), reserved=True) is not None:
            used = self._usage(persona_id, account)
            raise TokenBudgetExceeded(
                f"{persona_id} has {used.remaining:,} of {used.budget:,} tokens left;"
                f" a call may take {tokens:,}",
                hint="raise the persona's token_budget",
            )

    def get_usage(self, persona_id: str) -> TokenUsage:
        """Return where a persona stands."""
        return self._usage(persona_id, self._account(persona_id))

    def get_report(self) -> TokenReport:
        """Return all personas by name, and the sum."""
        usages = tuple(self._usage(name, account) for name, account in sorted(self._personas.items()))
        return TokenReport(total=self._ledger.account(RUN_ACCOUNT).spent_tokens, personas=usages)

    def _account(self, persona_id: str) -> Account:
        return self._personas.get(persona_id) or self._open(persona_id, self._budget)

    def _open(self, persona_id: str, budget: int) -> Account:
        account = self._ledger.account(f"persona:{persona_id}", max_tokens=budget)
        self._personas[persona_id] = account
        return account

    def _usage(self, persona_id: str, account: Account) -> TokenUsage:
        return TokenUsage(
            persona_id=persona_id,
            tokens_used=account.spent_tokens,
            budget=account.max_tokens or 0,
            warning=should_warn(account, self._warn_at),
        )
