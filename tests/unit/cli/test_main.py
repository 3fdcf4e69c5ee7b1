import errno
import importlib.util
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from maestro_dsl import app
from maestro_dsl.cli.context import WITH_STATE, Session
from maestro_dsl.cli.main import COMMANDS, LazyGroup, cli, execute
from maestro_dsl.diagnostics import Diagnostic, Diagnostics, Severity, Span
from maestro_dsl.errors import (
    CompileError,
    EnvironmentFailure,
    IntegrityError,
    Interrupted,
    StateError,
    StoppedByPolicy,
    UsageError,
)

ROOT = Path(__file__).resolve().parents[3]
HEAVY = (
    "networkx",
    "jsonschema",
    "sqlalchemy",
    "fastapi",
    "starlette",
    "anthropic",
    "rich",
    "httpx2",
    "resolvelib",
)


@pytest.fixture(autouse=True)
def _plain(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


def _finding():
    return Diagnostic(
        code="SCH001",
        name="unknown-key",
        severity=Severity.ERROR,
        span=Span("plan.yaml", 1, 1, 1, 4),
        message='unknown key "kin"',
    )


def _raise(error):
    def fake(*_args, **_more):
        raise error

    return fake


def _loaded(*arguments, cwd):
    """Run maestro in a fresh interpreter and return its exit code and which heavy packages it loaded."""
    program = (
        "import sys\n"
        "from maestro_dsl.cli.main import execute\n"
        f"code = execute({list(arguments)!r})\n"
        f"print('LOADED', code, *(n for n in {HEAVY!r} if n in sys.modules))"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=cwd, env=env, capture_output=True, text=True, check=True
    )
    words = done.stdout.splitlines()[-1].split()
    return int(words[1]), words[2:]


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("apply", "--help"), ("lint", "--help")])
def test_help_loads_nothing_heavy(arguments, tmp_path):
    assert _loaded(*arguments, cwd=tmp_path) == (0, [])


def test_the_short_way_to_the_version_says_the_same(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["maestro", "--version"])
    package = Path(sys.modules["maestro_dsl.cli"].__file__)
    spec = importlib.util.spec_from_file_location("entry", package)  # by now the module of that name hides it
    entry = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(entry)
    entry.main()
    short = capsys.readouterr().out
    assert execute(["--version"]) == 0
    assert capsys.readouterr().out == short


def test_ctrl_c_while_modules_load_is_no_traceback():
    code = """if True:
        import os, signal, sys
        class Interrupting:
            def find_spec(self, name, path, target=None):
                if name == "click":
                    os.kill(os.getpid(), signal.SIGINT)
        sys.meta_path.insert(0, Interrupting())
        sys.argv = ["maestro", "runs"]
        from maestro_dsl.cli import main
        main()
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b"", b"")


def test_lint_loads_nothing_heavy():
    code, loaded = _loaded("lint", "--format", "json", cwd=ROOT / "examples" / "todo-app")
    assert code == 0
    assert loaded == []


@pytest.mark.parametrize("name", COMMANDS)
def test_each_help_names_options_and_examples(name, capsys):
    command = LazyGroup.get_command(cli, None, name)
    names = [[name, sub] for sub in getattr(command, "commands", {})] or [[name]]
    for path in names:
        assert execute([*path, "--help"]) == 0
        shown = capsys.readouterr().out
        assert "Examples:" in shown
        assert f"maestro {' '.join(path)}" in shown


def test_help_of_the_program(capsys, golden):
    assert execute(["--help"]) == 0
    golden("cli/help.txt", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["aply"], 'No such command "aply". Did you mean "apply"?'),
        (["plan"], "Missing argument 'FILE'."),
        (["logs"], "`maestro logs last` takes the newest run; `maestro runs` lists them"),
        (["graph", "x.yaml", "--format", "png"], "'png' is not one of"),
        (["--set", "novalue", "lint"], '--set needs key=value, not "novalue"'),
        (["-C", "no/such/folder", "lint"], 'cannot work in "no/such/folder"'),
        (["lint", "no-such-file.yaml"], "no-such-file.yaml"),
        (["runs", "-q"], "No such option '-q'.\nhint: it stands before the command: maestro -q runs\n"),
        (["cache", "ls", "--set", "a=1"], "it stands before the command: maestro --set K=V cache ls\n"),
        (["runs", "--limt", "3"], "Did you mean '--limit'?\nhint: maestro runs --help\n"),
        (["verify", "c.yaml"], "say either where the service is or how it starts"),
        (["apply", "plan.yaml", "--max-cost", "nan"], "Invalid value for '--max-cost': nan is no number."),
        (["resume", "--max-cost", "inf"], "Invalid value for '--max-cost': inf is no number."),
        (["plan", "plan.yaml", "--quality-threshold", "nan"], "nan is no number."),
        (
            ["apply", "plan.yaml", "--output", ""],
            "Invalid value for '--output': \"\" names no file and no folder",
        ),
        (["runs", "--state-dir", ""], "Invalid value for '--state-dir': \"\" names no file and no folder"),
        (["-C", "", "lint"], "Invalid value for '-C': \"\" names no file and no folder"),
    ],
)
def test_usage_errors(arguments, message, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert execute(arguments) == 2
    output = capsys.readouterr()
    assert message in output.err
    assert output.out == ""
    assert "Traceback" not in output.err


@pytest.mark.parametrize(("usd", "nano"), [(0.1, 10**8), (20.0, 20 * 10**9), (1e300, int(1e300) * 10**9)])
def test_an_amount_is_counted_however_large(usd, nano):
    assert Session().overrides(max_cost=usd).max_cost_nano_usd == nano


@pytest.mark.parametrize("arguments", [["plan", "--format", "json"], ["lint", "--nope", "--format=json"]])
def test_a_usage_error_is_one_json_document(arguments, capsys):
    assert execute(arguments) == 2
    output = capsys.readouterr()
    document = json.loads(output.out)
    assert document["format_version"] == 1
    assert document["error"]["kind"] == "usage"
    assert document["error"]["exit_code"] == 2
    assert output.err == ""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("u", hint="try"), 2),
        (StateError("s", hint="try"), 5),
        (StoppedByPolicy("p", hint="try"), 6),
        (IntegrityError("i", hint="try"), 7),
        (EnvironmentFailure("e", hint="try"), 8),
        (Interrupted("x", hint="try"), 130),
        (KeyboardInterrupt(), 130),
    ],
)
def test_exit_codes(error, code, monkeypatch, capsys):
    monkeypatch.setitem(vars(app), "doctor", _raise(error))
    assert execute(["doctor"]) == code
    shown = capsys.readouterr().err
    assert shown.lstrip().startswith("error: ")
    assert "hint: try" in shown or isinstance(error, KeyboardInterrupt)
    assert execute(["doctor", "--format", "json"]) == code
    assert json.loads(capsys.readouterr().out)["error"]["exit_code"] == code


def test_a_question_that_is_not_answered_keeps_its_line(monkeypatch, capsys):
    monkeypatch.setitem(vars(app), "lint", _raise(click.Abort()))
    assert execute(["lint"]) == 130
    assert capsys.readouterr().err == "\nerror: interrupted\n"


def test_documents_that_do_not_compile(monkeypatch, capsys):
    error = CompileError(
        "plan.yaml does not compile: 1 mistake", Diagnostics([_finding()]), sources={"plan.yaml": "kin: x\n"}
    )
    monkeypatch.setitem(vars(app), "plan_report", _raise(error))
    assert execute(["plan", "plan.yaml"]) == 4
    shown = capsys.readouterr().err
    assert 'plan.yaml:1:1: error[SCH001]: unknown key "kin"' in shown
    assert "1 | kin: x" in shown
    assert execute(["plan", "plan.yaml", "--format", "json"]) == 4
    document = json.loads(capsys.readouterr().out)
    assert document["error"]["kind"] == "documents"
    assert document["diagnostics"][0]["code"] == "SCH001"


def test_a_bug_of_ours_saves_its_traceback(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setitem(vars(app), "doctor", _raise(ZeroDivisionError("division by zero")))
    assert execute(["doctor"]) == 3
    shown = capsys.readouterr().err
    assert "this is a bug in maestro" in shown
    assert "Traceback" not in shown
    (saved,) = tmp_path.iterdir()
    assert str(saved) in shown
    assert "ZeroDivisionError" in saved.read_text()


def test_what_the_machine_refuses_is_no_bug_of_ours(monkeypatch, capsys):
    refused = PermissionError(errno.EACCES, "Permission denied", "contracts/a.yaml")
    monkeypatch.setitem(vars(app), "lint", _raise(refused))
    assert execute(["lint"]) == 8
    assert "cannot use contracts/a.yaml: permission denied\n" in capsys.readouterr().err


def test_the_next_command_is_told_the_state_directory_of_this_one(tmp_path, capsys):
    state = str(tmp_path / "a b")
    assert execute(["runs", "--state-dir", state]) == 0
    assert capsys.readouterr().err.endswith(f"next: maestro apply FILE --state-dir '{state}'\n")
    assert execute(["runs"]) == 0
    assert "--state-dir" not in capsys.readouterr().err.rpartition("next: ")[2]


def _takes_a_state_directory(command):
    parts = (
        [command.get_command(None, name) for name in command.list_commands(None)]
        if hasattr(command, "list_commands")
        else [command]
    )
    return any(option.name == "state_dir" for part in parts for option in part.params)


@pytest.mark.parametrize("group", ["state", "cache", "tickets"])
def test_the_list_of_a_group_cuts_no_sentence(group, capsys):
    assert execute([group, "--help"]) == 0
    commands = capsys.readouterr().out.partition("Commands:\n")[2]
    assert "  " in commands
    assert "..." not in commands


def test_commands_that_are_told_the_state_directory_are_those_that_take_it():
    found = {name for name in COMMANDS if _takes_a_state_directory(cli.get_command(None, name))}
    assert found == WITH_STATE


def test_error_text_is_escaped(monkeypatch, capsys):
    monkeypatch.setitem(vars(app), "doctor", _raise(UsageError("bad \x1b[2J name")))
    execute(["doctor"])
    assert "bad \\x1b[2J name" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "environ", "coloured"),
    [
        ((), {}, False),
        (("--color", "always"), {}, True),
        ((), {"FORCE_COLOR": "1"}, True),
        ((), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
        (("--color", "never"), {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colour(options, environ, coloured, monkeypatch, capsys):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setitem(vars(app), "doctor", _raise(UsageError("u")))
    execute([*options, "doctor"])
    assert ("\x1b[31merror" in capsys.readouterr().err) is coloured


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell, capsys):
    assert execute(["completion", shell]) == 0
    assert "_MAESTRO_COMPLETE" in capsys.readouterr().out


@pytest.mark.parametrize("closed", ["2>&-", ">&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_change_no_exit_code(closed, tmp_path):
    env = {**os.environ, "PYTHONPATH": str(ROOT), "MAESTRO_STATE_DIR": str(tmp_path)}
    script = f'exec "{sys.executable}" -m maestro_dsl show last {closed}'
    done = subprocess.run(script, shell=True, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 5
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["rule", "--all"]])
def test_a_reader_that_goes_away_is_no_error_and_no_verdict(arguments):
    with subprocess.Popen(
        [sys.executable, "-m", "maestro_dsl", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 128 + signal.SIGPIPE


def test_config_shows_settings_as_documents_write_them(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("MAESTRO_RETRY_DELAY", "250ms")
    monkeypatch.setenv("MAESTRO_MAX_COST", "0.00001 USD")
    assert execute(["-C", str(tmp_path), "config", "--state-dir", str(tmp_path / "state")]) == 0
    shown = {
        line.split("  ")[0]: line.split("  ", 1)[1].strip() for line in capsys.readouterr().out.splitlines()
    }
    assert shown["policies.retry.delay"].startswith("250ms ")
    assert shown["policies.safety.delays"].startswith("[5s, 10s, 20s] ")
    assert shown["policies.give_up"].startswith("skip_dependants ")
    assert shown["guardrails.max_cost"].startswith("0.00001 USD ")
    assert shown["timeout"].startswith("15m ")
    assert shown["state.retention.age"].startswith("30d ")
    assert shown["state.retention.size"].startswith("10 GiB ")


@pytest.mark.parametrize("name", sorted(name for name in COMMANDS if name != "lsp"))
def test_lists_of_subcommands_cut_no_sentence(name, capsys):
    execute([name, "--help"])
    assert "..." not in capsys.readouterr().out.partition("\nCommands:\n")[2].partition("\n\n")[0]


def test_answers_exclude_each_other(capsys):
    assert execute(["approve", "last", "--skip", "--reject"]) == 2
    assert "--reject and --skip exclude each other" in capsys.readouterr().err
