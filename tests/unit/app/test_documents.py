"""`lint` on what people point it at: several plans, single files, folders elsewhere, files not ours."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
from support.files import write

from maestro_dsl.app import lint
from maestro_dsl.diagnostics import Severity

ROOT = Path(__file__).parents[3]
HEAVY = (
    "networkx",
    "sqlalchemy",
    "starlette",
    "fastapi",
    "anthropic",
    "faker",
    "httpx2",
    "packaging",
    "rich",
)
HEAD = "apiVersion: maestro/v1\nkind: "
BLUEPRINT = HEAD + (
    "Blueprint\nid: flow\nnodes:\n"
    "  build: {action: fulfil, timeout: 5m, foreach: contracts, as: contract, when: contract.nme == 'x'}\n"
)
CONTRACT = HEAD + (
    "Contract\nid: api\nname: API\ntype: REST_API\nprovider_persona_id: maker\n"
    "interface_spec: {type: openapi, spec_file: api.yaml}\n"
    "deliverables: [{name: a, artifacts: ['*.py']}, {name: b, artifacts: ['x.*']}]\n"
)
PLAN = HEAD + (
    "Plan\nid: demo\nblueprint: flow\nteam: {maker: {use: maker}}\ncontracts: [contracts/api.contract.yaml]\n"
)
FILES = {
    "maestro.yaml": HEAD + "Project\nid: demo\ncolor: red\n",
    "plan.yaml": PLAN,
    "other.plan.yaml": PLAN.replace("id: demo", "id: other"),
    "flow.blueprint.yaml": BLUEPRINT,
    "maker.persona.yaml": HEAD + "Persona\nid: maker\nexpertise: 5\n",
    "contracts/api.contract.yaml": CONTRACT,
    "contracts/api.yaml": 'swagger: "2.0"\npaths: {}\n',
}


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    folder = write(tmp_path / "project", FILES)
    monkeypatch.chdir(folder)
    return folder


def findings(*paths):
    result = lint([Path(path) for path in paths], environ={})
    return [(item.code, item.span.file, item.span.line) for item in result.diagnostics]


EVERYTHING = [
    ("CTR001", "contracts/api.yaml", 1),
    ("CTR007", "contracts/api.contract.yaml", 8),
    ("EXP002", "flow.blueprint.yaml", 5),
    ("SCH001", "maestro.yaml", 4),
    ("SCH003", "maker.persona.yaml", 4),
]


def test_two_plans_with_one_team_give_each_finding_once():
    assert sorted(findings()) == EVERYTHING
    assert sorted(findings(".", "plan.yaml", "contracts")) == EVERYTHING


def test_every_finding_has_the_text_it_points_into():
    result = lint([], environ={})
    assert {item.span.file for item in result.diagnostics} <= set(result.sources)


def test_a_contract_alone_is_held_to_its_interface():
    assert findings("contracts/api.contract.yaml") == [("CTR001", "contracts/api.yaml", 1)]
    Path("contracts/api.yaml").unlink()
    assert findings("contracts/api.contract.yaml") == [("REF008", "contracts/api.contract.yaml", 7)]


def test_files_are_called_as_they_were_typed(project, monkeypatch):
    (project.parent / "elsewhere").mkdir()
    monkeypatch.chdir(project.parent / "elsewhere")
    assert {file for _, file, _ in findings("../project/plan.yaml")} == {
        f"../project/{file}" for _, file, _ in EVERYTHING
    }
    (project.parent / "elsewhere" / "link").symlink_to(project)
    assert {file for _, file, _ in findings("link")} == {f"link/{file}" for _, file, _ in EVERYTHING}


def test_what_is_not_ours_is_passed_over_in_folders_and_named_alone(tmp_path, monkeypatch):
    folder = tmp_path / "foreign"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "compose.yaml").write_text("services: {}\n")
    (folder / "package.json").write_text("{}")
    (folder / "api.yaml").write_text("openapi: 3.0.0\n")
    assert findings(".") == []
    result = lint([Path("compose.yaml"), Path("package.json"), Path("api.yaml")], environ={})
    assert {item.code for item in result.diagnostics} == {"SCH005"}
    helps = {item.span.file: item.help for item in result.diagnostics}
    assert (
        helps["api.yaml"]
        == "this looks like an interface; a Contract names it under interface_spec.spec_file"
    )


@pytest.mark.parametrize("seed", range(30))
def test_any_bytes_are_findings_and_never_an_exception(tmp_path, seed):
    chance = random.Random(seed)
    content = chance.randbytes(chance.randrange(400))
    if seed % 3 == 0:
        text = PLAN.encode()
        at = chance.randrange(len(text))
        content = text[:at] + chance.randbytes(3) + text[at:]
    elif seed % 3 == 1:
        words = [
            "{",
            "}",
            "[",
            "]",
            ":",
            "- ",
            "\n",
            "  ",
            "kind: Plan",
            "team",
            "&a",
            "*a",
            "'",
            '"',
            "{{",
            "?",
        ]
        content = "".join(chance.choices(words, k=60)).encode()
    file = tmp_path / "plan.yaml"
    file.write_bytes(content)
    result = lint([file], environ={})
    assert all(item.span.line >= 1 and item.message for item in result.diagnostics)


@pytest.mark.parametrize("name", ["plan.yaml", "x.blueprint.yaml", "x.contract.yaml", "maestro.yaml"])
def test_a_document_of_another_kind_under_our_name_is_named(tmp_path, monkeypatch, name):
    (tmp_path / "alone").mkdir()
    monkeypatch.chdir(tmp_path / "alone")
    for content in (
        "",
        "null",
        "[1, 2]",
        "text",
        "kind: Plan",
        "apiVersion: maestro/v1\nkind: Persona\nid: x\n",
    ):
        Path(name).write_text(content)
        lint([], environ={})  # a sound Persona may have any name; nothing is raised
    Path(name).write_text("- 1\n")
    assert [code for code, *_ in findings()] == ["SCH005"]


def test_real_documents_that_are_not_ours_are_never_an_exception(shared_data, tmp_path):
    for file in sorted(shared_data.rglob("*.y*ml"))[:60] + sorted(shared_data.rglob("*.json"))[:20]:
        if file.stat().st_size < 300_000:
            result = lint([file], environ={})
            assert result.diagnostics.count(Severity.ERROR) >= 1
    copy = tmp_path / "real"
    copy.mkdir()
    (copy / "plan.yaml").write_bytes((shared_data / "openapi" / "swagger-petstore.yaml").read_bytes())
    assert [item.code for item in lint([copy], environ={}).diagnostics] == ["SCH005"]


def test_lint_of_a_sound_document_loads_no_words_for_mistakes_and_no_compiler():
    idle = (
        "jsonschema",
        "multiprocessing",
        "concurrent.futures",
        "http.client",
        "xml",
        "importlib.metadata",
    )
    idle += ("maestro_dsl.lang.syntax", "maestro_dsl.compiler.plan", *HEAVY)
    code = f"""
import sys
from maestro_dsl.cli import main
sys.argv = ["maestro", "lint", "--no-cache", "blueprints/sequential-basic.blueprint.yaml"]
try:
    main()
except SystemExit as end:
    print(end.code, [name for name in {idle} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "0 []", done.stderr


def test_documents_without_expressions_load_nothing_for_them(tmp_path):
    head = "apiVersion: maestro/v1\nkind: "
    folder = tmp_path / "alone"
    folder.mkdir()
    (folder / "p.persona.yaml").write_text(f"{head}Persona\nid: p\n")
    nodes = "{a: {action: command, timeout: 1m, with: {run: [a]}}}"
    (folder / "b.blueprint.yaml").write_text(f"{head}Blueprint\nid: b\nnodes: {nodes}\n")
    code = f"""
import sys
from maestro_dsl.cli import main
sys.argv = ["maestro", "lint", "--no-cache", {str(folder)!r}]
try:
    main()
except SystemExit as end:
    print(end.code, "jinja2" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "0 False", done.stderr


def test_lint_loads_nothing_that_it_does_not_need():
    code = f"""
import sys
from maestro_dsl.cli import main
sys.argv = ["maestro", "lint", "examples/todo-app"]
try:
    main()
except SystemExit as end:
    print(end.code, [name for name in {HEAVY} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "0 []", done.stderr
