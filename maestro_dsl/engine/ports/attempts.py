"""What goes out to a worker for one attempt, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from maestro_dsl.compiler.plan import CompiledContract, CompiledPersona, PlanNode, SizeLimits
from maestro_dsl.engine.events import NO_USAGE, FileRef, Issue, Usage
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.lang.model import Json, ModelSettings
from maestro_dsl.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class InputResult:
    """The result of a node that this one needs."""

    node: str
    contract_id: str | None
    result_digest: str
    files: tuple[FileRef, ...] = ()
    recorded_calls: str | None = None
    """Blob with the calls that the node's tests made to mocks, as JSON lines."""
    state: str = "succeeded"
    """Final state of the node; other than a success only where the need accepts it."""
    verdict: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptSpec:
    """Everything a worker needs for one attempt."""

    run_id: str
    node: PlanNode
    attempt: int
    round: int
    fence: int
    key: str
    contract: CompiledContract | None = None
    consumed: tuple[CompiledContract, ...] = ()
    contracts: tuple[CompiledContract, ...] = ()
    """All contracts of the plan, for actions that look at the whole (mock, report)."""
    persona: CompiledPersona | None = None
    requirement: str = ""
    provider: str = ""
    sandbox: str = "auto"
    settings: ModelSettings = field(default_factory=ModelSettings)
    feedback: tuple[Issue, ...] = ()
    previous: str | None = None
    """Blob with the text of the last failed answer of this round."""
    inputs: tuple[InputResult, ...] = ()
    lease_tokens: int = 0
    lease_nano_usd: int = 0
    timeout_s: float = 300.0
    quality_threshold: float = 0.8
    sizes: SizeLimits = field(default_factory=SizeLimits)

    @property
    def idempotency_key(self) -> str:
        """Equal for every try of the same attempt, whatever the fence."""
        return f"{self.run_id}/{self.node.address}/{self.round}/{self.attempt}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One of the five checks of a contract: passed of required items; `unjudged` items are listed apart."""

    name: str
    passed: int
    required: int
    unjudged: tuple[str, ...] = ()
    applicable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityReport:
    """The score of one contract with its parts, each from 0 to 1, rounded half-even to 4 digits."""

    validation: float
    completeness: float
    file_count: float
    issue_penalty: float
    score: float
    band: str
    checks: tuple[CheckResult, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a verification found; `verdict` is fulfilled, not_fulfilled or could_not_verify."""

    contract_id: str
    verdict: str
    fulfilled: bool
    score: float
    missing: tuple[str, ...] = ()
    issues: tuple[Issue, ...] = ()
    recommendations: tuple[str, ...] = ()
    parts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptResult:
    """What a worker returns; files are in the artifact store already, by digest."""

    failure: Failure | None = None
    message: str = ""
    issues: tuple[Issue, ...] = ()
    healed: tuple[str, ...] = ()
    files: tuple[FileRef, ...] = ()
    outputs: Mapping[str, Json] = field(default_factory=dict)
    score: float | None = None
    quality: QualityReport | None = None
    verdict: Verdict | None = None
    usage: Usage = NO_USAGE
    nano_usd: int = 0
    retry_after_s: float | None = None
    answer: str | None = None
    """Blob with the provider's answer."""
    recorded_calls: str | None = None
    notes: tuple[str, ...] = ()
    duration_s: float = 0.0
    usable: bool = False
    """After a failure: the staged files parse, so `accept_degraded` may take them."""
    usage_known: bool = True
    """False where calls were made whose usage nobody knows; they are charged at the reservation."""
    question: str | None = None
    """A person has to answer this before the node can end (approve)."""
