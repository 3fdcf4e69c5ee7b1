"""Time and cost before the run: with and without mocks, low and worst case. Unknown is never counted as 0.

Times come from stated durations, costs from the size of prompts and the policies. Prices are handed in; this
module knows no price and no model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from maestro_dsl.compiler.dag import Dag, critical_path
from maestro_dsl.compiler.plan import CompiledPersona, CompiledPlan, EdgeKind, PlanNode
from maestro_dsl.compiler.policies import DEFAULT_MAX_OUTPUT_TOKENS, OFFLINE

CALLS_AN_ATTEMPT: Final = 1
BYTES_A_TOKEN: Final = 4
"""A low guess for English text and code; the upper bound counts one token a byte."""
ONLY_WHEN_STATED: Final = frozenset({"mock", "verify", "recheck", "report", "render"})
"""Actions whose time counts only where somebody stated it."""


class PriceBound(Protocol):
    """The dearest price of so many tokens in nano-dollars, or None where the model has no price."""

    def __call__(self, model: tuple[str, str], input_tokens: int, output_tokens: int) -> int | None:
        """Return the price for (provider, model)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCost:
    """Bounds of one node. `low`: one call that succeeds, what it reads only. Money is None where unknown."""

    address: str
    low_tokens: int
    worst_tokens: int
    low_nano_usd: int | None
    worst_nano_usd: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Figures of a plan before it runs; seconds and nano-dollars, None = not known.

    `known_…` figures count what is stated and are lower bounds where `unknown` names nodes.
    """

    sequential_s: float | None
    parallel_s: float | None
    parallel_without_mocks_s: float | None
    saved: float | None
    """1 - parallel / sequential, a fraction."""
    known_sequential_s: float
    known_parallel_s: float
    critical_path: tuple[str, ...]
    critical_path_without_mocks: tuple[str, ...]
    durations_s: Mapping[str, float]
    unknown: tuple[str, ...]
    """Addresses of working nodes that nobody stated a duration for."""
    unmatched: tuple[str, ...]
    """Addresses among the given durations that the plan does not have."""
    costs: tuple[NodeCost, ...]
    low_tokens: int
    worst_tokens: int
    low_nano_usd: int | None
    worst_nano_usd: int | None
    cost_reason: str
    """One sentence on where the money figures come from."""


def estimate(
    plan: CompiledPlan, durations_s: Mapping[str, float], price: PriceBound | None = None
) -> Estimate:
    """Return the estimate of `plan`; `durations_s` (address or node id → seconds) wins over the files."""
    known = _durations(plan, durations_s)
    unknown = tuple(
        node.address
        for node in plan.nodes
        if node.address not in known and node.action not in ONLY_WHEN_STATED
    )
    sequential = sum(known.values())
    parallel, path = critical_path(Dag.of(_sources(plan)), known)
    without, path_without = critical_path(Dag.of(_sources_without_mocks(plan)), known)
    costs = tuple(_cost(plan, node, price) for node in plan.nodes if node.prompt is not None)
    is_known = not unknown and bool(known)
    addresses = {node.address for node in plan.nodes} | {node.node for node in plan.nodes}
    return Estimate(
        sequential_s=sequential if is_known else None,
        parallel_s=parallel if is_known else None,
        parallel_without_mocks_s=without if is_known else None,
        saved=1 - parallel / sequential if is_known and sequential > 0 else None,
        known_sequential_s=sequential,
        known_parallel_s=parallel,
        critical_path=_stated(path, known),
        critical_path_without_mocks=_stated(path_without, known),
        durations_s=known,
        unknown=unknown,
        unmatched=tuple(name for name in durations_s if name not in addresses),
        costs=costs,
        low_tokens=sum(item.low_tokens for item in costs),
        worst_tokens=sum(item.worst_tokens for item in costs),
        low_nano_usd=_total(item.low_nano_usd for item in costs),
        worst_nano_usd=_total(item.worst_nano_usd for item in costs),
        cost_reason=_reason(plan, costs),
    )


def _durations(plan: CompiledPlan, given: Mapping[str, float]) -> dict[str, float]:
    found: dict[str, float] = {}
    for node in plan.nodes:
        stated = given.get(node.address, given.get(node.node, node.estimate_s))
        if stated is not None:
            found[node.address] = stated
    return found


def _sources(plan: CompiledPlan) -> dict[str, list[str]]:
    return {node.address: [edge.source for edge in node.edges] for node in plan.nodes}


def _sources_without_mocks(plan: CompiledPlan) -> dict[str, list[str]]:
    """Return the graph as it would be if consumers waited for the providers themselves."""
    makers: dict[str, list[str]] = {}
    for node in plan.nodes:
        if node.deliverables and node.contract_id is not None:
            makers.setdefault(node.contract_id, []).append(node.address)
    sources: dict[str, list[str]] = {}
    for node in plan.nodes:
        needed: list[str] = []
        for edge in node.edges:
            provided = makers.get(edge.contract_id or "", [])
            needed.extend(provided if edge.kind is EdgeKind.MOCK and provided else [edge.source])
        sources[node.address] = list(dict.fromkeys(needed))
    return sources


def _stated(path: tuple[str, ...], known: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(address for address in path if known.get(address))


# ---- cost ------------------------------------------------------------------------------------------------


def _cost(plan: CompiledPlan, node: PlanNode, price: PriceBound | None) -> NodeCost:
    persona = plan.persona(node.persona_id or "")
    provider = persona.model.provider or plan.provider
    calls = node.safety.max_attempts * node.retry.max_attempts * CALLS_AN_ATTEMPT
    if provider in OFFLINE:
        return NodeCost(
            address=node.address,
            low_tokens=0,
            worst_tokens=0,
            low_nano_usd=0,
            worst_nano_usd=0,
        )
    size = _prompt_bytes(node)
    low_input = -(-size // BYTES_A_TOKEN)
    output = _max_output(persona)
    # Whatever the policies allow, the ledger never lets a persona pass its budget.
    worst = min(calls * (size + output), persona.token_budget)
    worst_output = min(worst, calls * output)
    model = (provider.partition(":")[0], persona.model.model)  # a script is a provider, wherever its file is
    return NodeCost(
        address=node.address,
        low_tokens=low_input,
        worst_tokens=worst,
        low_nano_usd=price(model, low_input, 0) if price is not None else None,
        worst_nano_usd=price(model, worst - worst_output, worst_output) if price is not None else None,
    )


def _prompt_bytes(node: PlanNode) -> int:
    prompt = node.prompt
    return 0 if prompt is None else len(prompt.system.encode()) + len(prompt.user.encode())


def _max_output(persona: CompiledPersona) -> int:
    return persona.settings.max_output_tokens or DEFAULT_MAX_OUTPUT_TOKENS


def _total(values: Iterable[int | None]) -> int | None:
    total = 0
    for value in values:
        if value is None:
            return None
        total += value
    return total


def _reason(plan: CompiledPlan, costs: tuple[NodeCost, ...]) -> str:
    if not costs:
        return "no node of this plan asks a model"
    providers = sorted({persona.model.provider or plan.provider for persona in plan.personas})
    if all(name in OFFLINE for name in providers):
        return f"{', '.join(providers)} works offline and calls no model"
    if any(item.worst_nano_usd is None for item in costs):
        return "a model of this plan has no known price"
    return "worst case: every round and attempt is used, up to each persona's token budget"
