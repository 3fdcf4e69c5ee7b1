"""The README's promises: its commands, its picture, its links. Its two set-up commands are run by .ci/run."""

import re

import pytest
from support.markdown import ROOT, Terminal, steps
from support.program import inside

README = ROOT / "README.md"


def test_the_commands_do_what_is_said(tmp_path):
    terminal = Terminal(tmp_path / "home", tmp_path)
    found = steps(README)
    assert [step.command.split()[1] for step in found] == ["init", "lint", "plan", "apply", "apply"]
    for step in found:
        terminal.run(step)


def test_the_picture_is_what_the_command_draws():
    drawn = inside("graph", "examples/todo-app/plan.yaml", "--format", "svg", cwd=ROOT)
    assert drawn.stdout == (ROOT / "docs/images/todo-app.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("mark", ["run", "test"])
def test_the_set_up_commands_stand_where_ci_takes_them_from(mark):
    assert re.search(rf"<!-- ci: {mark} -->\n```sh\npython3 -m venv [^\n]+\n```\n", README.read_text())


def test_the_exit_codes_are_those_of_the_errors():
    from maestro_dsl import errors

    kinds = [each for each in vars(errors).values() if isinstance(each, type)]
    codes = {kind.exit_code for kind in kinds if issubclass(kind, errors.MaestroError)}
    rows = re.findall(r"^\| ([0-9, ]+) \|", README.read_text(), re.MULTILINE)
    assert codes <= {int(code) for row in rows for code in row.split(",")}
