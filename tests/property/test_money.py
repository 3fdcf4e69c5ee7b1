"""Whatever twenty nodes, a moody provider and kills do: no limit is passed, no call counted twice.

The provider keeps its own books, of what it would charge in the worst case, and these are held against what
the journal, its fold and the ledger of every process say. `MAESTRO_TEST_LONG=1` runs far more of it.
"""

from __future__ import annotations

import asyncio
import os
import random
from dataclasses import replace
from unittest.mock import patch

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support.plans import persona, plan

from maestro_dsl.actions.request import ask
from maestro_dsl.codec import canonical
from maestro_dsl.compiler.plan import (
    CompiledContract,
    Execution,
    Guardrails,
    KeyPart,
    ModelRef,
    PlanNode,
    Prompt,
    RetryPolicy,
    SafetyPolicy,
)
from maestro_dsl.engine import purse
from maestro_dsl.engine.events import (
    AlertRaised,
    AttemptFinished,
    AttemptStarted,
    LimitRaised,
    ModelResponded,
    RunResumed,
    Usage,
)
from maestro_dsl.engine.interpreter import run
from maestro_dsl.engine.local import LocalDispatcher
from maestro_dsl.engine.policy.ledger import Ledger
from maestro_dsl.engine.ports.attempts import AttemptResult
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.engine.ports.models import ModelResponse, ProviderFailure
from maestro_dsl.engine.runtime import RunControl, RunOptions
from maestro_dsl.engine.state import RunState, apply
from maestro_dsl.engine.tokens import TokenTracker
from maestro_dsl.lang.model import Contract, Deliverable, GiveUp, ModelSettings
from maestro_dsl.providers.scripted import Capability
from maestro_dsl.testing import Everything, FlatPrices, Killed, World, restarted, run_virtual

NODES = 20
PRICE = 7
LONG = bool(os.environ.get("MAESTRO_TEST_LONG"))
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)
"""Without shrinking, which takes minutes here; a failure prints its steps and how to see it again."""
MOODS = ("answer", "answer", "answer", "empty", "transport", "throttle", "overload", "timeout", "hang", "bad")


class Moody:
    """A provider of random usage and faults; `charged` is the most it may put on the bill, by node."""

    name = "moody"

    def __init__(self, rand):
        self._rand = rand
        self.charged = {}
        self.calls = []

    def capability(self, _model):
        return Capability()

    async def generate(self, request):
        mood = self._rand.choice(MOODS)
        bound = sum(map(len, (request.system, *(m.text for m in request.messages)))) + 100
        usage = Usage(
            input_tokens=self._rand.randint(0, bound - 100), output_tokens=self._rand.randint(0, 100)
        )
        self.calls.append(request.idempotency_key)
        if mood in {"throttle", "overload"}:
            raise ProviderFailure(Failure(mood), mood, retry_after_s=1.0)
        node = request.task.node
        self.charged[node] = self.charged.get(node, 0) + usage.total  # from here on it may be on the bill
        await asyncio.sleep(10_000 if mood == "hang" else self._rand.choice((0, 1, 1, 7)))
        if mood in {"transport", "timeout"}:
            raise ProviderFailure(Failure(mood), mood)
        if mood == "empty":
            self.charged[node] -= usage.total
            usage = Usage()
        return ModelResponse(text=mood, usage=usage)


class Paying:
    """An action that asks once, as `fulfil` does, and finds some of the answers bad."""

    async def work(self, spec, context):
        try:
            answer = await ask(spec, context)
        except ProviderFailure as failure:
            return AttemptResult(
                failure=failure.failure,
                message=failure.message,
                retry_after_s=failure.retry_after_s,
                usage_known=failure.usage_known,
            )
        bad = answer.response.text == "bad"
        return AttemptResult(
            failure=Failure.INVALID if bad else None,
            message=answer.response.text,
            usage=answer.response.usage,
            nano_usd=answer.nano_usd,
        )


class Watched(Ledger):
    """A ledger that is looked at after every booking."""

    made: list[Watched]

    def __init__(self):
        super().__init__()
        self.made.append(self)

    def reserve(self, accounts, amount):
        granted = super().reserve(accounts, amount)
        self._look()
        return granted

    def settle(self, lease, actual):
        charged = super().settle(lease, actual)
        self._look()
        return charged

    def _look(self):
        for account in self.accounts.values():
            tokens = account.spent_tokens + account.reserved_tokens
            money = account.spent_nano_usd + account.reserved_nano_usd
            assert account.max_tokens is None or tokens <= account.max_tokens, account
            assert account.max_nano_usd is None or money <= account.max_nano_usd, account
            assert min(account.reserved_tokens, account.reserved_nano_usd, account.spent_tokens) >= 0


class Universe(World):
    """The world of the fakes with a provider in it."""

    provider = None

    def runtime(self, loop):
        dispatcher = LocalDispatcher(
            actions=Everything(Paying()),
            artifacts=self.artifacts,
            prices=self.prices,
            sandbox=None,
            services=None,
            provider=self.provider,
            serialise=True,
        )
        return replace(super().runtime(loop), dispatcher=dispatcher)


def paid(name, budget):
    return persona(
        name,
        model=ModelRef(provider="moody", model="m"),
        settings=ModelSettings(max_output_tokens=100),
        token_budget=budget,
    )


def make_plan(budgets, node_budget, guardrails, at_once):
    personas = tuple(paid(f"p{place}", budget) for place, budget in enumerate(budgets))
    nodes, contracts = [], []
    for place in range(NODES):
        contract = Contract(
            id=f"c{place}",
            provider_persona_id=f"p{place % len(personas)}",
            deliverables=(Deliverable(name="d", artifacts=("*",)),),
            token_budget=node_budget if place % 3 == 0 else None,
        )
        contracts.append(CompiledContract(contract=contract))
        nodes.append(
            PlanNode(
                address=f"n{place}",
                node=f"n{place}",
                action="pay",
                persona_id=contract.provider_persona_id,
                contract_id=contract.id,
                deliverables=("d",),
                key_parts=(KeyPart(name="prompt", digest=str(place)),),
                prompt=Prompt(system="s" * 40, user="u" * 60),
                give_up=GiveUp.SKIP_DEPENDANTS,
                timeout_s=4_000.0,
                attempt_timeout_s=300.0,
                retry=RetryPolicy(max_attempts=2, max_transport_attempts=2, max_throttle_wait_s=30.0),
                safety=SafetyPolicy(max_attempts=1),
            )
        )
    return plan(
        nodes,
        personas=personas,
        contracts=tuple(contracts),
        provider="moody",
        guardrails=guardrails,
        execution=Execution(max_concurrency=at_once, max_per_persona=NODES),
    )


class Money(RuleBasedStateMachine):
    """A run that is killed, paused, resumed and given new limits."""

    @initialize(
        seed=st.integers(0, 10_000),
        budgets=st.lists(st.integers(150, 4_000), min_size=1, max_size=3),
        node_budget=st.integers(100, 900),
        max_tokens=st.none() | st.integers(300, 8_000),
        max_cost=st.none() | st.integers(300 * PRICE, 8_000 * PRICE),
        on_exceeded=st.sampled_from(["pause", "stop"]),
        at_once=st.sampled_from([3, NODES]),
    )
    def begin(self, seed, budgets, node_budget, max_tokens, max_cost, on_exceeded, at_once):
        guardrails = Guardrails(max_cost_nano_usd=max_cost, max_tokens=max_tokens, on_exceeded=on_exceeded)
        self.plan = make_plan(budgets, node_budget, guardrails, at_once)
        self.world = Universe(prices=FlatPrices(nano_usd=PRICE))
        self.world.provider = self.provider = Moody(random.Random(seed))
        self.world.store.plans["run"] = canonical(self.plan.semantic())
        self.begun, self.state, self.looked = False, RunState(), 0
        self.limits = {"tokens": max_tokens, "money": max_cost}
        self.alerts, self.answers = set(), {}

    def work(self, kill_after=None, limits=None, pause_after_s=None):
        written = len(self.world.store.journal.get("run", ()))
        self.world.store.kill_after = None if kill_after is None else written + kill_after
        if limits is not None:
            self.limits = {"tokens": limits.max_tokens, "money": limits.max_cost_nano_usd}
        Watched.made = []

        async def main():
            control, loop = RunControl(), asyncio.get_running_loop()
            if pause_after_s is not None:
                loop.call_later(pause_after_s, lambda: control.pause("enough", "person", now=True))
            return await run(
                self.plan,
                run_id="run",
                runtime=self.world.runtime(loop),
                resume=self.begun,
                options=RunOptions(limits=limits),
                control=control,
            )

        try:
            with patch.object(purse, "Ledger", Watched):
                ended = run_virtual(main())
        except Killed:
            pass
        else:
            for ledger in Watched.made:
                assert ledger.open_leases == 0
                assert all(item.reserved_tokens == 0 for item in ledger.accounts.values())
                booked = ledger.accounts["run"]
                assert (booked.spent_tokens, booked.spent_nano_usd) == (ended.tokens, ended.nano_usd)
            if not ended.is_final:
                assert ended.paused.by in {"max_cost", "max_tokens", "person"}, ended.paused
        provider = self.provider
        self.world = restarted(self.world)
        self.world.provider, self.begun = provider, bool(self.world.store.journal.get("run"))
        self.look()

    def look(self):
        """Fold what is new, and hold the books against each other at every event."""
        for event in self.world.store.events("run", after=self.looked):
            before = self.state.tokens, self.state.nano_usd
            apply(self.state, event)
            self.looked = event.seq
            self.held_to(event, before)

    def held_to(self, event, before):
        body, state = event.body, self.state
        assert (state.tokens, state.nano_usd) >= before  # no money comes back
        assert sum(item.tokens_spent for item in state.nodes.values()) == state.tokens
        assert sum(item.nano_usd_spent for item in state.nodes.values()) == state.nano_usd
        assert self.limits["tokens"] is None or state.tokens <= self.limits["tokens"]
        assert self.limits["money"] is None or state.nano_usd <= self.limits["money"]
        if isinstance(body, AlertRaised) and body.kind == "budget":
            assert body.subject not in self.alerts, "warned twice"
            self.alerts.add(body.subject)
        if isinstance(body, LimitRaised):
            self.alerts.discard("run")  # a new limit warns anew
        if isinstance(body, ModelResponded):
            place = body.node, body.request_digest
            assert place not in self.answers, "paid twice for one answer"
            self.answers[place] = body.usage.total
        kinds = (AttemptStarted, AttemptFinished, ModelResponded, RunResumed, LimitRaised, AlertRaised)
        if isinstance(body, kinds):
            report = TokenTracker.of_run(self.plan, state).get_report()
            assert not any(item.exceeded for item in report.personas), report

    @rule(events=st.integers(0, 60))
    def killed_in_between(self, events):
        if not self.state.is_final:
            self.work(kill_after=events)

    @rule()
    def to_the_end_or_a_pause(self):
        if not self.state.is_final:
            self.work()

    @rule(seconds=st.sampled_from([0.5, 3.0, 20.0]))
    def a_person_cuts_it_off(self, seconds):
        if not self.state.is_final:
            self.work(pause_after_s=seconds)

    @precondition(lambda self: self.begun and not self.state.is_final)
    @rule(more=st.integers(0, 5_000), kill=st.none() | st.integers(0, 60))
    def a_person_raises_the_limits(self, more, kill):
        raised = {
            name: None if limit is None else limit + more * (PRICE if name == "money" else 1)
            for name, limit in self.limits.items()
        }
        limits = LimitRaised(max_tokens=raised["tokens"], max_cost_nano_usd=raised["money"])
        self.work(kill_after=kill, limits=limits)

    @invariant()
    def the_provider_never_bills_more_than_is_booked(self):
        if not self.begun:
            return
        flying = {item.address for item in self.state.nodes.values() if item.in_flight is not None}
        for node, billed in self.provider.charged.items():
            record = self.state.nodes.get(node)
            reserved = record.in_flight.reserved_tokens if node in flying else 0
            assert record is not None
            assert billed <= record.tokens_spent + reserved, node

    @invariant()
    def no_node_passes_the_budget_of_its_contract(self):
        for item in self.plan.contracts if self.begun else ():
            record = self.state.nodes.get(f"n{item.contract.id[1:]}")
            if record is not None and item.contract.token_budget is not None:
                assert record.tokens_spent <= item.contract.token_budget

    def teardown(self):
        if not getattr(self, "begun", False):
            return
        rounds = 0
        while not self.state.is_final and rounds < 3:
            rounds += 1
            self.work(limits=LimitRaised(max_tokens=10**9, max_cost_nano_usd=10**12))
        assert self.state.is_final


Money.TestCase.settings = settings(
    max_examples=400 if LONG else 20, stateful_step_count=12 if LONG else 5, deadline=None, phases=QUICK
)
TestMoney = Money.TestCase
