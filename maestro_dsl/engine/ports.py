"""What the engine asks of the world: Protocols and the records that cross them.

Records are frozen, JSON-able through `maestro_dsl.codec`, and name content by SHA-256 digest, so that an
attempt can be carried to another machine. Adapters live in `providers`, `storage`, `sandbox`, `validation`,
`tickets`, `reporters` and `actions`; they are wired in `maestro_dsl.app` only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

from maestro_dsl.compiler.plan import CompiledContract, CompiledPersona, PlanNode
from maestro_dsl.engine.events import NO_USAGE, Event, FileRef, Issue, ServiceReady, ServiceStopped, Usage
from maestro_dsl.lang.model import Json, ModelSettings
from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager


class Failure(StrEnum):
    """The retry taxonomy; each has its own counter."""

    TRANSPORT = "transport"
    THROTTLE = "throttle"
    OVERLOAD = "overload"
    TIMEOUT = "timeout"
    UNPARSABLE = "unparsable"
    INVALID = "invalid"
    LOW_QUALITY = "low_quality"
    JUDGE_ERROR = "judge_error"
    BUDGET = "budget"
    CANNOT = "cannot"
    """The provider cannot do this kind of task at all."""
    FATAL = "fatal"


CONTENT_FAILURES = frozenset({Failure.UNPARSABLE, Failure.INVALID, Failure.LOW_QUALITY})
"""Failures of what was written: they spend `max_attempts` and send the errors back."""

REPEATABLE_IN_SAFETY = CONTENT_FAILURES | {Failure.TRANSPORT, Failure.TIMEOUT, Failure.OVERLOAD}
"""Exhausted failures after which level 2 starts another round."""


# ---- model providers -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """What a model can do; `None` for a limit means unknown."""

    temperature: bool = False
    effort: bool = False
    structured_output: bool = False
    context_tokens: int | None = None
    program: bool = False
    """True where it is a program and no model: it uses no tokens, so nothing is reserved for it."""
    trusted_code: bool = False
    """True where what it writes is our own template output and may run with resource limits alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a conversation; `role` is user or assistant."""

    role: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceInput:
    """A contract of the task with the bytes of its spec; `role` is provides or consumes."""

    role: str
    contract: CompiledContract
    spec: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a request is about, for providers that are programs; never sent to a model."""

    action: str
    node: str
    persona: CompiledPersona
    deliverables: tuple[str, ...]
    interfaces: tuple[InterfaceInput, ...]
    requirement: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Files of the nodes this one needs: output-relative path → text."""

    @property
    def provided(self) -> InterfaceInput | None:
        """The contract that this task fulfils."""
        return next((item for item in self.interfaces if item.role == "provides"), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """One call of a model."""

    system: str
    messages: tuple[Message, ...]
    model: str
    settings: ModelSettings
    max_output_tokens: int
    idempotency_key: str
    attempt: int
    round: int
    timeout_s: float
    output_schema: Mapping[str, Json] | None = None
    task: Task | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelResponse:
    """The answer; files stand in `text` as the envelope of `maestro_dsl.providers.envelope`."""

    text: str
    usage: Usage
    finish_reason: str = "stop"
    raw_id: str = ""
    notes: tuple[str, ...] = ()
    """What the provider left out and why, e.g. an operation that a template cannot do."""


class ProviderFailure(Exception):  # noqa: N818 - the taxonomy's word
    """A call that gave no answer; `failure` says which kind, so that policies can decide.

    `usage_known` = the provider is sure that the call cost nothing, as when it was refused. A line that broke
    or an answer that never came may have been paid for, so these are charged at the reservation unless the
    provider knows better (None = by kind).
    """

    def __init__(
        self,
        failure: Failure,
        message: str,
        *,
        retry_after_s: float | None = None,
        usage_known: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.failure = failure
        self.message = message
        self.retry_after_s = retry_after_s
        unsure = failure in {Failure.TRANSPORT, Failure.TIMEOUT}
        self.usage_known = not unsure if usage_known is None else usage_known


class Provider(Protocol):
    """A source of answers: a model, a template engine, a recording."""

    name: str

    def capability(self, model: str) -> Capability:
        """Return what `model` can do."""

    async def generate(self, request: ModelRequest) -> ModelResponse:
        """Answer one request.

        Raises:
            ProviderFailure: no answer; the failure says whether another call may help.
        """


class Prices(Protocol):
    """Dated prices of models."""

    def cost_nano_usd(self, model: ModelKey, usage: Usage) -> int | None:
        """Return the price of `usage`, or None where the model has no price."""

    def bound_nano_usd(self, model: ModelKey, input_tokens: int, output_tokens: int) -> int | None:
        """Return the dearest price of so many tokens, or None where the model has no price."""


ModelKey: TypeAlias = tuple[str, str]
"""(provider name, model id)"""


# ---- attempts --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class InputResult:
    """The result of a node that this one needs."""

    node: str
    contract_id: str | None
    result_digest: str
    files: tuple[FileRef, ...] = ()
    recorded_calls: str | None = None
    """Blob with the calls that the node's tests made to mocks, as JSON lines."""
    state: str = "succeeded"
    """Final state of the node; other than a success only where the need accepts it."""
    verdict: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptSpec:
    """Everything a worker needs for one attempt."""

    run_id: str
    node: PlanNode
    attempt: int
    round: int
    fence: int
    key: str
    contract: CompiledContract | None = None
    consumed: tuple[CompiledContract, ...] = ()
    contracts: tuple[CompiledContract, ...] = ()
    """All contracts of the plan, for actions that look at the whole (mock, report)."""
    persona: CompiledPersona | None = None
    requirement: str = ""
    provider: str = ""
    sandbox: str = "auto"
    settings: ModelSettings = field(default_factory=ModelSettings)
    feedback: tuple[Issue, ...] = ()
    previous: str | None = None
    """Blob with the text of the last failed answer of this round."""
    inputs: tuple[InputResult, ...] = ()
    lease_tokens: int = 0
    lease_nano_usd: int = 0
    timeout_s: float = 300.0
    quality_threshold: float = 0.8

    @property
    def idempotency_key(self) -> str:
        """Equal for every try of the same attempt, whatever the fence."""
        return f"{self.run_id}/{self.node.address}/{self.round}/{self.attempt}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One of the five checks of a contract: passed of required items; `unjudged` items are listed apart."""

    name: str
    passed: int
    required: int
    unjudged: tuple[str, ...] = ()
    applicable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityReport:
    """The score of one contract with its parts, each from 0 to 1, rounded half-even to 4 digits."""

    validation: float
    completeness: float
    file_count: float
    issue_penalty: float
    score: float
    band: str
    checks: tuple[CheckResult, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a verification found; `verdict` is fulfilled, not_fulfilled or could_not_verify."""

    contract_id: str
    verdict: str
    fulfilled: bool
    score: float
    missing: tuple[str, ...] = ()
    issues: tuple[Issue, ...] = ()
    recommendations: tuple[str, ...] = ()
    parts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptResult:
    """What a worker returns; files are in the artifact store already, by digest."""

    failure: Failure | None = None
    message: str = ""
    issues: tuple[Issue, ...] = ()
    healed: tuple[str, ...] = ()
    files: tuple[FileRef, ...] = ()
    outputs: Mapping[str, Json] = field(default_factory=dict)
    score: float | None = None
    quality: QualityReport | None = None
    verdict: Verdict | None = None
    usage: Usage = NO_USAGE
    nano_usd: int = 0
    retry_after_s: float | None = None
    answer: str | None = None
    """Blob with the provider's answer."""
    recorded_calls: str | None = None
    notes: tuple[str, ...] = ()
    duration_s: float = 0.0
    usable: bool = False
    """After a failure: the staged files parse, so `accept_degraded` may take them."""
    usage_known: bool = True
    """False where calls were made whose usage nobody knows; they are charged at the reservation."""
    question: str | None = None
    """A person has to answer this before the node can end (approve)."""


class Action(Protocol):
    """One thing a node can do; the half of a node that may run on another machine."""

    async def work(self, spec: AttemptSpec, context: WorkContext) -> AttemptResult:
        """Do one attempt. Returns failures; raises only for a bug of ours or a broken machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkContext:
    """The tools an action may use; `staging` is an empty folder of this attempt alone."""

    artifacts: ArtifactStore
    provider: Provider | None
    prices: Prices
    sandbox: Sandbox
    services: Services
    staging: Path
    scratch: Path
    answered: Callable[[str, str, Usage, int | None], Awaitable[None]]
    """Durably records (request digest, response blob, usage, cost) before the answer is used."""
    stored_answer: Callable[[str], str | None]
    """Returns the response blob of a request digest that was already paid for."""


# ---- dispatch --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptLink:
    """The way back from a worker while its attempt runs; see `WorkContext.answered`."""

    answered: Callable[[str, str, Usage, int | None], Awaitable[None]]
    stored: Mapping[str, str]
    """Answers that are paid for: request digest → blob."""


class Dispatcher(Protocol):
    """Carries attempts to where they run: this process, or a worker elsewhere."""

    async def submit(self, spec: AttemptSpec, link: AttemptLink) -> AttemptResult:
        """Run one attempt to its end; cancelling the waiting task cancels the attempt.

        Idempotent by `spec.idempotency_key` and fenced by `spec.fence`: an older fence never answers for a
        newer one. Raises what the action raised, where it did.
        """


# ---- storage ---------------------------------------------------------------------------------------------


class ArtifactStore(Protocol):
    """Content-addressed bytes, durable when `put` returns, verified on every read."""

    def put(self, content: bytes) -> str:
        """Store `content` and return its SHA-256; storing twice is harmless."""

    def put_all(self, contents: Sequence[bytes]) -> tuple[str, ...]:
        """Store several contents at less than the price of one `put` each; all are durable on return."""

    def get(self, digest: str) -> bytes:
        """Return the content.

        Raises:
            IntegrityError: it is absent or differs from its digest.
        """

    def has(self, digest: str) -> bool:
        """Return whether the content is stored (its bytes are not read)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedResult:
    """A stored result of a content key, reusable by any run on the same state directory."""

    key: str
    node: str
    parts: Mapping[str, str]
    """Name of each key part → its digest, so that a re-run can say what changed."""
    result_digest: str
    files: tuple[FileRef, ...]
    state: str
    score: float | None
    outputs: Mapping[str, Json]
    tokens: int
    nano_usd: int
    recorded_calls: str | None = None
    made_at: float = 0.0
    """When it was made, in seconds since the epoch; 0 where an older version did not say."""
    duration_s: float = 0.0
    """How long its tries took together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One line of `maestro runs`."""

    run_id: str
    plan_id: str
    plan_digest: str
    output: str
    status: str
    verdict: str
    created_at: float
    updated_at: float


class Store(Protocol):
    """The journal: appends are durable when the call returns, and fenced by the run lease's epoch."""

    def create_run(self, record: RunRecord, plan: bytes) -> None:
        """Register a run with its plan (canonical JSON)."""

    def append(
        self,
        events: Sequence[Event],
        epoch: int,
        results: Sequence[CachedResult] = (),
        plan_id: str = "",
        contents: Sequence[bytes] = (),
    ) -> None:
        """Append events of one run in one transaction, together with what they speak of.

        Each result is remembered under its content key, and as the newest of its node in plan `plan_id`. The
        `contents`, small ones, are found by their digest through the `ArtifactStore`.

        Raises:
            StateError: another process holds a newer epoch.
        """

    def events(self, run_id: str, after: int = 0) -> Iterable[Event]:
        """Yield the events of a run with `seq` > `after`, in order, verified.

        Raises:
            IntegrityError: the chain is broken.
        """

    def runs(self) -> Sequence[RunRecord]:
        """Return all runs, newest first."""

    def plan(self, run_id: str) -> bytes:
        """Return the stored plan of a run."""

    def result(self, key: str) -> CachedResult | None:
        """Return the result stored under a content key."""

    def last_result(self, plan_id: str, node: str) -> CachedResult | None:
        """Return the newest result of a node address of a plan, whatever its key."""


class Publisher(Protocol):
    """The output folder: manifest, conflicts, all-or-nothing publishing."""

    def publish(self, node: str, key: str, files: Sequence[FileRef]) -> None:
        """Put the files in place and remove what this node no longer makes; idempotent by digest."""


# ---- processes -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """A finished command; output is cut to the limit and decoded leniently."""

    exit_code: int
    stdout: str
    stderr: str
    timed_out: bool = False
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSpec:
    """A command as an argument list, never a shell string.

    `python` as the first argument means the running interpreter. `reach` maps environment variable names to
    URLs on loopback that the command may call; nothing else of the network is there. `serve_port` is the
    loopback port on which the command will listen and be reached (services only).
    """

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)
    reach: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 60.0
    trusted: bool = False
    serve_port: int | None = None
    max_output_bytes: int = 1_000_000


class RunningCommand(Protocol):
    """A started service."""

    pgid: int

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""

    def tail(self) -> str:
        """Return the last lines it wrote, for error messages."""

    async def stop(self, grace_s: float = 2.0) -> None:
        """End the whole process group: terminate, then kill."""


class Sandbox(Protocol):
    """Runs what a model wrote, and nothing of it outside."""

    level: str

    async def run(self, command: CommandSpec) -> CommandResult:
        """Run to the end or the time limit; the process group is gone afterwards.

        Raises:
            EnvironmentFailure: no sandbox level that this command needs is available, or no such program.
        """

    async def start(self, command: CommandSpec) -> RunningCommand:
        """Start a service; the caller stops it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLease:
    """A running mock or provider. `calls()` returns the request log since the lease began (mocks only)."""

    contract_id: str
    mode: str
    url: str
    calls: Callable[[], tuple[Mapping[str, Json], ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSpec:
    """What to serve: a mock of the contract's spec, or the real provider from its files.

    `user` names who asks (a node address): each user of a mock has its own log and its own memory.
    """

    contract: CompiledContract
    mode: str
    spec: bytes | None
    user: str
    files: tuple[FileRef, ...] = ()
    trusted: bool = False
    timeout_s: float = 20.0
    reach: Mapping[str, str] = field(default_factory=dict)
    """What a real provider itself consumes: `MAESTRO_URL_<CONTRACT>` → URL."""


class Services(Protocol):
    """Starts mocks and providers and counts their users."""

    def lease(self, service: ServiceSpec) -> AbstractAsyncContextManager[ServiceLease]:
        """Serve until the block ends.

        Raises:
            EnvironmentFailure: a stated port is in use, or the sandbox is not available.
            UnrecoverableError: the provider died or did not answer in time; its last lines are in the text.
        """

    async def close(self) -> None:
        """Stop everything that still runs."""


ServiceEvent: TypeAlias = ServiceReady | ServiceStopped


class EventSink(Protocol):
    """A subscriber: reporters, metrics, tickets, audit. It may not raise and may not block."""

    def on_event(self, event: Event) -> None:
        """See one event after it is durable."""
