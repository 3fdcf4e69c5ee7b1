"""Layers of settings, highest first, with the origin of every value in force.

Command line, environment, node, contract, team member, persona, plan, `environments.NAME`, project, built-in
default. Results are the `*Settings` of `maestro_dsl.lang.model` with every default filled in (a limit that is
None means "no limit"). Reads no file and no process environment: both are handed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from maestro_dsl.lang.environment import environment, refuse_idle_delay
from maestro_dsl.lang.layers import (
    BUILT_IN,
    DEFAULT_MAX_ATTEMPTS,
    Found,
    Layer,
    Origin,
    built_in,
    in_document,
    stated,
)
from maestro_dsl.lang.model import (
    Blueprint,
    BreakerSettings,
    Contract,
    ExecutionSettings,
    GiveUp,
    GuardrailSettings,
    Json,
    Limits,
    ModelAlias,
    ModelSettings,
    NodeSpec,
    Persona,
    Plan,
    Project,
    RetrySettings,
    SafetySettings,
    Schedule,
    StateSettings,
    TeamMember,
)
from maestro_dsl.lang.setting_layers import (
    Policies,
    command_line,
    contract_layer,
    node_layers,
    nowhere,
    plan_layers,
    project_layers,
)
from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from maestro_dsl.lang.document import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What the command line states; None = not stated."""

    provider: str | None = None
    max_concurrency: int | None = None
    schedule: Schedule | None = None
    max_cost_nano_usd: int | None = None
    max_tokens: int | None = None
    max_duration_s: float | None = None
    output: str | None = None
    quality_threshold: float | None = None
    env_name: str | None = None
    """Which of the project's `environments` applies."""
    sets: Mapping[str, Json] = field(default_factory=dict)
    """Values for `project.vars`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveSettings:
    """Settings of the whole plan, nothing left open; `origins` has keys like "policies.retry.delay"."""

    provider: str
    quality_threshold: float
    output: str
    """Relative to the plan's file unless absolute."""
    retry: RetrySettings
    safety: SafetySettings
    give_up: GiveUp
    guardrails: GuardrailSettings
    execution: ExecutionSettings
    timeout_s: float
    attempt_timeout_s: float
    max_attempts: int
    """The same number as `retry.max_attempts`."""
    token_budget: int
    give_up_on_failure: bool
    sandbox: str
    limits: Limits
    state: StateSettings
    origins: Mapping[str, Origin]
    policies: Policies = field(default_factory=dict, repr=False)
    """Policy documents by who uses them: file and text of each `use`."""
    pinned: frozenset[str] = frozenset()
    """Keys stated on the command line or in the environment: nothing in a document overrides them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberSettings:
    """Settings of one team member, nothing left open."""

    max_attempts: int
    token_budget: int
    give_up_on_failure: bool
    model: ModelAlias
    """The model provider and its model; a name that is no alias of the project is the model's own name."""
    model_settings: ModelSettings
    origins: Mapping[str, Origin]
    """Keys: max_attempts, token_budget, give_up_on_failure, model, settings.temperature …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSettings:
    """Settings of one node instance, nothing left open."""

    retry: RetrySettings
    token_budget: int
    give_up: GiveUp
    """`ask` where the persona says `give_up_on_failure: false`."""
    timeout_s: float
    attempt_timeout_s: float
    origins: Mapping[str, Origin]


def effective(
    *,
    plan: Document[Plan] | None,
    project: Document[Project] | None,
    overrides: Overrides,
    environ: Mapping[str, str],
    policies: Policies | None = None,
) -> EffectiveSettings:
    """Return the settings of a plan; `policies` holds the Policy document of each `use`.

    Raises:
        UsageError: the environment or `--env` states something that cannot be used.
    """
    above = [command_line(overrides), environment(environ)]
    shared = policies or {}
    below = [*plan_layers(plan, shared), *project_layers(project, overrides.env_name, shared)]
    found = Found([*above, *below, built_in()])
    breaker = found.group("policies.safety.breaker", BreakerSettings)
    retry, max_attempts = _attempts(found)
    refuse_idle_delay(retry.delay_s or 0.0, retry.max_delay_s or 0.0, found.origins)
    return EffectiveSettings(
        provider=found.value("provider"),
        quality_threshold=found.value("quality_threshold"),
        output=found.value("output"),
        retry=retry,
        safety=replace(found.group("policies.safety", SafetySettings), breaker=breaker),
        give_up=found.value("policies.give_up"),
        guardrails=found.group("guardrails", GuardrailSettings),
        execution=found.group("execution", ExecutionSettings),
        timeout_s=found.value("timeout"),
        attempt_timeout_s=found.value("attempt_timeout"),
        max_attempts=max_attempts,
        token_budget=found.value("token_budget"),
        give_up_on_failure=found.value("give_up_on_failure"),
        sandbox=found.value("sandbox"),
        limits=found.group("limits", Limits),
        state=found.group("state", StateSettings),
        origins=MappingProxyType(found.origins),
        policies=MappingProxyType(dict(shared)),
        pinned=frozenset(key for layer in above for key in layer),
    )


def for_member(
    settings: EffectiveSettings,
    member: TeamMember,
    persona: Document[Persona],
    *,
    plan: Document[Plan],
    member_id: str,
    project: Document[Project] | None = None,
) -> MemberSettings:
    """Return the settings of one team member."""
    pinned: Layer = {key: _of_plan(settings, key) for key in _MEMBER_KEYS if key in settings.pinned}
    written = stated(member, "", in_document(plan.map, ("team", member_id)))
    general = stated(persona.value, "", in_document(persona.map))
    rest: Layer = {key: _of_plan(settings, key) for key in _CALLS}
    found = Found([pinned, written, general, rest, {"give_up_on_failure": (True, BUILT_IN)}])
    model_settings = found.group("settings", ModelSettings)
    if model_settings.temperature is not None and model_settings.effort is not None:
        model_settings = _nearer_of_both(model_settings, written)
    return MemberSettings(
        max_attempts=found.value("max_attempts"),
        token_budget=found.value("token_budget"),
        give_up_on_failure=found.value("give_up_on_failure"),
        model=_model(settings, found.value("model"), project),
        model_settings=model_settings,
        origins=MappingProxyType(found.origins),
    )


def for_node(
    settings: EffectiveSettings,
    *,
    node: NodeSpec | None = None,
    contract: Document[Contract] | None = None,
    member: MemberSettings | None = None,
    blueprint: Document[Blueprint] | None = None,
) -> NodeSettings:
    """Return the settings of one node instance that works on `contract` as `member`.

    `blueprint` is where `node` is written, for the origins.
    """
    pinned = {key: entry for key, entry in _plan_keys(settings).items() if key in settings.pinned}
    layers: list[Layer] = [pinned]
    if node is not None:
        layers += node_layers(node, blueprint, settings.policies)
    if contract is not None:
        layers.append(contract_layer(contract))
    if member is not None:
        layers.append({key: (getattr(member, key), member.origins[key]) for key in _CALLS})
    layers.append(_plan_keys(settings))
    found = Found(layers)
    retry, _ = _attempts(found, inherited=settings)
    give_up = found.value("policies.give_up")
    if member is not None and not member.give_up_on_failure:
        give_up = GiveUp.ASK
        found.origins["policies.give_up"] = member.origins["give_up_on_failure"]
    return NodeSettings(
        retry=retry,
        token_budget=found.value("token_budget"),
        give_up=give_up,
        timeout_s=found.value("timeout"),
        attempt_timeout_s=found.value("attempt_timeout"),
        origins=MappingProxyType(found.origins),
    )


_CALLS: Final = ("max_attempts", "token_budget")
_MEMBER_KEYS: Final = (*_CALLS, "give_up_on_failure")
_NODE_KEYS: Final = (*_CALLS, "policies.give_up", "timeout", "attempt_timeout")


def _of_plan(settings: EffectiveSettings, key: str) -> tuple[object, Origin]:
    name = {"policies.give_up": "give_up", "timeout": "timeout_s", "attempt_timeout": "attempt_timeout_s"}
    return getattr(settings, name.get(key, key)), settings.origins.get(key, BUILT_IN)


def _plan_keys(settings: EffectiveSettings) -> Layer:
    """Return the plan's own values of what a node may state, with their origins."""
    retry = stated(settings.retry, "policies.retry", nowhere(""))
    layer = {key: (value, settings.origins.get(key, BUILT_IN)) for key, (value, _) in retry.items()}
    return {**layer, **{key: _of_plan(settings, key) for key in _NODE_KEYS}}


def _attempts(found: Found, *, inherited: EffectiveSettings | None = None) -> tuple[RetrySettings, int]:
    """Return the retry settings; attempts that nothing states follow from the schedule's length."""
    retry = replace(found.group("policies.retry", RetrySettings), use=None)
    count = found.value("max_attempts")
    origin = found.origins.get("max_attempts", BUILT_IN)
    of_schedule = inherited is not None and origin == inherited.origins["max_attempts"]
    if count is None or (of_schedule and (origin == BUILT_IN or origin.startswith(_LENGTH))):
        count, origin = DEFAULT_MAX_ATTEMPTS, BUILT_IN
        for name in ("temperatures", "efforts"):
            schedule = getattr(retry, name)
            if schedule:
                count = len(schedule)
                origin = f"{_LENGTH} policies.retry.{name} ({found.origins[f'policies.retry.{name}']})"
                break
    found.origins["max_attempts"] = found.origins["policies.retry.max_attempts"] = origin
    return replace(retry, max_attempts=count), count


_LENGTH: Final = "length of"


def _model(settings: EffectiveSettings, name: str | None, project: Document[Project] | None) -> ModelAlias:
    """Return the model behind a name; a provider on the command line or in the environment wins."""
    aliases = project.value.models if project is not None else {}
    alias = aliases.get(name or DEFAULT_MODEL) or ModelAlias(
        provider=settings.provider, model=name or DEFAULT_MODEL
    )
    return replace(alias, provider=settings.provider) if "provider" in settings.pinned else alias


DEFAULT_MODEL: Final = "default"
"""Name of the model where nothing states one: an alias of the project, or the provider's own choice."""


def _nearer_of_both(model_settings: ModelSettings, nearer: Layer) -> ModelSettings:
    """Return the settings with one of temperature and effort: the nearer layer's, else the temperature."""
    if "settings.effort" in nearer and "settings.temperature" not in nearer:
        return replace(model_settings, temperature=None)
    if "settings.temperature" in nearer and "settings.effort" not in nearer:
        return replace(model_settings, effort=None)
    return model_settings
