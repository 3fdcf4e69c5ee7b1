"""Chooses the adapters of a run by name: model provider, sandbox, services.

A provider is stated as `scaffold`, or as `scripted:FILE` with the file relative to the plan.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from maestro_dsl.codec import digest_bytes
from maestro_dsl.compiler.plan import KeyPart
from maestro_dsl.errors import UsageError
from maestro_dsl.lang.expressions import Problem, evaluate, parse
from maestro_dsl.lang.model_providers import SCRIPTED, problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from maestro_dsl.compiler.plan import CompiledPlan, PlanNode
    from maestro_dsl.engine.ports.models import Provider
    from maestro_dsl.lang.model import Json


_SCRIPT_PART: Final = "script"


def make_provider(stated: str, base: Path) -> Provider:
    """Return the model provider that a plan states; `base` is the folder of the plan.

    Raises:
        UsageError: no such provider, or its script cannot be used.
    """
    from maestro_dsl.providers.scaffold import ScaffoldProvider

    wrong = problem(stated)
    if wrong is not None:
        raise UsageError(wrong[0], hint=wrong[1])
    name, _, argument = stated.partition(":")
    if name == SCRIPTED:
        from maestro_dsl.providers.scripted import load_script

        return load_script(base / argument, base=ScaffoldProvider())
    return ScaffoldProvider()


def condition_holds(text: str, values: Mapping[str, Json]) -> bool:
    """Return whether the condition of a retry policy is true over what is known of the failed try.

    Raises:
        UsageError: it cannot be evaluated, or is neither true nor false.
    """
    parsed = parse(text)
    if isinstance(parsed, Problem):
        raise UsageError(f"{parsed.message} (in {text})", hint=parsed.help)
    value = evaluate(parsed, values)
    if not isinstance(value, bool):
        raise UsageError(f"the condition is neither true nor false: {text}")
    return value


def script_unchanged(node: PlanNode, stated: str, base: Path) -> bool:
    """Return whether the script that answered for a node is the one in its key; True where there is none."""
    part = next((item for item in node.key_parts if item.name == _SCRIPT_PART), None)
    if part is None:
        return True
    try:
        return digest_bytes((base / stated.partition(":")[2]).read_bytes()) == part.digest
    except OSError:
        return False


def with_script_in_keys(plan: CompiledPlan, base: Path) -> CompiledPlan:
    """Return the plan with the script's content in the keys of what it answers: a new script, new results.

    Raises:
        UsageError: the script cannot be read.
    """
    name, _, argument = plan.provider.partition(":")
    if name != SCRIPTED or not argument:
        return plan
    try:
        part = KeyPart(name=_SCRIPT_PART, digest=digest_bytes((base / argument).read_bytes()))
    except OSError as error:
        raise UsageError(f"the script {argument} cannot be read: {error.strerror}") from error
    nodes = tuple(
        replace(node, key_parts=(*node.key_parts, part)) if node.prompt is not None else node
        for node in plan.nodes
    )
    return replace(plan, nodes=nodes)
