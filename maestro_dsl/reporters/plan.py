"""A plan before it runs, as text and JSON: waves, what would run and why, time, cost.

Shows figures, computes none; unknown is shown as unknown.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.codec import to_json
from maestro_dsl.lang.suggest import listed
from maestro_dsl.money import money_text
from maestro_dsl.reporters import leaving
from maestro_dsl.reporters.text import (
    FORMAT_VERSION,
    PLAIN,
    WIDTH,
    Style,
    cut,
    duration,
    percent,
    plural,
    safe,
    table,
    tokens,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from maestro_dsl.compiler.estimate import Estimate
    from maestro_dsl.compiler.plan import CompiledPlan, PlanNode


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What `apply` would do with a node: `action` is run, reuse, restore or unknown; `reason` says why."""

    address: str
    action: str
    reason: str


_WORDS: Final = {"run": "run", "reuse": "reuse", "restore": "restore", "unknown": "later"}
_UNCUT: Final = 10_000
_COLOURS: Final = {"run": "green", "reuse": "dim", "restore": "cyan", "unknown": "yellow"}


def text(
    plan: CompiledPlan,
    estimate: Estimate,
    forecast: Mapping[str, Forecast],
    *,
    conflicts: tuple[str, ...] = (),
    removes: tuple[str, ...] = (),
    style: Style = PLAIN,
) -> str:
    """Return the plan for people, at most 100 columns wide."""
    lines = [
        style("bold", f"Plan {safe(plan.id)}: {safe(plan.name)}"),
        *_head(plan),
        "",
        *_waves(plan, forecast, style),
        *_time(estimate, style),
        "",
        *_cost(plan, estimate, style),
    ]
    if removes:
        lines += ["", *leaving.expected(removes, style)]
    if conflicts:
        lines += ["", style("red", f"Conflicts: {plural(len(conflicts), 'file')} changed by someone else")]
        lines += [f"  {safe(path)}" for path in conflicts]
        lines.append("  keep them with --accept PATH, or write them again with --replace PATH; '*' means all")
    return "\n".join(lines) + "\n"


def _head(plan: CompiledPlan) -> list[str]:
    size = f"{plural(len(plan.nodes), 'node')} in {plural(len(plan.waves), 'wave')}"
    text = (
        f"blueprint {safe(plan.blueprint)}, provider {safe(plan.provider)}, {size}, digest {plan.digest[:12]}"
    )
    return [f"  {line}" for line in textwrap.wrap(text, WIDTH - 2)]


def counts(plan: CompiledPlan, forecast: Mapping[str, Forecast]) -> str:
    """Return the closing line, e.g. "8 nodes: 3 to run, 5 to reuse"."""
    names = {"run": "to run", "restore": "to restore", "reuse": "to reuse", "unknown": "known later"}
    found = [item.action for item in forecast.values()]
    parts = [f"{found.count(action)} {words}" for action, words in names.items() if action in found]
    return f"{plural(len(plan.nodes), 'node')}: {', '.join(parts) or 'nothing to do'}"


def _waves(plan: CompiledPlan, forecast: Mapping[str, Forecast], style: Style) -> list[str]:
    nodes = {node.address: node for node in plan.nodes}
    lines = []
    for number, wave in enumerate(plan.waves, start=1):
        lines.append(style("bold", f"Wave {number}"))
        rows = [_row(nodes[address], forecast.get(address)) for address in wave]
        aligned = table([row[:-1] for row in rows], width=_UNCUT)
        for address, row, line in zip(wave, rows, aligned, strict=True):
            expected = forecast.get(address)
            shown = line if expected is None else _coloured(line, row[3], expected.action, style)
            padding = " " * (max(map(len, aligned)) - len(line) + 2)
            fits = len(line) + len(padding) + len(row[-1]) <= WIDTH
            lines += [f"{shown}{padding}{row[-1]}".rstrip()] if fits else [shown, f"      {_note(row[-1])}"]
        lines.append("")
    return lines


def _note(text: str) -> str:
    return cut(text, WIDTH - 6)


def _row(node: PlanNode, expected: Forecast | None) -> tuple[str, ...]:
    word = _WORDS.get(expected.action, expected.action) if expected else ""
    reason = safe(expected.reason) if expected else ""
    mocks = ", ".join(node.consumes_mock)
    notes = "; ".join(part for part in (reason, f"on mock: {safe(mocks)}" if mocks else "") if part)
    effect = " (effect)" if node.effect else ""
    return (safe(node.address), safe(node.action) + effect, safe(node.persona_id or "-"), word, notes)


def _coloured(line: str, word: str, action: str, style: Style) -> str:
    return line.removesuffix(word) + style(_COLOURS.get(action, "dim"), word)


def _time(estimate: Estimate, style: Style) -> list[str]:
    rows = [
        ("one after another", _bound(estimate.sequential_s, estimate.known_sequential_s)),
        ("in parallel", _bound(estimate.parallel_s, estimate.known_parallel_s), _saving(estimate)),
        ("in parallel without mocks", duration(estimate.parallel_without_mocks_s)),
    ]
    lines = [style("bold", "Time, from the stated estimates"), *table(rows)]
    lines += _wrapped("critical path", [safe(address) for address in estimate.critical_path], " → ")
    lines += _wrapped(
        "critical path without mocks",
        [safe(address) for address in estimate.critical_path_without_mocks],
        " → ",
    )
    lines += _wrapped("without an estimate", _few(estimate.unknown), ", ")
    lines += _wrapped("estimates of no node", _few(estimate.unmatched), ", ")
    return lines


def _bound(seconds: float | None, known: float) -> str:
    if seconds is None and known:
        return f"unknown, at least {duration(known)}"
    return duration(seconds)


def _saving(estimate: Estimate) -> str:
    return "" if estimate.saved is None else f"saves {percent(estimate.saved)}"


def _few(addresses: Sequence[str]) -> list[str]:
    """Return the words of a list of nodes, of very many only the first: the figures below stay in sight."""
    return listed([safe(address) for address in addresses]).split(", ") if addresses else []


def _wrapped(title: str, items: list[str], joint: str) -> list[str]:
    """Return `items` joined and broken between items, so that no line is wider than the page."""
    lines: list[str] = []
    line = f"  {title}: "
    for index, item in enumerate(items):
        piece = item + (joint.rstrip() if index < len(items) - 1 else "")
        if len(line) + len(piece) > WIDTH and line.strip():
            lines.append(line.rstrip())
            line = "    "
        line += piece + " "
    return [*lines, line.rstrip()] if items else []


def _cost(plan: CompiledPlan, estimate: Estimate, style: Style) -> list[str]:
    limit = plan.guardrails.max_cost_nano_usd
    rows = [
        ("lowest", money_text(estimate.low_nano_usd)),
        (
            "worst case",
            money_text(estimate.worst_nano_usd),
            f"at most {tokens(estimate.worst_tokens)} tokens",
        ),
        (
            "limit",
            "none" if limit is None else money_text(limit),
            f"on exceeding: {plan.guardrails.on_exceeded}",
        ),
    ]
    reason = textwrap.wrap(safe(estimate.cost_reason), WIDTH - 2)
    return [style("bold", "Cost"), *table(rows), *(f"  {line}" for line in reason)]


def json_document(
    plan: CompiledPlan,
    estimate: Estimate,
    forecast: Mapping[str, Forecast],
    *,
    conflicts: tuple[str, ...] = (),
    removes: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Return the plan as JSON; durations in seconds, money in nano-dollars, unknown as null."""
    waves = {address: number for number, wave in enumerate(plan.waves, start=1) for address in wave}
    return {
        "format_version": FORMAT_VERSION,
        "plan": {
            "id": plan.id,
            "name": plan.name,
            "digest": plan.digest,
            "blueprint": plan.blueprint,
            "execution_mode": plan.execution_mode,
            "provider": plan.provider,
            "output": plan.output,
            "quality_threshold": plan.quality_threshold,
            "max_concurrency": plan.execution.max_concurrency,
            "schedule": plan.execution.schedule.value,
        },
        "waves": [list(wave) for wave in plan.waves],
        "nodes": [_node_json(node, waves[node.address], forecast.get(node.address)) for node in plan.nodes],
        "estimate": to_json(estimate),
        "conflicts": list(conflicts),
        "removes": list(removes),
    }


def _node_json(node: PlanNode, wave: int, expected: Forecast | None) -> dict[str, Any]:
    return {
        "address": node.address,
        "wave": wave,
        "action": node.action,
        "persona": node.persona_id,
        "contract": node.contract_id,
        "rechecks": node.rechecks,
        "needs": [
            {"node": edge.source, "kind": edge.kind.value, "contract": edge.contract_id}
            for edge in node.edges
        ],
        "consumes_mock": list(node.consumes_mock),
        "consumes_real": list(node.consumes_real),
        "writes": list(node.writes),
        "required": node.required,
        "effect": node.effect,
        "estimate_s": node.estimate_s,
        "static_key": node.static_key,
        "forecast": None if expected is None else {"action": expected.action, "reason": expected.reason},
    }
