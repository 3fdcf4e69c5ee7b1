"""`maestro lint` at the command line: what goes where, exit codes, what does not go together."""

import io
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from support.rule_project import FILES, write_project

from maestro_dsl.app import system

POLICY = "apiVersion: maestro/v1\nkind: Policy\nid: x\ncolour: 1.10\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    write_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    return tmp_path


@pytest.fixture
def bad(folder):
    (folder / "x.policy.yaml").write_text(POLICY)
    return folder


def pipe(monkeypatch, content):
    stdin = io.TextIOWrapper(io.BytesIO(content))
    monkeypatch.setattr("sys.stdin", stdin)


def test_nothing_to_check_is_said(tmp_path, monkeypatch, lint):
    monkeypatch.chdir(tmp_path)
    code, out, err = lint()
    assert (code, out) == (0, "")
    assert err == "nothing was checked: there is no document of maestro here\nnext: maestro init DIR\n"


@pytest.mark.usefixtures("folder")
def test_a_sound_project_names_its_plan(lint):
    assert lint()[::2] == (0, "no mistakes in 8 files\nnext: maestro plan plan.yaml\n")
    assert "next: maestro plan FILE" in lint("maker.persona.yaml")[2]


@pytest.mark.usefixtures("bad")
@pytest.mark.parametrize("name", ["concise", "json", "jsonl", "github", "gitlab", "junit", "sarif"])
def test_reports_go_to_stdout_alone(lint, name):
    code, out, err = lint("--format", name)
    assert (code, err) == (1, "")
    assert "SCH001" in out


@pytest.mark.usefixtures("bad")
def test_an_unknown_rule_is_a_usage_error(lint):
    code, _, err = lint("--select", "SCH01")
    assert code == 2
    assert err == 'error: there is no rule "SCH01"\nhint: did you mean SCH001?\n'
    assert lint("--ignore", "SCH,unknown-kye")[0] == 2


def test_the_project_says_what_fails_and_the_command_line_wins(bad, lint):
    (bad / "maestro.yaml").write_text(FILES["maestro.yaml"] + "lint: {select: [SYN003], fail_on: error}\n")
    assert lint()[0] == 0
    assert lint("--fail-on", "warning")[0] == 1


@pytest.mark.usefixtures("bad")
def test_a_baseline_is_written_used_and_its_stale_entries_are_told(lint):
    code, out, err = lint("--write-baseline", "known.json")
    assert (code, out) == (0, "")
    assert err == "3 findings written to known.json\nnext: maestro lint --baseline known.json\n"
    code, out, err = lint("--baseline", "known.json")
    assert (code, out) == (0, "")
    assert "no mistakes in 9 files (3 in the baseline)" in err
    assert lint("--select", "SYN003", "--write-baseline", "one.json")[0] == 0
    Path("x.policy.yaml").unlink()
    code, _, err = lint("--baseline", "known.json")
    assert code == 0
    assert "info: 3 entries of the baseline match nothing any more:\n  x.policy.yaml: REF007\n" in err
    document = json.loads(lint("--baseline", "known.json", "--format", "json")[1])
    assert document["hidden"] == {"suppressed": 0, "baseline": 0, "unchanged": 0}
    assert [item["code"] for item in document["stale"]] == ["REF007", "SCH001", "SYN003"]
    assert lint("--baseline", "gone.json")[0] == 2
    assert "info: 1 entry of the baseline matches nothing any more:" in lint("--baseline", "one.json")[2]


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_since_shows_changed_lines(bad, lint, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    for command in (["init", "-q"], ["add", "-A"], [*who, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *command], check=True, capture_output=True)
    code, out, err = lint("--since", "HEAD")
    assert (code, out) == (0, "")
    assert "(3 in unchanged lines)" in err
    (bad / "x.policy.yaml").write_text(POLICY + "shape: 1\n")
    code, out, _ = lint("--since", "HEAD", "--format", "concise")
    assert (code, [line.split(":")[1] for line in out.splitlines()]) == (1, ["5"])


def test_what_comments_hide_is_counted_and_shown_on_demand(folder, lint):
    (folder / "maker.persona.yaml").write_text(
        FILES["maker.persona.yaml"] + "colour: red  # maestro: ignore[SCH001] ours\n"
    )
    code, out, err = lint()
    assert (code, out) == (0, "")
    assert "no mistakes in 8 files (1 suppressed)" in err
    assert "suppressed" not in json.loads(lint("--format", "json")[1])
    code, out, _ = lint("--format", "json", "--show-suppressed")
    assert (code, [item["code"] for item in json.loads(out)["suppressed"]]) == (0, ["SCH001"])
    assert lint("--show-suppressed")[1].startswith("suppressed: maker.persona.yaml:5:1: error[SCH001]")


@pytest.mark.usefixtures("folder")
def test_standard_input_can_stand_at_a_place(lint, monkeypatch):
    pipe(monkeypatch, FILES["plan.yaml"].replace("use: maker", "use: mker").encode())
    code, out, _ = lint(
        "-", "--stdin-filename", "other.plan.yaml", "--format", "concise", "--select", "REF002"
    )
    assert code == 1
    assert out.startswith("other.plan.yaml:6:")
    assert lint("plan.yaml", "--stdin-filename", "x")[0] == 2


def test_standard_input_at_a_place_is_mended_to_standard_output(folder, lint, monkeypatch):
    pipe(monkeypatch, POLICY.encode())
    before = {path: path.read_bytes() for path in folder.iterdir()}
    code, out, _ = lint("-", "--stdin-filename", "x.policy.yaml", "--unsafe-fixes", "--select", "SYN003")
    assert (code, out) == (0, POLICY.replace("1.10", '"1.10"'))
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.usefixtures("folder")
def test_bytes_that_are_no_text_are_told(lint, monkeypatch):
    pipe(monkeypatch, b"kind: \xff\n")
    code, out, _ = lint("-", "--format", "concise")
    assert code == 1
    assert "not UTF-8" in out


def test_watching_shows_each_change_and_ends_with_the_last_code(bad, lint, monkeypatch):
    steps = [(bad / "x.policy.yaml").unlink, list]

    def pause(_seconds):
        if not steps:
            raise KeyboardInterrupt
        steps.pop(0)()

    monkeypatch.setattr(system, "pause", pause)
    code, out, err = lint("--watch")
    assert code == 0
    assert "\x1b" not in out
    assert "changed: x.policy.yaml\nno mistakes in 8 files" in err
    assert lint("--watch", "--select", "SYN")[0] == 0


@pytest.mark.usefixtures("bad")
@pytest.mark.parametrize("other", ["--fix", "--unsafe-fixes", "--diff", "-"])
def test_watching_only_looks(lint, other):
    code, _, err = lint("--watch", other)
    assert code == 2
    assert f"{other} does not go with it" in err
