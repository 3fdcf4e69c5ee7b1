"""The documents of the language as frozen values, exactly what a file states.

A setting that a file leaves out is None (or empty) here; `maestro_dsl.lang.settings` layers the files and
fills in defaults, so that the origin of every value can be shown. Values know no positions: a `Document`
keeps them together with its source map. Durations are seconds, money is integer nano-dollars (1 USD = 10^9),
tokens are plain counts. Strings may still hold `{{ … }}` where the schema allows expressions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias

from maestro_dsl.diagnostics import Severity
from maestro_dsl.records import dataclass

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""A JSON value."""

API_VERSION: Final = "maestro/v1"


def _no_items() -> Mapping[str, Json]:
    return MappingProxyType({})


class Kind(StrEnum):
    """The seven kinds of document."""

    PROJECT = "Project"
    PLAN = "Plan"
    BLUEPRINT = "Blueprint"
    PERSONA = "Persona"
    CONTRACT = "Contract"
    POLICY = "Policy"
    LIBRARY = "Library"


class ContractType(StrEnum):
    """What a contract's interface is."""

    REST_API = "REST_API"
    GRAPHQL = "GRAPHQL"
    INTERFACE = "INTERFACE"
    GRPC = "GRPC"
    EVENT_STREAM = "EVENT_STREAM"
    MESSAGE_QUEUE = "MESSAGE_QUEUE"


class GiveUp(StrEnum):
    """What happens to the others when a node gives up."""

    FAIL_PLAN = "fail_plan"
    SKIP_DEPENDANTS = "skip_dependants"
    KEEP_MOCK = "keep_mock"
    ACCEPT_DEGRADED = "accept_degraded"
    ASK = "ask"


class Schedule(StrEnum):
    """When a node may start: as soon as its own needs are met, or wave after wave."""

    READY = "ready"
    WAVES = "waves"


class Against(StrEnum):
    """What a deliverable is built against: the mocks of what it consumes, or the real providers."""

    MOCK = "mock"
    REAL = "real"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySettings:
    """`policies.retry` as written; None = not stated."""

    use: str | None = None
    max_attempts: int | None = None
    temperatures: tuple[float, ...] | None = None
    efforts: tuple[str, ...] | None = None
    delay_s: float | None = None
    max_delay_s: float | None = None
    jitter: float | None = None
    max_transport_attempts: int | None = None
    max_throttle_wait_s: float | None = None
    when: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerSettings:
    """`policies.safety.breaker` as written."""

    failures: int | None = None
    reset_after_s: float | None = None
    max_wait_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetySettings:
    """`policies.safety` as written."""

    max_attempts: int | None = None
    delays_s: tuple[float, ...] | None = None
    breaker: BreakerSettings = field(default_factory=BreakerSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailSettings:
    """`guardrails` as written; money in nano-dollars."""

    max_cost_nano_usd: int | None = None
    max_tokens: int | None = None
    max_duration_s: float | None = None
    on_exceeded: str | None = None
    warn_at: float | None = None
    on_unknown_price: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionSettings:
    """`execution` as written."""

    max_concurrency: int | None = None
    max_per_persona: int | None = None
    max_per_provider: int | None = None
    schedule: Schedule | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySettings:
    """`policies` of a plan, project or environment, and the body of a Policy document."""

    use: str | None = None
    """A Policy document that gives all it holds, its guardrails too."""
    retry: RetrySettings = field(default_factory=RetrySettings)
    safety: SafetySettings = field(default_factory=SafetySettings)
    give_up: GiveUp | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """Settings of a model call: a temperature or an effort, never both at once."""

    temperature: float | None = None
    effort: str | None = None
    max_output_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """WHO: reusable, without obligations."""

    id: str
    version: str | None = None
    name: str | None = None
    description: str | None = None
    expertise: tuple[str, ...] = ()
    prompt_file: str | None = None
    model: str | None = None
    settings: ModelSettings = field(default_factory=ModelSettings)
    tools: tuple[str, ...] = ()
    max_attempts: int | None = None
    token_budget: int | None = None
    give_up_on_failure: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One acceptance criterion: a named `check` (with `run` for commands), or free `text` for a judge."""

    check: str | None = None
    run: tuple[str, ...] = ()
    text: str | None = None
    required: bool | None = None

    @property
    def label(self) -> str:
        """A short name for reports."""
        if self.text is not None:
            return self.text
        return f"{self.check}: {' '.join(self.run)}" if self.run else str(self.check)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliverable:
    """One promised result; `artifacts` are globs relative to `<output>/<provider_persona_id>/`."""

    name: str
    artifacts: tuple[str, ...]
    description: str | None = None
    expected_files: int | None = None
    against: Against = Against.MOCK
    estimate_s: float | None = None
    acceptance_criteria: tuple[Criterion, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """A released version of an interface: its number and its file as it was; or `contract` has both."""

    version: str = ""
    spec_file: str = ""
    contract: str | None = None
    """One of a library, as library/name with an optional range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceSpec:
    """The machine-readable interface; `spec_file` is relative to the contract's file."""

    type: str
    spec_file: str
    version: str | None = None
    compatible_with: Released | None = None
    """What it may not break without a new major version of the contract."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MockOptions:
    """How a contract's mock misbehaves on purpose, and where it may send callbacks."""

    latency: str | None = None
    """A time such as "50ms", or a range such as "50-200ms"."""
    error_rate: float = 0.0
    """The share of requests that fail, 0 to 1."""
    timeout_rate: float = 0.0
    """The share of requests that get no answer in time."""
    callback_hosts: tuple[str, ...] = ()
    """Hosts beside this machine's own that callbacks may be sent to."""
    credentials: tuple[str, ...] = ()
    """The only credentials that the mock takes; none stated = whatever looks like a credential."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """WHAT: obligations between one provider persona and its consumers."""

    id: str
    provider_persona_id: str
    deliverables: tuple[Deliverable, ...]
    name: str | None = None
    version: str = "1.0.0"
    description: str | None = None
    type: ContractType = ContractType.INTERFACE
    consumer_persona_ids: tuple[str, ...] = ()
    interface_spec: InterfaceSpec | None = None
    mock_available: bool = True
    mock_endpoint: str | None = None
    mock_options: MockOptions | None = None
    start: tuple[str, ...] = ("python", "server.py")
    """How the provider's product is started; it gets its address in HOST and PORT."""
    estimate_s: float | None = None
    max_attempts: int | None = None
    token_budget: int | None = None
    give_up: GiveUp | None = None
    timeout_s: float | None = None

    @property
    def can_mock(self) -> bool:
        """True where an interface exists and a mock of it is wanted."""
        return self.mock_available and self.interface_spec is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamMember:
    """One member of a plan's team: a persona by reference, with overrides."""

    use: str
    model: str | None = None
    settings: ModelSettings = field(default_factory=ModelSettings)
    max_attempts: int | None = None
    token_budget: int | None = None
    give_up_on_failure: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One piece of work."""

    id: str
    blueprint: str
    team: Mapping[str, TeamMember]
    name: str | None = None
    version: str | None = None
    description: str | None = None
    requirement: str | None = None
    inputs: Mapping[str, Json] = field(default_factory=_no_items)
    contracts: tuple[str, ...] = ()
    provider: str | None = None
    policies: PolicySettings = field(default_factory=PolicySettings)
    guardrails: GuardrailSettings = field(default_factory=GuardrailSettings)
    execution: ExecutionSettings = field(default_factory=ExecutionSettings)
    quality_threshold: float | None = None
    output: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One entry of `needs`: which node, how instances join, which final states are accepted."""

    node: str
    join: str = "auto"
    states: tuple[str, ...] = ("succeeded", "succeeded_on_mock")
    """Names of node states; ("any",) accepts every final state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSpec:
    """One node of a blueprint before expansion; strings may hold expressions."""

    id: str
    action: str
    needs: tuple[Need, ...] = ()
    foreach: str | None = None
    as_name: str | None = None
    when: str | None = None
    persona: str | None = None
    contract: str | None = None
    params: Mapping[str, Json] = field(default_factory=_no_items)
    """The key `with`."""
    timeout_s: float | None = None
    attempt_timeout_s: float | None = None
    retry: RetrySettings = field(default_factory=RetrySettings)
    give_up: GiveUp | None = None
    required: bool = True
    estimate_s: float | None = None
    effect: bool = False
    idempotency_key: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """A reusable team pattern; `inputs` are JSON Schema properties."""

    id: str
    nodes: Mapping[str, NodeSpec]
    version: str = "1.0.0"
    name: str | None = None
    description: str | None = None
    execution_mode: str = "sequential"
    coordination_mode: str = "contract"
    use_cases: tuple[str, ...] = ()
    best_practices: tuple[str, ...] = ()
    inputs: Mapping[str, Json] = field(default_factory=_no_items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Settings to share between plans."""

    id: str
    version: str | None = None
    name: str | None = None
    description: str | None = None
    policies: PolicySettings = field(default_factory=PolicySettings)
    guardrails: GuardrailSettings = field(default_factory=GuardrailSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAlias:
    """A short name for a model of a model provider."""

    provider: str
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """`defaults` of a project or an environment."""

    policies: PolicySettings = field(default_factory=PolicySettings)
    guardrails: GuardrailSettings = field(default_factory=GuardrailSettings)
    execution: ExecutionSettings = field(default_factory=ExecutionSettings)
    timeout_s: float | None = None
    provider: str | None = None
    max_attempts: int | None = None
    token_budget: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentSpec:
    """One of a project's `environments`."""

    vars: Mapping[str, Json] = field(default_factory=_no_items)
    defaults: Defaults = field(default_factory=Defaults)


@dataclass(frozen=True, slots=True, kw_only=True)
class LintSettings:
    """`lint` of a project: rules by code, beginning of a code, or name."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_path: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Glob below the project → rules that say nothing there."""
    severity: Mapping[str, Severity] = field(default_factory=dict)
    fail_on: Severity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Caps that protect the machine, checked before and during a run."""

    max_nodes: int | None = None
    max_fanout: int | None = None
    max_artifact_bytes: int | None = None
    max_prompt_bytes: int | None = None
    max_log_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSettings:
    """What is kept of the runs of a project."""

    keep_runs: int | None = None
    keep_age_s: float | None = None
    keep_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketSettings:
    """`tickets` of a project: where help is asked for; secrets are names of environment variables."""

    sink: str
    url: str | None = None
    project: str | None = None
    issue_type: str | None = None
    repository: str | None = None
    labels: tuple[str, ...] = ()
    user_env: str | None = None
    token_env: str | None = None
    secret_env: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Defaults, models, environments, libraries and lint settings of a folder."""

    id: str
    version: str | None = None
    name: str | None = None
    description: str | None = None
    libraries: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, ModelAlias] = field(default_factory=dict)
    prices_file: str | None = None
    environments: Mapping[str, EnvironmentSpec] = field(default_factory=dict)
    vars: Mapping[str, Json] = field(default_factory=_no_items)
    defaults: Defaults = field(default_factory=Defaults)
    lint: LintSettings = field(default_factory=LintSettings)
    sandbox: str | None = None
    limits: Limits = field(default_factory=Limits)
    state: StateSettings = field(default_factory=StateSettings)
    tickets: TicketSettings | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """A shareable folder of documents."""

    id: str
    version: str
    name: str | None = None
    description: str | None = None
    exports: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    requires: Mapping[str, str] = field(default_factory=dict)
    maestro: str | None = None


DocumentValue: TypeAlias = Project | Plan | Blueprint | Persona | Contract | Policy | Library
