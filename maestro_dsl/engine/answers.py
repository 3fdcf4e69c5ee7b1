"""Answers that a retry takes over from the run it repeats, so that nobody is asked the same twice.

They stand in the first event of the new run, and each holds for the content key under which it was given:
where anything changed in what it was about, the person is asked anew. A rejection is not taken over, nor what
was said about a failure, because failures are what a retry is for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.engine.events import NodeDecided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.engine.state import NodeRecord, RunState
    from maestro_dsl.lang.model import Json

_OPTION: Final = "answers"
"""Where they stand in `RunStarted.options`: node address → key, run, decision, by and note."""
_SHOWN: Final = 8


def answers_of(state: RunState) -> dict[str, Json]:
    """Return what the first event of a retry keeps: answers of the run, and those that it took over."""
    found = dict(_taken_over(state))
    for address, record in state.nodes.items():
        said = record.decision
        if said is None or said.decision not in _lasting(record):
            continue
        if answer_to(state, address, record.key) is None:
            found[address] = {
                "key": record.key,
                "run": state.run_id,
                "decision": said.decision,
                "by": said.by,
                "note": said.note,
            }
    return {_OPTION: found} if found else {}


def answer_to(state: RunState, address: str, key: str | None) -> NodeDecided | None:
    """Return the answer that the run took over for what this node asks under this key, or None."""
    given = _taken_over(state).get(address)
    if not isinstance(given, dict) or given["key"] != key:
        return None
    who = f"{given['by'] or 'a person'} in run {str(given['run'])[:_SHOWN]}"
    return NodeDecided(node=address, decision=str(given["decision"]), by=who, note=str(given["note"]))


def _taken_over(state: RunState) -> Mapping[str, Json]:
    given = None if state.started is None else state.started.options.get(_OPTION)
    return given if isinstance(given, dict) else {}


def _lasting(record: NodeRecord) -> tuple[str, ...]:
    """Return the answers that hold for a retry too, by what the node asked."""
    if record.interrupted:
        return ("skip",)  # of an effect that may have happened: it had
    failed = not record.tries or record.tries[-1].failure is not None
    return () if failed else ("approve", "skip")
