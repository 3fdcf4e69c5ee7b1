"""`lint --fix`, `fmt`, `explain`, `schema` from the command line: streams, exit codes, JSON."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAD = "apiVersion: maestro/v1\nkind: Persona\n"
TEXT = HEAD + "id: dev  # why\nmax_atempts: 2\nname: 12:30\n"
SAFE = TEXT.replace("12:30", '"12:30"')
FIXED = SAFE.replace("atempts", "attempts")


def execute(arguments):
    from maestro_dsl.cli.main import execute as run  # not on top: the module hides the function of its name

    return run(arguments)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("dev.persona.yaml").write_text(TEXT)
    return tmp_path


def text():
    return Path("dev.persona.yaml").read_text()


def pipe(monkeypatch, content):
    class Stdin:
        buffer = io.BytesIO(content)

        @staticmethod
        def isatty():
            return False

    monkeypatch.setattr(sys, "stdin", Stdin)


def test_fix_makes_the_safe_fixes_and_names_the_flag_for_the_others(capsys):
    assert execute(["lint", "--fix"]) == 1
    assert text() == SAFE
    output = capsys.readouterr()
    assert 'unsafe fix (--unsafe-fixes): change to "max_attempts"' in output.out
    assert "fixed 1 (SYN003 1)\n" in output.err
    assert "1 finding can be fixed with --unsafe-fixes\n" in output.err


def test_unsafe_fixes_leave_nothing(capsys):
    assert execute(["lint", "--unsafe-fixes", "--ignore", "STY001"]) == 0
    assert text() == FIXED
    assert "fixed 2 (SCH001 1, SYN003 1)\n" in capsys.readouterr().err
    assert execute(["lint", "--unsafe-fixes", "--ignore", "STY001"]) == 0
    assert "fixed 0\n" in capsys.readouterr().err


def test_diff_changes_nothing_and_can_be_applied(capsys):
    assert execute(["lint", "--diff", "--unsafe-fixes"]) == 1
    assert text() == TEXT
    output = capsys.readouterr()
    assert output.out.startswith("--- a/dev.persona.yaml\n+++ b/dev.persona.yaml\n@@ ")
    assert "next: maestro lint --unsafe-fixes" in output.err
    subprocess.run(["git", "apply", "-"], input=output.out, text=True, check=True)
    assert text() == FIXED
    assert execute(["lint", "--diff", "--unsafe-fixes"]) == 0
    assert "nothing to fix" in capsys.readouterr().err


def test_diff_as_json(capsys):
    assert execute(["lint", "--diff", "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert [item["file"] for item in document["changes"]] == ["dev.persona.yaml"]
    assert '+name: "12:30"\n' in document["changes"][0]["diff"]
    assert [item["code"] for item in document["fixed"]] == ["SYN003"]
    assert text() == TEXT


def test_a_diff_of_windows_line_ends_can_be_applied(capfdbinary):
    Path("dev.persona.yaml").write_bytes(TEXT.replace("\n", "\r\n").encode())
    assert execute(["lint", "--diff", "--unsafe-fixes"]) == 1
    subprocess.run(["git", "apply", "-"], input=capfdbinary.readouterr().out, check=True)
    assert Path("dev.persona.yaml").read_bytes() == FIXED.replace("\n", "\r\n").encode()


def test_standard_input_is_fixed_to_standard_output(capfdbinary, monkeypatch):
    pipe(monkeypatch, TEXT.encode())
    assert execute(["lint", "--fix", "-"]) == 1
    output = capfdbinary.readouterr()
    assert output.out == SAFE.encode()
    assert b"SCH001" in output.err


def test_json_says_what_was_fixed_and_what_could_be(capsys):
    assert execute(["lint", "--format", "json"]) == 1
    fixes = {item["code"]: item["fix"] for item in json.loads(capsys.readouterr().out)["diagnostics"]}
    assert fixes["SYN003"]["safe"] is True
    assert fixes["SCH001"]["edits"][0]["replacement"] == "max_attempts"
    assert execute(["lint", "--fix", "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert [(item["code"], item["safe"]) for item in document["fixed"]] == [("SYN003", True)]
    assert document["not_fixed"] == []


# ---------------------------------------------------------------- fmt

LOOSE = HEAD + "name:   'dev'\nid:  dev    # why\n"
CANONICAL = HEAD + "id: dev  # why\nname: dev\n"


def test_fmt_writes_checks_and_shows(capsys):
    Path("dev.persona.yaml").write_text(LOOSE)
    assert execute(["fmt", "--check"]) == 1
    assert capsys.readouterr().out == "dev.persona.yaml\n"
    assert execute(["fmt", "--diff"]) == 1
    assert "+id: dev  # why\n" in capsys.readouterr().out
    assert text() == LOOSE
    assert execute(["fmt"]) == 0
    assert text() == CANONICAL
    assert "1 file formatted, 0 left as they were\nnext: maestro lint\n" in capsys.readouterr().err
    assert execute(["fmt", "--check"]) == 0


def test_fmt_of_standard_input(capfdbinary, monkeypatch):
    pipe(monkeypatch, LOOSE.encode())
    assert execute(["fmt", "-"]) == 0
    assert capfdbinary.readouterr().out == CANONICAL.encode()
    pipe(monkeypatch, b"id: [\n")
    assert execute(["fmt", "-"]) == 1
    output = capfdbinary.readouterr()
    assert output.out == b"id: [\n"
    assert b"SYN001" in output.err


def test_fmt_leaves_broken_and_foreign_files_alone(capsys):
    Path("dev.persona.yaml").write_text("id: [\n")
    Path("other.yaml").write_text("a:   1\n")
    assert execute(["fmt", "dev.persona.yaml", "other.yaml"]) == 1
    err = capsys.readouterr().err
    assert "dev.persona.yaml:2:1: error[SYN001]" in err
    assert "other.yaml is left alone: it is no document of maestro\n" in err
    assert (text(), Path("other.yaml").read_text()) == ("id: [\n", "a:   1\n")
    assert execute(["fmt", "other.yaml"]) == 0
    assert execute(["fmt", "gone.yaml"]) == 2


def test_fmt_as_json(capsys):
    Path("dev.persona.yaml").write_text(LOOSE)
    Path("other.yaml").write_text("a: 1\n")
    assert execute(["fmt", "--format", "json", "dev.persona.yaml", "other.yaml"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "format_version": 1,
        "diagnostics": [],
        "changed": ["dev.persona.yaml"],
        "unchanged": 0,
        "skipped": [{"file": "other.yaml", "reason": "it is no document of maestro"}],
    }


def test_a_form_that_is_wrong_is_a_bug_and_others_are_formatted(capsys, monkeypatch):
    from maestro_dsl.lang import format as own

    Path("dev.persona.yaml").write_text(LOOSE)
    Path("other.persona.yaml").write_text(LOOSE.replace("dev", "other"))
    real = own.print_tree

    def wrong(tree):
        text = real(tree)
        return text.replace("other", "another") if "other" in text else text

    monkeypatch.setattr(own, "print_tree", wrong)
    assert execute(["fmt"]) == 3
    assert "other.persona.yaml was left as it is: its canonical form would mean" in capsys.readouterr().err
    assert text() == CANONICAL
    assert Path("other.persona.yaml").read_text() == LOOSE.replace("dev", "other")


# ---------------------------------------------------------------- explain and schema


def test_explain(capsys):
    assert execute(["explain", "plan.policies.retry"]) == 0
    output = capsys.readouterr()
    assert output.out.startswith("plan.policies.retry: Retry\n")
    assert "next: maestro explain plan.policies.retry.use\n" in output.err
    assert execute(["explain"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("plan       One piece of work")
    assert execute(["explain", "plan.polices"]) == 2
    assert 'did you mean "plan.policies"?' in capsys.readouterr().err
    assert execute(["explain", "timeout", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["keys"][0]["path"].endswith(".timeout")


def test_schema_export(capsys):
    assert execute(["schema", "export", "-", "--kind", "plan"]) == 0
    assert json.loads(capsys.readouterr().out)["$id"] == "urn:maestro-dsl:schema:v1:plan"
    assert execute(["schema", "export", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Document of maestro"
    assert execute(["schema", "export", "--format", "json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["folder"] == ".maestro/schemas"
    assert sorted(path.name for path in Path(made["folder"]).iterdir()) == sorted(made["files"])


def test_schema_migrate(capsys):
    old = TEXT.replace("maestro/v1", "maestro/v1alpha1").replace("max_atempts: 2", "skills: [a]")
    Path("dev.persona.yaml").write_text(old)
    assert execute(["schema", "migrate", "--diff"]) == 1
    assert "+expertise: [a]\n" in capsys.readouterr().out
    assert text() == old
    assert execute(["schema", "migrate"]) == 0
    assert "1 file migrated, 0 left as they were\nnext: maestro lint\n" in capsys.readouterr().err
    assert text() == TEXT.replace("max_atempts: 2", "expertise: [a]")
