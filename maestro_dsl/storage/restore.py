"""The state of a run as it stands: the fold of its verified history, and of nothing else.

There are no snapshots beside the journal (ADR 0010 says why), so nothing can be older than the history,
disagree with it, or be skipped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.engine.state import RUN_FINAL, RunState, fold

if TYPE_CHECKING:
    from maestro_dsl.engine.ports.storage import Store


def restore_latest(store: Store, run_id: str | None = None) -> RunState | None:
    """Return the state of a run (None = the newest that has not ended), or None where there is none.

    Raises:
        UsageError: there is no run with this id.
        IntegrityError: its history is damaged; no part of it is used.
    """
    if run_id is None:
        ended = {status.value for status in RUN_FINAL}
        run_id = next((record.run_id for record in store.runs() if record.status not in ended), None)
    return None if run_id is None else fold(store.events(run_id))
