"""The worker's half of an attempt: an action, what it may use, and who carries attempts to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from maestro_dsl.engine.events import Usage
from maestro_dsl.engine.ports.models import Prices, Provider
from maestro_dsl.engine.ports.processes import Sandbox, Services
from maestro_dsl.engine.ports.storage import ArtifactStore
from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from maestro_dsl.engine.ports.attempts import AttemptResult, AttemptSpec


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


class Action(Protocol):
    """One thing a node can do; the half of a node that may run on another machine."""

    async def work(self, spec: AttemptSpec, context: WorkContext) -> AttemptResult:
        """Do one attempt. Returns failures; raises only for a bug of ours or a broken machine."""


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
