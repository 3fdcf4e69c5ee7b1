from pathlib import Path

import pytest
from support.files import write
from support.libraries import manifest, project

from maestro_dsl.app import lint
from maestro_dsl.lang.lockfile import lock_text
from maestro_dsl.libraries.candidates import Offline
from maestro_dsl.libraries.locking import make_lock, wanted_of

CONTRACT = """\
apiVersion: maestro/v1
kind: Contract
id: api
name: API
description: An interface
version: {version}
type: {type}
provider_persona_id: maker
interface_spec:
  type: {spec}
  spec_file: {new}
  compatible_with: {{version: {released}, spec_file: {old}}}
deliverables: [{{name: one, artifacts: ["*.py"]}}]
"""
OPERATION = "  /{name}: {{get: {{responses: {{'200': {{description: ok}}}}}}}}\n"
HEAD = "openapi: 3.1.0\ninfo: {title: API, version: 1.0.0}\npaths:\n"


def api(*names):
    return HEAD + "".join(OPERATION.format(name=name) for name in names)


@pytest.fixture
def found(tmp_path, monkeypatch):
    """Return what lint says of CTR003 and REF008 for two versions of an interface."""
    monkeypatch.chdir(tmp_path)

    def run(old, new, *, version="1.1.0", released="1.0.0", kind=("REST_API", "openapi"), suffix=".yaml"):
        if old is not None:
            Path(f"old{suffix}").write_text(old)
        Path(f"new{suffix}").write_text(new)
        contract = CONTRACT.format(
            version=version,
            released=released,
            type=kind[0],
            spec=kind[1],
            new=f"new{suffix}",
            old=f"old{suffix}",
        )
        Path("api.contract.yaml").write_text(contract)
        result = lint([Path("api.contract.yaml")], environ={}, select=("CTR001", "CTR003", "REF008"))
        return [
            (item.code, f"{item.span.file}:{item.span.line}", item.message) for item in result.diagnostics
        ]

    return run


def test_a_breaking_change_is_found_in_the_new_file(found):
    assert found(api("a", "b"), api("a")) == [
        ("CTR003", "new.yaml:3", "breaks version 1.0.0: GET /b: the operation is gone")
    ]


@pytest.mark.parametrize(
    ("released", "version", "is_said"),
    [
        ("1.0.0", "2.0.0", False),
        ("1.0.0", "1.9.0", True),
        ("0.1.0", "0.2.0", False),
        ("0.1.0", "0.1.1", True),
        ("2.0.0", "1.0.0", True),
        ("0.9.0", "1.0.0", False),
    ],
)
def test_a_new_major_version_may_break(found, released, version, is_said):
    assert bool(found(api("a", "b"), api("a"), version=version, released=released)) is is_said


def test_what_is_safe_is_not_said(found):
    assert found(api("a"), api("a", "b")) == []


def test_many_changes_are_cut(found):
    names = [f"x{number}" for number in range(30)]
    listed = found(api("a", *names), api("a"))
    assert len(listed) == 21
    assert ("CTR003", "api.contract.yaml:12", "10 more changes break version 1.0.0") in listed


def test_a_released_file_that_is_missing_or_broken(found):
    assert [item[0] for item in found(None, api("a"))] == ["REF008"]
    said = found("swagger: '2.0'\n", api("a"))
    assert said == [
        (
            "CTR001",
            "old.yaml:1",
            "old.yaml is no OpenAPI document that can be compared: it is Swagger 2.0",
        )
    ]


def test_graphql_too(found):
    old, new = "type Query { a: Int b: Int }\n", "type Query { a: Int }\n"
    said = found(old, new, kind=("GRAPHQL", "graphql"), suffix=".graphql")
    assert said == [("CTR003", "new.graphql:1", "breaks version 1.0.0: Query.b: Field Query.b was removed")]


def test_other_kinds_are_left_alone(found):
    old, new = "def a(): ...\n", "def b(): ...\n"
    assert found(old, new, kind=("INTERFACE", "python"), suffix=".py") == []


@pytest.fixture
def published(tmp_path, monkeypatch):
    """Return what lint says where the released version is the contract of a pinned library."""
    monkeypatch.chdir(tmp_path)

    def run(old, new, *, version="1.1.0", reference="team/api@^1", spec="openapi"):
        contract = CONTRACT.replace("  compatible_with: {{version: {released}, spec_file: {old}}}\n", "")
        own = {"type": "REST_API", "new": "api.yaml"}
        exports = "exports: {contracts: ['*.contract.yaml']}\n"
        team = {
            "library.yaml": manifest("team").replace(
                "exports: {personas: [personas/*.persona.yaml]}\n", exports
            ),
            "api.contract.yaml": contract.format(version="1.0.0", spec=spec, **own),
            "api.yaml": old,
        }
        write("libs/team", team)
        stated = contract.format(version=version, spec="openapi", **own)
        more = f"  spec_file: api.yaml\n  compatible_with: {reference}\n"
        project(".", team="./libs/team")
        write(".", {"api.contract.yaml": stated.replace("  spec_file: api.yaml\n", more), "api.yaml": new})
        lock = make_lock(wanted_of({"team": "./libs/team"}), Offline(Path(), None), None)
        write(".", {"maestro.lock": lock_text(lock)})
        result = lint([Path("api.contract.yaml")], environ={}, select=("CTR003", "REF003", "SCH"))
        return [
            (item.code, f"{item.span.file}:{item.span.line}", item.message) for item in result.diagnostics
        ]

    return run


def test_the_contract_of_a_library_is_a_released_version(published):
    assert published(api("a", "b"), api("a")) == [
        ("CTR003", "api.yaml:3", "breaks version 1.0.0: GET /b: the operation is gone")
    ]
    assert published(api("a", "b"), api("a"), version="2.0.0") == []
    assert published(api("a"), api("a", "b")) == []


def test_a_contract_of_a_library_that_cannot_be_compared_is_told(published):
    ((code, place, message),) = published(api("a"), api("a"), reference="team/apy")
    assert (code, place, message) == ("REF003", "api.contract.yaml:12", 'unknown contract "team/apy"')
    ((_, _, message),) = published(api("a"), api("a"), reference="team/api@^2")
    assert message == 'contract "api" has version 1.0.0, not ^2'
    ((_, _, message),) = published("type Query {a: Int}", api("a"), spec="graphql")
    assert message == '"team/api@^1" describes graphql, and this openapi'
