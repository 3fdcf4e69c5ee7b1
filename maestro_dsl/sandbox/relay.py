"""Program inside a sandbox without network: lets a command reach, and be reached at, stated ports only.

Run as `python -I -S relay.py CONFIG ARGV…` with CONFIG a JSON object {"reach": [[port, socket path] …],
"serve": [descriptor, port] or null}. For `reach` it listens on 127.0.0.1:port and carries each connection to
a Unix socket that was bound into the sandbox; for `serve` it accepts on an inherited Unix listening socket
and carries to 127.0.0.1:port. A Unix listening socket, unlike a TCP one of the host, cannot be turned into a
way out by the command. Ends with the command's exit code. Imports the standard library only.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK = 65_536


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(_CHUNK):
            target.sendall(data)
    except OSError:
        pass
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _join(client: socket.socket, connect: Callable[[], socket.socket]) -> None:
    with client:
        try:
            server = connect()
        except OSError:
            return  # nobody listens yet: the caller sees its connection closed
        with server:
            back = threading.Thread(target=_copy, args=(server, client), daemon=True)
            back.start()
            _copy(client, server)
            back.join()


def _accept(listener: socket.socket, connect: Callable[[], socket.socket]) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        try:
            threading.Thread(target=_join, args=(client, connect), daemon=True).start()
        except RuntimeError:  # no thread left under the limits: this one caller is turned away
            client.close()


def _unix(path: str) -> Callable[[], socket.socket]:
    def connect() -> socket.socket:
        made = socket.socket(socket.AF_UNIX)
        made.connect(path)
        return made

    return connect


def _tcp(port: int) -> Callable[[], socket.socket]:
    return lambda: socket.create_connection(("127.0.0.1", port))


def _carry(listener: socket.socket, connect: Callable[[], socket.socket]) -> None:
    threading.Thread(target=_accept, args=(listener, connect), daemon=True).start()


def main() -> int:
    """Open the ways, run the command, return its exit code."""
    config = json.loads(sys.argv[1])
    for port, path in config["reach"]:
        try:
            _carry(socket.create_server(("127.0.0.1", port)), _unix(path))
        except OSError as error:  # ports below 1024 need a right that nothing in here has
            sys.stderr.write(f"cannot offer port {port} inside the sandbox: {error}\n")
            return 126
    if config["serve"]:
        descriptor, port = config["serve"]
        _carry(socket.socket(fileno=descriptor), _tcp(port))
    # a handler, not SIG_IGN: an ignored signal would stay ignored in the command
    signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        code = subprocess.Popen(sys.argv[2:]).wait()  # noqa: S603 - we are inside the sandbox
    except OSError as error:
        sys.stderr.write(f"cannot start {sys.argv[2]}: {error}\n")
        return 127
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
