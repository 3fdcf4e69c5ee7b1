"""The exported schemas in the YAML language server that editors use: completion, hover, mistakes.

Needs the program `yaml-language-server` (npm install -g yaml-language-server) and node.
"""

import json
import shutil
import subprocess

import pytest

from maestro_dsl.app import init_project


class Client:
    """Speaks the language server protocol over pipes; answers what the server asks."""

    def __init__(self, program, folder):
        self.process = subprocess.Popen(
            [program, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.count = 0
        self.notes = []
        uri = folder.as_uri()
        folders = [{"uri": uri, "name": "x"}]
        asked = {"processId": None, "rootUri": uri, "workspaceFolders": folders}
        features = {"hover": {}, "completion": {"completionItem": {"documentationFormat": ["markdown"]}}}
        self.ask("initialize", {**asked, "capabilities": {"textDocument": features}})
        self.tell("initialized", {})
        settings = {
            "yaml": {"completion": True, "hover": True, "validate": True, "schemaStore": {"enable": False}}
        }
        self.tell("workspace/didChangeConfiguration", {"settings": settings})

    def tell(self, method, params):
        self.write({"jsonrpc": "2.0", "method": method, "params": params})

    def write(self, message):
        body = json.dumps(message).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def read(self):
        length = 0
        while (line := self.process.stdout.readline().strip()) or not length:
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        return json.loads(self.process.stdout.read(length))

    def until(self, is_wanted):
        while True:
            message = self.read()
            if is_wanted(message):
                return message
            if "method" in message and "id" in message:
                count = len(message["params"].get("items", ())) if "params" in message else 0
                self.write({"jsonrpc": "2.0", "id": message["id"], "result": [None] * count or None})
            else:
                self.notes.append(message)

    def ask(self, method, params):
        self.count += 1
        number = self.count
        self.write({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        return self.until(lambda message: message.get("id") == number and "method" not in message)["result"]

    def open(self, path, text):
        self.uri = path.as_uri()
        document = {"uri": self.uri, "languageId": "yaml", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})

    def at(self, method, line, column):
        place = {"textDocument": {"uri": self.uri}, "position": {"line": line, "character": column}}
        return self.ask(method, place)

    def mistakes(self):
        def is_wanted(message):
            return (
                message.get("method") == "textDocument/publishDiagnostics"
                and message["params"]["uri"] == self.uri
            )

        known = next((item for item in self.notes if is_wanted(item)), None)
        return (known or self.until(is_wanted))["params"]["diagnostics"]


@pytest.fixture
def client(tmp_path):
    program = shutil.which("yaml-language-server")
    if program is None or shutil.which("node") is None:
        pytest.skip("yaml-language-server is not installed (npm install -g yaml-language-server)")
    init_project(tmp_path / "demo")
    made = Client(program, tmp_path / "demo")
    with made.process as process:
        yield made
        process.kill()


def test_completion_hover_and_mistakes(client, tmp_path):
    plan = tmp_path / "demo" / "plan.yaml"
    text = plan.read_text() + "policies:\n  retry: {delay: soon}\n  "
    line = text.count("\n")
    client.open(plan, text)
    labels = {item["label"] for item in client.at("textDocument/completion", line, 2)["items"]}
    assert {"safety", "give_up"} <= labels
    hover = str(client.at("textDocument/hover", line - 2, 2)["contents"])
    assert "Policies" in hover
    assert "Retry, safety and giving up" in hover
    messages = [item["message"] for item in client.mistakes()]
    assert any("is not a duration: write a number with ms, s, m, h or d" in message for message in messages)


def test_values_are_completed(client, tmp_path):
    contract = tmp_path / "demo" / "contracts" / "backend_api.contract.yaml"
    text = contract.read_text().replace("type: REST_API", "type: ")
    line = text.splitlines().index("type: ")
    client.open(contract, text)
    labels = {item["label"] for item in client.at("textDocument/completion", line, 6)["items"]}
    assert {"REST_API", "GRAPHQL", "INTERFACE"} <= labels
