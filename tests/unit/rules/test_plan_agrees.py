"""`maestro plan` says about a mistake what `maestro lint` says: the same code at the same place."""

from pathlib import Path

import pytest
from support.rule_project import FLOW, MAKER, PLAN, PROMPT, TAKER, WEB, change, write_project

from maestro_dsl.app import lint
from maestro_dsl.app.documents import compile_plan
from maestro_dsl.diagnostics import Severity
from maestro_dsl.lang.settings import Overrides

CASES = [
    ("EXP001", {PROMPT: ("persona.name", "persona.name | uper")}, "uper"),
    ("EXP001", {PROMPT: ("{{ persona.name }}", "{% if persona.id %}")}, "if"),
    ("PER003", {PROMPT: ("persona.name", "persona.nmae")}, "nmae"),
    ("PER003", {TAKER: ("id: taker\n", "id: taker\nprompt_file: t.md.j2\n"), "t.md.j2": "{{ who }}"}, "who"),
    ("REF008", {MAKER: ("maker.md.j2", "mkr.md.j2")}, "mkr.md.j2"),
    ("EXP001", {FLOW: ("foreach: contracts, as: contract, needs", "foreach: contracts |, needs")}, "|"),
    (
        "EXP005",
        {PLAN: ("contracts:", "policies: {retry: {when: '{{ failure }}'}}\ncontracts:")},
        "{{ failure }}",
    ),
    ("EXP002", {FLOW: ("{action: command,", "{action: command, retry: {when: inputs.language},")}, "inputs"),
    ("REF001", {FLOW: ("needs: [build]", "needs: [biuld]")}, "biuld"),
    ("GRF001", {FLOW: ("{action: fulfil,", "{action: fulfil, needs: [tell],")}, None),
    ("REF002", {PLAN: ("{use: taker}", "{use: tkr}")}, "tkr"),
    ("CTR002", {WEB: ("provider_persona_id: taker", "provider_persona_id: tkr")}, "tkr"),
    ("REF006", {PLAN: ("inputs: {language: python}\n", "")}, None),
    ("CTR001", {"api.yaml": ("openapi: 3.0.3", "openapi: 9.0.0")}, None),
]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> None:
    write_project(tmp_path)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[2]}")
def test_both_say_the_same(case):
    code, changes, token = case
    change(changes)
    compiled = compile_plan(Path(PLAN), overrides=Overrides(), environ={})
    assert compiled.plan is None
    errors = [item for item in compiled.diagnostics if item.severity is Severity.ERROR]
    linted = list(lint([], environ={}).diagnostics)
    assert code in {item.code for item in errors}
    assert [item for item in errors if item not in linted] == []
    spans = [item.span for item in errors if item.code == code]
    lines = [compiled.sources[span.file].splitlines()[span.line - 1] for span in spans]
    assert token is None or token in [
        line[span.column - 1 : span.end_column - 1] for line, span in zip(lines, spans, strict=True)
    ]
