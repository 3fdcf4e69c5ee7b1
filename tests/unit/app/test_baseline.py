import json

import pytest
from support.rule_project import FILES, write_project

from maestro_dsl.app import lint, without_known, write_baseline
from maestro_dsl.errors import UsageError

BAD = "apiVersion: maestro/v1\nkind: Policy\nid: x\ncolour: 1.10\nshape: 1.10\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    write_project(tmp_path)
    (tmp_path / "x.policy.yaml").write_text(BAD)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(folder):
    return lint([folder], environ={}, select=["SCH001", "SYN003"])


def left(folder, known="known.json"):
    narrowed = without_known(folder / known, found(folder))
    return [(item.code, item.span.line) for item in narrowed.result.diagnostics], narrowed


def test_what_is_known_is_left_out_and_survives_lines_that_move(folder):
    assert write_baseline(folder / "known.json", found(folder)) == 4
    assert left(folder)[0] == []
    (folder / "x.policy.yaml").write_text("# above\n\n" + BAD.replace("colour:", "colour:  "))
    shown, narrowed = left(folder)
    assert (shown, narrowed.known, narrowed.stale) == ([], 4, ())


def test_one_more_of_the_same_is_new(folder):
    write_baseline(folder / "known.json", found(folder))
    (folder / "x.policy.yaml").write_text(BAD + "guardrails: {colour: 1}\n")
    assert left(folder)[0] == [("SCH001", 6)]


def test_entries_that_match_nothing_are_told_where_the_file_was_looked_at_or_is_gone(folder):
    write_baseline(folder / "known.json", found(folder))
    (folder / "x.policy.yaml").write_text(BAD.replace("shape: 1.10\n", ""))
    assert left(folder)[1].stale == (("x.policy.yaml", "SCH001"), ("x.policy.yaml", "SYN003"))
    other = lint([folder / "maker.persona.yaml"], environ={})
    assert without_known(folder / "known.json", other).stale == ()
    (folder / "x.policy.yaml").unlink()
    assert len(left(folder)[1].stale) == 2


def test_the_file_is_sorted_and_holds_no_text_of_documents(folder, monkeypatch):
    write_baseline(folder / "known.json", found(folder))
    text = (folder / "known.json").read_text()
    data = json.loads(text)
    assert list(data) == ["format_version", "files"]
    assert list(data["files"]) == ["x.policy.yaml"]
    assert list(data["files"]["x.policy.yaml"]) == sorted(data["files"]["x.policy.yaml"])
    assert "colour" not in text
    (folder / "sub").mkdir()
    monkeypatch.chdir(folder / "sub")
    write_baseline(folder / "known.json", found(folder))
    assert (folder / "known.json").read_text() == text


@pytest.mark.parametrize(
    "text", [None, "", "[]", "{", '{"format_version": 2, "files": {}}', '{"format_version": 1}']
)
def test_what_is_no_baseline_is_refused(folder, text):
    if text is not None:
        (folder / "known.json").write_text(text)
    with pytest.raises(UsageError, match="baseline") as caught:
        left(folder)
    assert "--write-baseline" in caught.value.hint


def test_a_project_that_is_sound_has_an_empty_baseline(folder):
    (folder / "x.policy.yaml").unlink()
    assert write_baseline(folder / "known.json", found(folder)) == 0
    assert FILES
