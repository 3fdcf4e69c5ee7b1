import json
import os
import shutil
from pathlib import Path

import pytest

from maestro_dsl.app.documents import compile_plan
from maestro_dsl.app.mocks import subjects
from maestro_dsl.interfaces.openapi.parse import parse
from maestro_dsl.lang.bundle import bundle, whole_spec
from maestro_dsl.lang.files import Area
from maestro_dsl.lang.settings import Overrides
from maestro_dsl.lang.source import Profile, load

TODO = Path(__file__).parents[3] / "examples" / "todo-app"


def written(folder, **files):
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_yaml", ".yaml").replace("_json", ".json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return folder


def root(schema, **more):
    answer = {"description": "ok", "content": {"application/json": {"schema": schema}}}
    return {"openapi": "3.0.3", "paths": {"/a": {"get": {"responses": {"200": answer}}}}, **more}


def bundled(folder, file="api.yaml"):
    path = (folder / file).resolve()
    data = load(path.read_bytes(), file, profile=Profile.INTERFACE).data
    return bundle(data, path, Area(folder.resolve()))


def schema_of(found):
    return found.data["paths"]["/a"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]


def test_a_document_without_other_files_is_left_as_it_is(tmp_path):
    written(tmp_path, api_yaml=root({"$ref": "#/components/schemas/A"}, components={"schemas": {"A": {}}}))
    assert bundled(tmp_path) is None
    assert whole_spec(tmp_path / "api.yaml") == (tmp_path / "api.yaml").read_bytes()


def test_a_schema_of_another_file_becomes_a_component_by_its_name(tmp_path):
    written(
        tmp_path,
        api_yaml=root({"$ref": "schemas/pet.yaml#/Pet"}),
        schemas__pet_yaml="Pet: {type: object, properties: {owner: {$ref: '../owner.json'}}}",
        owner_json={"type": "object"},
    )
    found = bundled(tmp_path)
    assert schema_of(found) == {"$ref": "#/components/schemas/Pet"}
    pet = {"type": "object", "properties": {"owner": {"$ref": "#/components/schemas/owner"}}}
    assert found.data["components"]["schemas"] == {"Pet": pet, "owner": {"type": "object"}}
    assert found.problems == ()


def test_cycles_between_files_stay_cycles(tmp_path):
    written(
        tmp_path,
        api_yaml=root({"$ref": "a.yaml"}),
        a_yaml="{type: object, properties: {b: {$ref: b.yaml}, self: {$ref: '#'}}}",
        b_yaml="{type: object, properties: {a: {$ref: a.yaml}, home: {$ref: 'api.yaml#/info'}}}",
    )
    found = bundled(tmp_path)
    here = "#/components/schemas/"
    assert found.data["components"]["schemas"] == {
        "a": {"type": "object", "properties": {"b": {"$ref": here + "b"}, "self": {"$ref": here + "a"}}},
        "b": {
            "type": "object",
            "properties": {"a": {"$ref": here + "a"}, "home": {"$ref": "api.yaml#/info"}},
        },
    }
    assert found.problems == (("api.yaml#/info", "leads to nothing in that file"),)


def test_a_component_that_points_into_a_file_is_its_home(tmp_path):
    written(
        tmp_path,
        api_yaml=root({"$ref": "pet.yaml"}, components={"schemas": {"Animal": {"$ref": "./pet.yaml"}}}),
        pet_yaml="{type: string}",
    )
    found = bundled(tmp_path)
    assert schema_of(found) == {"$ref": "#/components/schemas/Animal"}
    assert found.data["components"]["schemas"] == {"Animal": {"type": "string"}}


def test_names_that_are_taken_get_a_number(tmp_path):
    written(
        tmp_path,
        api_yaml=root(
            {"oneOf": [{"$ref": "x/A.yaml"}, {"$ref": "y/A.yaml"}]}, components={"schemas": {"A": {}}}
        ),
        x__A_yaml="{type: string}",
        y__A_yaml="{type: integer}",
    )
    schemas = bundled(tmp_path).data["components"]["schemas"]
    assert sorted(json.dumps(item) for item in schemas.values()) == [
        '{"type": "integer"}',
        '{"type": "string"}',
        "{}",
    ]


def test_paths_parameters_and_answers_of_other_files_are_served(tmp_path):
    written(
        tmp_path,
        api_yaml="openapi: 3.1.0\npaths:\n  /pets/{id}: {$ref: 'paths/pet.yaml'}\n",
        paths__pet_yaml=(
            "parameters: [{$ref: '../parts.yaml#/id'}]\n"
            "get: {responses: {'200': {$ref: '../parts.yaml#/ok'}, 404: {description: gone}}}\n"
        ),
        parts_yaml=(
            "id: {name: id, in: path, required: true, schema: {type: integer}}\n"
            "ok: {description: ok, content: {application/json: {schema: {type: integer}}}}\n"
        ),
    )
    [subject], _ = subjects([tmp_path / "api.yaml"], {})
    [operation] = subject.api.operations
    assert (operation.parameters[0].name, set(operation.responses)) == ("id", {"200", "404"})
    api, problems = parse(subject.content, "api.yaml")
    assert api is not None
    assert list(problems) == []


HOSTILE = [
    ("http://127.0.0.1:9/x.yaml", None),
    ("//127.0.0.1:9/x.yaml", None),
    ("file:///etc/passwd", None),
    ("/etc/passwd", "must be a relative path with / between its parts"),
    ("../outside.yaml", "lies outside the document's folder"),
    ("a/../../outside.yaml#/x", "lies outside the document's folder"),
    ("%2e%2e/outside.yaml", "lies outside the document's folder"),
    ("..\\outside.yaml", "must be a relative path with / between its parts"),
    ("link.yaml", "lies outside the document's folder"),
    ("folder", "is a folder, not a file"),
    ("none.yaml", "does not exist"),
    ("x\0.yaml", "is not a usable path"),
    ("broken.yaml", "cannot be read: "),
    ("pipe.yaml", "does not exist"),
    ("fine.yaml#/" + "9" * 5000, "leads to nothing in that file"),
    ("fine.yaml#anchor", "leads to nothing in that file"),
]


@pytest.mark.parametrize(("ref", "reason"), HOSTILE, ids=[ref[:20] for ref, _ in HOSTILE])
def test_nothing_outside_the_project_is_read(tmp_path, ref, reason):
    (tmp_path / "outside.yaml").write_text("secret: {type: string}")
    project = tmp_path / "project"
    written(project, fine_yaml="{}", broken_yaml="a: [", folder__x_yaml="{}")
    (project / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    os.mkfifo(project / "pipe.yaml")
    written(project, api_json=root({"oneOf": [{"$ref": ref}, {"$ref": "fine.yaml"}]}))
    found = bundled(project, "api.json")
    assert b"secret" not in found.content
    assert schema_of(found)["oneOf"][0] == {"$ref": ref}
    assert [(name, text[: len(reason or "")]) for name, text in found.problems] == (
        [(ref, reason)] if reason else []
    )
    assert parse(found.content, "api.json")[0] is not None


def test_long_chains_and_many_files_end(tmp_path):
    links = {f"f{number}_yaml": f"{{$ref: f{number + 1}.yaml}}" for number in range(600)}
    paths = {f"p{number}_yaml": f"{{$ref: p{(number + 1) % 5}.yaml}}" for number in range(5)}
    written(tmp_path, api_json=root({"$ref": "f0.yaml"}), **links, **paths)
    assert bundled(tmp_path, "api.json").problems == (
        ("f499.yaml", "is one file too many: at most 500 are read"),
    )
    written(tmp_path, api_json={"openapi": "3.0.0", "paths": {"/a": {"$ref": "p0.yaml"}}})
    assert [text for _, text in bundled(tmp_path, "api.json").problems] == ["cannot be put in its place"]


def test_a_plan_holds_the_whole_interface_and_runs_again_when_a_part_changes(tmp_path):
    shutil.copytree(TODO, tmp_path / "todo")
    spec = tmp_path / "todo" / "contracts" / "api_spec.yaml"
    data = load(spec.read_bytes(), "x", profile=Profile.INTERFACE).data
    before = compiled(tmp_path).contracts
    schemas = data["components"].pop("schemas")
    for name, schema in schemas.items():
        text = json.dumps(schema).replace("#/components/schemas/", "./").replace('"}', '"}')
        for other in schemas:
            text = text.replace(f'"./{other}"', f'"./{other}.json"')
        (spec.parent / f"{name}.json").write_text(text)
    text = json.dumps(data)
    for name in schemas:
        text = text.replace(f'"#/components/schemas/{name}"', f'"{name}.json"')
    spec.write_text(text)
    after = compiled(tmp_path).contracts
    assert [item.operations for item in after] == [item.operations for item in before]
    plan = compiled(tmp_path)
    [contract] = [item for item in plan.contracts if item.spec_digest]
    whole = json.loads(plan.blobs[contract.spec_digest])
    assert sorted(whole["components"]["schemas"]) == sorted(schemas)
    name = next(iter(schemas))
    (spec.parent / f"{name}.json").write_text(json.dumps({**schemas[name], "description": "another one"}))
    [changed] = [item for item in compiled(tmp_path).contracts if item.spec_digest]
    assert changed.interface_digest != contract.interface_digest


def compiled(folder):
    found = compile_plan(folder / "todo" / "plan.yaml", overrides=Overrides(), environ={})
    assert found.plan is not None, [item.message for item in found.diagnostics]
    return found.plan
