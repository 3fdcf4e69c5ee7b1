import subprocess
import sys
from pathlib import Path

from support.files import write

from maestro_dsl.app import lint
from maestro_dsl.app.lint_cache import LintCache
from maestro_dsl.lang.settings import Overrides
from maestro_dsl.lang.workspace import load_workspace
from maestro_dsl.rules import run_rules

BLUEPRINT = """\
apiVersion: maestro/v1
kind: Blueprint
id: flow
nodes:
  build: {action: fulfil, foreach: contracts, as: contract, when: "{{ contract.mock_available }}"}
  check: {action: verify, foreach: contrats, as: contract}
  tell:
    action: command
    when: nodes.build.outputs['api'].score > 0.5
    with: {run: ["echo {{ inputs.nme }}"]}
"""
CONTRACT = """\
apiVersion: maestro/v1
kind: Contract
id: api
provider_persona_id: maker
deliverables:
  - {name: one, artifacts: ["*.py"]}
  - {name: two, artifacts: ["main.*"]}
"""
PERSONA = "apiVersion: maestro/v1\nkind: Persona\nid: maker\n"
PLAN = """\
apiVersion: maestro/v1
kind: Plan
id: demo
blueprint: flow
team: {maker: {use: ./maker.persona.yaml}}
contracts: [api.contract.yaml]
"""


def project(folder: Path) -> Path:
    files = {
        "maestro.yaml": "apiVersion: maestro/v1\nkind: Project\nid: demo\ndefaults: {timeout: 15m}\n",
        "flow.blueprint.yaml": BLUEPRINT,
        "api.contract.yaml": CONTRACT,
        "maker.persona.yaml": PERSONA,
        "plan.yaml": PLAN,
    }
    return write(folder, files) / "plan.yaml"


def test_all_mistakes_of_a_blueprint_are_found_at_their_place(tmp_path):
    workspace, _ = load_workspace(project(tmp_path), overrides=Overrides(), environ={})
    found = [
        (item.code, item.span.line, item.span.column, item.message)
        for item in run_rules(workspace.documents, [workspace])
    ]
    lines = BLUEPRINT.splitlines()
    assert found == [
        ("CTR007", 7, 29, "api.two (main.*) and api.one (*.py) claim the same files"),
        ("EXP005", 5, lines[4].index("{{ ") + 1, "an expression already stands here; {{ }} is for text"),
        ("EXP002", 6, lines[5].index("contrats") + 1, "contrats is not defined here"),
        ("GRF003", 9, lines[8].index("build") + 1, "tell reads the outputs of build but does not need it"),
        ("EXP002", 10, lines[9].index("nme") + 1, "nme is not defined in inputs"),
    ]


def test_rules_load_no_graph_library():
    code = "import maestro_dsl.rules, sys; print('networkx' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_an_optional_rule_looks_only_where_it_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "maker.persona.yaml").write_text("kind:  Persona\napiVersion: maestro/v1\nid: maker\n")
    cache = LintCache(folder=tmp_path / "cache")

    def codes(*select):
        return [item.code for item in lint([], environ={}, select=select, cache=cache).diagnostics]

    assert codes() == codes("SYN") == codes("SCH001") == []
    assert codes("STY") == codes("sty002") == codes("formatting") == ["STY002"]
    assert codes() == []
