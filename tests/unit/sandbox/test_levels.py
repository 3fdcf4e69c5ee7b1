"""Hostile and plain commands at every level; what needs bubblewrap is skipped where it does not work."""

import asyncio
import contextlib
import socket
import sys
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from maestro_dsl.engine.ports.processes import CommandResult, CommandSpec
from maestro_dsl.errors import EnvironmentFailure, UsageError
from maestro_dsl.sandbox import Limits, bubblewrap, choose, landlock
from maestro_dsl.sandbox.processes import find_orphans

_PROBLEM = asyncio.run(bubblewrap.problem())
needs_bubblewrap = pytest.mark.skipif(_PROBLEM is not None, reason=f"needs bubblewrap: {_PROBLEM}")
_NO_LANDLOCK = landlock.kernel().problem
needs_landlock = pytest.mark.skipif(_NO_LANDLOCK is not None, reason=f"needs Landlock: {_NO_LANDLOCK}")
EVERY_LEVEL = [
    pytest.param("rlimits", id="rlimits"),
    pytest.param("none", id="none"),
    pytest.param("bubblewrap", id="bubblewrap", marks=needs_bubblewrap),
    pytest.param("landlock", id="landlock", marks=needs_landlock),
]


def run(level: str, cwd: Path, script: str, *, limits: Limits | None = None, **spec) -> CommandResult:
    spec.setdefault("trusted", True)
    spec.setdefault("timeout_s", 20.0)
    command = CommandSpec(argv=("python", "-c", script), cwd=cwd, **spec)
    return asyncio.run(choose(level, limits=limits).run(command))


def test_unknown_level_is_named_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match='unknown sandbox level "docker"'):
        choose("docker")


@pytest.mark.parametrize("level", EVERY_LEVEL)
def test_output_exit_code_and_working_folder(level, tmp_path) -> None:
    result = run(
        level,
        tmp_path,
        "import sys; open('made.txt','w').write('x'); print('out'); print('err', file=sys.stderr); exit(3)",
    )
    assert (result.exit_code, result.stdout, result.stderr, result.timed_out) == (3, "out\n", "err\n", False)
    assert (tmp_path / "made.txt").read_text() == "x"


@pytest.mark.parametrize("level", EVERY_LEVEL)
def test_python_is_the_running_interpreter(level, tmp_path) -> None:
    result = run(level, tmp_path, "import sys; print(sys.executable)")
    assert result.stdout == f"{sys.executable}\n"


@pytest.mark.parametrize("level", EVERY_LEVEL)
def test_nothing_of_our_environment_leaks(level, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "canary-7f3a")
    script = "import os; print('\\n'.join(f'{k}={v}' for k, v in sorted(os.environ.items())))"
    url = "http://127.0.0.1:40009/"
    result = run(level, tmp_path, script, env={"PORT": "81"}, reach={"MAESTRO_URL_A": url})
    names = [line.partition("=")[0] for line in result.stdout.splitlines()]
    assert "canary" not in result.stdout
    assert set(names) - {"PWD", "LC_CTYPE"} == {"HOME", "LANG", "MAESTRO_URL_A", "PATH", "PORT", "TMPDIR"}


@pytest.mark.parametrize("level", EVERY_LEVEL)
def test_huge_output_is_cut_and_said_so(level, tmp_path) -> None:
    result = run(level, tmp_path, "import sys; sys.stdout.write('x' * 3_000_000)", max_output_bytes=1000)
    assert result.stdout == "x" * 500 + "\n… 2999000 bytes were cut here …\n" + "x" * 500
    assert result.exit_code == 0


@pytest.mark.parametrize("level", EVERY_LEVEL)
def test_a_time_limit_ends_grandchildren_that_ignore_signals_and_leave_the_session(level, tmp_path) -> None:
    lease = uuid.uuid4().hex
    script = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for depth in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() != 0:
            os._exit(0)
print('ready', flush=True)
while True:
    time.sleep(60)
"""
    result = run(level, tmp_path, script, timeout_s=1.0, env={"MAESTRO_LEASE": lease})
    assert (result.timed_out, result.exit_code != 0) == (True, True)
    assert "ready" in result.stdout
    assert find_orphans(lease) == ()


@pytest.mark.parametrize("level", EVERY_LEVEL)
def test_a_command_that_ends_takes_its_daemons_with_it(level, tmp_path) -> None:
    lease = uuid.uuid4().hex
    script = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True:
            time.sleep(60)
    os._exit(0)
"""
    result = run(level, tmp_path, script, env={"MAESTRO_LEASE": lease})
    assert (result.exit_code, result.timed_out) == (0, False)
    assert find_orphans(lease) == ()


@pytest.mark.parametrize("level", ["rlimits", pytest.param("bubblewrap", marks=needs_bubblewrap)])
def test_a_fork_bomb_is_stopped(level, tmp_path) -> None:
    lease = uuid.uuid4().hex
    script = """
import os, time
made = 0
try:
    while made < 400:
        if os.fork() == 0:
            while True:
                time.sleep(60)
        made += 1
except OSError:
    print('refused')
    raise SystemExit(9)
while True:
    time.sleep(60)
"""
    result = run(level, tmp_path, script, limits=Limits(processes=16), env={"MAESTRO_LEASE": lease})
    assert result.exit_code in {9, 137}
    assert not result.timed_out
    assert find_orphans(lease) == ()


def test_orphans_that_end_without_pause_do_not_keep_the_keeper_from_counting(tmp_path) -> None:
    """Each death of an orphan wakes the keeper; it used to count only after a while without any."""
    lease = uuid.uuid4().hex
    script = """
import os, time
for _ in range(30):
    if os.fork() == 0:
        time.sleep(600)
while True:
    child = os.fork()
    if child == 0:
        if os.fork() == 0:
            time.sleep(0.02)
        os._exit(0)
    os.waitpid(child, 0)
    time.sleep(0.005)
"""
    result = run("rlimits", tmp_path, script, limits=Limits(processes=16), env={"MAESTRO_LEASE": lease})
    assert (result.exit_code, result.timed_out) == (137, False)
    assert "stopped: more than 16 processes" in result.stderr
    assert find_orphans(lease) == ()


@pytest.mark.parametrize("level", ["rlimits", pytest.param("bubblewrap", marks=needs_bubblewrap)])
def test_memory_and_file_size_are_limited(level, tmp_path) -> None:
    limits = Limits(address_space=512 * 1024**2, file_size=1024**2)
    memory = run(level, tmp_path, "bytearray(900_000_000)", limits=limits)
    disk = run(level, tmp_path, "open('big', 'wb').write(bytes(5_000_000))", limits=limits)
    assert "MemoryError" in memory.stderr
    assert "File too large" in disk.stderr
    assert (tmp_path / "big").stat().st_size <= 1024**2


def test_killing_the_program_that_started_a_command_ends_the_command(tmp_path) -> None:
    lease = uuid.uuid4().hex
    starter = f"""
import asyncio, os, pathlib, signal
from maestro_dsl.engine.ports.processes import CommandSpec
from maestro_dsl.sandbox import choose
async def main():
    spec = CommandSpec(argv=("python", "-c", "print('up', flush=True)\\nwhile True: pass"),
                       cwd=pathlib.Path({str(tmp_path)!r}), trusted=True, env={{"MAESTRO_LEASE": {lease!r}}})
    running = await choose("rlimits").start(spec)
    while "up" not in running.tail():
        await asyncio.sleep(0.01)
    print(running.pgid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""

    async def scenario() -> int:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", starter, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[3]
        )
        line = await process.stdout.readline()
        # the keeper holds this pipe's other end no longer than the command lives
        await asyncio.wait_for(process.stdout.read(), 10)
        await process.wait()
        return int(line)

    pgid = asyncio.run(scenario())
    assert pgid > 1
    assert asyncio.run(_gone(lease))


async def _gone(lease: str) -> bool:
    for _ in range(200):
        if not find_orphans(lease):
            return True
        await asyncio.to_thread(threading.Event().wait, 0.02)
    return False


# ---- refusals --------------------------------------------------------------------------------------------


def test_rlimits_refuses_what_a_model_wrote(tmp_path) -> None:
    with pytest.raises(EnvironmentFailure) as caught:
        run("rlimits", tmp_path, "print('never')", trusted=False)
    assert caught.value.message == "the sandbox level rlimits is not enough for a command that a model wrote"
    assert caught.value.exit_code == 8


def test_auto_refuses_without_any_sandbox_and_names_the_fix(tmp_path, monkeypatch) -> None:
    nothing = landlock.Kernel(abi=0, namespaces=None, sockets=None)
    monkeypatch.setattr(landlock, "kernel", lambda: nothing)
    monkeypatch.setattr(bubblewrap, "_problem", [])
    monkeypatch.setattr(bubblewrap.shutil, "which", lambda *_args, **_kwargs: None)
    with pytest.raises(EnvironmentFailure) as caught:
        run("auto", tmp_path, "print('never')", trusted=False)
    assert (caught.value.message, caught.value.hint) == (
        (
            "nothing a model wrote may run here without a sandbox: bubblewrap is not installed; "
            "this kernel has no Landlock (Linux 5.13 with landlock among its security modules)"
        ),
        'apt-get install bubblewrap, or write "sandbox: none" to run it without protection',
    )
    assert run("auto", tmp_path, "print('ours')").stdout == "ours\n"


def test_a_bubblewrap_that_is_installed_but_not_allowed_is_no_sandbox(tmp_path, monkeypatch) -> None:
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(bubblewrap, "_problem", [])
    monkeypatch.setattr(bubblewrap.shutil, "which", lambda *_args, **_kwargs: str(broken))
    with pytest.raises(EnvironmentFailure, match="does not work here: bwrap: No permissions"):
        run("bubblewrap", tmp_path, "print('never')")


@pytest.mark.parametrize("argv", [("no-such-program-x",), ("./missing",), ("bin",)])
def test_a_missing_program_is_one_clear_line(argv, tmp_path) -> None:
    (tmp_path / "bin").mkdir()
    with pytest.raises(EnvironmentFailure, match=f'there is no program "{argv[0]}"'):
        asyncio.run(choose("none").run(CommandSpec(argv=argv, cwd=tmp_path)))


def test_a_missing_folder_is_one_clear_line(tmp_path) -> None:
    with pytest.raises(EnvironmentFailure, match="the folder to run python in does not exist"):
        run("none", tmp_path / "gone", "pass")


# ---- isolation -------------------------------------------------------------------------------------------


@needs_bubblewrap
@pytest.mark.parametrize("path", ["/etc/shadow", "/root/.ssh", "/home", "/var/lib", "/proc/1/environ"])
def test_secrets_of_the_machine_are_not_there(path, tmp_path) -> None:
    script = f"""
import os
try:
    found = os.listdir({path!r}) if os.path.isdir({path!r}) else open({path!r}, 'rb').read()
except OSError:
    found = ''
print(len(found) if not {path!r}.startswith('/proc') else b'canary' in bytes(found or b''))
"""
    result = run("auto", tmp_path, script, trusted=False)
    assert result.stdout.strip() in {"0", "False"}, result


@needs_bubblewrap
def test_a_home_folder_is_not_readable_or_writable(tmp_path) -> None:
    home = tmp_path / "home"
    work = tmp_path / "work"
    for folder in (home, work):
        folder.mkdir()
    (home / "secret").write_text("canary")
    (work / "link").symlink_to(home / "secret")
    script = f"""
for attempt in (lambda: open({str(home / "secret")!r}).read(), lambda: open('link').read(),
                lambda: open('../home/new', 'w'), lambda: open('/usr/new', 'w'),
                lambda: open('/etc/new', 'w'),
                lambda: open({sys.prefix!r} + '/new', 'w')):
    try:
        attempt()
        print('reached')
    except OSError:
        print('refused')
"""
    result = run("auto", work, script, trusted=False)
    assert result.stdout == "refused\n" * 6
    assert sorted(path.name for path in home.iterdir()) == ["secret"]


@needs_bubblewrap
def test_no_other_process_and_no_device_of_the_machine_is_seen(tmp_path) -> None:
    script = """
import os
print(len([name for name in os.listdir('/proc') if name.isdigit()]) < 5)
print(os.path.exists('/dev/sda'), os.path.exists('/dev/kmsg'), os.getuid())
print(os.uname().nodename)
"""
    result = run("auto", tmp_path, script, trusted=False)
    assert result.stdout == "True\nFalse False 1000\nsandbox\n"


class _Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello " + self.path.encode())

    def log_message(self, *_args) -> None:
        pass


@contextlib.contextmanager
def listening():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hello)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@needs_bubblewrap
def test_only_the_stated_address_can_be_reached(tmp_path) -> None:
    script = """
import os, urllib.request
print(urllib.request.urlopen(os.environ['MAESTRO_URL_API'] + '/tasks', timeout=5).read().decode())
for url in (os.environ['OTHER'], 'http://192.0.2.1/', 'http://example.com/'):
    try:
        urllib.request.urlopen(url, timeout=2)
        print('reached', url)
    except OSError:
        print('refused')
"""
    with listening() as allowed, listening() as other:
        result = run(
            "auto",
            tmp_path,
            script,
            trusted=False,
            reach={"MAESTRO_URL_API": f"http://127.0.0.1:{allowed}"},
            env={"OTHER": f"http://127.0.0.1:{other}/"},
        )
    assert result.stdout == "hello /tasks\nrefused\nrefused\nrefused\n", result


@needs_bubblewrap
def test_an_address_outside_this_machine_cannot_be_asked_for(tmp_path) -> None:
    with pytest.raises(EnvironmentFailure, match="MAESTRO_URL_API points outside this machine"):
        run("bubblewrap", tmp_path, "pass", reach={"MAESTRO_URL_API": "http://example.com:80"})


SERVICE = """
import os, signal, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.path.encode()
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
def end(*_):
    open('saved', 'w').write('yes')
    print('bye', flush=True)
    os._exit(0)
signal.signal(signal.SIGTERM, end)
server = HTTPServer((os.environ['HOST'], int(os.environ['PORT'])), Handler)
print('listening', flush=True)
server.serve_forever()
"""


@pytest.mark.parametrize("level", EVERY_LEVEL)
def test_a_service_is_reached_and_may_save_its_data_when_it_is_stopped(level, tmp_path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]

    async def ask() -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /tasks/1 HTTP/1.0\r\n\r\n")
        answer = await reader.read()
        writer.close()
        return answer

    async def scenario() -> tuple[bytes, str]:
        spec = CommandSpec(
            argv=("python", "-c", SERVICE),
            cwd=tmp_path,
            env={"HOST": "127.0.0.1", "PORT": str(port)},
            serve_port=port,
            trusted=True,
        )
        running = await choose(level).start(spec)
        while "listening" not in running.tail() and running.poll() is None:  # noqa: ASYNC110 - a line
            await asyncio.sleep(0)
        answer = b""
        for _ in range(50):  # a relay may open the port outside a moment later
            if not answer:
                with contextlib.suppress(OSError):
                    answer = await ask()
        await running.stop()
        assert running.poll() is not None
        return answer, running.tail()

    answer, tail = asyncio.run(scenario())
    assert answer.endswith(b"\r\n\r\n/tasks/1"), tail
    assert (tmp_path / "saved").read_text() == "yes"
    assert "bye" in tail
