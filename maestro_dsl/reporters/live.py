"""The live view of a run on a terminal: nodes by wave with state, attempt, tokens, cost and time.

The only home of rich. Draws when told to (an event or a tick), so it needs no thread; never raises.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TextIO

from rich.console import Console, ConsoleDimensions, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from maestro_dsl.engine.state import NodeRecord, NodeState, RunState, apply, fold
from maestro_dsl.money import money_text
from maestro_dsl.reporters.run import STATE_COLOURS
from maestro_dsl.reporters.text import cells, cut_middle, duration, plural, safe, tokens

if TYPE_CHECKING:
    from collections.abc import Iterable

    from maestro_dsl.compiler.plan import CompiledPlan, PlanNode
    from maestro_dsl.engine.events import Event

_SYMBOLS: Final = {
    NodeState.PENDING: "·",
    NodeState.READY: "·",
    NodeState.RUNNING: "▶",
    NodeState.WAITING: "?",
    NodeState.PAUSED: "‖",
    NodeState.SUCCEEDED: "✔",
    NodeState.CACHED: "=",
    NodeState.SUCCEEDED_ON_MOCK: "✔",
    NodeState.DEGRADED: "!",
    NodeState.FAILED: "✘",
    NodeState.GAVE_UP: "✘",
    NodeState.BUDGET_STOPPED: "✘",
    NodeState.SKIPPED: "-",
    NodeState.CANCELLED: "-",
}
_URGENCY: Final = {NodeState.RUNNING: 0, NodeState.WAITING: 0, NodeState.FAILED: 1, NodeState.GAVE_UP: 1}
_REST: Final = 2
_FRAME_ROWS: Final = 8
"""Rows that the view needs beside the nodes."""
_WIDE: Final = 90
_GAP: Final = 2
_COLUMNS: Final = (
    ("wave", 4, True),
    ("node", 0, False),
    ("who", 0, False),
    ("state", 19, False),
    ("try", 3, True),
    ("tokens", 6, True),
    ("cost", 8, True),
    ("time", 7, True),
)
"""Title, width, on the right; 0 = as wide as the texts, within what is left."""
_FRAME_S: Final = 0.1
_HARMLESS: Final = (Exception, SystemExit)
"""What a sink swallows; rich ends the program where its stream is gone."""


class LiveView:
    """A sink that keeps a table on the terminal up to date; leaves the last picture behind."""

    def __init__(self, plan: CompiledPlan, stream: TextIO, *, colour: bool = True) -> None:
        self._plan = plan
        self._state = RunState()
        self._waves = {address: number for number, wave in enumerate(plan.waves, start=1) for address in wave}
        self._console = Console(file=stream, force_terminal=True, no_color=not colour, highlight=False)
        self._stream = stream
        self._live = Live(console=self._console, auto_refresh=False, transient=False)
        self._now = 0.0
        self._drawn = 0.0
        self._open = False

    def seed(self, events: Iterable[Event]) -> None:
        """Take up what happened before this process."""
        with suppress(*_HARMLESS):
            fold(events, self._state)

    def on_event(self, event: Event) -> None:
        """Add the event to the picture."""
        if event.seq <= self._state.seq:
            return
        with suppress(*_HARMLESS):
            apply(self._state, event)
            self._now = max(self._now, event.at)
            self._draw(force=self._state.is_final)

    def tick(self, now: float) -> None:
        """Move the clocks on; `now` is wall time in seconds."""
        with suppress(*_HARMLESS):
            self._now = now
            if not self._state.is_final:
                self._draw(force=False)

    def note(self, text: str) -> bool:
        """Write a line above the picture, which the next frame would otherwise paint over."""
        with suppress(*_HARMLESS):
            self._console.print(Text(safe(text)))
        return True

    def close(self) -> None:
        """Leave the last picture on the terminal and give the cursor back."""
        with suppress(*_HARMLESS):
            if self._open:
                self._draw(force=True)
                self._live.stop()
                self._open = False

    def _draw(self, *, force: bool) -> None:
        if not self._open:
            self._live.start()
            self._open = True
        if force or self._now - self._drawn >= _FRAME_S:
            self._drawn = self._now
            with suppress(OSError, ValueError):  # not on a terminal: rich's own guess stands
                self._console.size = ConsoleDimensions(*os.get_terminal_size(self._stream.fileno()))
            self._live.update(self._picture(), refresh=True)

    def _picture(self) -> Group:
        shown, hidden = self._rows()
        width = self._console.size.width
        wide = width >= _WIDE
        columns = _COLUMNS if wide else tuple(item for item in _COLUMNS if item[0] not in {"wave", "who"})
        room = max(width - sum(size + _GAP for _, size, _ in columns), 20)
        who = min(max((cells(self._who(node)) for node in shown), default=0), room // 3) if wide else 0
        name = min(max((cells(node.address) for node in shown), default=0), room - who)
        table = Table(box=None, padding=(0, _GAP, 0, 0), header_style="dim", expand=False)
        for title, size, right in columns:
            flexible = {"node": name, "who": who}.get(title, size)
            table.add_column(title, width=flexible, justify="right" if right else "left", no_wrap=True)
        for node in shown:
            found = self._row(node, name, who)
            table.add_row(*(found[title] for title, _, _ in columns))
        parts: list[Text | Table] = [self._title(), table]
        if hidden:
            parts.append(Text(f"  and {plural(hidden, 'more node')}", style="dim"))
        return Group(*parts, self._bar(), self._figures())

    @staticmethod
    def _who(node: PlanNode) -> str:
        return node.persona_id or node.action

    def _rows(self) -> tuple[list[PlanNode], int]:
        room = max(self._console.size.height - _FRAME_ROWS, 3)
        nodes = sorted(self._plan.nodes, key=lambda node: self._waves.get(node.address, 0))
        if len(nodes) <= room:
            return nodes, 0
        urgent = sorted(
            nodes, key=lambda node: _URGENCY.get(self._state.node_state(node.address), _REST)
        )  # stable: within a class the order of the waves stays
        kept = {node.address for node in urgent[:room]}
        return [node for node in nodes if node.address in kept], len(nodes) - room

    def _row(self, node: PlanNode, name: int, who: int) -> dict[str, Text]:
        record = self._state.nodes.get(node.address) or NodeRecord(address=node.address)
        word = record.state.value.replace("_", " ")
        if record.state is not NodeState.RUNNING and not record.is_final and record.retry_at is not None:
            word = f"again in {max(record.retry_at - self._now, 0):.0f} s"
        attempt = f"{record.round}.{record.attempt}" if record.round > 1 else str(record.attempt or "")
        return {
            "wave": Text(str(self._waves.get(node.address, ""))),
            "node": Text(cut_middle(safe(node.address), name)),
            "who": Text(cut_middle(safe(self._who(node)), who), style="dim"),
            "state": Text(f"{_SYMBOLS[record.state]} {word}", style=STATE_COLOURS[record.state]),
            "try": Text(attempt),
            "tokens": Text(tokens(record.tokens_spent) if record.tokens_spent else ""),
            "cost": Text(money_text(record.nano_usd_spent) if record.nano_usd_spent else ""),
            "time": Text(self._time(record)),
        }

    def _time(self, record: NodeRecord) -> str:
        if record.started_at is None:
            return ""
        end = record.finished_at if record.finished_at is not None else self._now
        return duration(max(end - record.started_at, 0.0))

    def _title(self) -> Text:
        line = Text(safe(self._plan.name), style="bold")
        return line.append(f"  {self._state.run_id}", style="dim")

    def _bar(self) -> Table:
        total = len(self._plan.nodes)
        row = Table.grid(padding=(0, 2, 0, 0))
        row.add_row(
            ProgressBar(total=max(total, 1), completed=self._state.finals, width=40),
            Text(f"{self._state.finals} of {plural(total, 'node')}"),
            Text(self._wave_words()),
        )
        return row

    def _wave_words(self) -> str:
        done = sum(
            all((found := self._state.nodes.get(address)) is not None and found.is_final for address in wave)
            for wave in self._plan.waves
        )
        return f"{done} of {plural(len(self._plan.waves), 'wave')}"

    def _figures(self) -> Text:
        state = self._state
        since = 0.0 if state.is_final or not state.updated_at else max(self._now - state.updated_at, 0.0)
        parts = [
            f"{state.status.value}",
            duration(state.active_s + since),
            f"{tokens(state.tokens)} tokens",
            money_text(state.nano_usd),
        ]
        if state.saved_tokens:
            parts.append(f"{tokens(state.saved_tokens)} tokens saved")
        mocks = [item for item in state.services.values() if item.mode == "mock"]
        if mocks:
            parts.append(f"{plural(len(mocks), 'mock')} up")
        for provider, until in state.held.items():
            if until > self._now and not state.is_final:
                parts.append(f"{safe(provider)} asks for patience: {until - self._now:.0f} s")
        if state.tickets:
            parts.append(plural(len(state.tickets), "ticket"))
        if state.alerts:
            parts.append(plural(len(state.alerts), "alert"))
        return Text(" · ".join(parts))
