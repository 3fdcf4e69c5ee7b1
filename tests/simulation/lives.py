"""One seed: a plan, and the processes that work on it one after another until the run has ended."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import ClassVar
from unittest.mock import patch

from simulation.invariants import Broken, Facts, check
from simulation.plans import make_plan
from simulation.worlds import BESIDE, Disk, Endless, Fate, Process, SlowDisk, log_of

from maestro_dsl.codec import digest
from maestro_dsl.engine import purse, writer
from maestro_dsl.engine.events import LimitRaised, NodeDecided, NodeFinished, NodeWaiting, RunPaused
from maestro_dsl.engine.interpreter import run
from maestro_dsl.engine.policy.ledger import Ledger
from maestro_dsl.engine.runtime import RunControl, RunOptions
from maestro_dsl.engine.state import NodeState
from maestro_dsl.errors import DiskFailure, StateError
from maestro_dsl.testing import Killed, VirtualTimeLoop

MAX_LIVES = 60
CALM_AFTER = 14
"""From this process on nothing fails any more, and the run has to end."""
COMMAND = "MAESTRO_SIM_SEED={seed} python -m pytest -q tests/simulation -k one_seed"


FAULTS = (
    ("", ()),
    ("die_at_append", range(1, 12)),
    ("die_at_append", range(1, 30)),
    ("die_at_s", (0.0, 0.5, 1.2, 3.0, 25.0)),
    ("die_at_call", (1, 2, 3, 4)),
    ("die_at_publish", (1, 2, 3, 4)),
    ("full_at_append", range(1, 25)),
    ("full_at_publish", (1, 2, 3)),
    ("full_at_put", range(1, 12)),
    ("frozen_s", (0.25, 0.75, 2.5, 6.0)),
    ("beside_s", (0.0, 0.4, 3.0)),
    ("act", ("pause", "pause", "pause now", "pause now", "stop", "stop", "stop twice", "cancel", "answer")),
)
"""What may happen to a process, and when; each as likely as the others."""


class Watched(Ledger):
    """A ledger that can be looked at when its run has returned."""

    made: ClassVar[list[Ledger]] = []

    def __init__(self):
        super().__init__()
        self.made.append(self)


class Found(AssertionError):  # noqa: N818 - as its name says
    """The simulation found something; the text says how to see it again."""

    def __init__(self, seed: int, why: str) -> None:
        super().__init__(f"{why}\n{COMMAND.format(seed=seed)}")
        self.seed, self.why = seed, why


@dataclass(slots=True)
class Story:
    """What became of a seed."""

    seed: int
    processes: int = 0
    events: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    digest: str = ""


def simulate(seed: int) -> Story:
    """Live through a seed and return its story.

    Raises:
        Found: an invariant does not hold, or the run does not end; the seed is in the text.
    """
    rand = Random(seed)
    plan, disk, story = make_plan(rand), Disk(seed), Story(seed)
    disk.liar, disk.tickets = rand.random() < 0.1, rand.random() < 0.3
    if rand.random() < 0.06:
        disk.deadly = frozenset({rand.choice(plan.nodes).address})
    try:
        _live(plan, disk, rand, story, "run")
        if rand.random() < 0.3:
            _live(plan, disk, rand, story, "again")
    except (Broken, Endless) as broken:
        raise Found(seed, str(broken)) from broken
    except Exception as error:
        raise Found(seed, f"{type(error).__name__}: {error}") from error
    story.digest = digest([[event.to_json() for event in log_of(disk, name)] for name in ("run", "again")])
    return story


def _live(plan, disk, rand, story, run_id):
    limit = plan.guardrails.max_tokens
    facts = Facts(plan=plan, disk=disk, run_id=run_id, limit=limit)
    options, last, disk.calm = RunOptions(), None, False
    for life in range(MAX_LIVES):
        story.processes += 1
        disk.calm = life >= CALM_AFTER
        fate = Fate() if disk.calm else _fate(rand)
        begun = bool(log_of(disk, run_id))
        state, how = _process(plan, disk, fate, run_id, begun, options if begun else RunOptions(), rand)
        story.ends[how] += 1
        check(facts)
        if fate.beside_s is not None:
            check(Facts(plan=plan, disk=disk, run_id=BESIDE, limit=plan.guardrails.max_tokens))
        options = RunOptions()
        if state is None:
            continue
        if state.is_final:
            last = state
            break
        options, facts.limit = _answer(state, rand, facts.limit, calm=disk.calm)
    if last is None:
        raise Broken(f"{run_id} did not end within {MAX_LIVES} processes")
    facts.final = True
    check(facts)
    have = len(log_of(disk, run_id))
    again, _ = _process(plan, disk, Fate(), run_id, True, RunOptions(), rand)
    if again != last or len(log_of(disk, run_id)) != have:
        raise Broken(f"resuming {run_id} after its end changed it")
    story.events += have


def _fate(rand):
    fate = Fate(threaded=rand.random() < 0.4, durable=rand.random() < 0.5)
    name, choices = rand.choice(FAULTS)
    if name:
        setattr(fate, name, rand.choice(choices))
    if fate.act:
        fate.act_at_s = rand.choice((0.0, 0.3, 1.0, 4.0, 21.0))
    return fate


def _answer(state, rand, limit, *, calm):
    """Return what a person says to a run that waits."""
    waiting = [item for item in state.nodes.values() if item.state is NodeState.WAITING]
    choices = ("approve", "reject", "skip") if calm else ("approve", "approve", "reject", "skip", "retry")
    decisions = tuple(
        NodeDecided(node=item.address, decision=rand.choice(choices), by="p")
        for item in waiting
        if item.decision is None and (calm or rand.random() < 0.8)
    )
    raised = None
    if limit is not None and state.paused is not None and state.paused.by in {"max_tokens", "guardrail"}:
        limit += 100_000 if calm else rand.randint(0, 2_000)
        raised = LimitRaised(max_tokens=limit)
    return RunOptions(decisions=decisions, limits=raised), limit


def _process(plan, disk, fate, run_id, begun, options, rand):
    """Let one process live; return the state it returned, None where it died, and how it ended."""
    loop = VirtualTimeLoop()
    loop.set_exception_handler(lambda _loop, _context: None)  # a death in a callback is no news here
    process = Process(disk, plan, fate, run_id)
    slow = SlowDisk(Random(rand.random())) if fate.threaded else None

    async def main():
        tasks = [asyncio.ensure_future(work(process, begun, options))]
        if fate.frozen_s is not None:
            await asyncio.sleep(fate.frozen_s)
            second = Process(disk, plan, Fate(), run_id)
            tasks.append(asyncio.ensure_future(work(second, bool(log_of(disk, run_id)), RunOptions())))
        if fate.beside_s is not None:
            await asyncio.sleep(fate.beside_s)
            other = Process(disk, plan, Fate(), BESIDE)
            tasks.insert(0, asyncio.ensure_future(work(other, bool(log_of(disk, BESIDE)), RunOptions())))
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        return ends[-1], ends[:-1]

    async def work(own, resume, asked):
        control = RunControl()
        _arrange(own, control)
        running = asyncio.ensure_future(
            run(
                plan,
                run_id=own.run_id,
                runtime=own.runtime(loop, slow),
                resume=resume,
                options=asked,
                control=control,
                plan_digest="d" * 64,
            )
        )
        dying = asyncio.ensure_future(own.ended.wait())
        await asyncio.wait((running, dying), return_when=asyncio.FIRST_COMPLETED)
        dying.cancel()
        if not running.done():
            running.cancel()
        try:
            return await running
        except BaseException:
            if not own.alive:
                raise Killed from None
            raise

    Watched.made.clear()
    try:
        with patch.object(writer, "wait", _finish(slow)), patch.object(purse, "Ledger", Watched):
            ended, former = loop.run_until_complete(main())
    finally:
        process.alive = False
        _drain(loop, slow)
        disk.passed_s += loop.time() + 1.0
        loop.close()
    _expected(former)
    if fate.frozen_s is None and not any(isinstance(end, BaseException) for end in (ended, *former)):
        _nothing_reserved()  # what a dead process had reserved goes with it
    return _ended(ended)


def _expected(ends):
    """Raise what no process may end with that lost its run or its life."""
    for end in ends:
        if isinstance(end, BaseException) and not isinstance(end, (StateError, Killed)):
            raise end


def _nothing_reserved():
    for account in (item for ledger in Watched.made for item in ledger.accounts.values()):
        if account.reserved_tokens or account.reserved_nano_usd:
            raise Broken(f"{account.reserved_tokens} tokens of {account.name} stay reserved")


def _ended(ended):
    if isinstance(ended, Killed):
        return None, "died"
    if isinstance(ended, DiskFailure):
        return None, "full disk"
    if isinstance(ended, BaseException):
        raise ended
    if ended.is_final:
        return ended, ended.status.value
    if not isinstance(ended.paused, RunPaused):
        raise Broken("a run returned that has neither ended nor paused")
    return ended, f"paused by {ended.paused.by}"


def _finish(slow):
    def finish(futures, *_):
        if slow is not None:
            slow.finish()
        assert all(item.done() for item in futures)

    return finish


def _drain(loop, slow):
    """End what a dead process left on the loop; nothing of it reaches the disk."""
    if slow is not None:
        slow._waiting.clear()
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))


def _arrange(process, control):
    fate, loop = process.fate, asyncio.get_running_loop()
    if fate.die_at_s is not None:
        loop.call_later(fate.die_at_s, process.die)
    acts = {
        "pause": lambda: control.pause("enough", "person"),
        "pause now": lambda: control.pause("enough", "person", now=True),
        "stop": control.stop,
        "stop twice": lambda: (control.stop(), control.stop()),
        "cancel": lambda: control.cancel("cancelled by a person"),
    }
    acts["answer"] = lambda: _answer_while_it_runs(process, control)
    if fate.act:
        loop.call_later(fate.act_at_s, acts[fate.act])


def _answer_while_it_runs(process, control, left=30):
    """Answer from another terminal what the run asks, as long as the process lives."""
    waiting = {}
    for event in log_of(process.disk, process.run_id):
        if isinstance(event.body, NodeWaiting):
            waiting[event.body.node] = event.body
        elif isinstance(event.body, (NodeDecided, NodeFinished)):
            waiting.pop(event.body.node, None)
    rand = process.disk.rand(process.epoch, left)
    for node in waiting:
        decision = rand.choice(("approve", "approve", "reject", "skip", "retry"))
        control.decide(NodeDecided(node=node, decision=decision, by="p"))
    if process.alive and left:
        again = asyncio.get_running_loop()
        again.call_later(1.0, _answer_while_it_runs, process, control, left - 1)
