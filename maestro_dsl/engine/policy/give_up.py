"""What a node's final failure means for it and for the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from maestro_dsl.engine.ports import Failure
from maestro_dsl.engine.state import NodeState
from maestro_dsl.lang.model import GiveUp

MAX_CRASHES: Final = 3
SMALL_COMPANY: Final = 8
"""So few nodes that were at work when a process died are tried one at a time at once; more of them are not,
for one death says little: machines restart, people kill."""


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


def crashed_too_often(crashes: int, alone: int, elsewhere: int) -> bool:
    """Return whether a node has taken its process down so often that a person must look.

    `alone` counts those deaths in which nothing else was at work. One of them may be chance, two are not,
    unless processes died `elsewhere` as often meanwhile: over others, while this node was not at work.
    Then somebody kills the program from outside.
    """
    return crashes >= MAX_CRASHES and alone > max(1, elsewhere)


def suspicious_from(near: int) -> int:
    """Return from how many deaths on a node runs with nothing beside it, `near` being how many had any."""
    return 1 if near <= SMALL_COMPANY else 2
