"""What SCH003 says to write instead, for each kind of value; and whole numbers that are written as others."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro_dsl.app import compile_plan, lint
from maestro_dsl.lang.model import Contract, Persona
from maestro_dsl.lang.read import read_content
from maestro_dsl.lang.settings import Overrides

HEAD = "apiVersion: maestro/v1\nkind: "
PLAN = HEAD + (
    "Plan\nid: demo\nblueprint: parallel-contract-first\nrequirement: r\n"
    "team: {dev: {use: core/backend_developer}}\n"
    "contracts: [api.contract.yaml]\n"
)
CONTRACT = HEAD + (
    "Contract\nid: api\nname: API\nprovider_persona_id: dev\n"
    "deliverables: [{name: api, artifacts: ['*.py'], acceptance_criteria: [{check: command, run: [ls]}]}]\n"
)
PERSONA = HEAD + "Persona\nid: dev\n"


def told(text: str) -> str | None:
    [found] = [
        item for item in read_content(text.encode(), Path("f"), "f").diagnostics if item.code == "SCH003"
    ]
    return found.help


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("15", "write 15s, 15m or 15h"),
        ("1.5", "write 1.5s, 1.5m or 1.5h"),
        ("15min", "write 15m"),
        ("'15 minutes'", "write 15m"),
        ("1 s", "write 1s"),
        ("500MS", "write 500ms"),
        ("PT15M", "write 15m"),
        ("P2D", "write 2d"),
        ("00:15:00", None),
        ("-5m", None),
        ("-5", None),
        ("soon", None),
    ],
)
def test_a_duration(text: str, meant: str | None) -> None:
    assert told(f"{CONTRACT}timeout: {text}\n") == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("5", "write 5 USD"),
        ("$5", "write 5 USD"),
        ("12.50usd", "write 12.50 USD"),
        ("5 EUR", None),
        ("-5", None),
    ],
)
def test_an_amount_of_money(text: str, meant: str | None) -> None:
    assert told(f"{PLAN}guardrails: {{max_cost: {text}}}\n") == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("50kb", "write 50k"),
        ("50_000", "write 50000"),
        ('"50,000"', "write 50000"),
        ("1.5m", "write 1.5M"),
        ("-5", None),
        ("many", None),
    ],
)
def test_a_number_of_tokens(text: str, meant: str | None) -> None:
    assert told(f"{PERSONA}token_budget: {text}\n") == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [("1", 'write "1.0.0"'), ("1.10", 'write "1.10.0"'), ("v1.2.3", 'write "1.2.3"'), ("latest", None)],
)
def test_a_version(text: str, meant: str | None) -> None:
    assert told(f"{PERSONA}version: {text}\n") == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Todo-App", "write todo_app"),
        ("todoApp", "write todo_app"),
        ("2do", None),
        ("'{{ a }}'", None),
        ("…", None),
    ],
)
def test_an_id(text: str, meant: str | None) -> None:
    assert told(PERSONA.replace("id: dev", f"id: {text}")) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [("yes", "write true"), ("NO", "write false"), ("'true'", "write true without quotes"), ("maybe", None)],
)
def test_true_or_false(text: str, meant: str | None) -> None:
    assert told(f"{CONTRACT}mock_available: {text}\n") == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("80", "write 0.8"),
        ("80%", "write 0.8"),
        ("'0.8'", "write 0.8 without quotes"),
        ("0,8", "write 0.8"),
        ("200", None),
        ("high", None),
    ],
)
def test_a_share_of_one(text: str, meant: str | None) -> None:
    assert told(f"{PLAN}quality_threshold: {text}\n") == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("02", "write 2"),
        ("'2'", "write 2 without quotes"),
        ("two", None),
        ("2.5", None),
        ("", "give it a value, or leave the key out"),
    ],
)
def test_a_whole_number(text: str, meant: str | None) -> None:
    assert told(f"{CONTRACT}max_attempts: {text}\n") == meant


def test_a_command_is_a_list_of_its_arguments() -> None:
    assert told(f"{CONTRACT}start: python server.py\n") == "write [python, server.py]"
    assert told(f"{CONTRACT}start: 'sh -c \"a b\"'\n") == "write [sh, -c, a b]"
    assert told(f"{CONTRACT}start: it's {{a}}\n") == 'write [it\'s, "{a}"]'


def test_one_text_where_a_list_or_a_mapping_stands() -> None:
    assert told(f"{PERSONA}expertise: python\n") == "write [python]"
    assert (
        told(PLAN.replace("{use: core/backend_developer}", "core/backend_developer"))
        == "write {use: core/backend_developer}"
    )


def test_whole_numbers_may_be_written_as_others() -> None:
    read = read_content(f"{CONTRACT}max_attempts: 3.0\ntoken_budget: 1e3\n".encode(), Path("f"), "f")
    value = read.document.value
    assert isinstance(value, Contract)
    assert (value.max_attempts, type(value.max_attempts)) == (3, int)
    assert (value.token_budget, type(value.token_budget)) == (1000, int)


def test_a_fraction_is_no_whole_number() -> None:
    read = read_content(f"{PERSONA}max_attempts: 2.5\ntoken_budget: 0.5\n".encode(), Path("f"), "f")
    assert [item.code for item in read.diagnostics] == ["SCH003", "SCH003"]
    assert isinstance(read.document.value, Persona)


def test_a_plan_is_made_of_such_numbers(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(
        f"{PLAN}policies: {{retry: {{max_attempts: 3.0}}}}\nguardrails: {{max_tokens: 1e6}}\n"
    )
    (tmp_path / "api.contract.yaml").write_text(CONTRACT)
    compiled = compile_plan(tmp_path / "plan.yaml", overrides=Overrides(), environ={})
    assert compiled.plan is not None
    assert repr(compiled.plan.guardrails.max_tokens) == "1000000"
    assert {repr(node.retry.max_attempts) for node in compiled.plan.nodes if node.action == "fulfil"} == {"3"}


def test_a_contract_named_by_its_id_is_answered_with_its_file(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plan.yaml").write_text(PLAN.replace("[api.contract.yaml]", "[api]"))
    Path("deep").mkdir()
    Path("deep/api.contract.yaml").write_text(CONTRACT)
    [found] = lint([Path("plan.yaml")], environ={}, select=("REF008",)).diagnostics
    assert (found.message, found.help) == ('"api" does not exist', 'name its file: "deep/api.contract.yaml"')
