"""Row 20: what an editor waits for in a project of 1,000 documents of about 100 lines, with a real client.

A server process is asked over its streams after each change of a text, as an editor does it: until the
findings of the changed text arrive, and for completion, hover and definition in a text that was changed right
before. A tenth of the documents have a finding. Counted are the server's CPU time and the pause that it makes
before it looks: what one waits for where a core is free. The wall clock stands beside it.

    python benchmarks/editor.py [DOCUMENTS] [ROUNDS]
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from measure import Row, print_rows  # noqa: E402 - after the path is known
from samples import HEAD, blueprint, library, plan_beside  # noqa: E402 - as above
from support.editor import Editor  # noqa: E402 - as above

if TYPE_CHECKING:
    from collections.abc import Callable

DOCUMENTS = 1_000
ROUNDS = 15
GOAL_MS = 200
PUBLISHED = "didChange to publishDiagnostics"


class Desk:
    """An editor with one document of a large project open, and what it waited for."""

    def __init__(self, root: Path, path: Path) -> None:
        self.editor = Editor(root)
        self.path = path
        self.text = path.read_text("utf-8")
        self.round = 0
        self.is_settled = True
        self.editor.open(path, self.text)
        self.editor.findings(path)

    def type(self, old: str, new: str) -> None:
        """Change the text; no two changes of a session are equal."""
        self.round += 1
        self.is_settled = False
        assert old in self.text
        self.editor.type(self.path, self.text.replace(old, new.format(self.round), 1))

    def found(self) -> None:
        """Wait for the findings of the text as it is now."""
        self.editor.findings(self.path)
        self.is_settled = True

    def settle(self) -> None:
        """Wait until nothing that the last change brought is left to do."""
        if not self.is_settled:
            self.found()

    def ask(self, method: str, line: int, character: int) -> None:
        """Ask about a place of the text."""
        assert self.editor.at(method, self.path, line, character)

    def cpu_s(self) -> float:
        """Return the CPU time of the server, 0 where the system does not say it."""
        tasks = Path(f"/proc/{self.editor.process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def timed(desk: Desk, rounds: int, *works: Callable[[], None]) -> list[tuple[float, float]]:
    """Return the median milliseconds of each work, by the wall and of the server's CPU; all take turns."""
    taken: list[list[tuple[float, float]]] = [[] for _ in works]
    for _ in range(rounds):
        for work, found in zip(works, taken, strict=True):
            wall, cpu = time.perf_counter(), desk.cpu_s()
            work()
            found.append(((time.perf_counter() - wall) * 1e3, (desk.cpu_s() - cpu) * 1e3))
            desk.settle()
    return [tuple(map(statistics.median, zip(*found, strict=True))) for found in taken]  # type: ignore[misc]  # two of them


def write(root: Path, documents: int) -> tuple[Path, Path]:
    """Write the project; return a document that no plan uses, and the blueprint of its plan."""
    (root / "maestro.yaml").write_text(f"{HEAD}Project\nid: many\n", "utf-8")
    files = library(root, documents)
    for file in files[::10]:
        file.write_text(
            file.read_text("utf-8").replace("inputs: {", "inputs: {idle: {type: string}, "), "utf-8"
        )
    plan_beside(root, blueprint(0, 13).replace("id: pattern-0", "id: big"))
    return files[5], root / "big.blueprint.yaml"


def measured(root: Path, documents: int, rounds: int) -> list[tuple[str, tuple[float, float]]]:
    """Return what each question takes."""
    alone, used = write(root, documents)
    found: list[tuple[str, tuple[float, float]]] = []
    for path, what in ((alone, "a document no plan uses"), (used, "the blueprint of a plan")):
        desk = Desk(root, path)

        def sound(desk: Desk = desk) -> None:
            desk.type("timeout: 15m", "timeout: 1{}m")
            desk.found()

        def broken(desk: Desk = desk) -> None:
            desk.type("action: command", "action: [command{}")
            desk.found()

        def asking(method: str, line: int, character: int, desk: Desk = desk) -> Callable[[], None]:
            def ask() -> None:
                desk.type("timeout: 15m", "timeout: 1{}m")
                desk.ask(method, line, character)

            return ask

        desk.editor.at("definition", path, 17, 13)  # looks up the names of all documents
        works = (
            sound,
            broken,
            asking("completion", 8, 6),
            asking("hover", 8, 6),
            asking("definition", 17, 13),
        )
        names = (f"{PUBLISHED}, {what}", f"{PUBLISHED}, broken YAML, {what}")
        asked = tuple(f"didChange and {name}, {what}" for name in ("completion", "hover", "definition"))
        found += zip((*names, *asked), timed(desk, rounds, *works), strict=True)
        desk.editor.close()
    return found


def rows(documents: int = DOCUMENTS, rounds: int = ROUNDS) -> list[Row]:
    """Return one row for each question."""
    from maestro_dsl.lsp.server import DEBOUNCE_S  # needs the extra of editors

    pause_ms = DEBOUNCE_S * 1e3
    with tempfile.TemporaryDirectory() as name:
        found = measured(Path(name).resolve(), documents, rounds)
    return [
        Row(
            number=20,
            what=f"editor, {documents:,} documents: {what}",
            floor=f"by the wall, beside what else ran, {wall:.0f} ms",
            ours=f"{waited:.0f} ms",
            goal=f"≤ {GOAL_MS} ms",
            is_met=waited <= GOAL_MS,
            how="CPU time of the server, and its pause" if cpu else "wall clock",
        )
        for what, (wall, cpu) in found
        for waited in [cpu + pause_ms * (PUBLISHED in what) if cpu else wall]
    ]


if __name__ == "__main__":
    stated = [int(word) for word in sys.argv[1:3]]
    print_rows(rows(*stated))
