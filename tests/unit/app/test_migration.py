"""`schema migrate` and SCH006: what was spelled otherwise is rewritten, everything else stays as it is."""

from pathlib import Path

import pytest

from maestro_dsl.app import FixOptions, fix, migrate_documents
from maestro_dsl.app.migration import migrated_content
from maestro_dsl.lang.read import read_content
from maestro_dsl.lang.respellings import KEYS, VALUES
from maestro_dsl.lang.validators import schema_of

OLD = Path(__file__).resolve().parents[2] / "fixtures" / "migrate" / "v1alpha1"
FILES = sorted(path.name for path in OLD.iterdir())


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_documents_of_the_first_version(name, end):
    before, after = ((OLD.parent / version / name).read_text() for version in ("v1alpha1", "v1"))
    migrated, left = migrated_content(before.replace("\n", end).encode(), name)
    assert migrated == after.replace("\n", end).encode()
    assert left == []
    assert migrated_content(migrated, name) == (migrated, [])


@pytest.mark.parametrize("name", FILES)
def test_old_spellings_in_today_s_version_work_are_told_and_fixed(name):
    text = (OLD / name).read_text().replace("v1alpha1", "v1")
    read = read_content(text.encode(), Path(name), name)
    assert {item.code for item in read.diagnostics} == {"SCH006"}
    modern = read_content((OLD.parent / "v1" / name).read_bytes(), Path(name), name)
    assert read.document.value == modern.document.value
    result = fix(FixOptions(paths=[], environ={}, stdin=text.encode(), select=["SCH006"]))
    assert result.content == (OLD.parent / "v1" / name).read_bytes()


def test_findings_behind_old_keys_stand_on_the_word():
    text = "apiVersion: maestro/v1\nkind: Persona\nskills: [a, 5]\nid: dev\nbudget: x\n"
    found = read_content(text.encode(), Path("f"), "f").diagnostics
    assert [(item.code, item.span.line, item.span.column) for item in found] == [
        ("SCH006", 3, 1),
        ("SCH003", 3, 13),
        ("SCH006", 5, 1),
        ("SCH003", 5, 9),
    ]


@pytest.mark.parametrize(
    "line",
    ["skills: [a]\nexpertise: [b]", "colour: red"],
    ids=["both spellings", "no old spelling"],
)
def test_what_the_table_does_not_cover_stays_an_unknown_key(line):
    text = f"apiVersion: maestro/v1\nkind: Persona\nid: dev\n{line}\n"
    found = read_content(text.encode(), Path("f"), "f").diagnostics
    assert [item.code for item in found] == ["SCH001"]


def test_a_value_that_the_old_key_never_took_is_left():
    text = "apiVersion: maestro/v1alpha1\nkind: Plan\nid: x\nguardrails: {max_cost_usd: much}\n"
    migrated, left = migrated_content(text.encode(), "f")
    assert b"max_cost_usd: much" in migrated
    assert {item.code for item in left} == {"SCH001", "SCH002"}


def test_aliases_are_renamed_once():
    text = "apiVersion: maestro/v1\nkind: Plan\nid: x\nblueprint: b\nteam: {a: &m {persona: c}, d: *m}\n"
    migrated, left = migrated_content(text.encode(), "f")
    assert migrated.decode() == text.replace("persona", "use")
    assert left == []


def test_files_are_found_and_what_is_not_ours_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in FILES:
        (tmp_path / name).write_bytes((OLD / name).read_bytes())
    (tmp_path / "dev.persona.yaml").write_text("apiVersion: maestro/v1\nkind: Persona\nid: dev\n")
    (tmp_path / "pod.policy.yaml").write_text("apiVersion: v1\nkind: Pod\n")
    (tmp_path / "bad.persona.yaml").write_text("id: [\n")
    result = migrate_documents([])
    assert sorted(change.file for change in result.changes) == FILES
    assert result.unchanged == 3
    assert [item.code for item in result.diagnostics] == ["SYN001"]


def test_an_old_version_says_how_to_go_on():
    text = "apiVersion: maestro/v1alpha1\nkind: Persona\nid: dev\n"
    (found,) = read_content(text.encode(), Path("f"), "f").diagnostics
    assert (found.code, found.help) == ("SCH005", "maestro schema migrate rewrites the document")


def test_no_old_spelling_is_a_word_of_today():
    for item in KEYS:
        part = schema_of(item.kind)["properties"] if not item.place else {}
        assert item.old not in part
        assert item.new in part or item.place
    assert len({(item.kind, item.place, item.old) for item in (*KEYS, *VALUES)}) == len(KEYS) + len(VALUES)
