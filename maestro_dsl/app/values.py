"""What the functions of `maestro_dsl.app` return: frozen values, ready to be rendered or serialised."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from maestro_dsl.compiler.estimate import Estimate
    from maestro_dsl.compiler.plan import CompiledPlan
    from maestro_dsl.diagnostics import Diagnostics
    from maestro_dsl.engine.events import Event
    from maestro_dsl.engine.ports.attempts import QualityReport, Verdict
    from maestro_dsl.engine.ports.storage import RunRecord
    from maestro_dsl.engine.tickets import Ticket
    from maestro_dsl.lang.model import Json
    from maestro_dsl.lang.workspace import Workspace
    from maestro_dsl.reporters.plan import Forecast


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A compiled plan, or None beside the errors that prevent it."""

    plan: CompiledPlan | None
    diagnostics: Diagnostics
    sources: Mapping[str, str]
    workspace: Workspace | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftBehind:
    """An unfinished run that a person paused, and that a run of a changed plan does not end."""

    run_id: str
    paused_at: float
    """When, in seconds since the epoch."""
    reason: str
    """By whom it was paused, and what they noted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReport:
    """What `apply` would do: exactly this is run once it is confirmed."""

    compiled: Compiled
    plan: CompiledPlan
    estimate: Estimate
    forecast: Mapping[str, Forecast]
    conflicts: tuple[str, ...]
    output: Path
    state_dir: Path
    state_origin: str
    continues: str | None = None
    """An unfinished run of the same plan and output that `apply` continues."""
    held: str | None = None
    """Why that run waits for a person (paused by one, by a limit, by a question); None = it does not."""
    plan_file: Path | None = None
    removes: tuple[str, ...] = ()
    """Files of nodes that left the plan; a run that ends verified removes them."""
    left_behind: tuple[LeftBehind, ...] = ()
    """Runs of other plans into the same folder that a person paused; `apply` leaves them paused."""
    prices: str | None = None
    """The project's own price file as it was read for this report; None = the packaged prices alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyOptions:
    """How `apply` treats what it finds; `accept` and `replace` name output paths or node addresses."""

    resume: bool = True
    fail_fast: bool = False
    accept: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """A run as it stands: its plan, its whole journal, and what follows from them."""

    run_id: str
    plan: CompiledPlan
    events: tuple[Event, ...] = field(repr=False)
    output: Path
    state_dir: Path
    status: str
    verdict: str
    quality: Mapping[str, QualityReport]
    overall_quality: float | None
    quality_threshold: float
    estimate: Estimate | None
    exit_code: int
    interrupted: bool = False
    continued: bool = False
    live: bool = False
    tickets: tuple[Ticket, ...] = ()
    """Tickets about nodes that failed for good, delivered or waiting."""
    left_behind: tuple[LeftBehind, ...] = ()
    """Runs that a person paused and that this one, when it began, left as they are."""

    def raise_for_failure(self) -> None:
        """Return where no node failed.

        Raises:
            HelpNeeded: a node failed or gave up; `ticket` is the key of the ticket about it.
            TokenBudgetExceeded: a node was stopped by a budget.
        """
        from maestro_dsl.engine.result import error_of
        from maestro_dsl.engine.state import fold

        keys = {ticket.node: ticket.key for ticket in self.tickets}
        nodes = fold(self.events).nodes
        for node in self.plan.nodes:
            record = nodes.get(node.address)
            error = None if record is None else error_of(record, keys.get(node.address, ""))
            if error is not None:
                raise error


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlResult:
    """What became of a request about a run; `live` = a process was at work on it and did it."""

    run_id: str
    command: str
    live: bool
    done: bool
    """False: it is under way, and not all of it has happened yet."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketList:
    """Tickets of a state directory, oldest first."""

    tickets: tuple[Ticket, ...]
    state_dir: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class RunList:
    """All runs of a state directory, newest first; `live` ids are held by a process now."""

    runs: tuple[RunRecord, ...]
    live: frozenset[str]
    state_dir: Path
    state_origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InitResult:
    """A new project folder and the files written into it."""

    folder: Path
    files: tuple[str, ...]
    plan: str
    schemas: str
    """The folder inside it with the schemas for editors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmitResult:
    """Emitted mock files; `skipped` names what could not be emitted and why."""

    folder: Path
    files: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedMock:
    """One mock that answers now."""

    name: str
    url: str
    operations: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyResult:
    """The verdict on one provider."""

    subject: str
    url: str
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class BlueprintInfo:
    """A blueprint for people who choose one; `nodes` are (id, action), `text` is the whole document."""

    reference: str
    version: str
    name: str
    description: str
    execution_mode: str
    coordination_mode: str
    use_cases: tuple[str, ...]
    best_practices: tuple[str, ...]
    nodes: tuple[tuple[str, str], ...]
    inputs: Mapping[str, Json]
    file: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigEntry:
    """One setting in force, and where it came from."""

    key: str
    value: Json
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """One check of `doctor`; `status` is ok, warning or error, `fix` the exact command or step."""

    name: str
    status: str
    detail: str
    fix: str | None = None
