"""A project of a few nodes that runs in a blink, and what a run of it must hold whatever was done to it.

A model answers twice for one node (the first answer is of no use), once for another; every call is noted in a
file outside the state, so that what was asked can be counted apart from what the journal says.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from unittest import mock

from support.files import write

from maestro_dsl import app
from maestro_dsl.app import running, wiring
from maestro_dsl.engine.events import (
    AttemptFinished,
    AttemptStarted,
    ModelResponded,
    NodeFinished,
    RunResumed,
)
from maestro_dsl.engine.state import CANCELLED_TRY, RUN_FINAL, fold
from maestro_dsl.lang.settings import Overrides
from maestro_dsl.storage.appender import DiskAppender

FILES = {
    "maestro.yaml": """\
apiVersion: maestro/v1
kind: Project
id: handful
sandbox: none
models:
  default: {provider: 'scripted:script.yaml', model: claude-sonnet-5-5}
defaults: {policies: {retry: {max_attempts: 2, delay: 1ms, max_delay: 1ms}}}
""",
    "plan.yaml": """\
apiVersion: maestro/v1
kind: Plan
id: handful
requirement: Two texts and a list of them
blueprint: ./b.blueprint.yaml
team: {writer: {use: core/backend_developer}}
contracts: [one.contract.yaml, two.contract.yaml]
provider: scripted:script.yaml
guardrails: {max_cost: 5 USD}
quality_threshold: 0.1
""",
    "b.blueprint.yaml": """\
apiVersion: maestro/v1
kind: Blueprint
id: b
description: Two texts, one of them at the second try, and a list of them
execution_mode: parallel
coordination_mode: handoff
nodes:
  build:
    action: fulfil
    foreach: contracts
    as: contract
    persona: "{{ contract.provider_persona_id }}"
    contract: "{{ contract.id }}"
  list: {action: render, needs: [build], with: {path: list.txt, text: one and two}}
""",
    "script.yaml": """\
answers:
  - match: {contract: one, attempt: 1}
    text: this is no answer
    usage: {input: 500, output: 700}
  - match: {contract: one}
    files: {one/one.md: "# One\\n", one/more.md: "# More\\n"}
    usage: {input: 600, output: 800}
  - match: {contract: two}
    files: {two/two.md: "# Two\\n"}
    usage: {input: 300, output: 400}
""",
    **{
        f"{name}.contract.yaml": f"""\
apiVersion: maestro/v1
kind: Contract
id: {name}
name: {name}
provider_persona_id: writer
deliverables: [{{name: {name}, artifacts: ["{name}/*.md"]}}]
"""
        for name in ("one", "two")
    },
}
CALLS = 3
"""How often the model is asked by a run that nobody disturbs."""


@dataclass(frozen=True)
class Handful:
    """The project in a folder, its state, and the file in which calls of the model are noted."""

    folder: Path
    in_thread: bool = False
    """Whether a thread makes the journal's appends, as on a slow disk, however fast this one is."""

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def ours(self) -> tuple[Path, Path]:
        return self.state, self.output

    @property
    def work(self):
        return partial(apply_or_go_on, in_thread=self.in_thread)

    @property
    def output(self) -> Path:
        return self.folder / "project" / "build"

    @property
    def calls_file(self) -> Path:
        return self.folder / "calls.txt"

    @classmethod
    def make(cls, folder: Path, files=FILES, *, in_thread: bool = False) -> Handful:
        write(folder / "project", files)
        return cls(folder, in_thread)

    def apply(self, sinks=()):
        """Apply the plan in this process, from its beginning or where an earlier process stopped."""
        with counted_calls(self.calls_file):
            report = app.plan_report(
                self.folder / "project" / "plan.yaml",
                overrides=Overrides(),
                environ={},
                state_dir=self.state,
            )
            return asyncio.run(app.apply(report, options=app.ApplyOptions(), environ={}, sinks=sinks))

    def go_on(self):
        """Resume the unfinished run; where there is none, apply."""
        if not any(run.status not in RUN_FINAL for run in self.runs()):
            return self.apply()
        with counted_calls(self.calls_file):
            return asyncio.run(app.resume(None, overrides=Overrides(), environ={}, state_dir=self.state))

    def runs(self):
        return app.list_runs(environ={}, state_dir=self.state).runs

    def history(self):
        """Return the events of the newest run, none where there is no run."""
        return app.show_run("last", environ={}, state_dir=self.state).events if self.runs() else ()

    def damages(self):
        if not (self.state.exists() and any(self.state.iterdir())):  # nothing could be made, or nothing in it
            return ()
        found = app.verify_state_dir(environ={}, state_dir=self.state, read_share=1.0).found
        return found.damages

    def calls(self) -> list[str]:
        """Return who was asked, once for each call."""
        return self.calls_file.read_text().splitlines() if self.calls_file.exists() else []

    def tree(self) -> dict[str, str]:
        """Path → digest of everything in the output, also what we keep there for ourselves, but the lock."""
        found = {
            path.relative_to(self.output).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.output.rglob("*")
            if path.is_file()
        }
        return {name: digest for name, digest in found.items() if not name.startswith(".maestro/lock")}


def apply_or_go_on(folder: Path, *, in_thread: bool) -> None:
    """Apply, or go on where there is a state."""
    handful = Handful(folder)
    with mock.patch.object(DiskAppender, "is_quick", not in_thread):
        (handful.go_on if handful.state.exists() else handful.apply)()


class _Counted:
    """A model provider whose calls are noted durably enough to survive a kill: by `write` alone."""

    def __init__(self, inner, file: Path) -> None:
        self._inner = inner
        self._file = file
        self.name = inner.name

    def capability(self, model):
        return self._inner.capability(model)

    async def generate(self, request):
        line = f"{request.task.node} {request.round}/{request.attempt}\n"
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.writev(descriptor, [line.encode()])  # none of the calls that are counted and fail
        os.close(descriptor)
        return await self._inner.generate(request)


def counted_calls(file: Path):
    """Note each call of a model in `file` while the block lasts."""

    def make(stated, base):
        return _Counted(wiring.make_provider(stated, base), file)

    return mock.patch.object(running, "make_provider", make)


def check_survived(handful: Handful, before, result, undisturbed, calls_before) -> None:
    """Assert everything that a run which was killed, with `before` as its history, must hold at its end."""
    calm, calm_tree = undisturbed
    assert (result.status, result.verdict) == (calm.status, calm.verdict)
    assert result.events[: len(before)] == before, "what was acknowledged is gone"
    assert handful.tree() == calm_tree, f"{sorted(handful.tree().keys() ^ calm_tree.keys())} differ"
    bodies = [event.body for event in result.events]
    done, asked = set(), set()
    for body in bodies:
        if isinstance(body, AttemptStarted):
            attempt = (body.node, body.round, body.attempt)
            assert attempt not in done, f"a finished attempt ran again: {attempt}"
        elif isinstance(body, AttemptFinished) and body.failure != CANCELLED_TRY:
            done.add((body.node, body.round, body.attempt))
        elif isinstance(body, ModelResponded):
            assert body.request_digest not in asked, "an answer that was there was asked for again"
            asked.add(body.request_digest)
    ended = [body.node for body in bodies if isinstance(body, NodeFinished)]
    assert sorted(ended) == sorted({node.address for node in result.plan.nodes}), "each node ends once"
    check_money(result, calm)
    answered = [f"{b.node} {r}" for b, r in _answers(before)]
    assert not set(answered) & set(handful.calls()[calls_before:]), (
        "an answer that was paid for was paid twice"
    )
    check_tidy(handful)


def check_tidy(handful: Handful) -> None:
    """Assert that the state is whole, and that no unfinished file is left but in the store's own scratch."""
    assert handful.damages() == ()
    left = [path for folder in (handful.state, handful.output) for path in folder.rglob("*.tmp")]
    assert not [path for path in left if path.parent != handful.state / "objects/tmp"]


def _answers(events):
    """Yield each answer of a history with the round and attempt it was given in."""
    at = {}
    for event in events:
        if isinstance(event.body, AttemptStarted):
            at[event.body.node] = f"{event.body.round}/{event.body.attempt}"
        elif isinstance(event.body, ModelResponded):
            yield event.body, at[event.body.node]


def check_money(result, calm) -> None:
    """Assert that each answer is booked once, and each call whose answer was lost at its reservation."""
    lost_tokens = lost_nano_usd = 0
    flying, answered = {}, set()
    for event in result.events:
        match event.body:
            case AttemptStarted() as body:
                flying[body.node] = body
                answered.discard(body.node)
            case ModelResponded() as body:
                answered.add(body.node)
            case AttemptFinished() as body:
                started = flying.pop(body.node, None)
                if body.failure == CANCELLED_TRY and body.node not in answered:  # stopped with the run
                    assert body.usage.total in {0, started.reserved_tokens}
                    lost_tokens += body.usage.total
                    lost_nano_usd += body.nano_usd
            case RunResumed() as body:
                for node in body.interrupted:
                    started = flying.pop(node)
                    if node not in answered and not started.free:
                        lost_tokens += started.reserved_tokens
                        lost_nano_usd += started.reserved_nano_usd
    state, quiet = fold(result.events), fold(calm.events)
    assert state.tokens == quiet.tokens + lost_tokens
    assert state.nano_usd == quiet.nano_usd + lost_nano_usd
