"""The world of a simulated run: a disk that outlives processes, a moody provider, and deaths.

Everything here follows from the seed: moods are drawn by node and fence, delays by one generator, and time is
the loop's. A process that has died can touch nothing any more, whatever its cleaning up tries.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from contextvars import ContextVar
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from maestro_dsl.actions.request import ask
from maestro_dsl.engine.breakers import MemoryBreakers
from maestro_dsl.engine.events import FileRef, Issue, ProviderHeld, Usage
from maestro_dsl.engine.local import LocalDispatcher
from maestro_dsl.engine.ports.attempts import AttemptResult, Verdict
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.engine.ports.models import Capability, ModelResponse, ProviderFailure
from maestro_dsl.engine.ports.storage import Pruned
from maestro_dsl.engine.runtime import Runtime
from maestro_dsl.errors import DiskFailure, HelpNeeded, StateError
from maestro_dsl.testing import (
    START,
    Everything,
    FixedClock,
    FlatPrices,
    Killed,
    MemoryArtifacts,
    MemoryStore,
    SeededRand,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from maestro_dsl.compiler.plan import CompiledPlan, PlanNode
    from maestro_dsl.engine.events import Event

PRICE = 7
BESIDE = "beside"
ON_ITS_WAY_S = 0.5
"""A call that begins so soon after a change may have been on its way before it."""
ENDLESS = 6_000
"""More events than any run of these plans has: one that has them goes round in circles."""
QUICK = 0.4
"""How often the loop makes an append itself, where there is anybody else to make it."""
ASKED = ("ok", "ok", "ok", "ok", "slow", "bad", "unparsable", "transport", "throttle", "overload", "hang")
WORKED = ("ok", "ok", "ok", "ok", "ok", "slow", "bad", "fatal", "bug", "hang")
GOOD_MOODS = ("ok", "slow")


class Endless(AssertionError):  # noqa: N818 - as its name says
    """A run that does not end."""


@dataclass(slots=True)
class Disk:
    """What outlives a process."""

    seed: int
    store: MemoryStore = field(default_factory=MemoryStore)
    artifacts: MemoryArtifacts = field(default_factory=MemoryArtifacts)
    breakers: MemoryBreakers = field(default_factory=MemoryBreakers)
    files: dict[str, str] = field(default_factory=dict)
    published: list[tuple[str, int, str, tuple[FileRef, ...]]] = field(default_factory=list)
    """Every publishing: (run, events stored before it, node, files)."""
    billed: dict[tuple[str, str], int] = field(default_factory=dict)
    """Tokens that the provider may put on the bill, by run and node."""
    calls: list[tuple[str, str]] = field(default_factory=list)
    epoch: int = 0
    passed_s: float = 0.0
    deadly: frozenset[str] = frozenset()
    calm: bool = False
    """No more faults: what is left should end."""
    liar: bool = False
    tickets: bool = False
    changed: set[tuple[str, str]] = field(default_factory=set)
    """(run, node) whose inputs changed while it worked, so that its result is of no use to others."""
    early: list[str] = field(default_factory=list)
    """Calls that went to a provider which had asked for patience, or whose breaker was open."""

    def __post_init__(self) -> None:
        """Keep contents in one place, whichever way they come."""
        self.store.blobs = self.artifacts.blobs

    @property
    def inline_bytes(self) -> int:
        """Up to which size contents come with events: in every other life."""
        return 16 * 1024 * (self.seed % 2)

    def rand(self, *parts: object) -> Random:
        """Return the generator of one thing."""
        return Random(f"{self.seed}/{parts}")


@dataclass(slots=True, kw_only=True)
class Fate:
    """What happens to one process."""

    die_at_append: int | None = None
    durable: bool = False
    """Whether the group at which it dies is on the disk."""
    die_at_s: float | None = None
    die_at_call: int | None = None
    die_at_publish: int | None = None
    full_at_append: int | None = None
    full_at_publish: int | None = None
    full_at_put: int | None = None
    act: str = ""
    act_at_s: float = 0.0
    threaded: bool = False
    beside_s: float | None = None
    """At this time another process begins, or goes on with, another run of the same plan."""
    frozen_s: float | None = None
    """The process loses its lease at this time to another, and goes on as if it had it."""


APART: ContextVar[bool] = ContextVar("apart", default=False)
"""Whether an attempt has a process of its own, which it may kill."""


class Reach:
    """The breakers as a process reaches them: not any more when it is dead."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def load(self, model):
        self._process._breathe()
        return self._process.disk.breakers.load(model)

    def change(self, model, change):
        self._process._breathe()
        return self._process.disk.breakers.change(model, change)


class Apart:
    """Runs attempts where they end nobody but themselves."""

    def __init__(self, inner: LocalDispatcher) -> None:
        self._inner = inner

    async def submit(self, spec, link):
        known = APART.set(True)
        try:
            return await self._inner.submit(spec, link)
        finally:
            APART.reset(known)


class SlowDisk:
    """An appender whose work takes virtual time, one piece after the other; now and then it is quick."""

    def __init__(self, rand: Random) -> None:
        self._rand = rand
        self._waiting: list[tuple[Future[None], Callable[[], None]]] = []
        self.is_quick = False

    def _turn(self) -> None:
        self.is_quick = self._rand.random() < QUICK

    def here(self, append):
        self._turn()
        append()

    def submit(self, append):
        self._turn()
        done: Future[None] = Future()
        self._waiting.append((done, append))
        asyncio.get_running_loop().call_later(self._rand.choice((0.0, 0.001, 0.02)), self.finish)
        return done

    def finish(self, *_: object) -> None:
        """Do all that waits, now."""
        waiting, self._waiting = self._waiting, []
        for done, append in waiting:
            try:
                append()
            except BaseException as error:  # noqa: BLE001 - the future carries it, a death too
                done.set_exception(error)
            else:
                done.set_result(None)


class Process:
    """One process at work on the disk; implements store, artifacts, publisher, provider and action."""

    name = "moody"

    def __init__(self, disk: Disk, plan: CompiledPlan, fate: Fate, run_id: str) -> None:
        self.disk, self.plan, self.fate, self.run_id = disk, plan, fate, run_id
        self.alive = True
        self.ended: asyncio.Event = asyncio.Event()
        self.appends = self.puts = self.asked = self.publishings = 0
        self.blobs = disk.artifacts.blobs
        self.files = {} if run_id == BESIDE else disk.files  # another run has another output
        disk.epoch += 1
        self.epoch = disk.epoch
        disk.store._epochs[run_id] = disk.epoch  # taking the lease fences everyone before

    def die(self) -> None:
        """End the process; cleaning up reaches nothing any more."""
        self.alive = False
        self.ended.set()

    def _breathe(self) -> None:
        if not self.alive:
            raise Killed

    def _die_here(self) -> None:
        self.die()
        raise Killed

    def _deadly(self, node: str) -> None:
        if node in self.disk.deadly:
            if APART.get():
                raise HelpNeeded(f"{node} ended the process that it had for itself")
            self._die_here()

    # ---- store ---------------------------------------------------------------------------------------

    def append(self, events, epoch, results=(), plan_id="", contents=()):
        self._breathe()
        self.appends += 1
        fate, store = self.fate, self.disk.store
        if self.appends == fate.full_at_append:
            raise DiskFailure("cannot write the journal: the disk is full", hint="free some space")
        dies = self.appends == fate.die_at_append
        if not dies or fate.durable:
            have = len(store.journal.get(self.run_id, ()))
            if epoch < store._epochs.get(self.run_id, 0):
                raise StateError(f"run {self.run_id} was taken over by another process")
            if have > ENDLESS:
                self.die()
                raise Endless("the run does not end")
            store.append(events, epoch, results, plan_id, contents)
        if dies:
            self._die_here()

    def events(self, run_id, after=0):
        self._breathe()
        return self.disk.store.journal.get(run_id, [])[after:]

    def result(self, key):
        return self.disk.store.result(key)

    def last_result(self, plan_id, node):
        return self.disk.store.last_result(plan_id, node)

    # ---- artifacts -----------------------------------------------------------------------------------

    def put(self, content):
        self._breathe()
        self.puts += 1
        if self.puts == self.fate.full_at_put:
            raise DiskFailure("cannot write objects: the disk is full", hint="free some space")
        return self.disk.artifacts.put(content)

    def put_all(self, contents):
        return tuple(self.put(content) for content in contents)

    def get(self, digest):
        return self.disk.artifacts.get(digest)

    def has(self, digest):
        return digest in self.blobs

    # ---- publisher -----------------------------------------------------------------------------------

    def publish(self, node, _key, files):
        self._breathe()
        self.publishings += 1
        if self.publishings == self.fate.full_at_publish:
            raise DiskFailure("cannot write the output: the disk is full", hint="free some space")
        dies = self.publishings == self.fate.die_at_publish
        for item in files[:1] if dies else files:
            self.files[item.path] = item.digest
        have = len(self.disk.store.journal.get(self.run_id, ()))
        self.disk.published.append((self.run_id, have, node, tuple(files)))
        if dies:
            self._die_here()

    def prune(self, nodes):
        self._breathe()
        left = {node for _, _, node, _ in self.disk.published}.difference(nodes)
        assert not left, f"{left} left a plan that never changes"
        return Pruned()

    def accepted(self):
        return ()

    # ---- provider ------------------------------------------------------------------------------------

    def capability(self, _model):
        return Capability()

    async def generate(self, request):
        self._breathe()
        self.asked += 1
        node, disk = request.task.node, self.disk
        self._may_call(node)
        rand = disk.rand(request.idempotency_key, self.epoch, self.run_id)
        mood = "ok" if disk.calm else rand.choice(ASKED)
        disk.calls.append((self.run_id, request.idempotency_key))
        if mood in {"throttle", "overload"}:
            raise ProviderFailure(Failure(mood), mood, retry_after_s=rand.choice((None, 1.0, 8.0)))
        sent = sum(map(len, (request.system, *(message.text for message in request.messages))))
        usage = Usage(input_tokens=rand.randint(1, sent), output_tokens=rand.randint(1, ANSWERED))
        if disk.liar and rand.random() < 0.2:
            usage = Usage(input_tokens=10 * sent, output_tokens=1_000)
        place = self.run_id, node
        disk.billed[place] = disk.billed.get(place, 0) + usage.total  # from here on it may be on the bill
        if self.asked == self.fate.die_at_call:
            self._die_here()
        await asyncio.sleep({"hang": 10_000, "slow": 20}.get(mood, rand.choice((0, 0.5, 2))))
        self._breathe()
        if mood == "transport":
            raise ProviderFailure(Failure.TRANSPORT, mood)
        self._deadly(node)
        return ModelResponse(text=mood, usage=usage)

    def _may_call(self, node: str) -> None:
        persona = next(item.persona_id for item in self.plan.nodes if item.address == node)
        model = next(item.model for item in self.plan.personas if item.id == persona)
        now = START + self.disk.passed_s + asyncio.get_running_loop().time()
        held = self.disk.breakers.load((model.provider, "")).held_until
        known = self.disk.breakers.load((model.provider, model.model))
        asked = [
            event.at
            for event in log_of(self.disk, self.run_id)
            if isinstance(event.body, ProviderHeld) and event.body.until == held
        ]
        if now < held and asked and asked[0] < now - ON_ITS_WAY_S:
            self.disk.early.append(f"{node} calls {model.provider}, which asked for {held - now:.2f} s more")
        if known.opened_at is not None and known.probe_at is None and known.opened_at < now - ON_ITS_WAY_S:
            self.disk.early.append(f"{node} calls {model.model} through an open breaker")

    def _unchanged(self, node: PlanNode) -> bool:
        same = self.disk.calm or self.disk.rand(node.address, self.epoch, "input").random() < 0.9
        place = self.run_id, node.address
        if self.epoch == self.disk.store._epochs[self.run_id]:  # else nothing that comes of it is stored
            (self.disk.changed.discard if same else self.disk.changed.add)(place)
        return same

    # ---- action --------------------------------------------------------------------------------------

    async def work(self, spec, context):
        self._breathe()
        node = spec.node
        if node.action == "approve":
            return AttemptResult(question="is it good?")
        if node.prompt is None:
            rand = self.disk.rand(node.address, spec.fence, self.epoch)
            mood = "ok" if self.disk.calm else rand.choice(WORKED)
            await asyncio.sleep({"hang": 10_000, "slow": 20}.get(mood, rand.choice((0, 1, 3))))
            self._breathe()
            self._deadly(node.address)
            return self._result(spec, mood, Usage(), 0)
        try:
            answer = await ask(spec, context)
        except ProviderFailure as failure:
            return AttemptResult(
                failure=failure.failure,
                message=failure.message,
                retry_after_s=failure.retry_after_s,
                usage_known=failure.usage_known,
            )
        return self._result(spec, answer.response.text, answer.response.usage, answer.nano_usd)

    def _result(self, spec, mood, usage, nano_usd):
        if mood == "bug":
            raise ValueError("a bug in the action")
        if mood not in GOOD_MOODS:
            kinds = {"unparsable": Failure.UNPARSABLE, "fatal": Failure.FATAL}
            issue = Issue(severity="error", message="it is bad", check="c")
            return AttemptResult(
                failure=kinds.get(mood, Failure.INVALID),
                message=mood,
                issues=(issue,),
                usage=usage,
                nano_usd=nano_usd,
                usable=mood == "bad",
                files=self._files(spec, "bad") if mood == "bad" else (),
            )
        verdict = None
        if spec.node.action in {"verify", "recheck"}:
            verdict = Verdict(contract_id="c", verdict="fulfilled", fulfilled=True, score=1.0)
        return AttemptResult(usage=usage, nano_usd=nano_usd, verdict=verdict, files=self._files(spec, "good"))

    def _files(self, spec, word):
        if not spec.node.deliverables and spec.node.action != "mock":
            return ()
        content = f"{spec.node.address} {word}".encode()
        digest = self.put(content)
        return tuple(
            FileRef(path=f"{spec.node.address}/{name}", digest=digest, size=len(content)) for name in "ab"
        )

    # ---- ports ---------------------------------------------------------------------------------------

    def runtime(self, loop, appender) -> Runtime:
        """Return the ports of a run in this process."""
        prices = FlatPrices(nano_usd=PRICE)
        dispatcher = LocalDispatcher(
            actions=Everything(self),
            artifacts=self,
            prices=prices,
            sandbox=None,
            services=None,
            provider=self,
            serialise=self.disk.seed % 16 == 0,
        )
        passed_s = self.disk.passed_s
        return Runtime(
            clock=FixedClock(start=START + passed_s, elapsed=loop.time),
            rand=SeededRand(self.disk.seed),
            store=self,
            artifacts=self,
            publisher=self,
            dispatcher=dispatcher,
            apart=Apart(dispatcher),
            prices=prices,
            breakers=Reach(self),
            tool_version="simulation",
            ticket_target={"sink": "webhook"} if self.disk.tickets else None,
            unchanged=self._unchanged,
            epoch=self.epoch,
            inline_bytes=self.disk.inline_bytes,
            appender=appender,
        )


ANSWERED = 100


def log_of(disk: Disk, run_id: str) -> list[Event]:
    """Return what is stored of a run."""
    return disk.store.journal.get(run_id, [])
