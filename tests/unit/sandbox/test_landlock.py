"""What a kernel's Landlock version allows becomes a ruleset; too old a kernel is no sandbox."""

import asyncio
import struct

import pytest

from maestro_dsl.engine.ports.processes import CommandSpec
from maestro_dsl.errors import EnvironmentFailure
from maestro_dsl.sandbox import choose, confine, landlock
from maestro_dsl.sandbox.landlock import Confinement, Kernel, ruleset

WANTED = Confinement(writable=("/scratch",), readable=("/python",), connect=(8080,), bind=(9000,))
CHARACTER_DEVICE, BLOCK_DEVICE, WRITE = 1 << 6, 1 << 11, 1 << 1


@pytest.mark.parametrize(
    ("abi", "files", "net", "scoped"),
    [
        (1, 13, 0, 0),
        (2, 14, 0, 0),
        (3, 15, 0, 0),
        (4, 15, 3, 0),
        (5, 16, 3, 0),
        (6, 16, 3, 3),
        (7, 16, 3, 3),
        (99, 16, 3, 3),
    ],
)
def test_a_ruleset_names_what_its_version_knows_and_no_more(abi, files, net, scoped) -> None:
    rules = ruleset(abi, WANTED)
    assert (rules["fs"], rules["net"], rules["scoped"]) == ((1 << files) - 1, net, scoped)
    assert rules["ports"] == ([(8080, 2), (9000, 1)] if net else [])
    assert all(access & ~rules["fs"] == 0 for _, access in rules["paths"])


def test_only_scratch_and_harmless_devices_are_written() -> None:
    rules = ruleset(7, WANTED)
    written = {path for path, access in rules["paths"] if access & WRITE}
    assert written == {"/scratch", "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}
    assert not any(access & (CHARACTER_DEVICE | BLOCK_DEVICE) for _, access in rules["paths"])
    assert {"/proc", "/etc", "/", "/home", "/root", "/run", "/tmp", "/dev"}.isdisjoint(dict(rules["paths"]))


def test_a_network_of_its_own_needs_no_rule_for_ports() -> None:
    own = Confinement(writable=(), separate=True, connect=(1,))
    assert (ruleset(7, own)["net"], ruleset(7, own)["ports"]) == (0, [])


@pytest.mark.parametrize(
    ("kernel", "problem"),
    [
        (Kernel(abi=0, namespaces=None, sockets=None), "this kernel has no Landlock"),
        (Kernel(abi=2, namespaces=None, sockets=None), "Landlock 2 is too old"),
        (Kernel(abi=7, namespaces=None, sockets="seccomp: refused"), "seccomp: refused"),
    ],
)
def test_what_cannot_hold_is_no_sandbox(kernel, problem, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(landlock, "kernel", lambda: kernel)
    with pytest.raises(EnvironmentFailure, match=problem):
        _run(choose("landlock"), CommandSpec(argv=("python", "-c", "print('never')"), cwd=tmp_path))


def test_what_stays_open_is_named() -> None:
    old = Kernel(abi=4, namespaces="unshare: refused", sockets=None)
    assert old.problem is None
    assert [gap.partition(" ")[0] for gap in old.gaps] == ["signals", "modes"]


def test_single_ports_are_refused_where_they_would_be_open_on_every_address(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(
        landlock, "kernel", lambda: Kernel(abi=7, namespaces="unshare: refused", sockets=None)
    )
    command = CommandSpec(
        argv=("python", "-c", "0"), cwd=tmp_path, reach={"MAESTRO_URL_A": "http://127.0.0.1:9"}
    )
    with pytest.raises(EnvironmentFailure, match=r"no network of its own \(unshare: refused\)"):
        _run(choose("landlock"), command)


@pytest.mark.skipif(landlock.kernel().problem is not None, reason=f"{landlock.kernel().problem}")
def test_without_namespaces_there_are_no_sockets_at_all(monkeypatch, tmp_path) -> None:
    own = landlock.kernel()
    monkeypatch.setattr(
        landlock, "kernel", lambda: Kernel(abi=own.abi, namespaces="refused", sockets=own.sockets)
    )
    script = """
import socket
for family, kind in ((2, 1), (2, 2), (10, 1), (1, 1), (1, 2), (16, 3), (40, 1)):
    try:
        socket.socket(family, kind)
        print('made', family, kind)
    except PermissionError:
        pass
one, other = socket.socketpair()
one.send(b'x')
try:
    socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
except PermissionError:
    print('end')
"""
    command = CommandSpec(argv=("python", "-c", script), cwd=tmp_path)
    result = _run(choose("landlock"), command)
    assert result.stdout == "end\n", result


@pytest.mark.parametrize("machine", sorted(confine.MACHINES))
@pytest.mark.parametrize("sockets", ["none", "tcp", "loopback", "inside"])
def test_every_jump_of_the_socket_filter_stays_inside_and_it_ends(machine, sockets) -> None:
    program = confine.socket_filter(machine, sockets)
    lines = list(struct.iter_unpack("=HBBI", program))
    for place, (code, yes, no, _) in enumerate(lines):
        if code in {0x15, 0x35, 0x45}:
            assert place + 1 + max(yes, no) < len(lines)
    assert lines[-1][0] == 0x06


def _run(sandbox, command):
    return asyncio.run(sandbox.run(command))
