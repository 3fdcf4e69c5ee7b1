"""Mocks and verification for people: whose files are read, what is written, and which verdict is given."""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

import pytest

from maestro_dsl import app
from maestro_dsl.errors import CompileError, DiskFailure, EnvironmentFailure

SPEC = (
    "openapi: 3.0.3\ninfo: {title: API, version: '1'}\n"
    "paths: {/things: {get: {responses: {'200': {description: all}}}}}\n"
)
CONTRACT = (
    "apiVersion: maestro/v1\nkind: Contract\nid: api\nname: API\ntype: REST_API\nprovider_persona_id: maker\n"
    "interface_spec: {type: openapi, spec_file: api.yaml}\n"
    "deliverables: [{name: a, artifacts: ['*.py']}]\n"
)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    project = tmp_path / "project"
    project.mkdir()
    (project / "api.contract.yaml").write_text(CONTRACT)
    (project / "api.yaml").write_text(SPEC)
    monkeypatch.chdir(project)
    return project


def emit(output=Path("made")):
    return app.mock_emit([Path("api.contract.yaml")], output=output, environ={})


def verify(*start):
    return asyncio.run(
        app.verify(
            Path("api.contract.yaml"),
            url=None,
            start=start,
            cwd=Path(),
            seed=0,
            max_time_s=20,
            environ={},
        )
    )


def test_an_interface_of_the_project_is_emitted():
    assert "contracts/api_spec.yaml" in emit().files


@pytest.mark.parametrize("how", ["absolute", "upwards", "link"])
def test_an_interface_outside_the_project_is_not_read(folder, how):
    outside = folder.parent / "secret.yaml"
    outside.write_text(SPEC)
    stated = {"absolute": str(outside), "upwards": "../secret.yaml", "link": "api.yaml"}[how]
    if how == "link":
        (folder / "api.yaml").unlink()
        (folder / "api.yaml").symlink_to(outside)
    (folder / "api.contract.yaml").write_text(CONTRACT.replace("api.yaml", stated))
    with pytest.raises(CompileError, match="its interface cannot be read") as caught:
        emit()
    (found,) = caught.value.diagnostics.items
    assert (found.code, found.span.file, found.span.line) == ("REF008", "api.contract.yaml", 7)
    assert not Path("made").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_that_cannot_be_written_comes_with_the_way_out(folder):
    (folder / "made").mkdir(mode=0o500)
    with pytest.raises(EnvironmentFailure, match=r"cannot write made/contracts: Permission denied") as caught:
        emit()
    assert caught.value.hint == "choose a folder that you may write to with --output"


def test_a_file_where_a_folder_must_be_comes_with_the_way_out(folder):
    (folder / "made").write_text("")
    with pytest.raises(EnvironmentFailure, match=r"cannot write made/contracts: ") as caught:
        emit()
    assert "--output" in caught.value.hint


def test_a_service_that_dies_at_its_start_has_not_kept_its_promise():
    result = verify(sys.executable, "-c", "raise SystemExit('no disk')")
    assert result.verdict.verdict == "not_fulfilled"
    assert "ended with code 1 at its start; its last lines:\nno disk" in result.verdict.issues[0].message


def test_a_command_that_cannot_be_started_gives_no_verdict():
    with pytest.raises(EnvironmentFailure) as caught:
        verify("no-such-program")
    assert caught.value.message == 'could not verify api: there is no program "no-such-program"'
    assert caught.value.hint == "install it, or correct the command"


def test_a_disk_that_fails_before_a_verification_says_whose_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    with pytest.raises(DiskFailure, match=r"could not verify api: .*: there is no such folder"):
        verify("no-such-program")
