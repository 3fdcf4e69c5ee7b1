"""What a node's final failure means for it and for the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from maestro_dsl.engine.ports import Failure
from maestro_dsl.engine.state import NodeState
from maestro_dsl.lang.model import GiveUp

MAX_CRASHES: Final = 3
SUSPECT_CRASHES: Final = 2
"""One death in company says nothing: machines restart, people kill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The node's final state, or a question to a person instead; `stop_run` = nothing new starts."""

    state: NodeState
    reason: str
    stop_run: bool = False
    ask: bool = False


def decide(
    policy: GiveUp, failure: Failure, reason: str, *, give_up_on_failure: bool = True, usable: bool = False
) -> Ending:
    """Return how a node ends after its last failure.

    A bug or a broken machine (fatal) and a spent budget are not a matter of taste: they only obey
    `fail_plan`. `give_up_on_failure: false` asks a person, whatever the policy says.
    """
    stop_run = policy is GiveUp.FAIL_PLAN
    if failure is Failure.FATAL:
        return Ending(state=NodeState.FAILED, reason=reason, stop_run=stop_run)
    if failure is Failure.BUDGET:
        return Ending(state=NodeState.BUDGET_STOPPED, reason=reason, stop_run=stop_run)
    if policy is GiveUp.ASK or not give_up_on_failure:
        return Ending(state=NodeState.WAITING, reason=reason, ask=True)
    if policy is GiveUp.ACCEPT_DEGRADED and usable:
        return Ending(state=NodeState.DEGRADED, reason=reason)
    return Ending(state=NodeState.GAVE_UP, reason=reason, stop_run=stop_run)


def crashed_too_often(crashes: int, alone: int, *, others: bool) -> bool:
    """Return whether a node has taken its process down so often that a person must look.

    `alone` counts those deaths in which nothing else was at work; without one of them the node may only have
    been near. Where there are `others`, under suspicion still or dead alone once, one such death is not
    enough: somebody may be killing the program from outside.
    """
    return crashes >= MAX_CRASHES and (alone > 1 or (alone == 1 and not others))


def is_suspect(crashes: int) -> bool:
    """Return whether a node should run with nothing beside it: another death of the process then says who."""
    return crashes >= SUSPECT_CRASHES
