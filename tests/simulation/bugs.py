"""Bugs that were once there, or could be: each put back by a patch, to see that the simulation finds it.

Every entry is a sentence and a function that returns the patches of one bug.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING
from unittest.mock import patch

from maestro_dsl.engine import attempt, booking, finish, interpreter, job, state, worker
from maestro_dsl.engine.attempt import Coordinator
from maestro_dsl.engine.breakers import Gate
from maestro_dsl.engine.events import NodeFinished, RunResumed, Usage
from maestro_dsl.engine.finish import Finisher
from maestro_dsl.engine.graph import PlanIndex
from maestro_dsl.engine.job import Desk
from maestro_dsl.engine.policy import breaker, give_up, retry, safety
from maestro_dsl.engine.policy.ledger import NOTHING, Ledger
from maestro_dsl.engine.ports.attempts import AttemptResult
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.engine.ports.storage import CachedResult
from maestro_dsl.engine.purse import Purse
from maestro_dsl.engine.readiness import ReadyQueue
from maestro_dsl.engine.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator


def lost_settle():
    """A try that ended says that it cost nothing."""
    return [patch.object(booking, "spent_by", lambda *_: (Usage(), 0))]


def reservation_not_released():
    """What a try had reserved stays reserved."""

    def settle(ledger, lease, actual):
        for account in ledger._named(lease.accounts):
            account.spent_tokens += (actual or NOTHING).tokens
        return actual

    return [patch.object(Ledger, "settle", settle)]


def paid_twice():
    """The stored answer of a request is not looked for."""
    original = Coordinator._attempt

    async def forgetful(self, own, lease):
        kept = own.record.responses
        own.record.responses = {}
        try:
            return await original(self, own, lease)
        finally:
            own.record.responses = kept | own.record.responses

    return [patch.object(Coordinator, "_attempt", forgetful)]


def double_publish():
    """Files are put in place twice, the second time behind the receipt."""
    original = Finisher._publish_and_end

    async def twice(self, own, unwritten, files, digest, final, stored):
        await original(self, own, unwritten, files, digest, final, stored)
        if files:
            self._desk.runtime.publisher.publish(own.node.address, own.key, files)

    return [patch.object(Finisher, "_publish_and_end", twice)]


def publish_without_intent():
    """Files are put in place before the journal says so."""
    original = Finisher._publish_and_end

    async def early(self, own, unwritten, files, digest, final, stored):
        if files:
            self._desk.runtime.publisher.publish(own.node.address, own.key, files)
        await original(self, own, unwritten, files, digest, final, stored)

    return [patch.object(Finisher, "_publish_and_end", early)]


def barrier_skip():
    """Waves do not wait for the wave before."""
    original = ReadyQueue.__init__

    def init(self, index, fold, execution):
        from maestro_dsl.lang.model import Schedule

        original(self, index, fold, replace(execution, schedule=Schedule.READY))

    return [patch.object(ReadyQueue, "__init__", init)]


def resume_without_fence():
    """A former holder's events are taken as the present one's."""
    original = Writer._append

    def append(self, group):
        self._epoch = 10**9
        original(self, group)

    return [patch.object(Writer, "_append", append)]


def concurrency_ignored():
    """More nodes run at once than may."""
    original = ReadyQueue.__init__

    def init(self, index, fold, execution):
        original(self, index, fold, replace(execution, max_concurrency=1_000))

    return [patch.object(ReadyQueue, "__init__", init)]


def persona_limit_ignored():
    """More nodes of one persona run at once than may."""
    return [patch.object(ReadyQueue, "_limits", lambda *_: iter(()))]


def final_state_overwritten():
    """Cancelling a run ends all its nodes, those that had ended too."""

    def open_node(fold, _event, address):
        return fold.record(address)

    return [
        patch.object(state, "_open_node", open_node),
        patch("maestro_dsl.engine.closing.open_nodes", lambda index, _: list(index.nodes)),
    ]


def one_try_too_many():
    """The retry policy counts failures of content from nought."""
    original = retry.decide

    def decide(policy, *args, **options):
        return original(replace(policy, max_attempts=policy.max_attempts + 1), *args, **options)

    return [patch.object(attempt.retry, "decide", decide)]


def one_round_too_many():
    """The safety policy counts rounds from nought."""
    original = safety.decide
    return [patch.object(attempt.safety, "decide", lambda policy, done, why: original(policy, done - 1, why))]


def skipped_dependants_started():
    """A need that failed counts as met."""
    original = PlanIndex.accepts

    def accepts(self, edge, record):
        return None if original(self, edge, record) is None else True

    return [patch.object(PlanIndex, "accepts", accepts)]


def mock_edge_ignored():
    """A consumer does not wait for the mock of what it consumes."""
    original = PlanIndex.__init__

    def init(self, plan):
        nodes = tuple(
            replace(node, edges=tuple(edge for edge in node.edges if edge.kind != "mock"))
            for node in plan.nodes
        )
        original(self, replace(plan, nodes=nodes))

    return [patch.object(PlanIndex, "__init__", init)]


def give_up_forgotten():
    """That the plan was given up is not known to the process that resumes it."""
    return [patch.object(interpreter, "stopped_before", lambda *_, **__: None)]


def cached_failure():
    """The result of a node that failed is kept for its key."""
    original = Writer.post

    def post(self, *bodies, result=None):
        for body in bodies:
            if isinstance(body, NodeFinished) and body.state in {"failed", "gave_up"} and body.key:
                result = CachedResult(
                    key=body.key,
                    node=body.node,
                    parts={},
                    result_digest=body.result_digest or "",
                    files=(),
                    state=body.state,
                    score=None,
                    outputs={},
                    tokens=0,
                    nano_usd=0,
                )
        return original(self, *bodies, result=result)

    return [
        patch.object(Writer, "post", post),
        patch.object(Finisher, "_whole", lambda *_: True),
    ]


def finished_try_runs_again():
    """What a try came to is forgotten where its process died before the node ended."""

    async def nothing(*_):
        return None

    return [patch.object(Coordinator, "_decided_before", nothing)]


def interrupted_not_named():
    """A resumed run does not say which tries died."""

    def taken_up(fold, epoch):
        return RunResumed(epoch=max(epoch, fold.epoch + 1))

    return [patch.object(interpreter, "taken_up", taken_up)]


def answer_of_a_dead_try_refunded():
    """A person's retry gives back what a try that died had paid (was there)."""
    original = state._node_decided

    def decided(fold, event, body):
        record = fold.nodes[body.node]
        kept = record.unsettled, record.unsettled_nano_usd
        lost = record.lost_tokens, record.lost_nano_usd
        original(fold, event, body)
        record.unsettled, record.unsettled_nano_usd = kept
        record.lost_tokens, record.lost_nano_usd = lost

    from maestro_dsl.engine.events import NodeDecided

    return [patch.dict(state._HANDLERS, {NodeDecided: decided})]


def cut_off_try_cannot_be_answered():
    """The answer about a node whose time ran out in a try stops the run (was there)."""

    def last(self, record):
        if not record.tries:
            return job.Outcome(result=AttemptResult(failure=Failure.CANNOT, message="it never ran"))
        return job.recorded_outcome(self._desk.runtime.artifacts, record.tries[-1])

    return [patch.object(worker.NodeWorker, "_last", last)]


def full_disk_fails_a_node():
    """A full disk is taken for the fault of the node that met it (was there)."""

    class Nobody(Exception):  # noqa: N818 - is never raised
        pass

    return [patch.object(module, "DiskFailure", Nobody) for module in (attempt, booking, finish, worker)]


def innocent_is_blamed():
    """A third death of the run ends a node, though it had a process of its own (was there)."""
    return [patch.object(give_up, "crashed_too_often", lambda crashes, **_: crashes >= give_up.MAX_CRASHES)]


def way_not_looked_at_again():
    """A call that waited for money goes out to a provider that is not to be called by now (was there)."""
    return [patch.object(Gate, "still_open", lambda *_, **__: True)]


def patience_ignored():
    """Only the node that was asked to wait does."""
    return [patch.object(Gate, "_until", lambda *_: 0.0)]


def begins_when_its_time_is_up():
    """A node without any time left begins one more try, and is charged for it (was there)."""
    original = Desk.time_left_s
    return [patch.object(Desk, "time_left_s", lambda self, job: original(self, job) or 1e-9)]


def effect_without_asking():
    """A command with an effect outside runs again after a kill, and nobody is asked."""
    original = worker.NodeWorker._work

    async def work(self, own):
        own.node = replace(own.node, effect=False)
        await original(self, own)

    return [patch.object(worker.NodeWorker, "_work", work)]


def stopped_effect_without_asking():
    """A command with an effect outside that was stopped in its midst runs again unasked (was there)."""
    original = state._attempt_finished

    def finished(fold, event, body):
        known = fold.record(body.node).interrupted
        original(fold, event, body)
        fold.record(body.node).interrupted = known

    from maestro_dsl.engine.events import AttemptFinished

    return [patch.dict(state._HANDLERS, {AttemptFinished: finished})]


def probe_of_another_given_back():
    """Whoever gives its lost probe back gives back the one that took its place (was there)."""

    def release(self, model, *, probe):
        if probe:
            self._store.change(model, breaker.release)

    return [patch.object(Gate, "release", release)]


def changed_input_is_reused():
    """The result of a node whose inputs changed while it worked is kept for others."""
    original = interpreter.Interpreter.__init__

    def init(self, plan, *, runtime, **more):
        asked = runtime.unchanged
        original(self, plan, runtime=replace(runtime, unchanged=lambda node: asked(node) or True), **more)

    return [patch.object(interpreter.Interpreter, "__init__", init)]


def stored_result_not_used():
    """What is stored for a key is made again."""

    async def reuse(*_):
        return False

    return [patch.object(Finisher, "reuse", reuse)]


def ticket_lost():
    """A node that failed for good asks nobody for help."""
    return [patch.object(Finisher, "_ticket", lambda *_: ())]


def persona_budget_ignored():
    """What a persona may spend is not looked at."""
    original = Purse.accounts

    def accounts(self, address):
        return tuple(name for name in original(self, address) if not name.startswith("persona:"))

    return [patch.object(Purse, "accounts", accounts)]


BUGS = (
    lost_settle,
    reservation_not_released,
    paid_twice,
    double_publish,
    publish_without_intent,
    barrier_skip,
    resume_without_fence,
    concurrency_ignored,
    persona_limit_ignored,
    final_state_overwritten,
    one_try_too_many,
    one_round_too_many,
    skipped_dependants_started,
    mock_edge_ignored,
    give_up_forgotten,
    cached_failure,
    finished_try_runs_again,
    interrupted_not_named,
    answer_of_a_dead_try_refunded,
    cut_off_try_cannot_be_answered,
    full_disk_fails_a_node,
    innocent_is_blamed,
    way_not_looked_at_again,
    patience_ignored,
    begins_when_its_time_is_up,
    effect_without_asking,
    stopped_effect_without_asking,
    probe_of_another_given_back,
    changed_input_is_reused,
    stored_result_not_used,
    ticket_lost,
    persona_budget_ignored,
)


@contextmanager
def put_back(bug) -> Iterator[None]:
    """Run the block with the bug in the engine."""
    with ExitStack() as stack:
        for item in bug():
            stack.enter_context(item)
        yield
