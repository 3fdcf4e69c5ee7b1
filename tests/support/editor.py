"""A small editor: speaks the Language Server Protocol with a real server process over its streams."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 300
"""A test that waits longer for one message fails instead of hanging."""


class Refusal(Exception):  # noqa: N818 - an answer, not a fault
    """The server answered a request with an error."""


class Editor:
    """One server process; waits for answers and notifications, never for time."""

    def __init__(self, folder, *, encodings=("utf-16",)):
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "maestro_dsl", "lsp"],
            cwd=folder,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.number = 0
        self.published = []
        self.versions = {}
        self.capabilities = self.ask(
            "initialize",
            processId=None,
            rootUri=folder.as_uri(),
            capabilities={"general": {"positionEncodings": list(encodings)}},
        )["capabilities"]
        self.tell("initialized")

    def close(self):
        """Say goodbye and return what the server wrote to its standard error."""
        self.ask("shutdown")
        self.tell("exit")
        _, errors = self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode, errors.decode()

    def ask(self, method, **params):
        """Send a request and return its answer."""
        self.number += 1
        self._send({"id": self.number, "method": method, "params": params})
        while True:
            message = self._receive()
            if message.get("id") == self.number and "method" not in message:
                if "error" in message:
                    raise Refusal(message["error"]["message"])
                return message["result"]

    def tell(self, method, **params):
        """Send a notification."""
        self._send({"method": method, "params": params})

    def open(self, path, text):
        """Show a document to the server."""
        self.versions[path] = 1
        document = {"uri": path.as_uri(), "languageId": "yaml", "version": 1, "text": text}
        self.tell("textDocument/didOpen", textDocument=document)

    def type(self, path, text):
        """Change the text of a document."""
        self.versions[path] += 1
        identifier = {"uri": path.as_uri(), "version": self.versions[path]}
        self.tell("textDocument/didChange", textDocument=identifier, contentChanges=[{"text": text}])

    def shut(self, path):
        """Close a document."""
        self.versions.pop(path, None)
        self.tell("textDocument/didClose", textDocument={"uri": path.as_uri()})

    def findings(self, path):
        """Wait for the findings of a document as it is now."""
        while True:
            for found in self.published:
                is_now = found.get("version") == self.versions.get(path)
                if found["uri"] == path.as_uri() and is_now:
                    self.published.clear()
                    return found["diagnostics"]
            self._receive()

    def at(self, method, path, line, character, **params):
        """Ask about a place, which counts from 0."""
        place = {"line": line, "character": character}
        return self.ask(
            f"textDocument/{method}", textDocument={"uri": path.as_uri()}, position=place, **params
        )

    def _send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def _receive(self):
        watchdog = threading.Timer(DEADLINE_S, self.process.kill)
        watchdog.start()
        try:
            return self._read()
        finally:
            watchdog.cancel()

    def _read(self):
        length = 0
        while (line := self.process.stdout.readline()) not in {b"\r\n", b""}:
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        if not length:
            raise EOFError(self.process.stderr.read().decode())
        message = json.loads(self.process.stdout.read(length))
        if message.get("method") == "textDocument/publishDiagnostics":
            self.published.append(message["params"])
        return message
