"""One suite of hostile scripts under every sandbox level; who stops what is a table, also in SECURITY.md.

A script prints "done" where its deed succeeded, "no" where it was refused. Where several deeds count, one
success is enough to be "possible".
"""

import asyncio
import ctypes
import os
import platform
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
from maestro_dsl.scratch import remove_tree

_BUBBLEWRAP, _KERNEL = asyncio.run(bubblewrap.problem()), landlock.kernel()
_REASONS = {"bubblewrap": _BUBBLEWRAP, "landlock": _KERNEL.problem}
LEVELS = ("bubblewrap", "landlock", "rlimits", "none")
NOT_ROOT = os.getuid() != 0
_CANARY = f"maestro-{uuid.uuid4().hex}"


def _key() -> tuple[int, ...]:
    """Put a key into the keyring of this session; return how it is asked for, empty where that cannot be."""
    add, ask = {"x86_64": (248, 249), "aarch64": (217, 218)}.get(platform.machine(), (0, 0))
    libc = ctypes.CDLL(None)
    made = add and libc.syscall(add, b"user", _CANARY.encode(), b"canary", ctypes.c_size_t(6), -3)
    return (ask,) if made and libc.syscall(ask, b"user", _CANARY.encode(), None, 0) > 0 else ()


KEYS = _key()


@dataclass(frozen=True, kw_only=True)
class Attack:
    """A script, and the levels that stop it."""

    title: str
    stopped: str
    script: str
    """A Python text; may use OUTSIDE, HOST_PORT, PARENT, SOCKET, UNLIMITED and the function `attempt`."""


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
    "files": Attack(
        title="fill the disk with many files, named or deleted",
        stopped=LIMITED,
        script="""
kept = []
for number in range(120):
    kept.append(open(f'f{number}', 'wb', buffering=0))
    kept[-1].write(bytes(900_000))
    if number % 2:
        os.unlink(f'f{number}')
    time.sleep(0.01)
time.sleep(0.1 if UNLIMITED else 6)
print('done')
""",
    ),
    "together": Attack(
        title="take all memory (many processes)",
        stopped=LIMITED,
        script="""
taken, said = os.pipe()
for _ in range(6):
    if os.fork() == 0:
        memory = bytearray(b'x') * 60_000_000
        os.write(said, b'x')
        while True:
            time.sleep(60)
for _ in range(6):
    os.read(taken, 1)
time.sleep(0.1 if UNLIMITED else 6)
print('done')
""",
    ),
    "keys": Attack(
        title="read the kernel's keys of the user's session",
        stopped=ALWAYS,
        script="""
import ctypes
libc, request_key = ctypes.CDLL(None), KEYS[0]
attempt(lambda: 1 / (libc.syscall(request_key, b'user', CANARY.encode(), None, 0) > 0))
""",
    ),
    "settings": Attack(
        title="change settings of the kernel as root",
        stopped=ISOLATED,
        script="attempt(lambda: open('/proc/sys/kernel/core_pattern', 'r+'))",
    ),
    "namespaces": Attack(
        title="make namespaces of its own, with every right inside",
        stopped=ISOLATED,
        script="""
import ctypes
attempt(lambda: 1 / (ctypes.CDLL(None).unshare(0x10000000) == 0))
""",
    ),
}
_LETTER = {level: level[0] for level in LEVELS}
PRELUDE = """
import os, sys, time
def attempt(deed):
    try:
        deed()
    except (OSError, KeyError, ZeroDivisionError):
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
    limits = Limits(
        address_space=512 * 1024**2, file_size=1024**2, processes=32, disk=20 * 1024**2, memory=200 * 1024**2
    )
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
                f"KEYS, CANARY = {KEYS!r}, {_CANARY!r}",
            )
        )


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ATTACKS)
def test_each_level_stops_what_the_table_says(name, level, victim, tmp_path, monkeypatch) -> None:
    _usable(level)
    if name in {"shadow", "settings"} and NOT_ROOT:
        pytest.skip("only root could do it anyway")
    if name == "keys" and not KEYS:
        pytest.skip("no key can be made here")
    if name == "namespaces" and _KERNEL.namespaces:
        pytest.skip(f"nobody may make namespaces here: {_KERNEL.namespaces}")
    if level == "landlock" and name == "kill" and landlock.kernel().abi < landlock.SIGNALS_ABI:
        pytest.skip("this kernel's Landlock does not hold signals")
    if level == "landlock" and name == "mode" and landlock.kernel().namespaces:
        pytest.skip("modes are held by a mount namespace, which may not be made here")
    monkeypatch.setenv("CANARY_API_KEY", "canary")
    setup = f"{victim}\nUNLIMITED = {level == 'none'}"
    result = run(level, tmp_path / "work", f"{setup}\n{ATTACKS[name].script}")
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
    assert result.stdout.startswith("x" * 500 + "\n… ")
    assert result.stdout.endswith("x" * 500)
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
def test_no_way_leads_around_the_network_and_no_call_is_left_that_is_there_to_be_attacked(level, tmp_path):
    _usable(level)
    numbers = {"x86_64": (425, 323, 321, 308), "aarch64": (425, 282, 280, 268)}.get(platform.machine())
    if numbers is None:
        pytest.skip(f"no filter of system calls on a {platform.machine()}")
    script = f"""{PRELUDE}
import ctypes, socket
libc = ctypes.CDLL(None)
for family in range(64):
    if family not in (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK):
        attempt(lambda: socket.socket(family, socket.SOCK_STREAM))
        attempt(lambda: socket.socket(family, socket.SOCK_DGRAM))
attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
for number in {numbers}:
    attempt(lambda: 1 / (libc.syscall(number, 4, ctypes.create_string_buffer(256), 0, 0) >= 0))
attempt(lambda: os.open('/dev/tty', os.O_RDWR))
if os.fork() == 0:  # clone without namespaces is what everybody needs
    os._exit(0)
print(os.waitstatus_to_exitcode(os.wait()[1]))
"""
    assert run(level, tmp_path, script).stdout == "0\n"


def test_memory_cannot_be_taken_as_files_inside_bubblewrap(tmp_path) -> None:
    _usable("bubblewrap")
    script = f"""{PRELUDE}
for path in ('/dev/x', '/dev/pts/x', '/x', '/run/x', '/etc/x', '/proc/x'):
    attempt(lambda: open(path, 'w'))
found = [os.statvfs(path) for path in ('/tmp', '/dev/shm')]
print(max(item.f_blocks * item.f_frsize for item in found) // 1024**2)
open('/dev/shm/x', 'w').write('x')
"""
    assert run("bubblewrap", tmp_path, script).stdout == "256\n"


@pytest.mark.parametrize("level", LEVELS)
def test_folders_deeper_than_any_name_and_closed_ones_are_removed(level, tmp_path) -> None:
    _usable(level)
    script = f"""{PRELUDE}
for number in range(1500):
    os.mkdir('a long name for a folder')
    os.chdir('a long name for a folder')
open('x', 'w').write('x')
os.chmod('..', 0)
print('end')
"""
    work = tmp_path / "work"
    work.mkdir()
    assert run(level, work, script).stdout == "end\n"
    assert remove_tree(work)


@pytest.mark.parametrize("level", ["bubblewrap", "landlock"])
def test_a_command_that_opens_ways_without_end_leaves_us_our_descriptors(level, tmp_path) -> None:
    _usable(level)
    if level == "landlock" and landlock.kernel().namespaces:
        pytest.skip(f"no network of its own here: {landlock.kernel().namespaces}")
    script = """
import os, socket
port, ways = int(os.environ['PORT']), []
for number in range(300):
    ways.append(socket.create_connection(('127.0.0.1', port), 5))
print(len(ways))
"""
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as server:
        port = server.getsockname()[1]
        most, done = 0, threading.Event()

        def count() -> None:
            nonlocal most
            while not done.wait(0.02):
                most = max(most, len(os.listdir("/proc/self/fd")))  # noqa: PTH208 - names alone

        thread = threading.Thread(target=count, daemon=True)
        before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
        thread.start()
        run(
            level,
            tmp_path,
            script,
            reach={"MAESTRO_URL_A": f"http://127.0.0.1:{port}"},
            env={"PORT": str(port)},
        )
        done.set()
        thread.join(5)
    assert most - before < 450


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
