"""The compiled plan: a frozen value that says all that can be known before anything runs.

Ordered by declaration; equal documents give equal bytes and an equal digest on every machine. The digest
covers `CompiledPlan.semantic()`: not the output path, concurrency, addresses or presentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from functools import cached_property
from typing import Any

from maestro_dsl.codec import digest, to_json
from maestro_dsl.lang.model import Contract, GiveUp, Json, ModelSettings, Schedule
from maestro_dsl.records import dataclass


class EdgeKind(StrEnum):
    """Why a node waits: for the result itself, or only for the mock of what it consumes."""

    HARD = "hard"
    MOCK = "mock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """This node waits until `source` is in one of `states` ("any" = every final state).

    A mock edge names the mock node as its source, and in `contract_id` the contract that is consumed.
    """

    source: str
    kind: EdgeKind = EdgeKind.HARD
    states: tuple[str, ...] = ("succeeded", "succeeded_on_mock")
    contract_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Level 1: attempts whose content failed, with their schedule. Durations in seconds."""

    max_attempts: int = 3
    temperatures: tuple[float, ...] = ()
    efforts: tuple[str, ...] = ()
    delay_s: float = 1.0
    max_delay_s: float = 5.0
    jitter: float = 0.2
    max_transport_attempts: int = 5
    max_throttle_wait_s: float = 600.0
    when: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """When calls to a model provider stop for a while. Durations in seconds."""

    failures: int = 5
    reset_after_s: float = 60.0
    max_wait_s: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyPolicy:
    """Level 2: rounds around the whole of level 1. Delays in seconds."""

    max_attempts: int = 2
    delays_s: tuple[float, ...] = (5.0, 10.0, 20.0)
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrails:
    """Limits of the whole run; None = no limit. Money in nano-dollars."""

    max_cost_nano_usd: int | None = 200_000_000_000
    max_tokens: int | None = None
    max_duration_s: float | None = None
    on_exceeded: str = "pause"
    warn_at: float = 0.8
    on_unknown_price: str = "warn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """How many nodes run at once, and which schedule decides."""

    max_concurrency: int = 100
    max_per_persona: int = 4
    max_per_provider: int = 50
    schedule: Schedule = Schedule.READY


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeLimits:
    """How large one file of a node may be, and how much is kept of each stream of a command."""

    max_artifact_bytes: int = 16 * 1024 * 1024
    max_log_bytes: int = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRef:
    """The model a persona uses: `provider` is a model provider's name, `model` its id there."""

    provider: str
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledPersona:
    """One team member with every setting in force; `prompt` is the source text of its prompt file."""

    id: str
    use: str
    name: str
    description: str
    expertise: tuple[str, ...]
    tools: tuple[str, ...]
    prompt: str
    model: ModelRef
    settings: ModelSettings
    max_attempts: int
    token_budget: int
    give_up_on_failure: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledContract:
    """A contract with its interface: `spec_path` is relative to the project, digests are SHA-256.

    `spec_digest` names the bytes of the spec file among `CompiledPlan.blobs`; `interface_digest` is taken
    over its decoded content, so comments and format do not change it.
    """

    contract: Contract
    spec_path: str | None = None
    spec_digest: str | None = None
    interface_digest: str | None = None
    operations: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The contract's id."""
        return self.contract.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """The messages a node sends. Addresses stand as the literal `${MAESTRO_URL_<CONTRACT>}`."""

    system: str
    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPart:
    """One part of a content key: what it is ("prompt", "interface:backend_api" …) and its digest."""

    name: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanNode:
    """One node instance. `address` is `build[backend_api]`, or `report` without foreach.

    `recheck` nodes are added by the compiler: `contract_id` is the provider's contract C and `rechecks` the
    address of the node N that was built against C's mock.
    """

    address: str
    node: str
    key: str | None = None
    action: str
    persona_id: str | None = None
    contract_id: str | None = None
    rechecks: str | None = None
    edges: tuple[Edge, ...] = ()
    consumes_mock: tuple[str, ...] = ()
    """Contract ids used through their mock."""
    consumes_real: tuple[str, ...] = ()
    """Contract ids used through the real provider."""
    deliverables: tuple[str, ...] = ()
    """Names of the contract's deliverables that this node makes; empty = not a fulfil node."""
    writes: tuple[str, ...] = ()
    """Globs relative to the output folder."""
    reads: tuple[str, ...] = ()
    when: str | None = None
    """A condition left for run time, because it reads outputs of nodes."""
    params: Mapping[str, Json] = field(default_factory=dict)
    late_params: tuple[str, ...] = ()
    """Names of `params` that read outputs of nodes: rendered at run time, the others never again."""
    bindings: Mapping[str, Json] = field(default_factory=dict)
    """Values of the names, other than `nodes`, that `when` and the late params read."""
    prompt: Prompt | None = None
    timeout_s: float = 900.0
    attempt_timeout_s: float = 300.0
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    safety: SafetyPolicy = field(default_factory=SafetyPolicy)
    give_up: GiveUp = GiveUp.SKIP_DEPENDANTS
    required: bool = True
    estimate_s: float | None = None
    effect: bool = False
    idempotency_key: str | None = None
    key_parts: tuple[KeyPart, ...] = ()

    @property
    def static_key(self) -> str:
        """Digest of all of the content key that is known before the run."""
        return digest(self.key_parts)


@dataclass(frozen=True, kw_only=True)  # no slots: the look-up tables are cached in the instance
class CompiledPlan:
    """Everything a run needs; see the module docstring."""

    id: str
    name: str
    requirement: str
    blueprint: str
    execution_mode: str
    nodes: tuple[PlanNode, ...]
    waves: tuple[tuple[str, ...], ...]
    personas: tuple[CompiledPersona, ...]
    contracts: tuple[CompiledContract, ...]
    provider: str
    guardrails: Guardrails
    execution: Execution
    quality_threshold: float
    output: str
    """Where results go, relative to the plan's file unless absolute; not part of the digest."""
    sandbox: str = "auto"
    sizes: SizeLimits = field(default_factory=SizeLimits)
    """Protects the machine and changes no result that fits; not part of the digest."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """Project-relative path of each document read → SHA-256 of its bytes; not part of the digest."""
    blobs: Mapping[str, bytes] = field(default_factory=dict, repr=False, compare=False)
    """SHA-256 → content of spec files; carried beside the value, named in it by digest."""

    def semantic(self) -> dict[str, Any]:
        """Return what the digest covers, as JSON."""
        left_out = {"output", "execution", "sources", "blobs", "waves", "name", "sizes"}
        names = (name for name in self.__dataclass_fields__ if name not in left_out)
        data: dict[str, Any] = {name: to_json(getattr(self, name)) for name in names}
        for contract in data["contracts"]:
            contract["contract"].pop("mock_endpoint")
            contract.pop("spec_digest")
        return data

    @property
    def digest(self) -> str:
        """SHA-256 of the semantic content, 64 hexadecimal digits."""
        return digest(self.semantic())

    @cached_property
    def _by_address(self) -> Mapping[str, PlanNode]:
        return {node.address: node for node in self.nodes}

    @cached_property
    def _contracts_by_id(self) -> Mapping[str, CompiledContract]:
        return {contract.id: contract for contract in self.contracts}

    @cached_property
    def _personas_by_id(self) -> Mapping[str, CompiledPersona]:
        return {persona.id: persona for persona in self.personas}

    def node(self, address: str) -> PlanNode:
        """Return the node at `address`.

        Raises:
            KeyError: no node has this address.
        """
        return self._by_address[address]

    def contract(self, contract_id: str) -> CompiledContract:
        """Return the contract called `contract_id`.

        Raises:
            KeyError: the plan has no such contract.
        """
        return self._contracts_by_id[contract_id]

    def persona(self, persona_id: str) -> CompiledPersona:
        """Return the team member called `persona_id`.

        Raises:
            KeyError: the team has no such member.
        """
        return self._personas_by_id[persona_id]


def url_variable(contract_id: str) -> str:
    """Return the environment variable that holds the address of a contract's service."""
    return f"MAESTRO_URL_{contract_id.upper()}"
