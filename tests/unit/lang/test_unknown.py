"""A value that cannot be read hides nothing but itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro_dsl.app import lint
from maestro_dsl.lang.limits import MOST_UNKNOWN
from maestro_dsl.lang.read import read_content
from maestro_dsl.lang.source import Profile, load

BLUEPRINT = "apiVersion: maestro/v1\nkind: Blueprint\nid: flow\nnodes:\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def found(text: str) -> list[tuple[str, int, int]]:
    Path("flow.blueprint.yaml").write_text(text, encoding="utf-8")
    findings = lint([], environ={}).diagnostics
    return [(item.code, item.span.line, item.span.column) for item in findings]


def test_a_refused_tag_hides_no_other_finding() -> None:
    text = (
        "  a: {action: command, timeuot: 5m, with: {run: !!python/name:os.system [echo]}}\n"
        "  b: {action: !foo command, timeout: 5m, with: {run: [echo]}}\n"
        "  c: {action: command, needs: [b, nope], timeout: 5m, with: {run: [echo]}}\n"
    )
    assert found(BLUEPRINT + text) == [
        ("SCH001", 5, 24),
        ("SYN001", 5, 49),
        ("SYN001", 6, 15),
        ("REF001", 7, 35),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  a: !x {action: command, timeuot: 5m}\n", [("SYN001", 5, 6)]),
        ("  a: {action: !x!y command}\n", [("SYN001", 5, 15)]),
        ("  a: {action: !<tag:x> command}\n", [("SYN001", 5, 15)]),
        ("  a: {action: command, timeout: !!int x, with: {run: [echo]}}\n", [("SYN001", 5, 33)]),
        (
            "  a: {action: command, timeout: 1m, needs: [!x a, !x b], with: {run: [echo]}}\n",
            [("SYN001", 5, 45), ("SYN001", 5, 51)],
        ),
        ("  a: {action: command, timeout: 1m, with: {run: [*nope]}}\n", [("SYN001", 5, 50)]),
        ("  a: &a !x {action: command}\n  b: *a\n", [("SYN001", 5, 9)]),
        ("  a: {action: command, !x timeout: 1m, with: {run: [echo]}}\n", [("SYN001", 5, 24)]),
    ],
)
def test_what_is_unknown_brings_no_other_finding(text: str, expected: list[tuple[str, int, int]]) -> None:
    assert found(BLUEPRINT + text) == expected


def test_the_needs_of_others_may_name_an_unknown_node() -> None:
    text = "  a: !x {action: command}\n  b: {action: command, timeout: 1m, needs: [a], with: {run: [echo]}}\n"
    assert found(BLUEPRINT + text) == [("SYN001", 5, 6)]


@pytest.mark.parametrize("item", ["{a: *b}", "{a: !x b}", "[*b]", "a.y<<: *b", "!x"])
def test_what_holds_an_unknown_value_is_still_of_the_wrong_type(item: str) -> None:
    head = "apiVersion: maestro/v1\nkind: Plan\nid: a\nblueprint: parallel-basic\n"
    plan = f"{head}team: {{a: {{use: core/backend_developer}}}}\n"
    Path("plan.yaml").write_text(f"{plan}contracts:\n  - a.contract.yaml\n  - {item}\n")
    codes = {found.code for found in lint([], environ={}).diagnostics if found.span.line == 8}
    assert codes == ({"SYN001"} if item == "!x" else {"SYN001", "SCH003"})


def test_an_unknown_kind_or_version_is_told_once() -> None:
    assert found("apiVersion: !x maestro/v1\nkind: !y Plan\nid: a\n") == [("SYN001", 1, 13), ("SYN001", 2, 7)]
    assert found("!x\napiVersion: maestro/v1\n") == [("SYN001", 1, 1)]
    assert [code for code, *_ in found("apiVersion: !x maestro/v1\nkind: Plan\nid: a\n")] == [
        "SYN001",
        "SCH002",
        "SCH002",
    ]


def test_an_old_spelling_may_hold_an_unknown_value() -> None:
    text = "apiVersion: maestro/v1\nkind: Project\nid: demo\nvars: !x {a: 1}\nlint: {fail_on: !y error}\n"
    read = read_content(text.encode(), Path("maestro.yaml"), "maestro.yaml")
    assert read.document is not None
    assert read.document.holes == (("vars",), ("lint", "fail_on"))
    assert [item.code for item in read.diagnostics] == ["SYN001", "SYN001"]


def test_reading_ends_where_nearly_everything_is_unknown() -> None:
    text = "apiVersion: maestro/v1\n" + "".join(f"a{number}: !x 1\n" for number in range(MOST_UNKNOWN + 50))
    loaded = load(text, "f")
    assert loaded.data is None
    assert len(loaded.diagnostics.items) == MOST_UNKNOWN + 1


def test_an_interface_with_a_tag_is_refused_as_a_whole() -> None:
    loaded = load("a: !x 1\nb: 2\n", "f", profile=Profile.INTERFACE)
    assert loaded.data is None
    assert [item.code for item in loaded.diagnostics] == ["SYN001"]
