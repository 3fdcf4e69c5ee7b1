"""What a node's final failure means for it and for the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.engine.state import NodeState
from maestro_dsl.lang.model import GiveUp

MAX_CRASHES: Final = 3
"""With the third process that ends during its work a node is given up, if the third was its own."""
MAX_CRASHES_APART: Final = 10
"""So often the run itself may die while a node has a process of its own; then somebody has to look."""


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


def is_suspect(crashes: int) -> bool:
    """Return whether a node's next attempt gets a process of its own: one more death, and it is known."""
    return crashes >= MAX_CRASHES - 1


def crashed_too_often(crashes: int, *, apart: bool) -> bool:
    """Return whether a person must look before a node is tried again.

    `apart` = suspects run in processes of their own. Then the end of the run's process is not their doing:
    people kill programs, machines restart.
    """
    return crashes >= (MAX_CRASHES_APART if apart else MAX_CRASHES)
