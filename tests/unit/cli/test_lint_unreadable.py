"""`maestro lint` where there is nothing to read, or no right to: one line, a way out, the exit code."""

import io
import os

import pytest

from maestro_dsl.app import documents
from maestro_dsl.lang import files

POLICY = "apiVersion: maestro/v1\nkind: Policy\nid: x\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "x.policy.yaml").write_text(POLICY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setenv("MAESTRO_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def forbid(monkeypatch):
    """Let a path be there without the right to read it, also for the superuser."""

    def no_right(path):
        raise PermissionError(13, "Permission denied", str(path))

    def forbidden(name):
        real_stat, real_scandir = os.stat, os.scandir

        def guarded(original):
            return lambda path=".", *rest, **named: (
                no_right(path) if str(path).endswith(name) else original(path, *rest, **named)
            )

        monkeypatch.setattr(os, "stat", guarded(real_stat))
        monkeypatch.setattr(os, "scandir", guarded(real_scandir))

    return forbidden


@pytest.mark.usefixtures("folder")
def test_a_file_without_the_right_to_read_it(lint, forbid):
    forbid("x.policy.yaml")
    for asked in ("x.policy.yaml", "."):
        code, out, _ = lint(asked)
        assert (code, out.splitlines()) == (
            1,
            [
                'x.policy.yaml:1:1: error[REF008]: cannot read "x.policy.yaml": Permission denied',
                "  help: give yourself the right to read it, or name other files",
            ],
        )


def test_a_folder_without_the_right_to_look_into_it(folder, lint, monkeypatch):
    (folder / "locked").mkdir()
    real_scandir = os.scandir

    def scandir(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return real_scandir(path)

    monkeypatch.setattr(os, "scandir", scandir)
    code, out, err = lint(".")
    assert code == 1
    assert 'locked:1:1: error[REF008]: cannot read "locked": Permission denied' in out
    assert "1 error in 2 files" in err
    (folder / "locked").rmdir()
    assert lint(".")[0] == 0  # also where the answer was kept


def test_a_file_that_vanishes_after_it_was_found(folder, lint, monkeypatch):
    real_walk = files._walk

    def walk(*arguments):
        yield from real_walk(*arguments)
        (folder / "x.policy.yaml").unlink()

    monkeypatch.setattr(files, "_walk", walk)
    code, out, _ = lint("--no-cache")
    assert code == 1
    assert 'x.policy.yaml:1:1: error[REF008]: cannot read "x.policy.yaml": No such file or directory' in out


@pytest.mark.parametrize(
    ("target", "reason"),
    [("gone.yaml", "No such file or directory"), ("x2.policy.yaml", "Too many levels of symbolic links")],
)
def test_links_that_lead_nowhere(folder, lint, target, reason):
    (folder / "x2.policy.yaml").symlink_to(target)
    code, out, _ = lint(".")
    assert (code, out.count("error[")) == (1, 1)
    assert f'{target}:1:1: error[REF008]: cannot read "{target}": {reason}' in out
    code, out, err = lint("x2.policy.yaml")
    assert (code, out) == (2, "")
    assert err == ("error: x2.policy.yaml is a symbolic link that leads nowhere\nhint: mend or remove it\n")


def test_a_folder_that_holds_itself(folder, lint):
    (folder / "again").symlink_to(folder)
    assert lint(".")[0] == 0


def test_what_may_never_end_is_not_read(folder, lint):
    os.mkfifo(folder / "pipe.policy.yaml")
    for asked in ("pipe.policy.yaml", ".", "/dev/zero"):
        code, out, _ = lint(asked, "--no-cache")
        assert code == 1
        assert "no regular file" in out
        assert "or pipe it to: maestro lint -" in out


def test_a_folder_with_the_name_of_a_document(folder, lint):
    (folder / "y.policy.yaml").mkdir()
    assert lint(".")[0] == 0


@pytest.mark.usefixtures("folder")
def test_standard_input_that_is_empty(lint, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    code, out, _ = lint("-")
    assert code == 1
    assert "<stdin>:1:1: error[SCH005]: an empty file" in out
    assert "start with apiVersion: maestro/v1 and kind" in out


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["--since", "HEAD"], "--since needs a git repository: not a git repo", "work in a repository"),
        (
            ["--baseline", "x.policy.yaml"],
            "x.policy.yaml is no baseline of lint",
            "--write-baseline x.policy",
        ),
        (
            ["--baseline", "no.json"],
            "cannot read the baseline no.json: No such file",
            "--write-baseline no.json",
        ),
        (["--select", "SCH01"], 'there is no rule "SCH01"', "did you mean SCH001?"),
        (["--ignore", "unknown-kye"], 'there is no rule "unknown-kye"', "did you mean unknown-key?"),
        (["--select", ","], "--select and --ignore need the code or the name of a rule", "see: maestro rule"),
        (["no.yaml"], "no such file or folder: no.yaml", "name a file, or a folder to search"),
    ],
)
def test_what_cannot_be_asked(folder, lint, monkeypatch, arguments, message, hint):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(folder.parent))
    code, out, err = lint(*arguments)
    assert (code, out) == (2, "")
    first, second, *more = err.splitlines()
    assert first.startswith(f"error: {message}")
    assert hint in second
    assert more == []


def test_a_project_with_wrong_lint_settings(folder, lint):
    (folder / "maestro.yaml").write_text(
        "apiVersion: maestro/v1\nkind: Project\nid: demo\nlint: {select: SCH, ignore: [SCH01], colour: 1}\n"
    )
    code, out, _ = lint(".")
    assert code == 1
    found = [line.split(": ", 1)[1] for line in out.splitlines() if line.startswith("maestro.yaml:4")]
    assert found == [
        'error[SCH003]: "select" must be a list, not the text "SCH"',
        'error[SCH004]: there is no rule "SCH01"',
        'error[SCH001]: unknown key "colour" in "lint"',
    ]


def test_a_huge_file_is_not_read_whole(folder, lint):
    with (folder / "huge.policy.yaml").open("wb") as file:
        file.truncate(40 * 1024 * 1024 * 1024)  # sparse
    code, out, _ = lint("huge.policy.yaml")
    assert code == 1
    assert "huge.policy.yaml:1:1: error[SYN005]: larger than 4 MiB" in out
    assert documents._read(["huge.policy.yaml"]) == {}
