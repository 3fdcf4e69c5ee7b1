"""What can happen in a run, as versioned values. `RunState` is the fold of these and of nothing else.

An event is an envelope (`seq` from 1 without gaps, `at` in seconds since the epoch) around one body. A body's
class name is its type name in the journal. Bodies only ever gain fields with defaults, and a default never
changes: the journal leaves out what holds it. A reader ignores fields it does not know, and `EVENT_VERSION`
grows when a meaning changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from functools import cache
from typing import Any, Final, TypeAlias

from maestro_dsl.codec import from_json, sparse_printer, to_json
from maestro_dsl.errors import IntegrityError
from maestro_dsl.lang.model import Json
from maestro_dsl.records import dataclass

EVENT_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one or more model calls."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_write_tokens: int = 0
    cache_read_tokens: int = 0

    @property
    def total(self) -> int:
        """All tokens that count against a budget."""
        return self.input_tokens + self.output_tokens + self.cache_write_tokens + self.cache_read_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRef:
    """One produced file: path relative to the output folder, content by SHA-256, size in bytes."""

    path: str
    digest: str
    size: int
    executable: bool = False


NO_USAGE: Final = Usage()


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One thing a validator found; `severity` is critical, error, warning or info."""

    severity: str
    message: str
    check: str
    file: str | None = None
    line: int | None = None
    operation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run begins; the plan itself is stored beside the journal under `plan_digest`."""

    plan_id: str
    plan_digest: str
    output: str
    tool_version: str
    options: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResumed:
    """A process took the run over; `epoch` grows by one each time and fences the former holder."""

    epoch: int
    interrupted: tuple[str, ...] = ()
    """Nodes whose attempt was in flight and will run again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptStarted:
    """An attempt was reserved for and handed out. `attempt` and `round` count from 1."""

    node: str
    attempt: int
    round: int
    fence: int
    key: str
    reserved_tokens: int = 0
    reserved_nano_usd: int = 0
    reason: str = ""
    """Why the node runs at all, e.g. "never run" or "interface backend_api changed"."""
    temperature: float | None = None
    effort: str | None = None
    free: bool = False
    """The provider costs nothing, so a call that was lost owes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelResponded:
    """A model's answer is stored; after a kill it is used instead of paying again."""

    node: str
    attempt: int
    request_digest: str
    response_digest: str
    usage: Usage
    nano_usd: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFinished:
    """An attempt ended. `failure` is None for success, else one of the retry taxonomy or "fatal"."""

    node: str
    attempt: int
    round: int
    fence: int
    failure: str | None
    message: str = ""
    issues: tuple[Issue, ...] = ()
    healed: tuple[str, ...] = ()
    score: float | None = None
    usage: Usage = NO_USAGE
    nano_usd: int = 0
    duration_s: float = 0.0
    result_digest: str | None = None
    """Blob with the full attempt result, as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryScheduled:
    """Another attempt or round follows after `delay_s` seconds."""

    node: str
    failure: str
    delay_s: float
    level: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishStarted:
    """The files of a node are about to be renamed into the output folder."""

    node: str
    key: str
    files: tuple[FileRef, ...]
    result_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """All files of the intent are in place."""

    node: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFinished:
    """A node reached a final state, which never changes."""

    node: str
    state: str
    key: str | None = None
    reason: str = ""
    result_digest: str | None = None
    score: float | None = None
    verdict: str | None = None
    """For verify and recheck: fulfilled, not_fulfilled or could_not_verify."""
    files: tuple[FileRef, ...] = ()
    outputs: Mapping[str, Json] = field(default_factory=dict)
    saved_tokens: int = 0
    """For cached nodes: what the stored result had cost."""
    saved_nano_usd: int = 0
    saved_s: float = 0.0
    """For cached nodes: how long its tries had taken."""
    cause: tuple[str, ...] = ()
    """For a skipped node: addresses from the root cause to its own need; empty = its condition."""
    recorded_calls: str | None = None
    """Blob with the calls that its tests made to mocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeWaiting:
    """A node waits for a person."""

    node: str
    question: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeDecided:
    """A person answered: approve, reject, retry, rerun or skip."""

    node: str
    decision: str
    by: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceReady:
    """A mock or a real provider answers at `url`; `pgid` lets a later process find an orphan."""

    contract_id: str
    mode: str
    url: str
    lease: str
    pgid: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStopped:
    """A service of an earlier `ServiceReady` is gone."""

    contract_id: str
    mode: str
    lease: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRaised:
    """A threshold was passed, e.g. 80 % of a token budget."""

    kind: str
    subject: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderHeld:
    """A model provider asked for patience: none of its nodes calls it before `until` (wall time)."""

    provider: str
    until: float
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketOpened:
    """A ticket about a node is in the outbox, from the transaction of this event on."""

    node: str
    key: str
    title: str
    text: str
    target: Mapping[str, Json] = field(default_factory=dict)
    """Where it goes, with the names of secrets instead of secrets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPaused:
    """Nothing new starts; the run can be continued."""

    reason: str
    by: str = "policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRaised:
    """These guardrails of this run are now so, the others as before; money in nano-dollars."""

    max_cost_nano_usd: int | None = None
    max_tokens: int | None = None
    max_duration_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """The run reached a final status; `verdict` as derived by the fold."""

    status: str
    verdict: str
    reason: str = ""
    removed: tuple[str, ...] = ()
    """Output files of nodes that left the plan, removed at the end of a run that is verified."""
    kept: tuple[str, ...] = ()
    """Such files that stay, because they were changed since they were written."""
    unchecked: tuple[str, ...] = ()
    """Output files that a person changed and keeps: what was checked is what the nodes made instead."""


Body: TypeAlias = (
    RunStarted
    | RunResumed
    | AttemptStarted
    | ModelResponded
    | AttemptFinished
    | RetryScheduled
    | PublishStarted
    | Published
    | NodeFinished
    | NodeWaiting
    | NodeDecided
    | ServiceReady
    | ServiceStopped
    | AlertRaised
    | ProviderHeld
    | TicketOpened
    | RunPaused
    | LimitRaised
    | RunFinished
)

BODIES: Final[Mapping[str, type[Body]]] = {
    kind.__name__: kind
    for kind in (
        RunStarted,
        RunResumed,
        AttemptStarted,
        ModelResponded,
        AttemptFinished,
        RetryScheduled,
        PublishStarted,
        Published,
        NodeFinished,
        NodeWaiting,
        NodeDecided,
        ServiceReady,
        ServiceStopped,
        AlertRaised,
        ProviderHeld,
        TicketOpened,
        RunPaused,
        LimitRaised,
        RunFinished,
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of a run's history."""

    run_id: str
    seq: int
    at: float
    body: Body
    _text: str | None = field(default=None, init=False, repr=False, compare=False)

    def to_json(self) -> dict[str, Any]:
        """Return the form that `--progress json` writes."""
        return {
            "version": EVENT_VERSION,
            "run_id": self.run_id,
            "seq": self.seq,
            "at": self.at,
            "type": type(self.body).__name__,
            **to_json(self.body),
        }

    def text(self) -> str:
        """Return what the journal keeps, made once: `to_json` in ASCII, sorted, without what is as usual."""
        if self._text is None:
            body, name = self.body, type(self.body).__name__
            made = _printer(name)(body, self.at, self.run_id, self.seq, name, EVENT_VERSION)
            object.__setattr__(self, "_text", made)
            return made
        return self._text


@cache
def _printer(name: str) -> Callable[..., str]:
    return sparse_printer(BODIES[name], "at", "run_id", "seq", "type", "version")


def decode_event(data: Mapping[str, Any]) -> Event:
    """Return the event that `Event.to_json` wrote.

    Raises:
        IntegrityError: an unknown type or a newer version; nothing is guessed.
    """
    kind = BODIES.get(str(data.get("type")))
    if kind is None or int(data.get("version", 0)) > EVENT_VERSION:
        raise IntegrityError(
            f"the journal holds an event this version cannot read: {data.get('type')}",
            hint="use the version of maestro that wrote it, or a newer one",
        )
    body = from_json(kind, data)
    return Event(run_id=str(data["run_id"]), seq=int(data["seq"]), at=float(data["at"]), body=body)
