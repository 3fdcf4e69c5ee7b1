"""Tokens and costs of the runs of a state directory, grouped; from the journal alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from maestro_dsl.app.begun import stored_plan
from maestro_dsl.app.state import find_run, open_state
from maestro_dsl.app.system import SystemClock
from maestro_dsl.engine.policy.guardrail import in_force
from maestro_dsl.engine.usage import Entry, Spending, UsageRow, entries
from maestro_dsl.errors import UsageError
from maestro_dsl.lang.units import parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from maestro_dsl.compiler.plan import CompiledPlan
    from maestro_dsl.engine.ports.storage import RunRecord
    from maestro_dsl.engine.state import RunState
    from maestro_dsl.ports import Clock

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
NOBODY: Final = "(none)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a group may use in one run; None = no limit."""

    tokens: int | None = None
    nano_usd: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReport:
    """All groups, by name, and their sum."""

    by: str
    rows: tuple[UsageRow, ...]
    total: Spending
    runs: int
    state_dir: Path
    since: float | None = None


def usage_report(
    *,
    by: str,
    environ: Mapping[str, str],
    since: str | None = None,
    run: str | None = None,
    state_dir: Path | None = None,
    clock: Clock | None = None,
) -> UsageReport:
    """Return what was used; `by` is persona, model, run or day, `since` a date or a duration like "7d".

    Raises:
        UsageError: `since` is neither.
        StateError: no such run.
        IntegrityError: the journal is damaged.
    """
    start = None if since is None else _start(since, (clock or SystemClock()).now())
    with open_state(state_dir, environ, looking=True) as state:
        records: Sequence[RunRecord]
        records = state.journal.runs() if run is None else (find_run(state, run),)
        found: list[Entry] = []
        limits: dict[tuple[str, str], Limits] = {}
        for record in records:
            if start is not None and record.updated_at < start:
                continue
            plan = stored_plan(state, record.run_id)
            own, folded = entries(plan, state.journal.events(record.run_id))
            found += [item for item in own if start is None or item.at >= start]
            limits |= _limits(by, plan, folded, record.run_id)
        return UsageReport(
            by=by,
            rows=tuple(_rows(by, found, limits)),
            total=_sum(item.spending for item in found),
            runs=len({item.run_id for item in found}),
            state_dir=state.place.path,
            since=start,
        )


def _start(since: str, now: float) -> float:
    try:
        if _DATE.fullmatch(since):
            day = date.fromisoformat(since)
            return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
        return now - parse_duration(since)
    except ValueError:
        message = f'"{since}" is neither a date nor a duration'
        raise UsageError(message, hint="--since 7d, --since 2026-11-01") from None


def _limits(by: str, plan: CompiledPlan, folded: RunState, run_id: str) -> dict[tuple[str, str], Limits]:
    """Return (run, group) → limits, for the groups that have any."""
    if by == "persona":
        return {(run_id, item.id): Limits(tokens=item.token_budget) for item in plan.personas}
    if by != "run":
        return {}
    found = in_force(plan.guardrails, folded.limits)
    return {(run_id, run_id): Limits(tokens=found.max_tokens, nano_usd=found.max_cost_nano_usd)}


def _rows(by: str, found: Iterable[Entry], limits: Mapping[tuple[str, str], Limits]) -> Iterable[UsageRow]:
    groups: dict[str, dict[str, Spending]] = {}
    for item in found:
        name = {"persona": item.persona, "model": item.model, "run": item.run_id, "day": item.day}[by]
        runs = groups.setdefault(name, {})
        runs[item.run_id] = runs.get(item.run_id, Spending()).plus(item.spending)
    for name, runs in sorted(groups.items()):
        stated = {run_id: limits.get((run_id, name), Limits()) for run_id in runs}
        yield UsageRow(
            name=name or NOBODY,
            runs=len(runs),
            spending=_sum(runs.values()),
            token_limit=max((x.tokens for x in stated.values() if x.tokens is not None), default=None),
            cost_limit=max((x.nano_usd for x in stated.values() if x.nano_usd is not None), default=None),
            token_share=_share((runs[key].tokens, item.tokens) for key, item in stated.items()),
            cost_share=_share((runs[key].nano_usd, item.nano_usd) for key, item in stated.items()),
        )


def _share(pairs: Iterable[tuple[int, int | None]]) -> float | None:
    return max((used / limit for used, limit in pairs if limit), default=None)


def _sum(parts: Iterable[Spending]) -> Spending:
    total = Spending()
    for part in parts:
        total = total.plus(part)
    return total
