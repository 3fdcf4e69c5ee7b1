"""What is a document of ours in a folder, beside the files that are named like one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from maestro_dsl.app import format_documents, lint
from maestro_dsl.lang import disk
from maestro_dsl.lang.files import is_document, search
from maestro_dsl.lang.model import Kind
from maestro_dsl.lang.sniffing import HEAD, is_ours, sniffed

PERSONA = "apiVersion: maestro/v1\nkind: Persona\nid: maker\nname: Maker\nexpertise: [code]\n"


@pytest.mark.parametrize(
    "head",
    [
        "apiVersion: maestro/v1\n",
        "# a comment\n\n---\nkind: Plan\r\napiVersion: 'maestro/v1'\r\n",
        "kind: Plan\rapiVersion:  maestro/v1\r",
        '"apiVersion": "maestro/v2"\n',
        "\ufeffapiVersion: maestro/v1alpha1\n",
        "{apiVersion: maestro/v1, kind: Plan}",
        '# c\n{\n  "kind": "Plan",\n  "apiVersion": "maestro/v1"\n}',
    ],
)
def test_the_first_lines_tell_a_document(head: str) -> None:
    assert is_ours(head.encode())
    assert is_ours(head.removeprefix("\ufeff").encode("utf-16"))


@pytest.mark.parametrize(
    "head",
    [
        "",
        "apiVersion: apps/v1\nkind: Plan\n",
        "# apiVersion: maestro/v1\n",
        "about: 'apiVersion: maestro/v1'\n",
        "data:\n  plan.yaml: |\n    apiVersion: maestro/v1\n",
        "myapiVersion: maestro/v1\n",
        "openapi: 3.0.3\nservers: [{url: maestro/v1}]\n",
    ],
)
def test_other_yaml_is_none_of_ours(head: str) -> None:
    assert not is_ours(head.encode())


def test_a_folder_holds_documents_of_any_name(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text("a foreign one")
    for name in ("maker.yaml", "other.yml", "sub/x.yaml", ".hidden/y.yaml", "node_modules/z.yaml", "a.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(PERSONA)
    (tmp_path / "odd.yaml").write_text("apiVersion: maestro/v1\nkind: Odd\n")
    (tmp_path / "api.yaml").write_text("openapi: 3.0.3\n")
    (tmp_path / "late.yaml").write_text("#" * HEAD + "\n" + PERSONA)
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "nowhere.yaml").symlink_to("gone")
    found = [(path.relative_to(tmp_path).as_posix(), kind) for path, kind in search(tmp_path)]
    assert found == [
        ("maker.yaml", Kind.PERSONA),
        ("odd.yaml", None),
        ("other.yml", Kind.PERSONA),
        ("plan.yaml", Kind.PLAN),
        ("sub/x.yaml", Kind.PERSONA),
    ]
    assert is_document(tmp_path / "late.yaml", PERSONA.encode())
    assert not is_document(tmp_path / "late.yaml")


def test_a_kind_that_stands_late_is_found(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("apiVersion: maestro/v1\n" + "#" * HEAD + "\nkind: Policy\n")
    assert sniffed(path) == (True, Kind.POLICY)


def test_lint_and_fmt_read_the_same_and_ids_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("maestro.yaml").write_text("apiVersion: maestro/v1\nkind: Project\nid: demo\n")
    Path("makers.yaml").write_text(PERSONA.replace("name: Maker", "nmae:   Maker"))
    Path("flow.blueprint.yaml").write_text(
        "apiVersion: maestro/v1\nkind: Blueprint\nid: flow\nname: Flow\nnodes:\n"
        "  a: {action: command, timeout: 1m, with: {run: [echo]}}\n"
    )
    Path("plan.yaml").write_text(
        "apiVersion: maestro/v1\nkind: Plan\nid: demo\nblueprint: flow\nteam: {m: {use: maker}}\n"
    )
    found = [(item.code, item.span.file) for item in lint([], environ={}).diagnostics]
    assert found == [("SCH001", "makers.yaml")]
    assert [item.file for item in format_documents(()).changes if item.file == "makers.yaml"] == [
        "makers.yaml"
    ]


def test_what_is_typed_counts_before_what_is_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a: 1\n")
    assert search(tmp_path) == ()
    with disk.overlaid({path: PERSONA.encode()}):
        assert search(tmp_path) == ((path, Kind.PERSONA),)
