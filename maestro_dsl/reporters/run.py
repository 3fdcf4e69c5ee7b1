"""A run as people read it afterwards: what was made, verified how, quality, time, cost, what was reused.

Works on the fold of the events and on the plan; reads no file.
"""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from maestro_dsl.compiler.estimate import Estimate
from maestro_dsl.compiler.plan import CompiledPlan
from maestro_dsl.engine.closing import BY_APPROVAL
from maestro_dsl.engine.commands import waiting
from maestro_dsl.engine.ports.attempts import QualityReport
from maestro_dsl.engine.state import FINAL, NodeRecord, NodeState, RunState
from maestro_dsl.engine.tickets import Ticket, TicketStatus
from maestro_dsl.lang.suggest import listed
from maestro_dsl.money import money_text
from maestro_dsl.reporters import leaving
from maestro_dsl.reporters.text import (
    PLAIN,
    WIDTH,
    Style,
    cut,
    duration,
    percent,
    plural,
    safe,
    standing,
    table,
    tokens,
)

STATE_COLOURS: Final = {
    NodeState.SUCCEEDED: "green",
    NodeState.SUCCEEDED_ON_MOCK: "green",
    NodeState.CACHED: "cyan",
    NodeState.RUNNING: "blue",
    NodeState.READY: "blue",
    NodeState.WAITING: "yellow",
    NodeState.PAUSED: "yellow",
    NodeState.DEGRADED: "yellow",
    NodeState.FAILED: "red",
    NodeState.GAVE_UP: "red",
    NodeState.BUDGET_STOPPED: "red",
    NodeState.SKIPPED: "yellow",
    NodeState.CANCELLED: "yellow",
    NodeState.PENDING: "dim",
}
_BAD: Final = frozenset(
    {
        NodeState.FAILED,
        NodeState.GAVE_UP,
        NodeState.BUDGET_STOPPED,
        NodeState.DEGRADED,
        NodeState.SKIPPED,
        NodeState.CANCELLED,
    }
)
VERIFIED: Final = "verified"
_VERDICTS: Final = {
    VERIFIED: ("green", "verified: every required node succeeded and every recheck against the real thing"),
    "on_mock": ("yellow", "on mock: something was checked against a mock only"),
    "could_not_verify": ("yellow", "could not verify: something required was not checked"),
    "not_fulfilled": ("red", "not fulfilled: a contract is not met"),
}
_MAX_ISSUES: Final = 5
_MAX_PROBLEMS: Final = 50
_MAX_LINES: Final = 6
_WORTH_SAYING_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """All that is shown of a run; `output` is the folder as the user knows it."""

    plan: CompiledPlan
    state: RunState
    output: str
    status: str
    verdict: str
    quality: Mapping[str, QualityReport] = field(default_factory=dict)
    overall_quality: float | None = None
    estimate: Estimate | None = None
    live: bool = False
    tickets: tuple[Ticket, ...] = ()


def text(view: RunView, style: Style = PLAIN) -> str:
    """Return the summary at the end of a run, and what `maestro show RUN` prints."""
    sections = [
        _head(view, style),
        _made(view, style),
        leaving.done(view.state, style),
        _verified(view, style),
        _quality(view, style),
        _questions(view, style),
        _problems(view, style),
        _tickets(view, style),
        _reasons(view, style),
        _figures(view, style),
    ]
    return "\n\n".join("\n".join(section) for section in sections if section) + "\n"


def _head(view: RunView, style: Style) -> list[str]:
    tally: dict[NodeState, int] = defaultdict(int)
    for node in view.plan.nodes:
        tally[view.state.node_state(node.address)] += 1
    parts = [f"{count} {state.value.replace('_', ' ')}" for state, count in tally.items()]
    colour, words = _VERDICTS.get(
        view.verdict, ("yellow", view.verdict.replace("_", " ") or "no verdict yet")
    )
    if view.state.unchecked:
        colour = "yellow" if colour == "green" else colour
        words = f"{words}, but {plural(len(view.state.unchecked), 'file')} of yours was not checked"
    status = view.status + standing(view.status, live=view.live)
    lines = [
        f"{style('bold', f'Run {view.state.run_id}')} of {safe(view.plan.id)}: {style(colour, status)}",
        f"  {style(colour, words)}",
        f"  {plural(len(view.plan.nodes), 'node')}: {', '.join(parts)}",
    ]
    paused = view.state.paused
    why = view.state.reason or (paused.reason if paused is not None else "")
    if paused is not None and paused.by == BY_APPROVAL and not waiting(view.state):
        why = "every question has its answer: maestro resume goes on"
    if why:
        lines.append(f"  {safe(why)}")
    return lines


def _made(view: RunView, style: Style) -> list[str]:
    folders: dict[str, list[str]] = defaultdict(list)
    sizes: dict[str, int] = defaultdict(int)
    seen: set[str] = set()
    for node in view.plan.nodes:
        record = view.state.nodes.get(node.address)
        for file in record.final.files if record is not None and record.final is not None else ():
            if file.path in seen:
                continue
            seen.add(file.path)
            folder, slash, rest = file.path.partition("/")
            name = folder if slash else "."
            folders[name].append(rest if slash else folder)
            sizes[name] += file.size
    if not seen:
        return []
    rows = [
        (
            f"{safe(name)}/" if name != "." else ".",
            plural(len(files), "file"),
            _bytes(sizes[name]),
            _names(files),
        )
        for name, files in folders.items()
    ]
    return [style("bold", f"Made in {safe(view.output)}"), *table(rows, right=(1, 2))]


def _names(files: list[str]) -> str:
    return ", ".join(safe(name) for name in files)


def _bytes(size: int) -> str:
    return f"{size} B" if size < 1_000 else f"{size / 1_000:.1f} kB"  # noqa: PLR2004 - kilo


def _verified(view: RunView, style: Style) -> list[str]:
    rows = []
    for node in view.plan.nodes:
        record = view.state.nodes.get(node.address)
        if node.action not in {"verify", "recheck"} or record is None or record.final is None:
            continue
        against = (
            f"{node.rechecks} against the real {node.contract_id}" if node.rechecks else node.contract_id
        )
        result = record.final.verdict or record.state.value
        how = "reused" if record.state is NodeState.CACHED else record.state.value.replace("_", " ")
        rows.append((safe(str(against)), result.replace("_", " "), how))
    return [style("bold", "Verified"), *table(rows)] if rows else []


def _quality(view: RunView, style: Style) -> list[str]:
    unscored = without_score(view) if view.verdict == VERIFIED else ()
    missing = [f"  no score for {_names([*unscored])}: nothing in this run fulfilled it"] if unscored else []
    if not view.quality:
        return [style("bold", "Quality unknown"), *missing] if missing else []
    rows: list[tuple[str, ...]] = [("", "score", "validation", "complete", "files", "issues", "")]
    for contract, report in view.quality.items():
        parts = (report.validation, report.completeness, report.file_count, report.issue_penalty)
        rows.append(
            (safe(contract), f"{report.score:.2f}", *(f"{part:.2f}" for part in parts), report.band)
        )  # fmt: skip
    weights = "  score = 0.4 validation + 0.3 complete + 0.2 files + 0.1 issues"
    shown = table(rows, right=(1, 2, 3, 4, 5))
    return [style("bold", _score(view)), *shown, *missing, style("dim", weights)]


def _score(view: RunView) -> str:
    """Return the mean and what it is worth: every contract has to reach the threshold, not the mean alone."""
    threshold = view.plan.quality_threshold
    if view.overall_quality is None:
        return "Quality"
    low = [contract for contract, report in view.quality.items() if report.score < threshold]
    if low and view.overall_quality >= threshold:
        return f"Quality {view.overall_quality:.2f}, but below the threshold {threshold:.2f}: {_names(low)}"
    word = "below" if low else "at least"
    return f"Quality {view.overall_quality:.2f}, {word} the threshold {threshold:.2f}"


def without_score(view: RunView) -> tuple[str, ...]:
    """Return the contracts of the plan that nothing in this run fulfilled; a score is asked of each."""
    return tuple(item.id for item in view.plan.contracts if item.id not in view.quality)


def _problems(view: RunView, style: Style) -> list[str]:
    records = [view.state.nodes.get(node.address) for node in view.plan.nodes]
    bad = [record for record in records if record is not None and record.state in _BAD]
    if len(bad) > _MAX_PROBLEMS:  # what failed comes before what only followed from it
        bad.sort(key=lambda record: record.state in {NodeState.SKIPPED, NodeState.CANCELLED})
    lines = []
    for record in bad[:_MAX_PROBLEMS]:
        state = style(STATE_COLOURS[record.state], record.state.value.replace("_", " "))
        reason = record.final.reason if record.final else ""
        lines.append(f"  {safe(record.address)}: {state}{f', {safe(reason)}' if reason else ''}")
        lines += _issues(record, reason)
    if len(bad) > _MAX_PROBLEMS:
        lines.append(f"  and {plural(len(bad) - _MAX_PROBLEMS, 'more node')}; maestro logs has all")
    return [style("bold", "Problems"), *lines] if lines else []


def _questions(view: RunView, style: Style) -> list[str]:
    lines = []
    for address in waiting(view.state):
        asked = view.state.nodes[address].waiting
        text = f"{safe(address)}: {safe(asked.question if asked is not None else '')}"
        lines += textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ")
    return [style("bold", "Waits for an answer"), *lines] if lines else []


def _tickets(view: RunView, style: Style) -> list[str]:
    lines = []
    for ticket in view.tickets:
        where = f"{ticket.reference} {ticket.url}".strip()
        if ticket.status is not TicketStatus.DELIVERED:
            where = f"{ticket.status.value}{': ' + ticket.error if ticket.error else ''}"
        lines.append(cut(f"  {safe(ticket.node)}: {safe(where)}", WIDTH * 2))
    return [style("bold", "Tickets"), *lines] if lines else []


def _issues(record: NodeRecord, reason: str) -> list[str]:
    """Return what the last try came upon, without what `reason` has said already."""
    if not record.tries:
        return []
    last = record.tries[-1]
    lines = []
    for issue in last.issues[:_MAX_ISSUES]:
        place = (
            f"{issue.file}:{issue.line}: "
            if issue.file and issue.line
            else f"{issue.file}: "
            if issue.file
            else ""
        )
        operation = f"{issue.operation}: " if issue.operation else ""
        lines += _block(place + operation + issue.message)
    if len(last.issues) > _MAX_ISSUES:
        lines.append(f"    and {len(last.issues) - _MAX_ISSUES} more")
    if not last.issues and last.message and last.message.rstrip(".") not in reason:
        lines += _block(last.message)
    return lines


def _block(text: str) -> list[str]:
    """Return a message of one or many lines: its first, and the last ones, where programs say what failed."""
    first, *rest = [line for line in safe(text, multiline=True).splitlines() if line.strip()] or [""]
    left_out = ["      …"] if len(rest) > _MAX_LINES else []
    shown = [cut(f"      {line}", WIDTH * 2) for line in rest[-_MAX_LINES:]]
    return [cut(f"    {first}", WIDTH * 2), *left_out, *shown]


def _reasons(view: RunView, style: Style) -> list[str]:
    ran: dict[str, list[str]] = {}
    reused = []
    for node in view.plan.nodes:
        record = view.state.nodes.get(node.address)
        if record is None:
            continue
        if record.state is NodeState.CACHED:
            reused.append(safe(node.address))
        elif record.why:
            tries = f" ({plural(len(record.tries), 'attempt')})" if len(record.tries) > 1 else ""
            ran.setdefault(safe(record.why) + tries, []).append(safe(node.address))
    lines = []
    if ran:
        lines.append(style("bold", "Ran because"))
        for why, addresses in ran.items():
            lines += [
                f"  {why}",
                *textwrap.wrap(listed(addresses), WIDTH, initial_indent="    ", subsequent_indent="    "),
            ]
    if reused:
        state = view.state
        saved = [f"{tokens(state.saved_tokens)} tokens"] if state.saved_tokens else []
        saved += [money_text(state.saved_nano_usd)] if state.saved_nano_usd else []
        saved += [f"{duration(state.saved_s)} of work"] if state.saved_s >= _WORTH_SAYING_S else []
        more = f", saved {', '.join(saved)}" if saved else ""
        lines.append(style("bold", f"Reused unchanged{more}"))
        lines += textwrap.wrap(listed(reused), WIDTH, initial_indent="  ", subsequent_indent="  ")
    return lines


def _figures(view: RunView, style: Style) -> list[str]:
    state = view.state
    busy = sum(record.busy_s for record in state.nodes.values())
    took = state.active_s
    is_done = all(state.node_state(node.address) in FINAL for node in view.plan.nodes)
    saved = _saved(busy, took) if busy or is_done else "nothing has ended yet"
    rows = [("time", duration(took), saved)]
    estimate = view.estimate
    if estimate is not None and estimate.sequential_s:
        planned = (
            f"planned: {duration(estimate.sequential_s)} one after another, "
            f"{duration(estimate.parallel_s)} in parallel, saves {percent(estimate.saved)}"
        )
        rows.append(("", "", planned))
    rows.append(("cost", money_text(state.nano_usd), f"{tokens(state.tokens)} tokens"))
    return [style("bold", "Time and cost"), *table(rows)]


def _saved(busy: float, took: float) -> str:
    if not busy:
        return "nothing had to run"
    if took >= busy:
        return f"{duration(busy)} of work one after another"
    return f"{duration(busy)} of work one after another, {percent(1 - took / busy)} saved"
