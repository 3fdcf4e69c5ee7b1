"""Documents that several processes parse are the same documents."""

import json
import subprocess
import sys
import threading
from pathlib import Path

from maestro_dsl.lang import parallel
from maestro_dsl.lang.parallel import WORTH_IT, parse_ahead

ROOT = Path(__file__).resolve().parents[3]
HEAD = "apiVersion: maestro/v1\nkind: "
COMPARE = """
import json, sys
from pathlib import Path
from maestro_dsl.app import lint
from maestro_dsl.app.lint_cache import LintCache
from maestro_dsl.codec import to_json
from maestro_dsl.lang import finder

ahead = []
real = finder.parse_ahead
def counted(files, jobs):
    for found in real(files, jobs):
        ahead.append(found)
        yield found
finder.parse_ahead = counted

folder, cache = Path(sys.argv[1]), LintCache(folder=Path(sys.argv[2]))
alone, together = (lint([folder], environ={}, jobs=jobs) for jobs in (1, 2))
kept = lint([folder], environ={}, jobs=2, cache=cache)
before = len(ahead)
again = lint([folder], environ={}, jobs=2, cache=cache)
(folder / "p7.persona.yaml").write_text("kind: Nothing")
changed = lint([folder], environ={}, jobs=2, cache=cache)
results = [to_json(list(item.diagnostics)) for item in (alone, together, kept, again, changed)]
files = [list(item.files) for item in (alone, together)]
print(json.dumps([results, files, before, len(ahead)]))
"""


def write(folder, count):
    for number in range(count):
        wrong = ["", "modle: x\n", "a: [\n", "a: &b 1\nc: *b\na: 2\n"][number % 4]
        (folder / f"p{number}.persona.yaml").write_text(f"{HEAD}Persona\nid: p{number}\n{wrong}")


def test_findings_and_documents_are_those_of_one_process(tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    write(folder, WORTH_IT + 20)
    command = [sys.executable, "-c", COMPARE, str(folder), str(tmp_path / "cache")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    (alone, together, kept, again, changed), files, before, parsed = json.loads(done.stdout)
    assert alone == together == kept == again
    assert len(alone) >= 90
    assert files[0] == files[1]
    assert changed != alone
    first = 1  # is read by the process that asked, which loads what reading needs
    assert before == (2 * (WORTH_IT + 20 - first) if sys.platform == "linux" else 0)
    assert parsed == before * 3 // 2


def test_few_files_are_left_to_the_caller(tmp_path):
    write(tmp_path, 3)
    files = [(path, path.name) for path in tmp_path.iterdir()]
    assert list(parse_ahead(files, 2)) == []


def test_a_process_with_threads_is_not_forked(monkeypatch):
    monkeypatch.setattr(threading, "active_count", lambda: 2)
    assert not parallel.can_fork()
    assert list(parse_ahead([(Path("x"), "x")] * WORTH_IT, 2)) == []
