"""Public fakes and helpers: run a plan in memory, in virtual time, with scripted actions.

Nothing here sleeps: `VirtualTimeLoop` moves its clock to the next timer as soon as every task waits. Fakes
keep the promises of their ports (`tests/contract` holds them to that).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias, TypeVar

from maestro_dsl import virtual_time
from maestro_dsl.codec import canonical, digest_bytes
from maestro_dsl.engine.breakers import BreakerStore, MemoryBreakers
from maestro_dsl.engine.commands import CommandQueue
from maestro_dsl.engine.events import Event, FileRef, Usage, decode_event
from maestro_dsl.engine.interpreter import run
from maestro_dsl.engine.local import LocalDispatcher
from maestro_dsl.engine.ports.attempts import AttemptResult, AttemptSpec
from maestro_dsl.engine.ports.models import ModelKey, Prices
from maestro_dsl.engine.ports.processes import CommandSpec, ServiceLease, ServiceSpec
from maestro_dsl.engine.ports.sinks import EventSink
from maestro_dsl.engine.ports.storage import Pruned
from maestro_dsl.engine.ports.work import Action, WorkContext
from maestro_dsl.engine.runtime import Condition, RunControl, RunOptions, Runtime
from maestro_dsl.errors import EnvironmentFailure, IntegrityError, StateError
from maestro_dsl.lang.model import Json

if TYPE_CHECKING:
    from maestro_dsl.compiler.plan import CompiledPlan
    from maestro_dsl.engine.ports.failures import Failure
    from maestro_dsl.engine.ports.storage import CachedResult, RunRecord
    from maestro_dsl.engine.state import RunState

T = TypeVar("T")
VirtualTimeLoop = virtual_time.VirtualTimeLoop
run_virtual = virtual_time.run_virtual
START = 1_700_000_000.0
"""The wall clock of a virtual run begins here."""


@dataclass(slots=True, kw_only=True)
class FixedClock:
    """A clock that stands still unless `elapsed` moves it, e.g. a virtual loop's `time`."""

    start: float = START
    elapsed: Callable[[], float] = lambda: 0.0

    def now(self) -> float:
        """Return the start plus what has elapsed."""
        return self.start + self.elapsed()

    def monotonic(self) -> float:
        """Return what has elapsed."""
        return self.elapsed()


class SeededRand:
    """Chance that is the same in every run."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 - jitter of tests

    def uniform(self, low: float, high: float) -> float:
        """Return a float between `low` and `high`."""
        return self._random.uniform(low, high)


class Killed(BaseException):
    """What `MemoryStore.kill_after` raises in place of the process's death."""


class MemoryStore:
    """A journal in memory, fenced like the real one. `kill_after` = events that still become durable."""

    def __init__(self) -> None:
        self.journal: dict[str, list[Event]] = {}
        self.results: dict[str, CachedResult] = {}
        self.last: dict[tuple[str, str], CachedResult] = {}
        self.records: dict[str, RunRecord] = {}
        self.plans: dict[str, bytes] = {}
        self.groups: list[int] = []
        """Number of events of each append."""
        self.kill_after: int | None = None
        self.blobs: dict[str, bytes] = {}
        """Contents that came with events; a `World` has its artifacts here too."""
        self._epochs: dict[str, int] = {}

    def create_run(self, record: RunRecord, plan: bytes) -> None:
        """Register a run."""
        self.records[record.run_id], self.plans[record.run_id] = record, plan

    def append(
        self,
        events: Sequence[Event],
        epoch: int,
        results: Sequence[CachedResult] = (),
        plan_id: str = "",
        contents: Sequence[bytes] = (),
    ) -> None:
        """Append events and keep results and contents; dies in between where the test says so.

        Raises:
            StateError: a newer epoch has written.
        """
        run_id = events[0].run_id
        if epoch < self._epochs.get(run_id, 0):
            raise StateError(f"run {run_id} was taken over by another process")
        self._epochs[run_id] = epoch
        self.blobs.update((digest_bytes(content), content) for content in contents)
        journal = self.journal.setdefault(run_id, [])
        if self.kill_after is not None and len(journal) + len(events) > self.kill_after:
            journal.extend(events[: max(0, self.kill_after - len(journal))])
            raise Killed
        journal.extend(events)
        self.groups.append(len(events))
        for result in results:
            self.results[result.key] = result
            self.last[plan_id, result.node] = result

    def events(self, run_id: str, after: int = 0) -> Iterable[Event]:
        """Yield the events of a run, having gone over JSON as on disk."""
        for event in self.journal.get(run_id, [])[after:]:
            yield decode_event(event.to_json())

    def runs(self) -> Sequence[RunRecord]:
        """Return all runs, newest first."""
        return tuple(reversed(self.records.values()))

    def plan(self, run_id: str) -> bytes:
        """Return the stored plan of a run."""
        return self.plans[run_id]

    def result(self, key: str) -> CachedResult | None:
        """Return the result of a key."""
        return self.results.get(key)

    def last_result(self, plan_id: str, node: str) -> CachedResult | None:
        """Return the newest result of a node."""
        return self.last.get((plan_id, node))


class MemoryArtifacts:
    """Content-addressed bytes in memory."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}

    def put(self, content: bytes) -> str:
        """Store and return the digest."""
        digest = digest_bytes(content)
        self.blobs[digest] = content
        return digest

    def put_all(self, contents: Sequence[bytes]) -> tuple[str, ...]:
        """Store all and return their digests."""
        return tuple(self.put(content) for content in contents)

    def get(self, digest: str) -> bytes:
        """Return the content; an IntegrityError where it is absent."""
        if digest in self.blobs:
            return self.blobs[digest]
        raise IntegrityError(f"no content has the digest {digest}")

    def has(self, digest: str) -> bool:
        """Return whether the content is stored."""
        return digest in self.blobs


class MemoryPublisher:
    """An output folder in memory: path → (node, digest)."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[str, str]] = {}
        self.calls: list[str] = []

    def publish(self, node: str, key: str, files: Sequence[FileRef]) -> None:  # noqa: ARG002 - the port's
        """Put the files in place and remove what the node no longer makes."""
        self.calls.append(node)
        kept = {path: held for path, held in self.files.items() if held[0] != node}
        self.files = kept | {item.path: (node, item.digest) for item in files}

    def prune(self, nodes: Collection[str]) -> Pruned:
        """Remove the files of all other nodes."""
        gone = tuple(sorted(path for path, (node, _) in self.files.items() if node not in nodes))
        for path in gone:
            del self.files[path]
        return Pruned(removed=gone)

    def accepted(self) -> Sequence[str]:
        """Return nothing: nobody changes files in memory."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatPrices:
    """The same price for every token of every model; None = unknown."""

    nano_usd: int | None = 0

    def cost_nano_usd(self, _model: ModelKey, usage: Usage) -> int | None:
        """Return the price of a usage."""
        return None if self.nano_usd is None else self.nano_usd * usage.total

    def bound_nano_usd(self, _model: ModelKey, input_tokens: int, output_tokens: int) -> int | None:
        """Return the price of so many tokens."""
        return None if self.nano_usd is None else self.nano_usd * (input_tokens + output_tokens)


class NoSandbox:
    """A sandbox that runs nothing."""

    level = "none"

    async def run(self, command: CommandSpec) -> NoReturn:
        """Refuse, with an EnvironmentFailure."""
        raise EnvironmentFailure(f"nothing is started in memory: {' '.join(command.argv)}")

    start = run


class MemoryServices:
    """Services that exist by name only."""

    @asynccontextmanager
    async def lease(self, service: ServiceSpec) -> AsyncIterator[ServiceLease]:
        """Pretend to serve."""
        contract_id = service.contract.id
        yield ServiceLease(
            contract_id=contract_id, mode=service.mode, url=f"memory://{contract_id}", calls=tuple
        )

    async def close(self) -> None:
        """Nothing runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a scripted try does: takes `seconds`, then returns `result`, or raises `error`."""

    seconds: float = 0.0
    result: AttemptResult = field(default_factory=AttemptResult)
    error: BaseException | None = None


Script: TypeAlias = Mapping[str, Sequence[Step]]
"""Node address → its steps in order; the last one holds for all that follow."""


class ScriptedAction:
    """An action that follows a script and remembers what it was asked."""

    def __init__(self, script: Script | None = None, default: Step | None = None) -> None:
        self.script = script or {}
        self.default = default or Step()
        self.specs: list[AttemptSpec] = []
        self.running = 0
        self.most_running = 0

    async def work(self, spec: AttemptSpec, context: WorkContext) -> AttemptResult:  # noqa: ARG002 - the port's
        """Do the next step of the node."""
        address = spec.node.address
        place = sum(item.node.address == address for item in self.specs)
        self.specs.append(spec)
        steps = self.script.get(address) or (self.default,)
        step = steps[min(place, len(steps) - 1)]
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await asyncio.sleep(step.seconds)
        finally:
            self.running -= 1
        if step.error is not None:
            raise step.error
        return step.result

    def tries(self, address: str) -> list[AttemptSpec]:
        """Return what was asked for a node."""
        return [spec for spec in self.specs if spec.node.address == address]


def failing(failure: Failure, message: str = "", **more: Any) -> Step:
    """Return a step that fails so."""
    seconds = more.pop("seconds", 0.0)
    return Step(seconds=seconds, result=AttemptResult(failure=failure, message=message, **more))


class Everything(dict[str, Action]):
    """A table in which every action is the same one."""

    def __init__(self, action: Action) -> None:
        super().__init__()
        self._action = action

    def get(self, _key: str, _default: object = None) -> Action:
        """Return the action, whatever is asked for."""
        return self._action


@dataclass(slots=True, kw_only=True)
class World:
    """Everything a run in memory needs; keep it to run again on the same store."""

    action: Action = field(default_factory=ScriptedAction)
    store: MemoryStore = field(default_factory=MemoryStore)
    artifacts: MemoryArtifacts = field(default_factory=MemoryArtifacts)
    publisher: MemoryPublisher = field(default_factory=MemoryPublisher)
    prices: Prices = field(default_factory=FlatPrices)
    condition: Condition | None = None
    breakers: BreakerStore = field(default_factory=MemoryBreakers)
    commands: CommandQueue | None = None
    ticket_target: Mapping[str, Json] | None = None
    sinks: tuple[EventSink, ...] = ()
    epoch: int = 1
    serialise: bool = True
    inline_bytes: int = 0

    def __post_init__(self) -> None:
        """Keep contents in one place, whichever way they come."""
        self.store.blobs = self.artifacts.blobs

    def runtime(self, loop: asyncio.AbstractEventLoop) -> Runtime:
        """Return the ports, with the loop's time."""
        dispatcher = LocalDispatcher(
            actions=Everything(self.action),
            artifacts=self.artifacts,
            prices=self.prices,
            sandbox=NoSandbox(),
            services=MemoryServices(),
            serialise=self.serialise,
        )
        return Runtime(
            clock=FixedClock(elapsed=loop.time),
            rand=SeededRand(),
            store=self.store,
            artifacts=self.artifacts,
            publisher=self.publisher,
            dispatcher=dispatcher,
            prices=self.prices,
            condition=self.condition,
            breakers=self.breakers,
            commands=self.commands,
            ticket_target=self.ticket_target,
            sinks=self.sinks,
            tool_version="test",
            epoch=self.epoch,
            inline_bytes=self.inline_bytes,
        )


def run_plan(
    plan: CompiledPlan,
    world: World | None = None,
    *,
    run_id: str = "run",
    resume: bool = False,
    options: RunOptions | None = None,
    control: RunControl | None = None,
) -> RunState:
    """Run a plan in memory and in virtual time, and return its final state."""
    used = world or World()
    if run_id not in used.store.plans:
        used.store.plans[run_id] = canonical(plan.semantic())

    async def main() -> RunState:
        runtime = used.runtime(asyncio.get_running_loop())
        return await run(
            plan, run_id=run_id, runtime=runtime, resume=resume, options=options, control=control
        )

    return run_virtual(main())


def restarted(world: World) -> World:
    """Return the world after the process died: same disk, newer epoch, no kill planned."""
    world.store.kill_after = None
    return replace(world, epoch=world.epoch + 1)
