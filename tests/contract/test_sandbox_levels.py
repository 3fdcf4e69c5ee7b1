"""One suite of hostile scripts under every sandbox level; who stops what is a table, also in SECURITY.md.

A script prints "done" where its deed succeeded, "no" where it was refused. Where several deeds count, one
success is enough to be "possible".
"""

import asyncio
import os
import socket
import tempfile
import threading
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest

from maestro_dsl.engine.ports.processes import CommandSpec
from maestro_dsl.sandbox import Limits, bubblewrap, choose, landlock
from maestro_dsl.sandbox.processes import find_orphans

_BUBBLEWRAP, _KERNEL = asyncio.run(bubblewrap.problem()), landlock.kernel()
_REASONS = {"bubblewrap": _BUBBLEWRAP, "landlock": _KERNEL.problem}
LEVELS = ("bubblewrap", "landlock", "rlimits", "none")
NOT_ROOT = os.getuid() != 0


@dataclass(frozen=True, kw_only=True)
class Attack:
    """A script, and the levels that stop it."""

    title: str
    stopped: str
    script: str
    """A Python text that may use OUTSIDE, HOST_PORT, PARENT, SOCKET and the function `attempt`."""


ISOLATED, LIMITED, ALWAYS = "bl", "blr", "blrn"
ATTACKS = {
    "home": Attack(
        title="read files of the user and the state directory",
        stopped=ISOLATED,
        script="attempt(lambda: open(OUTSIDE + '/secret').read())",
    ),
    "shadow": Attack(
        title="read `/etc/shadow` as root",
        stopped=ISOLATED,
        script="attempt(lambda: open('/etc/shadow').read())",
    ),
    "write": Attack(
        title="write, empty or delete outside the scratch folder",
        stopped=ISOLATED,
        script="""
attempt(lambda: open(OUTSIDE + '/new', 'w'))
attempt(lambda: os.truncate(OUTSIDE + '/secret', 0))
attempt(lambda: os.rename(OUTSIDE + '/other', OUTSIDE + '/moved'))
attempt(lambda: os.unlink(OUTSIDE + '/moved'))
""",
    ),
    "mode": Attack(
        title="change modes and times outside the scratch folder",
        stopped=ISOLATED,
        script="""
attempt(lambda: os.chmod(OUTSIDE + '/secret', 0o666))
attempt(lambda: os.utime(OUTSIDE + '/secret', (1, 1)))
attempt(lambda: os.chmod(sys.executable, 0o755))
""",
    ),
    "links": Attack(
        title="leave by a symlink, a hard link or `..`",
        stopped=ISOLATED,
        script="""
os.symlink(OUTSIDE + '/secret', 'soft')
attempt(lambda: open('soft').read())
attempt(lambda: (os.link(OUTSIDE + '/secret', 'hard'), open('hard').read()))
attempt(lambda: open('../outside/secret').read())
attempt(lambda: os.rename(OUTSIDE + '/other', 'taken'))
""",
    ),
    "connect": Attack(
        title="connect to the machine or the internet",
        stopped=ISOLATED,
        script="""
import socket
attempt(lambda: socket.create_connection(('127.0.0.1', HOST_PORT), 2))
attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53)))
attempt(lambda: socket.create_connection(('192.0.2.1', 80), 0.2))
""",
    ),
    "unix": Attack(
        title="talk to a Unix socket of the machine (Docker, agents)",
        stopped=ISOLATED,
        script="""
import socket
attempt(lambda: socket.socket(socket.AF_UNIX).connect(SOCKET))
attempt(lambda: socket.socket(socket.AF_UNIX).connect('\\0' + ABSTRACT))
""",
    ),
    "kill": Attack(
        title="signal or trace processes outside",
        stopped=ISOLATED,
        script="""
import ctypes
attempt(lambda: os.kill(PARENT, 0))
attempt(lambda: open(f'/proc/{PARENT}/mem', 'rb'))
libc = ctypes.CDLL(None)
def trace():
    if libc.ptrace(0x4206, PARENT, 0, 0) != 0:  # SEIZE
        raise OSError
    libc.ptrace(17, PARENT, 0, 0)
attempt(trace)
""",
    ),
    "proc": Attack(
        title="read environments and arguments of other processes",
        stopped=ISOLATED,
        script="""
attempt(lambda: open(f'/proc/{PARENT}/environ').read())
attempt(lambda: open(f'/proc/{PARENT}/cmdline').read())
""",
    ),
    "environment": Attack(
        title="find our secrets in its environment",
        stopped=ALWAYS,
        script="attempt(lambda: os.environ['CANARY_API_KEY'])",
    ),
    "descriptors": Attack(
        title="use file descriptors that we left open",
        stopped=ALWAYS,
        script="[attempt(lambda fd=fd: os.fstat(fd)) for fd in range(3, 200)]",
    ),
    "forks": Attack(
        title="fork without end",
        stopped=LIMITED,
        script="""
made = 0
try:
    while made < 80:
        if os.fork() == 0:
            while True:
                time.sleep(60)
        made += 1
except OSError:
    sys.exit(0)
time.sleep(0.7)
print('done')
""",
    ),
    "memory": Attack(
        title="take all memory (one process)",
        stopped=LIMITED,
        script="""
try:
    bytearray(900_000_000)
    print('done')
except MemoryError:
    pass
""",
    ),
    "disk": Attack(
        title="fill the disk with one file",
        stopped=LIMITED,
        script="""
with open('big', 'wb') as file:
    attempt(lambda: (file.write(bytes(3_000_000)), file.flush()))
""",
    ),
}
_LETTER = {level: level[0] for level in LEVELS}
PRELUDE = """
import os, sys, time
def attempt(deed):
    try:
        deed()
    except (OSError, KeyError):
        return
    print('done', flush=True)
"""


def _usable(level: str) -> None:
    if reason := _REASONS.get(level):
        pytest.skip(f"{level} cannot be used here: {reason}")


def run(level: str, cwd: Path, script: str, **spec):
    command = CommandSpec(
        argv=("python", "-I", "-S", "-c", script),
        cwd=cwd,
        trusted=level in {"rlimits", "none"},
        timeout_s=spec.pop("timeout_s", 20.0),
        **spec,
    )
    limits = Limits(address_space=512 * 1024**2, file_size=1024**2, processes=32)
    return asyncio.run(choose(level, limits=limits).run(command))


@pytest.fixture
def victim(tmp_path):
    """A folder outside, a listener on the machine, Unix sockets by path and by name."""
    outside = tmp_path / "outside"
    (tmp_path / "work").mkdir()
    outside.mkdir()
    (outside / "secret").write_text("canary")
    (outside / "other").write_text("canary")
    name = f"maestro-{uuid.uuid4().hex}"
    with (
        tempfile.TemporaryDirectory() as short,
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_UNIX) as by_path,
        socket.socket(socket.AF_UNIX) as by_name,
    ):
        by_path.bind(f"{short}/s")
        by_name.bind(f"\0{name}")
        for listener in (by_path, by_name):
            listener.listen()
        yield "\n".join(
            (
                PRELUDE,
                f"OUTSIDE = {str(outside)!r}",
                f"HOST_PORT = {tcp.getsockname()[1]}",
                f"PARENT = {os.getpid()}",
                f"SOCKET = {short + '/s'!r}",
                f"ABSTRACT = {name!r}",
            )
        )


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ATTACKS)
def test_each_level_stops_what_the_table_says(name, level, victim, tmp_path, monkeypatch) -> None:
    _usable(level)
    if name == "shadow" and NOT_ROOT:
        pytest.skip("only root could read /etc/shadow anyway")
    if level == "landlock" and name == "kill" and landlock.kernel().abi < landlock.SIGNALS_ABI:
        pytest.skip("this kernel's Landlock does not hold signals")
    if level == "landlock" and name == "mode" and landlock.kernel().namespaces:
        pytest.skip("modes are held by a mount namespace, which may not be made here")
    monkeypatch.setenv("CANARY_API_KEY", "canary")
    result = run(level, tmp_path / "work", f"{victim}\n{ATTACKS[name].script}")
    possible = "done" in result.stdout
    assert possible == (_LETTER[level] not in ATTACKS[name].stopped), result
    assert "SyntaxError" not in result.stderr, result
    assert "cannot confine" not in result.stderr, result
    assert not result.timed_out
    if not possible and _LETTER[level] in ISOLATED:
        outside = tmp_path / "outside"
        assert {path.name: path.read_text() for path in outside.iterdir()} == {
            "secret": "canary",
            "other": "canary",
        }


@pytest.mark.parametrize("level", LEVELS)
def test_endless_output_and_an_endless_run_that_ignores_signals_are_ended(level, tmp_path) -> None:
    _usable(level)
    lease = uuid.uuid4().hex
    script = """
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True:
            signal.pause()
    os._exit(0)
while True:
    os.write(1, b'x' * 65536)
"""
    environment = {"MAESTRO_LEASE": lease}
    result = run(level, tmp_path, script, timeout_s=1.2, env=environment, max_output_bytes=1000)
    assert result.timed_out
    assert result.stdout.startswith("x" * 1000 + "\n… ")
    assert find_orphans(lease) == ()


@pytest.mark.parametrize("level", ["bubblewrap", "landlock"])
def test_what_leads_out_of_the_network_cannot_be_taken_over(level, tmp_path) -> None:
    """The relay holds the sockets that lead out: the command may neither signal nor trace nor imitate it."""
    _usable(level)
    if level == "landlock" and landlock.kernel().namespaces:
        pytest.skip(f"no network of its own here: {landlock.kernel().namespaces}")
    script = f"""{PRELUDE}
import ctypes, socket
libc = ctypes.CDLL(None)
with socket.create_connection(('127.0.0.1', int(os.environ['PORT'])), 5) as way:
    print(way.recv(5).decode())
relay = os.getppid()
if {level == "landlock"}:
    attempt(lambda: os.kill(relay, 0))
    attempt(lambda: open(f'/proc/{{relay}}/mem', 'rb'))
    attempt(lambda: (_ for _ in ()).throw(OSError) if libc.ptrace(0x4206, relay, 0, 0) else None)
    attempt(lambda: socket.socket(socket.AF_UNIX))
print('end')
"""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"hello")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        url = {"MAESTRO_URL_A": f"http://127.0.0.1:{port}"}
        result = run(level, tmp_path, script, reach=url, env={"PORT": str(port)})
        thread.join(5)
    assert result.stdout == "hello\nend\n", result


@pytest.mark.parametrize("level", ["bubblewrap", "landlock"])
def test_plain_work_is_not_hindered(level, tmp_path) -> None:
    _usable(level)
    script = """
import asyncio, os, shutil, socket, subprocess, sys, tempfile
os.makedirs('a/b')
open('a/x', 'w').write('1')
os.rename('a/x', 'a/b/y')
shutil.copy('a/b/y', 'z')
os.chmod('z', 0o755)
tempfile.NamedTemporaryFile().close()
async def serve():
    server = await asyncio.start_server(lambda r, w: w.close(), '127.0.0.1', 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    assert await reader.read() == b''
    writer.close()
    server.close()
asyncio.run(serve())
print(subprocess.run([sys.executable, '-c', 'print(5)'], capture_output=True, text=True).stdout.strip())
print(subprocess.run(['sh', '-c', 'echo hi > /dev/null; ls /usr >/dev/null && echo ok'], stdout=-1).stdout)
"""
    if level == "landlock" and landlock.kernel().namespaces:
        pytest.skip("without a network of its own there are no sockets at all")
    result = run(level, tmp_path, script)
    assert (result.stdout, result.exit_code) == ("5\nb'ok\\n'\n", 0), result


def test_the_table_in_the_security_page_is_this_table() -> None:
    words = {True: "stopped", False: "possible"}
    lines = ["| A command tries to | " + " | ".join(LEVELS) + " |", "|---|---|---|---|---|"]
    lines += [
        f"| {attack.title} | "
        + " | ".join(words[_LETTER[level] in attack.stopped] for level in LEVELS)
        + " |"
        for attack in ATTACKS.values()
    ]
    page = (Path(__file__).parents[2] / "SECURITY.md").read_text("utf-8")
    assert "\n".join(lines) in page, "\n".join(["SECURITY.md needs:", *lines])
