"""`lint --fix`: fixes are made until nothing is left, and what makes a document worse is taken back."""

import os
from pathlib import Path

import pytest

from maestro_dsl.app import FixOptions, fix, fixing, write_changes
from maestro_dsl.app.lint_result import LintResult
from maestro_dsl.diagnostics import Diagnostic, Diagnostics, Edit, Fix, Severity, Span
from maestro_dsl.errors import EnvironmentFailure, StateError

HEAD = "apiVersion: maestro/v1\nkind: Persona\n"
TEXT = HEAD + "id: dev\ndescripton: 'It''s'   # why\nmax_atempts: 2\nname: 12:30\n"
FIXED = HEAD + "id: dev\ndescription: 'It''s'   # why\nmax_attempts: 2\nname: \"12:30\"\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def options(*paths, unsafe=True, **more):
    return FixOptions(paths=[Path(path) for path in paths], environ={}, unsafe=unsafe, **more)


def written(result):
    return {change.file: change.after.decode() for change in result.changes}


def test_all_fixes_are_made_and_counted():
    Path("dev.persona.yaml").write_text(TEXT)
    result = fix(options("dev.persona.yaml"))
    assert written(result) == {"dev.persona.yaml": FIXED}
    assert sorted(item.code for item in result.fixed) == ["SCH001", "SCH001", "SYN003"]
    assert not [item for item in result.lint.diagnostics if item.severity is Severity.ERROR]
    assert Path("dev.persona.yaml").read_text() == TEXT
    write_changes(result.changes)
    assert Path("dev.persona.yaml").read_text() == FIXED
    assert fix(options("dev.persona.yaml")).changes == ()


def test_only_safe_fixes_without_the_other_flag():
    Path("dev.persona.yaml").write_text(TEXT)
    result = fix(options("dev.persona.yaml", unsafe=False))
    assert written(result) == {"dev.persona.yaml": TEXT.replace("12:30", '"12:30"')}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_line_ends_marks_and_encoding_stay(encoding):
    Path("dev.persona.yaml").write_bytes(TEXT.replace("\n", "\r\n").encode(encoding))
    result = fix(options("dev.persona.yaml"))
    assert result.changes[0].after == FIXED.replace("\n", "\r\n").encode(encoding)


def test_a_near_value_takes_the_place_of_a_block_scalar():
    text = "apiVersion: maestro/v1\nkind: Plan\nid: x\nblueprint: b\nteam: {a: {use: b}}\n"
    text += "policies:\n  give_up: |-\n"
    result = fix(options(stdin=f"{text}    fail_plam\n\n# end\noutput: x\n".encode()))
    assert result.content.decode() == text.replace("|-\n", "fail_plan\n") + "\n# end\noutput: x\n"


def test_a_need_that_closes_a_circle_is_not_added():
    text = """apiVersion: maestro/v1
kind: Blueprint
id: flow
nodes:
  one: {action: command, timeout: 1m, with: {run: [x]}, when: nodes.two.outputs.exit_code == 0}
  two: {action: command, timeout: 1m, with: {run: [x]}, needs: [one]}
"""
    Path("flow.blueprint.yaml").write_text(text)
    result = fix(options(unsafe=False))
    assert not result.changes
    (refused,) = result.refused
    assert refused.finding.code == "GRF003"
    assert "GRF001 dependency cycle" in refused.reason


def test_a_prompt_file_is_mended_without_a_project():
    Path("dev.persona.yaml").write_text(HEAD + "id: dev\nprompt_file: dev.md.j2\n")
    text = "\ufeff# Ü {{ persona.nmae }}\r\n{# why #}{{ contarct.id }}"
    Path("dev.md.j2").write_bytes(text.encode())
    result = fix(options())
    assert not result.refused
    mended = text.replace("nmae", "name").replace("contarct", "contract")
    assert [(item.file, item.after) for item in result.changes] == [("dev.md.j2", mended.encode())]


def test_standard_input():
    result = fix(options(stdin=TEXT.encode()))
    assert result.content == FIXED.encode()
    assert result.changes == ()
    assert fix(options(stdin=b"\xff\xfe\xff")).content == b"\xff\xfe\xff"


def test_only_selected_findings_are_fixed():
    Path("dev.persona.yaml").write_text(TEXT)
    result = fix(options("dev.persona.yaml", select=["SYN003"]))
    assert [item.code for item in result.fixed] == ["SYN003"]


def test_files_outside_the_project_stay_as_they_are(folder):
    outside = folder.parent / "else.persona.yaml"
    outside.write_text(TEXT)
    Path("link.persona.yaml").symlink_to(outside)
    result = fix(options("link.persona.yaml"))
    assert result.changes == ()
    assert {item.reason for item in result.refused} == {f"{outside.name} lies outside the project"}


def test_mode_and_links_inside_are_kept():
    file = Path("dev.persona.yaml")
    file.write_text(TEXT)
    file.chmod(0o640)
    Path("link.persona.yaml").symlink_to("dev.persona.yaml")
    write_changes(fix(options("link.persona.yaml")).changes)
    assert Path("link.persona.yaml").is_symlink()
    assert file.read_text() == FIXED
    assert file.stat().st_mode & 0o777 == 0o640
    assert [item.name for item in Path().iterdir() if item.name.endswith(".tmp")] == []


def test_a_file_that_changed_meanwhile_is_not_overwritten():
    Path("dev.persona.yaml").write_text(TEXT)
    result = fix(options("dev.persona.yaml"))
    Path("dev.persona.yaml").write_text("mine\n")
    with pytest.raises(StateError, match="changed while"):
        write_changes(result.changes)
    assert Path("dev.persona.yaml").read_text() == "mine\n"


def test_a_file_that_cannot_be_written_stays_whole(monkeypatch):
    Path("dev.persona.yaml").write_text(TEXT)
    result = fix(options("dev.persona.yaml"))

    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EnvironmentFailure, match=r"cannot write dev.persona.yaml: No space left on device"):
        write_changes(result.changes)
    assert Path("dev.persona.yaml").read_text() == TEXT
    assert [item.name for item in Path().iterdir()] == ["dev.persona.yaml"]


# ---------------------------------------------------------------- fixes that are wrong


def _finding(message, line, columns, replacement):
    span = Span("dev.persona.yaml", line, columns[0], line, columns[1])
    made = Fix(title=f"write {replacement}", edits=(Edit(span=span, replacement=replacement),))
    return Diagnostic(
        code="XXX001", name="x", severity=Severity.WARNING, span=span, message=message, fix=made
    )


def _linter(monkeypatch, findings):
    def lint(_paths, *, overlay, **_more):
        path = Path("dev.persona.yaml").resolve()
        text = overlay.get(path, path.read_bytes()).decode()
        return LintResult(
            diagnostics=Diagnostics(findings(text)),
            sources={},
            files_checked=1,
            files={"dev.persona.yaml": path},
        )

    monkeypatch.setattr(fixing, "lint", lint)


def test_a_fix_that_breaks_the_document_is_taken_back_and_others_are_made(monkeypatch):
    Path("dev.persona.yaml").write_text(HEAD + "id: dev\nname: a\n")

    def findings(text):
        good = [_finding("good", 4, (7, 8), "b")] if "name: a" in text else []
        return [_finding("breaks", 3, (1, 1), "["), _finding("unknown", 3, (1, 3), "idd"), *good]

    _linter(monkeypatch, findings)
    result = fix(options("dev.persona.yaml"))
    assert written(result) == {"dev.persona.yaml": HEAD + "id: dev\nname: b\n"}
    reasons = {item.finding.message: item.reason for item in result.refused}
    assert reasons["breaks"].startswith("the file could not be read any more: SYN001")
    assert reasons["unknown"].startswith("it brings new errors: SCH00")


def test_a_fix_that_loses_a_comment_is_taken_back(monkeypatch):
    Path("dev.persona.yaml").write_text(HEAD + "id: dev # why\nname: n\n")
    _linter(monkeypatch, lambda _text: [_finding("swallows", 3, (8, 9), "   ")])
    assert fix(options("dev.persona.yaml")).changes
    _linter(monkeypatch, lambda _text: [_finding("swallows", 3, (8, 9), "")])
    reasons = [item.reason for item in fix(options("dev.persona.yaml")).refused]
    assert reasons == ["it would lose the comment # why"]


def test_overlapping_fixes_wait_for_the_next_round(monkeypatch):
    Path("dev.persona.yaml").write_text(HEAD + "id: abc\n")

    def findings(text):
        left = [_finding("a", 3, (5, 7), "xy")] if "ab" in text else []
        return left + ([_finding("b", 3, (6, 8), "zz")] if text.endswith("c\n") else [])

    _linter(monkeypatch, findings)
    result = fix(options("dev.persona.yaml"))
    assert written(result) == {"dev.persona.yaml": HEAD + "id: xzz\n"}
    assert [item.message for item in result.fixed] == ["a", "b"]


def test_fixes_that_never_settle_end(monkeypatch):
    Path("dev.persona.yaml").write_text(HEAD + "id: a\n")
    _linter(monkeypatch, lambda text: [_finding("swap", 3, (5, 6), "b" if "id: a" in text else "a")])
    assert fix(options("dev.persona.yaml")).fixed
    _linter(monkeypatch, lambda _text: [_finding("same", 3, (5, 6), "a")])
    assert [item.reason for item in fix(options("dev.persona.yaml")).refused] == ["it changes nothing"]
    _linter(monkeypatch, lambda _text: [_finding("nowhere", 9, (5, 6), "a")])
    assert "does not have" in fix(options("dev.persona.yaml")).refused[0].reason


def _counted(monkeypatch):
    real, looks = fixing.lint, []

    def lint(paths, **more):
        looks.append(paths)
        return real(paths, **more)

    monkeypatch.setattr(fixing, "lint", lint)
    return looks


def test_many_guesses_at_one_key_are_a_few_rounds(monkeypatch):
    looks = _counted(monkeypatch)
    letters = "abcdefghijklmnopqrstuvwxyz"
    keys = "".join(f"ex{letter}pertise: [a]\n" for letter in letters)
    Path("dev.persona.yaml").write_text(HEAD + "id: dev\n" + keys + "nmae: x\n")
    text = written(fix(options("dev.persona.yaml", unsafe=True)))["dev.persona.yaml"]
    assert text.count("\nexpertise: ") == 1
    assert "\nname: x" in text
    assert len(looks) <= 8


def test_bad_fixes_among_good_ones_are_found_by_their_places(monkeypatch):
    Path("dev.persona.yaml").write_text(HEAD + "id: dev\nexpertise:\n" + "  - ab\n" * 60)

    def findings(text):
        lines = text.split("\n")
        spots = [number for number, line in enumerate(lines, 1) if line == "  - ab"]
        return [_finding(f"f{at}", at, (5, 7), "5" if at % 3 else "cd") for at in spots]

    _linter(monkeypatch, findings)
    looks = _counted(monkeypatch)
    result = fix(options("dev.persona.yaml"))
    assert len(result.fixed) == 20
    assert len(result.refused) == 40
    assert len(looks) <= 8


def test_what_is_not_done_after_many_rounds_is_counted(monkeypatch):
    monkeypatch.setattr(fixing, "_MOST_ROUNDS", 3)
    Path("dev.persona.yaml").write_text(HEAD + "id: a\n")
    _linter(monkeypatch, lambda _text: [_finding("longer", 3, (5, 6), "aa")])
    result = fix(options("dev.persona.yaml"))
    assert (len(result.fixed), result.waiting) == (3, 1)


def test_a_separator_in_a_key_is_mended_with_the_key():
    Path("dev.persona.yaml").write_text(HEAD + "id: dev\nexpertise\x85: [a]\n", encoding="utf-8")
    result = fix(options("dev.persona.yaml"))
    assert "expertise" in written(result)["dev.persona.yaml"]
    assert "x85" not in repr(written(result)["dev.persona.yaml"])


def test_a_file_that_is_no_text_is_left_alone():
    content = HEAD.encode() + b"id: dev\nversion: 1.0.0 # maestro: ignore[SYN003] nothing\nname: \xff\n"
    Path("dev.persona.yaml").write_bytes(content)
    result = fix(options("dev.persona.yaml"))
    assert written(result) == {}
    assert [item.reason for item in result.refused] == ["dev.persona.yaml is no text of one encoding"]
