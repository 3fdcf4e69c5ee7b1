"""A project of thirty nodes that says outside what it does, and processes that work on it and are killed.

The witness is a file that the plan's commands and the model provider write, each line in one call, so that it
outlives them. Nothing of maestro reads it.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections import Counter
from contextlib import closing, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

from support.program import PATIENCE

from maestro_dsl.codec import canonical
from maestro_dsl.engine.events import AttemptFinished, AttemptStarted, ModelResponded, RunResumed
from maestro_dsl.engine.state import CONTENT, fold
from maestro_dsl.storage.journal import Journal

if TYPE_CHECKING:
    from maestro_dsl.engine.events import Event

_LOOK_EVERY_S = 0.004
PARTS = tuple(f"part_{number}" for number in range(9))
PLAN = """\
apiVersion: maestro/v1
kind: Plan
id: thirty
requirement: Nine parts, each built by a model, checked by a command and noted down
blueprint: ./thirty.blueprint.yaml
team:
  dev: {use: core/backend_developer, model: claude-haiku-4-5, token_budget: 10000k}
  other: {use: core/qa_engineer, model: claude-haiku-4-5, token_budget: 10000k}
contracts: [contracts/*.contract.yaml]
provider: scripted:script.yaml
quality_threshold: 0.5
"""
CONTRACT = """\
apiVersion: maestro/v1
kind: Contract
id: %s
name: %s
provider_persona_id: %s
deliverables: [{name: text, artifacts: ["%s/*.txt"]}]
"""
PROJECT = """\
apiVersion: maestro/v1
kind: Project
id: thirty
sandbox: none
defaults:
  policies:
    retry: {delay: 20ms, max_delay: 40ms}
    safety: {delays: [50ms]}
"""
BLUEPRINT = """\
apiVersion: maestro/v1
kind: Blueprint
id: thirty
execution_mode: parallel
coordination_mode: handoff
description: Thirty nodes whose commands say outside what they do
nodes:
  begin: {action: command, with: {run: %(begin)s}}
  build:
    action: fulfil
    needs: [begin]
    foreach: contracts
    as: contract
    persona: "{{ contract.provider_persona_id }}"
    contract: "{{ contract.id }}"
  check:
    action: command
    needs: [build]
    foreach: contracts
    as: contract
    with: {run: %(check)s}
  note:
    action: render
    needs: [check]
    foreach: contracts
    as: contract
    with: {path: "{{ contract.id }}.md", text: "{{ contract.name }} is checked\\n"}
  gather: {action: command, needs: [note], with: {run: %(gather)s}}
  report: {action: report, needs: {gather: {states: any}}}
"""
COMMAND = 'echo "begin $2" >>"$1"; sleep 0.02; echo "end $2" >>"$1"'


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the witness."""

    what: str
    node: str
    tokens: int = 0


class Thirty:
    """The project in a folder of its own, with its state and its witness; with fewer parts it is smaller."""

    def __init__(
        self, folder: Path, name: str = "thirty", *, parts: int = len(PARTS), state: Path | None = None
    ) -> None:
        self.folder, self.witness = folder / name, folder / f"{name}.log"
        self.state = state or folder / f"{name}-state"
        self.nodes = 3 * parts + 3
        (self.folder / "contracts").mkdir(parents=True)
        self.witness.touch()
        for number, part in enumerate(PARTS[:parts]):
            person = "dev" if number % 2 else "other"
            text = CONTRACT % (part, part.title(), person, part)
            (self.folder / f"contracts/{part}.contract.yaml").write_text(text)
        (self.folder / "plan.yaml").write_text(PLAN.replace("id: thirty", f"id: {name}"))
        (self.folder / "maestro.yaml").write_text(PROJECT)
        commands = {
            "begin": self._command("begin"),
            "check": self._command("check[{{ contract.id }}]"),
            "gather": self._command("gather"),
        }
        (self.folder / "thirty.blueprint.yaml").write_text(BLUEPRINT % commands)
        (self.folder / "script.yaml").write_text(_script())

    def _command(self, node: str) -> str:
        return str(["sh", "-c", COMMAND, "sh", str(self.witness), node])

    def work(self, *arguments: str) -> multiprocessing.process.BaseProcess:
        """Start a process, leader of a group of its own, that goes on with the plan (or does as told)."""
        words = arguments or ("apply", "plan.yaml", "--auto-approve")
        process = _CONTEXT.Process(target=_work, args=(self, words))
        process.start()
        return process

    @property
    def held(self) -> Path:
        """A file; while it exists the model provider does not answer."""
        return self.folder.with_suffix(".held")

    def events(self) -> list[Event]:
        """Return the log of the project's newest run; empty where none was begun."""
        if not (self.state / "journal.db").exists():
            return []
        with closing(Journal.open(self.state)) as journal:
            mine = [run for run in journal.runs() if run.plan_id == self.folder.name]
            return list(journal.events(mine[0].run_id)) if mine else []

    def progress(self) -> int:
        """Return how many events were handed to the journal, by all processes together."""
        path = self.folder.with_suffix(".progress")
        return path.stat().st_size if path.exists() else 0

    def lines(self) -> list[Line]:
        """Return the whole witness."""
        found = (line.split() for line in self.witness.read_text().splitlines())
        return [Line(what, node, int(rest[0]) if rest else 0) for what, node, *rest in found]

    def said(self, pid: int | None = None) -> str:
        """Return the end of what a process said, by default the newest."""
        logs = sorted(self.folder.parent.glob(f"{self.folder.name}.*.said"), key=os.path.getmtime)
        chosen = [path for path in logs if pid is None or path.suffixes[0] == f".{pid}"]
        return chosen[-1].read_text()[-4000:] if chosen else ""

    def alive(self) -> list[str]:
        """Return the command lines of processes that still work on this project."""
        found = []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found += [line] if str(self.witness) in line else []
        return found

    def digests(self) -> dict[str, bytes]:
        """Return everything that the plan made, reports left out."""
        output = self.folder / "build"
        made = (path for path in sorted(output.rglob("*")) if path.is_file())
        names = {path.relative_to(output).as_posix(): path for path in made}
        return {
            name: path.read_bytes()
            for name, path in names.items()
            if not name.endswith("_report.json") and not name.startswith(".maestro/")
        }


def kill(project: Thirty, process: multiprocessing.process.BaseProcess, events: int, after_s: float) -> bool:
    """Kill a process group so many events and then seconds after its start; False where it ended before."""
    goal = project.progress() + events
    while project.progress() < goal and process.exitcode is None:
        process.join(_LOOK_EVERY_S)
    process.join(after_s)
    if process.exitcode is not None:
        return False
    for end in (os.killpg, os.kill):
        with suppress(ProcessLookupError):
            end(process.pid, signal.SIGKILL)
    process.join(PATIENCE)
    return process.exitcode == -signal.SIGKILL


def assert_nothing_is_done_twice(project: Thirty) -> None:
    """Hold log and witness against each other: what ended never runs again, and every token counts once."""
    events, seen = project.events(), project.lines()
    done: set[tuple[str, int, int]] = set()
    ended: set[str] = set()
    answered: set[tuple[str, str]] = set()
    for event in events:
        body = event.body
        if isinstance(body, AttemptStarted):
            assert body.node not in ended, f"{body.node} runs again"
            assert (body.node, body.round, body.attempt) not in done, (
                f"an attempt of {body.node} is made again"
            )
        elif isinstance(body, AttemptFinished) and body.failure is None:
            ended.add(body.node)
        elif isinstance(body, AttemptFinished) and body.failure in CONTENT:
            done.add((body.node, body.round, body.attempt))
        elif isinstance(body, ModelResponded):
            assert (body.node, body.request_digest) not in answered, f"{body.node} paid twice"
            answered.add((body.node, body.request_digest))
    started = Counter(event.body.node for event in events if isinstance(event.body, AttemptStarted))
    for what in ("begin", "asked"):
        for node, count in Counter(line.node for line in seen if line.what == what).items():
            assert count <= started[node], (
                f"{node} did {count} times what the log says it began {started[node]}"
            )
    _tokens(events, seen)


def _tokens(events: list[Event], seen: list[Line]) -> None:
    """Every answer is on the bill once, and what may have been asked of a dead process at its reservation."""
    nodes = fold(events).nodes
    bill: Counter[str] = Counter()
    for line in seen:
        bill[line.node] += line.tokens
    responded, lost, money = Counter[str](), Counter[str](), Counter[str]()
    flying: dict[str, AttemptStarted] = {}
    heard: set[str] = set()
    for event in events:
        body = event.body
        if isinstance(body, AttemptStarted):
            flying[body.node] = body
            heard.discard(body.node)
        elif isinstance(body, ModelResponded):
            responded[body.node] += body.usage.total
            money[body.node] += body.nano_usd or 0
            heard.add(body.node)
        elif isinstance(body, RunResumed):
            for node in body.interrupted:
                known = node in heard or _heard_before(events, event.seq, flying[node])
                lost[node] += 0 if known else flying[node].reserved_tokens
                money[node] += 0 if known else flying[node].reserved_nano_usd
    for node in {*(name for name in bill if bill[name]), *responded}:
        spent = nodes[node].tokens_spent
        assert spent == responded[node] + lost[node], f"{node} is charged {spent}"
        assert nodes[node].nano_usd_spent == money[node] > 0
        assert spent >= bill[node], f"{node} is charged {spent} of {bill[node]}"


def _heard_before(events: list[Event], before: int, attempt: AttemptStarted) -> bool:
    """Return whether an earlier try of the same attempt has its answer stored already."""
    return any(
        isinstance(event.body, ModelResponded)
        and (event.body.node, event.body.attempt) == (attempt.node, attempt.attempt)
        for event in events[:before]
    )


def _script() -> str:
    """Every third part is wrong at first; all say what they cost."""
    entries = []
    for number, part in enumerate(PARTS):
        usage = f"usage: {{input: {100 + number}, output: {10 + number}}}, delay: {20 + 15 * (number % 4)}ms"
        if number % 3 == 1:
            entries.append(f"  - {{match: {{contract: {part}, attempt: 1}}, text: this is no file, {usage}}}")
        content = canonical(
            {f"{part}/a.txt": f"{part}, first", f"{part}/b.txt": "second\n" * number}
        ).decode()
        entries.append(f"  - {{match: {{contract: {part}}}, files: {content}, {usage}}}")
    return "answers:\n" + "\n".join(entries) + "\n"


class Seen:
    """A model provider that says outside what it is asked and what it answers."""

    def __init__(self, inner, project: Thirty) -> None:
        self._inner, self._witness, self._held = inner, project.witness, project.held
        self.name, self.capability = inner.name, inner.capability

    async def generate(self, request):
        """Answer as the inner one does."""
        self._say(f"asked {request.task.node}")
        while self._held.exists():  # noqa: ASYNC110 - a file, for the test is another process
            await asyncio.sleep(_LOOK_EVERY_S)
        response = await self._inner.generate(request)
        self._say(f"answered {request.task.node} {response.usage.total}")
        return response

    def _say(self, line: str) -> None:
        with self._witness.open("a") as file:
            file.write(f"{line}\n")


def _work(project: Thirty, words: tuple[str, ...]) -> None:
    os.setsid()
    from maestro_dsl.app import running
    from maestro_dsl.cli.main import execute

    make = running.make_provider
    os.environ["MAESTRO_STATE_DIR"] = str(project.state)
    os.chdir(project.folder)
    said = project.folder.with_suffix(f".{os.getpid()}.said")
    append = Journal.append

    def counted(journal, events, *rest):
        with project.folder.with_suffix(".progress").open("ab") as file:
            file.write(b"." * len(events))
        append(journal, events, *rest)

    with (
        said.open("w") as out,
        redirect_stdout(out),
        redirect_stderr(out),
        mock.patch.object(Journal, "append", counted),
        mock.patch.object(running, "make_provider", lambda *stated: Seen(make(*stated), project)),
    ):
        code = execute(list(words))
    os._exit(code)


_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    ["maestro_dsl.app.running", "maestro_dsl.app.planning", "maestro_dsl.cli.main"]
)
