"""What a person changed in the output: who decides, and that nothing is touched before all is decided."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from maestro_dsl.app.conflicts import settle_conflicts
from maestro_dsl.app.values import ApplyOptions
from maestro_dsl.engine.ports.attempts import FileRef
from maestro_dsl.errors import OutputConflict, UnrecoverableError, UsageError
from maestro_dsl.storage.artifacts import Artifacts
from maestro_dsl.storage.output import OutputFolder

PLAN = SimpleNamespace(nodes=(SimpleNamespace(address="build[a]", writes=("dev/*",)),))
OURS = {"dev/a.py": "a", "dev/b.py": "b"}


@pytest.fixture
def out(tmp_path):
    """An output with two files of ours, of which a person changed both, and one of a person's own."""
    artifacts = Artifacts(tmp_path / "state")
    folder = OutputFolder(tmp_path / "out", artifacts)
    refs = [
        FileRef(path=path, digest=artifacts.put(text.encode()), size=len(text), executable=False)
        for path, text in OURS.items()
    ]
    folder.publish("build[a]", "k", refs)
    for path in OURS:
        (folder.root / path).write_text("mine")
    (folder.root / "dev/c.py").write_text("mine too")
    return folder


def texts(out):
    return {path.name: path.read_text() for path in sorted((out.root / "dev").iterdir())}


MINE = {"a.py": "mine", "b.py": "mine", "c.py": "mine too"}


def settle(out, **options):
    settle_conflicts(out, PLAN, ApplyOptions(**options) if options else None)


def test_a_star_keeps_everything_that_is_in_the_way(out):
    settle(out, accept=("*",))
    assert texts(out) == MINE
    settle(out)


def test_a_star_writes_everything_that_is_in_the_way_again(out):
    settle(out, replace=("*",))
    assert texts(out) == {"a.py": "a", "b.py": "b", "c.py": "mine too"}
    settle(out)


def test_one_may_be_kept_and_all_others_written_again(out):
    settle(out, accept=("dev/a.py", "dev/c.py"), replace=("dev/b.py",))
    assert texts(out) == {"a.py": "mine", "b.py": "b", "c.py": "mine too"}


@pytest.mark.parametrize("choice", [{"replace": ("dev/a.py",)}, {"accept": ("dev/a.py",)}])
def test_a_choice_for_one_of_three_touches_none(out, choice):
    with pytest.raises(OutputConflict, match=r"dev/b\.py .*dev/c\.py") as caught:
        settle(out, **choice)
    assert "dev/a.py" not in caught.value.message
    assert "'*' stands for all of them" in caught.value.hint
    assert texts(out) == MINE
    with pytest.raises(OutputConflict, match=r"dev/a\.py"):
        settle(out)


def test_what_cannot_be_replaced_keeps_the_rest_undecided_too(out):
    (out.root / "dev/b.py").unlink()
    (out.root / "dev/b.py").mkdir()
    with pytest.raises(UnrecoverableError, match=r"dev/b\.py cannot be replaced: a folder"):
        settle(out, accept=("dev/a.py", "dev/c.py"), replace=("dev/b.py",))
    with pytest.raises(OutputConflict, match=r"dev/a\.py .*dev/b\.py .*dev/c\.py"):
        settle(out)


def test_what_is_neither_a_node_nor_a_file_cannot_be_replaced(out):
    with pytest.raises(UsageError, match="neither a node of this plan nor a file") as caught:
        settle(out, accept=("*",), replace=("biuld[a]",))
    assert caught.value.hint == 'did you mean "build[a]"? nodes: build[a]'
    settle(out, accept=("*",), replace=("build[a]",))


def test_a_listed_file_that_is_gone_may_be_named(out):
    (out.root / "dev/a.py").unlink()
    settle(out, accept=("dev/b.py", "dev/c.py"), replace=("dev/a.py",))


def test_a_command_that_cannot_choose_says_which_can(out):
    with pytest.raises(OutputConflict) as caught:
        settle(out)
    assert caught.value.hint.startswith("maestro apply FILE decides")
