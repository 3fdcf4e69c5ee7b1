import json
import shutil
import subprocess
from pathlib import Path

import pytest
from support.files import write

from maestro_dsl.cli.main import execute

OLD = """\
openapi: 3.0.3
info: {title: Shop, version: 1.0.0}
paths:
  /items:
    get:
      operationId: listItems
      parameters:
        - {name: limit, in: query, schema: {type: integer}}
      responses:
        '200':
          description: All items
          content:
            application/json:
              schema: {type: array, items: {$ref: '#/components/schemas/Item'}}
  /items/{id}:
    get:
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
      responses:
        '200':
          description: One item
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Item'}
components:
  schemas:
    Item:
      type: object
      required: [id]
      properties: {id: {type: string}, note: {type: string}}
"""
BREAKING = OLD.replace("required: [id]", "required: []").replace("version: 1.0.0", "version: 1.1.0")
DANGEROUS = OLD.replace(", note: {type: string}", "")
SAFE = OLD.replace(
    "'200':\n          description: One",
    "'404': {description: none}\n        '200':\n          description: One",
)
CONTRACT = """\
apiVersion: maestro/v1
kind: Contract
id: shop
name: Shop
version: {version}
type: REST_API
provider_persona_id: maker
interface_spec: {{type: openapi, spec_file: {spec}}}
deliverables: [{{name: code, artifacts: ["*.py"]}}]
"""


@pytest.fixture(autouse=True)
def _files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    texts = {"old.yaml": OLD, "breaking.yaml": BREAKING, "dangerous.yaml": DANGEROUS, "safe.yaml": SAFE}
    write(tmp_path, texts)


def run(capsys, *arguments):
    code = execute(["contract", *arguments])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


@pytest.mark.parametrize(
    ("new", "fail_on", "code"),
    [
        ("breaking", "breaking", 1),
        ("breaking", "none", 0),
        ("dangerous", "breaking", 0),
        ("dangerous", "dangerous", 1),
        ("safe", "dangerous", 0),
        ("safe", "safe", 1),
        ("old", "safe", 0),
    ],
)
def test_the_exit_code_is_the_verdict(capsys, new, fail_on, code):
    assert run(capsys, "diff", "old.yaml", f"{new}.yaml", "--fail-on", fail_on)[0] == code


def test_text_says_a_shared_change_once(capsys, golden):
    code, out, err = run(capsys, "diff", "old.yaml", "breaking.yaml")
    assert code == 1
    golden("cli/contract_diff.txt", out + "--- stderr\n" + err)


def test_markdown(capsys, golden):
    _, out, _ = run(capsys, "diff", "old.yaml", "breaking.yaml", "--format", "markdown")
    golden("cli/contract_diff.md", out)


def test_json_lists_every_operation(capsys):
    _, out, _ = run(capsys, "diff", "old.yaml", "breaking.yaml", "--format", "json")
    found = json.loads(out)
    assert found["format_version"] == 1
    assert found["worst"] == "breaking"
    assert found["summary"] == {"breaking": 2, "dangerous": 0, "safe": 0}
    assert found["versions"] == {
        "old": "1.0.0",
        "new": "1.1.0",
        "needed_bump": "major",
        "is_major_bump": False,
    }
    assert [(item["operation"], item["path"]) for item in found["changes"]] == [
        ("GET /items", "[]"),
        ("GET /items/{id}", ""),
    ]
    change = found["changes"][0]
    assert change["id"] == "response-property-became-optional"
    assert change["operation_id"] == "listItems"
    assert change["old"]["file"] == "old.yaml"
    assert change["old"]["range"]["start"] == {"line": 29, "column": 18}


def test_no_change_is_said(capsys):
    code, out, err = run(capsys, "diff", "old.yaml", "old.yaml")
    assert (code, out) == (0, "")
    assert "no changes" in err
    assert "No changes." in run(capsys, "diff", "old.yaml", "old.yaml", "--format", "markdown")[1]


def test_annotations_and_sarif(capsys):
    _, out, _ = run(capsys, "diff", "old.yaml", "breaking.yaml", "--format", "github")
    assert out.startswith(
        "::error file=breaking.yaml,line=30,col=24,title=response-property-became-optional::"
    )
    _, out, _ = run(capsys, "diff", "old.yaml", "breaking.yaml", "--format", "sarif")
    log = json.loads(out)
    assert log["version"] == "2.1.0"
    assert len(log["runs"][0]["results"]) == 2


def test_contracts_are_compared_with_their_interfaces(capsys):
    for name, version, spec in (("a", "1.0.0", "old.yaml"), ("b", "2.0.0", "breaking.yaml")):
        Path(f"{name}.contract.yaml").write_text(CONTRACT.format(version=version, spec=spec))
    text = Path("b.contract.yaml").read_text().replace("name: code", "name: service")
    Path("b.contract.yaml").write_text(text)
    code, out, _ = run(capsys, "diff", "a.contract.yaml", "b.contract.yaml", "--format", "json")
    found = json.loads(out)
    assert code == 1
    assert found["versions"]["is_major_bump"] is True
    assert {item["id"] for item in found["changes"]} == {
        "deliverable-removed",
        "deliverable-added",
        "response-property-became-optional",
    }


def test_graphql(capsys):
    Path("a.graphql").write_text("type Query { a: Int b: Int }\n")
    Path("b.graphql").write_text("type Query { a: Int c: Int }\n")
    code, out, _ = run(capsys, "diff", "a.graphql", "b.graphql")
    assert code == 1
    assert "b.graphql:1:6: breaking[graphql-field-removed]: Query.b: Field Query.b was removed" in out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("old.yaml", "missing.yaml"), 2, "no such file: missing.yaml"),
        (("old.yaml", "a.graphql"), 2, "old.yaml is openapi, a.graphql is graphql"),
        (("old.yaml", "bad.yaml"), 4, "bad.yaml cannot be read"),
        (("old.yaml", "two.yaml"), 4, "it is Swagger 2.0"),
        (("old.yaml", "a.contract.yaml"), 2, "different kinds of document"),
    ],
)
def test_mistakes_are_one_clear_sentence(capsys, arguments, code, words):
    Path("a.graphql").write_text("type Query { a: Int }\n")
    Path("bad.yaml").write_text("a: [\n")
    Path("two.yaml").write_text("swagger: '2.0'\n")
    Path("a.contract.yaml").write_text(CONTRACT.format(version="1.0.0", spec="old.yaml"))
    found, _, err = run(capsys, "diff", *arguments)
    assert found == code
    assert words in err
    assert "Traceback" not in err


def test_a_schema_is_known_by_its_text(capsys):
    Path("a.txt").write_text("type Query { a: Int }\n")
    Path("b.txt").write_text("type Query { b: Int }\n")
    assert run(capsys, "diff", "a.txt", "b.txt")[0] == 1
    Path("c.json").write_text('"text"')
    assert run(capsys, "diff", "old.yaml", "c.json")[0] == 4


def test_a_git_revision(capsys):
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    Path("api.yaml").write_text(OLD)
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q", "-b", "main"], ["add", "api.yaml"], [*who, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *command], check=True, capture_output=True)
    Path("api.yaml").write_text(BREAKING)
    code, out, _ = run(capsys, "diff", "main:api.yaml", "api.yaml")
    assert code == 1
    assert "was at main:api.yaml:29:18" in out
    code, _, err = run(capsys, "diff", "nowhere:api.yaml", "api.yaml")
    assert (code, "git has no nowhere:api.yaml" in err) == (2, True)
    Path("folder").mkdir()
    assert execute(["-C", "folder", "contract", "diff", "main:../api.yaml", "../api.yaml"]) == 1


def test_a_git_revision_of_several_files(capsys):
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    folder = Path("project/apis")
    folder.mkdir(parents=True)
    (folder / "api.yaml").write_text(OLD.replace("'#/components", "'parts.yaml#/components"))
    (folder / "parts.yaml").write_text(OLD)
    (folder / "outside").symlink_to("/etc/passwd")
    (folder / "shop.contract.yaml").write_text(CONTRACT.format(version="1.0.0", spec="api.yaml"))
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q", "-b", "main"], ["add", "project"], [*who, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *command], check=True, capture_output=True)
    for file in ("api.yaml", "shop.contract.yaml"):
        name = f"project/apis/{file}"
        assert run(capsys, "diff", f"main:{name}", name, "--fail-on", "safe")[0] == 0
    (folder / "parts.yaml").write_text(BREAKING)
    for file in ("api.yaml", "shop.contract.yaml"):
        name = f"project/apis/{file}"
        code, out, _ = run(capsys, "diff", f"main:{name}", name)
        assert code == 1
        assert "was at main:project/apis/api.yaml" in out


def test_git_that_is_missing_is_said(capsys, monkeypatch):
    monkeypatch.setenv("PATH", "")
    code, _, err = run(capsys, "diff", "main:api.yaml", "old.yaml")
    assert code == 8
    assert "git is not installed" in err


def test_show_and_search(capsys):
    code, out, _ = run(capsys, "show", "old.yaml")
    assert code == 0
    assert "GET  /items/{id}  -          200  open" in out
    code, out, _ = run(capsys, "search", "items list", ".", "--format", "json")
    found = json.loads(out)
    assert {item["file"] for item in found["interfaces"]} == {
        "old.yaml", "breaking.yaml", "dangerous.yaml", "safe.yaml",
    }  # fmt: skip
    assert all(
        [each["operation_id"] for each in item["operations"]] == ["listItems"] for item in found["interfaces"]
    )
    assert run(capsys, "search", "nothing of the kind")[0] == 1
