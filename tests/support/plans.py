"""Compiled plans, personas and run records of tests: each test states only what it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.compiler.plan import (
    CompiledPersona,
    CompiledPlan,
    Execution,
    Guardrails,
    ModelRef,
    PlanNode,
)
from maestro_dsl.engine.ports.storage import RunRecord
from maestro_dsl.lang.model import ModelSettings

if TYPE_CHECKING:
    from collections.abc import Iterable


def plan(nodes: Iterable[PlanNode], **changes: object) -> CompiledPlan:
    """Return a plan of these nodes, in waves by what they need."""
    nodes = tuple(nodes)
    stated: dict[str, object] = {
        "id": "p",
        "name": "p",
        "requirement": "",
        "blueprint": "b",
        "execution_mode": "parallel",
        "personas": (),
        "contracts": (),
        "provider": "none",
        "guardrails": Guardrails(),
        "execution": Execution(),
        "quality_threshold": 0.8,
        "output": "build",
    }
    return CompiledPlan(**{**stated, "nodes": nodes, "waves": waves(nodes), **changes})


def waves(nodes: Iterable[PlanNode]) -> tuple[tuple[str, ...], ...]:
    """Return the addresses by depth; every node stands behind those it needs."""
    depth: dict[str, int] = {}
    for node in nodes:
        depth[node.address] = 1 + max((depth[edge.source] for edge in node.edges), default=-1)
    return tuple(
        tuple(address for address, level in depth.items() if level == wave)
        for wave in range(max(depth.values(), default=-1) + 1)
    )


def persona(id_: str, /, **changes: object) -> CompiledPersona:
    """Return a persona without a word of its own."""
    stated: dict[str, object] = {
        "use": f"core/{id_}",
        "name": id_,
        "description": "",
        "expertise": (),
        "tools": (),
        "prompt": "",
        "model": ModelRef(provider="scripted", model="m"),
        "settings": ModelSettings(),
        "max_attempts": 3,
        "token_budget": 100_000,
        "give_up_on_failure": True,
    }
    return CompiledPersona(**{"id": id_, **stated, **changes})


def run_record(run_id: str, *, at: float = 0.0, **changes: object) -> RunRecord:
    """Return the record of a run that was just made."""
    stated: dict[str, object] = {
        "plan_id": "p",
        "plan_digest": "d",
        "output": "/out",
        "status": "pending",
        "verdict": "pending",
        "created_at": at,
        "updated_at": at,
    }
    return RunRecord(**{"run_id": run_id, **stated, **changes})
