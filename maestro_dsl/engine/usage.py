"""What runs used and cost, by node and day: read off the journal, by watching its fold grow.

Every token that the ledger booked is in exactly one entry, those of lost calls included, because an entry is
the difference that one event made. Groups and forms are the reporters' business.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from maestro_dsl.engine.events import AttemptFinished, ModelResponded, NodeFinished, RunResumed, Usage
from maestro_dsl.engine.graph import PlanIndex
from maestro_dsl.engine.state import NO_USAGE, NodeRecord, RunState, add_usage, apply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from maestro_dsl.compiler.plan import CompiledPlan
    from maestro_dsl.engine.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """Tokens and money; `lost_tokens` were charged for calls whose answer nobody has."""

    calls: int = 0
    usage: Usage = field(default_factory=Usage)
    lost_tokens: int = 0
    nano_usd: int = 0
    unpriced_calls: int = 0
    """Calls whose price is unknown; `nano_usd` is then a lower bound."""
    saved_tokens: int = 0
    saved_nano_usd: int = 0
    hits: int = 0
    """Nodes that reused a stored result."""

    @property
    def tokens(self) -> int:
        """All that counts against budgets."""
        return self.usage.total + self.lost_tokens

    def plus(self, other: Spending) -> Spending:
        """Return the sum of both."""
        return Spending(
            calls=self.calls + other.calls,
            usage=add_usage(self.usage, other.usage),
            lost_tokens=self.lost_tokens + other.lost_tokens,
            nano_usd=self.nano_usd + other.nano_usd,
            unpriced_calls=self.unpriced_calls + other.unpriced_calls,
            saved_tokens=self.saved_tokens + other.saved_tokens,
            saved_nano_usd=self.saved_nano_usd + other.saved_nano_usd,
            hits=self.hits + other.hits,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one event of a node added; `day` is the UTC date, persona and model are "" for nodes without."""

    run_id: str
    node: str
    persona: str
    model: str
    at: float
    day: str
    spending: Spending


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRow:
    """One group of a report; limits are those of one run, shares of the run that came nearest to them."""

    name: str
    runs: int
    spending: Spending
    token_limit: int | None = None
    cost_limit: int | None = None
    token_share: float | None = None
    cost_share: float | None = None


def entries(plan: CompiledPlan, events: Iterable[Event]) -> tuple[list[Entry], RunState]:
    """Return what each event of a run added to tokens, money or savings, and the state at its end."""
    index, state = PlanIndex(plan), RunState()
    found: list[Entry] = []
    for event in events:
        names = _touched(event)
        before = {name: _spent(state.nodes.get(name)) for name in names}
        hints = {name: _hint(event, state.nodes.get(name)) for name in names}
        apply(state, event)
        for name in names:
            added = _difference(before[name], _spent(state.nodes.get(name)), hints[name])
            if added is not None:
                found.append(_entry(index, event, name, added))
    return found, state


def _touched(event: Event) -> tuple[str, ...]:
    body = event.body
    if isinstance(body, RunResumed):
        return body.interrupted
    return (body.node,) if isinstance(body, (ModelResponded, AttemptFinished, NodeFinished)) else ()


def _spent(record: NodeRecord | None) -> Spending:
    if record is None:
        return Spending()
    return Spending(
        usage=add_usage(record.usage, record.unsettled),
        lost_tokens=record.lost_tokens,
        nano_usd=record.nano_usd_spent,
    )


def _hint(event: Event, record: NodeRecord | None) -> Spending:
    """Return what the sums do not show: calls, calls without a price, savings."""
    body = event.body
    if isinstance(body, NodeFinished):
        cached = body.state == "cached"
        saved = Spending(hits=1, saved_tokens=body.saved_tokens, saved_nano_usd=body.saved_nano_usd)
        return saved if cached else Spending()
    if isinstance(body, ModelResponded):
        if record is not None and body.request_digest in record.responses:
            return Spending()
        return Spending(calls=1, unpriced_calls=int(body.nano_usd is None and body.usage.total > 0))
    if record is None or record.responses or record.in_flight is None:
        return Spending()
    started = record.in_flight
    unpriced = not started.free and started.reserved_tokens > 0 and not started.reserved_nano_usd
    return Spending(calls=1, unpriced_calls=int(unpriced))  # only where the event adds tokens


def _difference(before: Spending, after: Spending, hint: Spending) -> Spending | None:
    usage = Usage(
        input_tokens=after.usage.input_tokens - before.usage.input_tokens,
        output_tokens=after.usage.output_tokens - before.usage.output_tokens,
        cache_write_tokens=after.usage.cache_write_tokens - before.usage.cache_write_tokens,
        cache_read_tokens=after.usage.cache_read_tokens - before.usage.cache_read_tokens,
    )
    lost, nano_usd = after.lost_tokens - before.lost_tokens, after.nano_usd - before.nano_usd
    changed = usage != NO_USAGE or lost or nano_usd
    if not changed:
        return hint if hint.hits else None
    return replace(hint, usage=usage, lost_tokens=lost, nano_usd=nano_usd)


def _entry(index: PlanIndex, event: Event, address: str, added: Spending) -> Entry:
    node = index.nodes.get(address)
    model = None if node is None else index.model(node)
    return Entry(
        run_id=event.run_id,
        node=address,
        persona="" if node is None else node.persona_id or "",
        model="/".join(model or ()),
        at=event.at,
        day=datetime.fromtimestamp(event.at, UTC).date().isoformat(),
        spending=added,
    )
