"""Layers of settings, highest first, with the origin of every value in force.

Command line, environment, node, contract, team member, persona, plan, `environments.NAME`, project, built-in
default. Results are the `*Settings` of `maestro_dsl.lang.model` with every default filled in (a limit that is
None means "no limit"). Reads no file and no process environment: both are handed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from maestro_dsl.lang.document import Document
from maestro_dsl.lang.model import (
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
    Policy,
    Project,
    RetrySettings,
    SafetySettings,
    Schedule,
    StateSettings,
    TeamMember,
)

Origin: TypeAlias = str
"""Where a value came from: "plan.yaml:14", "environment MAESTRO_MAX_ATTEMPTS", "command line", "built-in default"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What the command line states; None = not stated."""

    provider: str | None = None
    max_concurrency: int | None = None
    schedule: Schedule | None = None
    max_cost_nano_usd: int | None = None
    output: str | None = None
    quality_threshold: float | None = None
    env_name: str | None = None
    """Which of the project's `environments` applies."""
    sets: Mapping[str, Json] = field(default_factory=dict)
    """Values for `project.vars`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveSettings:
    """Settings of the whole plan, nothing left open; `origins` is keyed like "policies.retry.max_attempts"."""

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
    sandbox: str
    limits: Limits
    state: StateSettings
    origins: Mapping[str, Origin]
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
    policies: Mapping[str, Document[Policy]] | None = None,
) -> EffectiveSettings:
    """Return the settings of a plan; `policies` maps each text of `retry.use` to its Policy document."""
    raise NotImplementedError


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
    raise NotImplementedError


def for_node(
    settings: EffectiveSettings,
    *,
    node: NodeSpec | None = None,
    contract: Document[Contract] | None = None,
    member: MemberSettings | None = None,
    blueprint_file: str = "blueprint",
) -> NodeSettings:
    """Return the settings of one node instance that works on `contract` as `member`."""
    raise NotImplementedError
