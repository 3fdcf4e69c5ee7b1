"""What each document and the command line state of the settings: the layers of `maestro_dsl.lang.settings`.

A Policy document that another uses stands just below what that one states itself: first the one of
`retry.use`, then the one of `policies.use`, which gives everything it holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from maestro_dsl.errors import UsageError
from maestro_dsl.lang.document import Document
from maestro_dsl.lang.layers import COMMAND_LINE, Layer, Origin, in_document, stated
from maestro_dsl.lang.model import EnvironmentSpec, Plan, Policy, Project
from maestro_dsl.lang.suggest import closest, guessed

if TYPE_CHECKING:
    from maestro_dsl.lang.model import (
        Blueprint,
        Contract,
        DocumentValue,
        NodeSpec,
        PolicySettings,
        RetrySettings,
    )
    from maestro_dsl.lang.settings import Overrides
    from maestro_dsl.lang.sourcemap import Pointer

Policies: TypeAlias = Mapping[tuple[str, str], Document[Policy]]
"""Policy documents by the file that names one, as it is shown, and the text of its `use`."""
OF_NODES: Final = ""
"""Stands for the file of the blueprint, for nodes are looked up without it."""


def environment_spec(project: Document[Project] | None, env_name: str | None) -> EnvironmentSpec:
    """Return the project's environment called `env_name`; an empty one where none is asked for.

    Raises:
        UsageError: the project has no such environment.
    """
    if env_name is None:
        return EnvironmentSpec()
    known = project.value.environments if project is not None else {}
    if env_name not in known:
        close = closest(env_name, known)
        guess = guessed(close)
        hint = f"{guess}environments of the project: {', '.join(known) or 'none'}"
        raise UsageError(f'the project has no environment "{env_name}"', hint=hint)
    return known[env_name]


def retry_conditions(document: Document[DocumentValue]) -> Iterator[tuple[Pointer, str]]:
    """Yield every `retry.when` that a document states for nodes of others, with its place."""
    value = document.value
    stated_at: dict[Pointer, PolicySettings] = {}
    if isinstance(value, Plan):
        stated_at["policies",] = value.policies
    elif isinstance(value, Policy):
        stated_at[()] = value.policies
    elif isinstance(value, Project):
        stated_at["defaults", "policies"] = value.defaults.policies
        for name, spec in value.environments.items():
            stated_at["environments", name, "defaults", "policies"] = spec.defaults.policies
    for pointer, policies in stated_at.items():
        if policies.retry.when is not None:
            yield (*pointer, "retry", "when"), policies.retry.when


def command_line(overrides: Overrides) -> Layer:
    """Return what the command line states."""
    values = {
        "provider": overrides.provider,
        "execution.max_concurrency": overrides.max_concurrency,
        "execution.schedule": overrides.schedule,
        "guardrails.max_cost": overrides.max_cost_nano_usd,
        "guardrails.max_tokens": overrides.max_tokens,
        "guardrails.max_duration": overrides.max_duration_s,
        "output": overrides.output,
        "quality_threshold": overrides.quality_threshold,
    }
    return {key: (value, COMMAND_LINE) for key, value in values.items() if value is not None}


def plan_layers(plan: Document[Plan] | None, policies: Policies) -> list[Layer]:
    """Return what a plan states, and below it what it uses."""
    if plan is None:
        return []
    value, where = plan.value, in_document(plan.map)
    layer = dict(stated(value.policies, "policies", where))
    layer.update(stated(value.guardrails, "guardrails", where))
    layer.update(stated(value.execution, "execution", where))
    for key in ("provider", "quality_threshold", "output"):
        if getattr(value, key) is not None:
            layer[key] = (getattr(value, key), where(key))
    return [layer, *_used(value.policies, plan.file, policies)]


def project_layers(
    project: Document[Project] | None, env_name: str | None, policies: Policies
) -> list[Layer]:
    """Return what the environment of a project and the project state, each above what it uses."""
    spec = environment_spec(project, env_name)
    if project is None:
        return []
    layers: list[Layer] = []
    if env_name is not None:
        where = in_document(project.map, ("environments", env_name, "defaults"))
        layers += [stated(spec.defaults, "", where), *_used(spec.defaults.policies, project.file, policies)]
    defaults = project.value.defaults
    own = dict(stated(defaults, "", in_document(project.map, ("defaults",))))
    where = in_document(project.map)
    own.update(stated(project.value.limits, "limits", where))
    own.update(stated(project.value.state, "state", where))
    if project.value.sandbox is not None:
        own["sandbox"] = (project.value.sandbox, where("sandbox"))
    return [*layers, own, *_used(defaults.policies, project.file, policies)]


def _used(settings: PolicySettings, file: str, policies: Policies) -> list[Layer]:
    layers = _used_retry(settings.retry, file, policies)
    policy = policies.get((file, settings.use or ""))
    if policy is not None:
        where = in_document(policy.map, drop="policies")
        whole = {
            **stated(policy.value.policies, "policies", where),
            **stated(policy.value.guardrails, "guardrails", where),
        }
        layers.append(whole)
    return layers


def _used_retry(retry: RetrySettings, file: str, policies: Policies) -> list[Layer]:
    policy = policies.get((file, retry.use or ""))
    if policy is None:
        return []
    where = in_document(policy.map, drop="policies")
    return [stated(policy.value.policies.retry, "policies.retry", where)]


def node_layers(node: NodeSpec, blueprint: Document[Blueprint] | None, policies: Policies) -> list[Layer]:
    """Return what a node states, and below it what it uses; `blueprint` is for the origins."""
    if blueprint is not None:
        base = in_document(blueprint.map, ("nodes", node.id), drop="policies")
    else:
        base = nowhere(f'node "{node.id}"')
    layer = dict(stated(node.retry, "policies.retry", base))
    for key, name in (("timeout", "timeout_s"), ("attempt_timeout", "attempt_timeout_s")):
        if getattr(node, name) is not None:
            layer[key] = (getattr(node, name), base(key))
    if node.give_up is not None:
        layer["policies.give_up"] = (node.give_up, base("give_up"))
    return [layer, *_used_retry(node.retry, OF_NODES, policies)]


def nowhere(origin: Origin) -> Callable[[str], Origin]:
    """Return `origin` as the origin of everything."""
    return lambda _: origin


def contract_layer(contract: Document[Contract]) -> Layer:
    """Return what a contract states of its nodes."""
    value, where = contract.value, in_document(contract.map)
    known = {
        "max_attempts": value.max_attempts,
        "token_budget": value.token_budget,
        "policies.give_up": value.give_up,
        "timeout": value.timeout_s,
    }
    return {
        key: (item, where(key.removeprefix("policies."))) for key, item in known.items() if item is not None
    }
