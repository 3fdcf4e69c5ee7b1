"""The schemas for editors: whole, valid, and of the same opinion as the grammar itself."""

import json
from pathlib import Path

import jsonschema_rs
import pytest
from jsonschema import Draft202012Validator

from maestro_dsl.lang import schema_export
from maestro_dsl.lang.files import patterns_of
from maestro_dsl.lang.model import Kind
from maestro_dsl.lang.source import load
from maestro_dsl.lang.validators import schema_of, validator_of

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTS = [
    load(path.read_bytes(), path.name).data
    for pattern in ("blueprints/**/*.yaml", "examples/*/*.yaml", "examples/*/contracts/*.contract.yaml")
    for path in sorted(ROOT.glob(pattern))
]
BROKEN = [
    {"apiVersion": "maestro/v1", "kind": "Plan", "id": "x"},
    {"apiVersion": "maestro/v1", "kind": "Policy", "id": "x", "retry": {"delay": "soon"}},
    {"apiVersion": "maestro/v1", "kind": "Blueprint", "id": "x", "nodes": {"a": {"action": "command"}}},
    {"apiVersion": "maestro/v1", "kind": "Nothing", "id": "x"},
    {"kind": "Plan"},
]
ANY = schema_export.exported_for_any()


def is_valid(schema, data):
    return jsonschema_rs.Draft202012Validator(schema, offline=True).is_valid(data)


@pytest.mark.parametrize("name", schema_export.exports())
def test_each_file_is_a_whole_schema_with_an_id(name):
    schema = json.loads(schema_export.exports()[name])
    Draft202012Validator.check_schema(schema)
    assert schema["$id"].startswith("urn:maestro-dsl:schema:v1:")
    assert "urn:" not in json.dumps({key: value for key, value in schema.items() if key != "$id"})


@pytest.mark.parametrize("data", DOCUMENTS, ids=lambda data: f"{data['kind']} {data['id']}")
def test_our_documents_are_accepted(data):
    assert is_valid(schema_export.exported(Kind(data["kind"])), data)
    assert is_valid(ANY, data)


@pytest.mark.parametrize("data", BROKEN)
def test_mistakes_are_refused(data):
    assert not is_valid(ANY, data)
    if data.get("kind") in [*Kind]:
        assert not is_valid(schema_export.exported(Kind(data["kind"])), data)


@pytest.mark.parametrize("kind", list(Kind))
def test_examples_agree_with_the_grammar(kind):
    for example in schema_of(kind)["examples"]:
        assert validator_of(kind).is_valid(example)
        assert is_valid(schema_export.exported(kind), example)
        assert not is_valid(schema_export.exported(kind), {**example, "colour": "red"})


def test_patterns_say_what_is_wanted():
    schema = schema_export.exported(Kind.POLICY)
    assert "is not a duration" in schema["$defs"]["shared_duration"]["patternErrorMessage"]


def test_the_comment_for_editors():
    text = "apiVersion: maestro/v1\n"
    shown = schema_export.with_modeline("api.contract.yaml", text, "../.maestro/schemas")
    assert shown == f"# yaml-language-server: $schema=../.maestro/schemas/contract.schema.json\n{text}"
    assert schema_export.with_modeline("api.contract.yaml", shown, "x") == shown
    assert schema_export.with_modeline("api_spec.yaml", text, "x") == text


def test_the_settings_in_the_guide_give_each_file_name_its_schema():
    page = (ROOT / "docs" / "guide" / "editors.md").read_text(encoding="utf-8")
    shown = json.loads(page.partition("```json\n")[2].partition("```")[0])
    assert shown == {
        "yaml.schemas": {
            f"./{schema_export.FOLDER}/{schema_export.file_name(kind)}": [
                f"**/{pattern}" for pattern in patterns_of(kind)
            ]
            for kind in Kind
        }
    }
