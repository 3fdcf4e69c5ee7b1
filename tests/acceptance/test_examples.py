"""Each example as its README tells it: the commands are run in a copy, and every run is verified."""

import json
import shutil

import pytest
from support.markdown import ROOT, Terminal, steps
from support.program import inside

EXAMPLES = sorted(folder.name for folder in (ROOT / "examples").iterdir() if (folder / "plan.yaml").is_file())


def test_there_is_a_parallel_and_a_sequential_example():
    assert {"algorithm", "todo-app"} <= set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_commands_of_its_readme_do_what_is_said(name, tmp_path):
    project = tmp_path / "project"
    shutil.copytree(ROOT / "examples" / name, project, ignore=shutil.ignore_patterns("build", ".maestro"))
    terminal = Terminal(tmp_path / "home", project, quick=True)
    found = steps(project / "README.md")
    assert any(step.command.startswith("maestro apply") for step in found)
    for step in found:
        terminal.run(step)
    validation = json.loads((project / "build/contracts/validation_report.json").read_text())
    assert all(contract["fulfilled"] for contract in validation["contracts"].values())


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_has_nothing_to_find_fault_with(name):
    done = inside("lint", f"examples/{name}", cwd=ROOT)
    assert (done.returncode, done.stdout) == (0, "")
