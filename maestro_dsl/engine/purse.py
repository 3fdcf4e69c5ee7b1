"""The ledger of a running plan: whose limits a node falls under, waiting for room, warnings.

The arithmetic is `policy.ledger`; this module knows personas, contracts and the journal's totals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.engine.events import AlertRaised
from maestro_dsl.engine.policy import guardrail
from maestro_dsl.engine.policy.guardrail import RUN_ACCOUNT, LimitDecision, OnLimit
from maestro_dsl.engine.policy.ledger import NOTHING, Amount, Lease, Ledger
from maestro_dsl.money import money_text

if TYPE_CHECKING:
    from maestro_dsl.engine.graph import PlanIndex
    from maestro_dsl.engine.job import Job
    from maestro_dsl.engine.pacing import Pacer
    from maestro_dsl.engine.state import RunState


OVERRUN: Final = "overrun"
"""`AlertRaised.kind` of a call that cost more than was reserved for it."""
FREE: Final = Lease(number=0, accounts=(), amount=NOTHING)
"""What nodes hold that call no model; the ledger counts from 1."""


class Purse:
    """Leases for attempts, out of one ledger that all branches share."""

    def __init__(self, index: PlanIndex, state: RunState, pacer: Pacer) -> None:
        self._index = index
        self._state = state
        self._pacer = pacer
        self._warned: set[str] = set()
        self.ledger = Ledger()
        limits = guardrail.in_force(index.plan.guardrails, state.limits)
        self.ledger.account(RUN_ACCOUNT, max_tokens=limits.max_tokens, max_nano_usd=limits.max_cost_nano_usd)
        for persona in index.plan.personas:
            self.ledger.account(f"persona:{persona.id}", max_tokens=persona.token_budget)
        for record in state.nodes.values():
            spent = Amount(tokens=record.tokens_spent, nano_usd=record.nano_usd_spent)
            if spent.tokens or spent.nano_usd:
                self.ledger.charge(self.accounts(record.address), spent)

    def accounts(self, address: str) -> tuple[str, ...]:
        """Return the accounts that the node's calls are booked under, widest first."""
        node = self._index.nodes[address]
        contract = self._index.contract(node)
        own = f"node:{address}"
        if own not in self.ledger.accounts:
            limit = contract.contract.token_budget if contract is not None and node.deliverables else None
            self.ledger.account(own, max_tokens=limit)
        persona = () if node.persona_id is None else (f"persona:{node.persona_id}",)
        return (RUN_ACCOUNT, *persona, own)

    async def reserve(self, job: Job, amount: Amount) -> Lease | LimitDecision:
        """Return a lease, or the limit that forbids the try for good; waits while others hold the rest.

        Raises:
            Halted: the run is stopped meanwhile.
        """
        if not amount.tokens and not amount.nano_usd:
            return FREE
        accounts = self.accounts(job.node.address)
        while True:
            granted = self.ledger.reserve(accounts, amount)
            if isinstance(granted, Lease):
                return granted
            account = self.ledger.account(granted.account)
            decision = guardrail.decide(self._index.plan.guardrails, granted, account)
            if decision.action is not OnLimit.WAIT:
                return decision
            self._pacer.check()
            await self._pacer.settled.wait()
            self._pacer.check()

    def settle(self, job: Job, lease: Lease, actual: Amount) -> tuple[AlertRaised, ...]:
        """Book what a try cost, all of it, and return the warnings that follow."""
        overrun: tuple[AlertRaised, ...] = ()
        if lease is not FREE:
            self.ledger.settle(lease, actual)
            overrun = _overrun(job, lease.amount, actual)
        elif actual.tokens or actual.nano_usd:
            self.ledger.charge(self.accounts(job.node.address), actual)
        else:
            return ()
        self._pacer.settled.fire()
        return (*overrun, *self._alerts(self.accounts(job.node.address)))

    def _alerts(self, names: tuple[str, ...]) -> tuple[AlertRaised, ...]:
        found: list[AlertRaised] = []
        warn_at = self._index.plan.guardrails.warn_at
        for name in names:
            account = self.ledger.accounts[name]
            # The fold knows of a warning once it is written; two tries may settle before that.
            known = name in self._warned or (guardrail.BUDGET_ALERT, name) in self._state.alerts
            if known or not guardrail.should_warn(account, warn_at):
                continue
            self._warned.add(name)
            message = f"{account.used_share:.0%} of the limit of {name.replace(':', ' ')} is spent"
            found.append(AlertRaised(kind=guardrail.BUDGET_ALERT, subject=name, message=message))
        return tuple(found)


def _overrun(job: Job, reserved: Amount, actual: Amount) -> tuple[AlertRaised, ...]:
    """Return the alert about a call that cost more than the most it could cost: a limit may be passed."""
    if actual.tokens <= reserved.tokens and actual.nano_usd <= reserved.nano_usd:
        return ()
    asked = "/".join(job.model or ("it",))
    message = (
        f"{job.node.address}: {asked} reports {actual.tokens:,} tokens ({money_text(actual.nano_usd)})"
        f" where at most {reserved.tokens:,} ({money_text(reserved.nano_usd)}) were possible;"
        " its limits cannot be trusted"
    )
    return (AlertRaised(kind=OVERRUN, subject=job.node.address, message=message),)
