"""The ports of what lasts: contents, the journal with its runs and results, and the output folder."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from maestro_dsl.engine.events import Event, FileRef
from maestro_dsl.lang.model import Json
from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from concurrent.futures import Future


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


class Appender(Protocol):
    """Decides who waits for the journal's disk."""

    @property
    def is_quick(self) -> bool:
        """Whether the loop had better make the next append."""

    def here(self, append: Callable[[], None]) -> None:
        """Call `append`, on the loop."""

    def submit(self, append: Callable[[], None]) -> Future[None]:
        """Have `append` called elsewhere, one after the other, in order."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """Files of nodes that left the plan: those removed, and those that stay because they were changed."""

    removed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


class Publisher(Protocol):
    """The output folder: manifest, conflicts, all-or-nothing publishing."""

    def publish(self, node: str, key: str, files: Sequence[FileRef]) -> None:
        """Put the files in place and remove what this node no longer makes; idempotent by digest."""

    def prune(self, nodes: Collection[str]) -> Pruned:
        """Remove what this plan made with nodes that are not among `nodes` any more; idempotent."""

    def accepted(self) -> Sequence[str]:
        """Return where a person's version of what this plan made stands and is kept; nobody checked it."""
