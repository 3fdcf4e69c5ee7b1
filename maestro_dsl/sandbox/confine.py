"""Program that gives up what a command must not have, then becomes the command.

Run as `python -I -S confine.py CONFIG ARGV…`. CONFIG is the JSON object that `landlock.py` composes; keys:
"namespaces" (folders that stay writable, or null), "landlock" {"fs", "net", "scoped", "paths", "ports"} and
"sockets" ("none", "tcp" or "loopback"). Whatever cannot be given up ends it with code 126 before the command
starts. It decides nothing and imports the standard library only.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import platform
import signal
import socket
import stat
import struct
import sys
from typing import NoReturn, TypedDict

CANNOT_CONFINE = 126
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
FILE_RIGHTS = 0x1 | 0x2 | 0x4 | 1 << 14 | 1 << 15
"""Execute, write, read, truncate, device control: the rights that a rule for a single file may hold."""

_NEW_NAMESPACES = 0x10000000 | 0x40000000 | 0x00020000 | 0x08000000  # user, network, mounts, System V IPC
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000
_AT_FDCWD, _AT_RECURSIVE, _MOUNT_SETATTR, _RDONLY = -100, 0x8000, 442, 1
_PDEATHSIG, _SET_SECCOMP, _CAPBSET_DROP, _SECUREBITS, _NO_NEW_PRIVS, _AMBIENT = 1, 22, 24, 28, 38, 47
_NOROOT_LOCKED = 0b101111
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_LOAD, _EQUAL, _AT_LEAST, _HAS, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_NEW_USER, _CLONE3 = 0x10000000, 435
MACHINES = {
    "x86_64": (0xC000003E, 41, 53, (248, 249, 250, 298, 308, 321, 323, 425), (56, 272)),
    "aarch64": (0xC00000B7, 198, 199, (217, 218, 219, 241, 268, 280, 282, 425), (220, 97)),
}
"""Machine → its audit number, the calls socket and socketpair, what nothing needs: the kernel's keys (3),
perf_event_open, setns, bpf, userfaultfd, io_uring_setup (it would make sockets past the filter); and clone
and unshare, which may not make a user namespace: inside one, everybody has every right."""


class Rules(TypedDict):
    """A Landlock ruleset as JSON; `paths` and `ports` hold pairs with the rights allowed."""

    fs: int
    net: int
    scoped: int
    paths: list[tuple[str, int]]
    ports: list[tuple[int, int]]


_libc = ctypes.CDLL(None, use_errno=True)


def _call(what: str, number: int, *arguments: object) -> int:
    done = int(_libc.syscall(ctypes.c_long(number), *arguments))
    if done < 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")
    return done


def _prctl(option: int, *values: int) -> bool:
    padded = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]]
    return bool(_libc.prctl(option, *padded) == 0)


def abi() -> int:
    """Return the kernel's Landlock version, 0 where there is none; changes nothing."""
    number = _libc.syscall(ctypes.c_long(CREATE_RULESET), None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    return max(0, int(number))


def _mount(what: str, source: str, target: str, flags: int) -> None:
    if _libc.mount(source.encode(), target.encode(), None, ctypes.c_ulong(flags), None) != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def _set_read_only(path: str, *, on: bool) -> None:
    attributes = struct.pack("=QQQQ", _RDONLY if on else 0, 0 if on else _RDONLY, 0, 0)
    _call(
        "mount_setattr", _MOUNT_SETATTR, ctypes.c_int(_AT_FDCWD), path.encode(),
        ctypes.c_uint(_AT_RECURSIVE if on else 0), attributes, ctypes.c_size_t(len(attributes)),
    )  # fmt: skip


def separate(writable: list[str]) -> None:
    """Enter namespaces of our own: a network of loopback only, and every mount read-only but `writable`."""
    user, group, here = os.getuid(), os.getgid(), os.getcwd()  # noqa: PTH109 - a program without pathlib
    if _libc.unshare(ctypes.c_int(_NEW_NAMESPACES)) != 0:
        raise OSError(ctypes.get_errno(), f"unshare: {os.strerror(ctypes.get_errno())}")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123 - a kernel file
            file.write(text)
    _mount("make the mounts private", "none", "/", _MS_REC | _MS_PRIVATE)
    _set_read_only("/", on=True)
    for folder in writable:
        _mount("bind", folder, folder, _MS_BIND)
        _set_read_only(folder, on=False)
    os.chdir(here)  # the working folder as it is mounted now
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH14x", b"lo", 0x41))  # SIOCSIFFLAGS: up, running


def drop_capabilities() -> None:
    """Leave no capability, and no way for a program of root or with file capabilities to get one."""
    _prctl(_AMBIENT, 4)
    _prctl(_SECUREBITS, _NOROOT_LOCKED)  # refused without CAP_SETPCAP, where there is nothing to drop either
    for number in range(64):
        _prctl(_CAPBSET_DROP, number)
    header, nothing = struct.pack("=Ii", 0x20080522, 0), bytes(24)
    if _libc.capset(header, nothing) != 0:
        raise OSError(ctypes.get_errno(), f"capset: {os.strerror(ctypes.get_errno())}")


def restrict(rules: Rules) -> None:
    """Apply a Landlock ruleset to this process and all that it starts; paths that are absent are left out."""
    attributes = struct.pack("=QQQ", rules["fs"], rules["net"], rules["scoped"])
    size = 24 if rules["scoped"] else 16 if rules["net"] else 8
    ruleset = _call("landlock", CREATE_RULESET, attributes, ctypes.c_size_t(size), ctypes.c_uint32(0))
    for path, access in rules["paths"]:
        try:
            opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            continue
        allowed = access if stat.S_ISDIR(os.fstat(opened).st_mode) else access & FILE_RIGHTS
        _rule(ruleset, 1, struct.pack("=Qi", allowed, opened))
        os.close(opened)
    for port, access in rules["ports"]:
        _rule(ruleset, 2, struct.pack("=QQ", access, port))
    _call("landlock", RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    os.close(ruleset)


def _rule(ruleset: int, kind: int, attributes: bytes) -> None:
    _call("landlock", ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(kind), attributes, ctypes.c_uint32(0))


def socket_filter(machine: str, sockets: str) -> bytes:
    """Return the seccomp program: which sockets may be made, and a few calls that nothing needs refused.

    "none": only connected pairs. "tcp": TCP over IP too. "loopback": all of IP (the network is our own).
    "inside": of files and of the kernel's network too, where the files are our own (bubblewrap); otherwise
    these are never made, because rules for files do not reach them.
    """
    audit, make, pair, denied, making = MACHINES[machine]
    refuse, stream = (_RETURN, 0, 0, _ERRNO | errno.EACCES), ((_LOAD, 0, 0, 24), (_AND, 0, 0, 0xF))
    code = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, audit), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    if machine == "x86_64":  # the second table of calls of this machine
        code += [(_AT_LEAST, 0, 1, 0x40000000), (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)]
    for number in denied:
        code += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERRNO | errno.EPERM)]
    for number in making:
        code += [(_EQUAL, 0, 4, number), (_LOAD, 0, 0, 16), (_HAS, 0, 1, _NEW_USER)]
        code += [(_RETURN, 0, 0, _ERRNO | errno.EPERM), (_RETURN, 0, 0, _ALLOW)]
    code += [(_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)]  # its flags cannot be seen here
    if sockets == "inside":
        code += [(_EQUAL, 1, 0, make), (_RETURN, 0, 0, _ALLOW), (_LOAD, 0, 0, 16)]
        for family in (
            socket.AF_UNIX,
            socket.AF_INET,
            socket.AF_INET6,
            16,
        ):  # the last one asks for addresses
            code += [(_EQUAL, 0, 1, family), (_RETURN, 0, 0, _ALLOW)]
        return b"".join(struct.pack("=HBBI", *line) for line in (*code, refuse))
    # a pair of datagram sockets could be connected anew to a name
    code += [(_EQUAL, 0, 5, pair), *stream, (_EQUAL, 0, 1, 1), (_RETURN, 0, 0, _ALLOW), refuse]
    code += [(_EQUAL, 1, 0, make), (_RETURN, 0, 0, _ALLOW)]
    if sockets == "none":
        code += [refuse]
    else:
        code += [(_LOAD, 0, 0, 16), (_EQUAL, 2, 0, socket.AF_INET), (_EQUAL, 1, 0, socket.AF_INET6), refuse]
        if sockets == "tcp":
            code += [*stream, (_EQUAL, 1, 0, 1), refuse]
            code += [(_LOAD, 0, 0, 32), (_EQUAL, 2, 0, 0), (_EQUAL, 1, 0, socket.IPPROTO_TCP), refuse]
        code += [(_RETURN, 0, 0, _ALLOW)]
    return b"".join(struct.pack("=HBBI", *line) for line in code)


def _filter_sockets(sockets: str) -> None:
    program = ctypes.create_string_buffer(socket_filter(platform.machine(), sockets))
    header = struct.pack("@HP", (len(program) - 1) // 8, ctypes.addressof(program))
    if _libc.prctl(_SET_SECCOMP, ctypes.c_ulong(2), header, ctypes.c_ulong(0), ctypes.c_ulong(0)) != 0:
        raise OSError(ctypes.get_errno(), f"seccomp: {os.strerror(ctypes.get_errno())}")


def _gain_nothing() -> None:
    if not _prctl(_NO_NEW_PRIVS, 1):
        raise OSError(ctypes.get_errno(), "PR_SET_NO_NEW_PRIVS is refused")


def main() -> NoReturn:
    """Give up the rights that CONFIG names and become the command."""
    config, argv = json.loads(sys.argv[1]), sys.argv[2:]
    try:
        if config["namespaces"] is not None:
            separate(config["namespaces"])
        drop_capabilities()
        _gain_nothing()
        restrict(config["landlock"])
        if config["sockets"] is not None:
            _filter_sockets(config["sockets"])
        _prctl(_PDEATHSIG, signal.SIGKILL)  # a change of credentials clears it
    except (OSError, KeyError, ValueError) as error:
        _end(CANNOT_CONFINE, f"cannot confine: {error}")
    try:
        os.execvpe(argv[0], argv, os.environ)  # noqa: S606 - an argument list, never a shell
    except OSError as error:
        _end(127, f"cannot start {argv[0]}: {error.strerror}")


def _end(code: int, text: str) -> NoReturn:
    os.write(2, f"{text}\n".encode())
    os._exit(code)


if __name__ == "__main__":
    main()
