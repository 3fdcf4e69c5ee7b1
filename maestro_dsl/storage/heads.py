"""Where a run's history ends, and what a listing shows of it.

Pure: no database here; `maestro_dsl.storage.journal` reads and writes the rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.engine.events import (
    Event,
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
)
from maestro_dsl.engine.ports.storage import RunRecord
from maestro_dsl.errors import IntegrityError, StateError
from maestro_dsl.records import dataclass
from maestro_dsl.storage.history import out_of_order
from maestro_dsl.storage.seals import DAMAGED_HINT, check_seal, seal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TOLD: Final = frozenset({RunStarted, RunResumed, RunPaused, RunFinished})
"""The events that change what a listing shows; looked at for every node, so the others are passed over."""
_FIELDS: Final = ("run_id", "epoch", "seq", "updated_at", "status", "verdict", "chain")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where a run's history ends; a field a column of the table `heads`, in its order."""

    run_id: str
    epoch: int
    seq: int
    updated_at: float
    status: str
    verdict: str
    chain: str

    def row(self) -> tuple[str | float, ...]:
        """Return the values of the columns, the checksum last."""
        values = tuple(getattr(self, name) for name in _FIELDS)
        return (*values, seal(*values))

    def mapping(self) -> dict[str, str | float]:
        """Return the row by the names of its columns."""
        return dict(zip((*_FIELDS, "checksum"), self.row(), strict=True))

    @classmethod
    def of(cls, row: Mapping[Any, Any]) -> Head:
        """Return the head that a row holds.

        Raises:
            IntegrityError: the row is damaged.
        """
        check_seal(row, f"run {row['run_id']}")
        return cls(**{name: row[name] for name in _FIELDS})

    def advanced(self, events: Sequence[Event], chain: str, epoch: int) -> Head:
        """Return the head after `events` of a holder of `epoch`, with the chain after the last one."""
        status, verdict = self.status, self.verdict
        for event in events:
            if type(event.body) not in _TOLD:
                continue
            match event.body:
                case RunStarted() | RunResumed():
                    status = "running"
                case RunPaused():
                    status = "paused"
                case RunFinished(status=status, verdict=verdict):
                    pass
        return Head(
            run_id=self.run_id,
            epoch=epoch,
            seq=events[-1].seq,
            updated_at=float(events[-1].at),
            status=str(status),  # an enum of strings would be sealed under another form than it is read in
            verdict=str(verdict),
            chain=chain,
        )


def refuse_stale(head: Head, event: Event, epoch: int) -> None:
    """Raise `StateError` where `event` of a holder of `epoch` may not follow `head`."""
    if epoch < head.epoch:
        raise StateError(
            f"another process took run {head.run_id} over (epoch {head.epoch}, this one has {epoch})",
            hint="`maestro runs` shows who continues it",
        )
    if event.seq != head.seq + 1:
        raise out_of_order(head.run_id, head.seq, event)


def record_of(run: Mapping[Any, Any], head: Mapping[Any, Any] | None) -> RunRecord:
    """Return one line of the listing.

    Raises:
        IntegrityError: a row is damaged, or only one of them is there.
    """
    if head is None:
        raise IntegrityError(f"the record of run {run['run_id']} is not complete any more", hint=DAMAGED_HINT)
    check_seal(run, f"run {run['run_id']}")
    check_seal(head, f"run {run['run_id']}")
    return RunRecord(
        run_id=str(run["run_id"]),
        plan_id=str(run["plan_id"]),
        plan_digest=str(run["plan_digest"]),
        output=str(run["output"]),
        status=str(head["status"]),
        verdict=str(head["verdict"]),
        created_at=float(run["created_at"]),
        updated_at=float(head["updated_at"]),
    )
