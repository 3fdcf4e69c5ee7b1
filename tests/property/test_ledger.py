"""Whatever the order of calls: no limit is passed, and every call is booked once."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from maestro_dsl.engine.policy.ledger import Amount, Lease, Ledger

LIMITS = {"run": (1_000, 800), "persona:a": (400, None), "persona:b": (None, 300), "node:x": (150, 150)}


class LedgerMachine(RuleBasedStateMachine):
    leases = Bundle("leases")

    def __init__(self):
        super().__init__()
        self.ledger = Ledger()
        for name, (tokens, nano_usd) in LIMITS.items():
            self.ledger.account(name, max_tokens=tokens, max_nano_usd=nano_usd)
        self.booked = dict.fromkeys(LIMITS, (0, 0))
        self.open = 0

    @rule(
        target=leases,
        others=st.sets(st.sampled_from(sorted(LIMITS)[:-1])),
        tokens=st.integers(0, 300),
        nano_usd=st.integers(0, 300),
    )
    def reserve(self, others, tokens, nano_usd):
        names = ("run", *sorted(others - {"run"}))
        granted = self.ledger.reserve(names, Amount(tokens=tokens, nano_usd=nano_usd))
        if isinstance(granted, Lease):
            self.open += 1
            return granted
        assert granted.account in names
        return None

    @rule(lease=consumes(leases), share=st.none() | st.floats(0, 1))
    def settle(self, lease, share):
        if lease is None:
            return
        actual = None
        if share is not None:
            actual = Amount(
                tokens=int(lease.amount.tokens * share), nano_usd=int(lease.amount.nano_usd * share)
            )
        charged = self.ledger.settle(lease, actual)
        assert charged == (lease.amount if actual is None else actual)
        self.open -= 1
        for name in lease.accounts:
            tokens, nano_usd = self.booked[name]
            self.booked[name] = tokens + charged.tokens, nano_usd + charged.nano_usd

    @invariant()
    def no_limit_is_passed(self):
        for name, (tokens, nano_usd) in LIMITS.items():
            account = self.ledger.accounts[name]
            assert tokens is None or account.spent_tokens + account.reserved_tokens <= tokens
            assert nano_usd is None or account.spent_nano_usd + account.reserved_nano_usd <= nano_usd

    @invariant()
    def every_call_is_booked_once(self):
        assert self.ledger.open_leases == self.open
        for name, booked in self.booked.items():
            account = self.ledger.accounts[name]
            assert (account.spent_tokens, account.spent_nano_usd) == booked


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(stateful_step_count=40)
