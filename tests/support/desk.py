"""A small project, and a document of it in an editor."""

MAESTRO = """\
apiVersion: maestro/v1
kind: Project
name: demo
models:
  fast: {provider: scaffold, model: m-1}
"""
PLAN = """\
apiVersion: maestro/v1
kind: Plan
id: demo
name: Demo
description: A small plan
requirement: Build it
blueprint: own
team:
  maker: {use: builder}
  tester: {use: core/qa_engineer}
contracts: [contracts/*.contract.yaml]
provider: scaffold
guardrails: {max_cost: 5 USD}
"""
BLUEPRINT = """\
apiVersion: maestro/v1
kind: Blueprint
id: own
version: 1.0.0
name: Own
description: Builds and reports
execution_mode: parallel
coordination_mode: contract
nodes:
  build:
    action: fulfil
    foreach: contracts
    as: contract
    persona: "{{ contract.provider_persona_id }}"
    contract: "{{ contract.id }}"
    timeout: 15m
  tell:
    action: approve
    needs: [build]
    when: nodes.build.outputs.widget.score > 0.5
    timeout: 5m
    with:
      message: "{{ contracts.widget.name }} by {{ team['maker'].name }}"
  report:
    action: report
    needs: {tell: {states: any}}
"""
PERSONA = """\
apiVersion: maestro/v1
kind: Persona
id: builder
version: 1.0.0
name: Builder
description: Builds things
prompt_file: builder.md.j2
"""
CONTRACT = """\
apiVersion: maestro/v1
kind: Contract
id: widget
version: 1.0.0
name: Widget
description: A small thing
provider_persona_id: maker
consumer_persona_ids: [tester]
deliverables:
  - name: thing
    description: The thing itself
    artifacts: [thing.py]
    acceptance_criteria:
      - check: command
        run: [python, -m, unittest]
"""
FILES = {
    "maestro.yaml": MAESTRO,
    "plan.yaml": PLAN,
    "own.blueprint.yaml": BLUEPRINT,
    "builder.persona.yaml": PERSONA,
    "builder.md.j2": "You build {{ contract.name }}.\n",
    "contracts/widget.contract.yaml": CONTRACT,
    "contracts/proof.contract.yaml": CONTRACT.replace("id: widget", "id: proof")
    .replace("_id: maker", "_id: tester")
    .replace("consumer_persona_ids: [tester]\n", "")
    .replace("thing.py", "test_thing.py"),
}


class Desk:
    """One document in the editor; `|` marks the cursor."""

    def __init__(self, editor, root, name):
        self.editor, self.path, self.saved = editor, root / name, FILES[name]
        editor.open(self.path, self.saved)

    def put(self, text):
        head, mark, tail = text.partition("|")
        self.text = head + tail if mark else text
        self.line, self.column = head.count("\n"), len(head) - head.rfind("\n") - 1
        self.editor.type(self.path, self.text)

    def edit(self, old, new):
        assert old in self.saved
        self.put(self.saved.replace(old, new, 1))

    def ask(self, method, **params):
        return self.editor.at(method, self.path, self.line, self.column, **params)

    def findings(self):
        return self.editor.findings(self.path)

    def labels(self):
        return [item["label"] for item in self.ask("completion")]

    def pick(self, label):
        edit = next(item["textEdit"] for item in self.ask("completion") if item["label"] == label)
        return changed(self.text, [edit])


def changed(text, edits):
    """Make edits of ASCII texts."""
    lines = text.split("\n")
    starts = [sum(len(line) + 1 for line in lines[:number]) for number in range(len(lines) + 1)]
    order = sorted(edits, key=lambda edit: tuple(edit["range"]["start"].values()))
    for edit in reversed(order):
        start, end = edit["range"]["start"], edit["range"]["end"]
        first, last = starts[start["line"]] + start["character"], starts[end["line"]] + end["character"]
        text = text[:first] + edit["newText"] + text[last:]
    return text
