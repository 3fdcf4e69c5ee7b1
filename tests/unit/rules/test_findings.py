"""Each rule on a project in a folder: what it finds and where, and the near miss that it lets pass."""

from pathlib import Path

import pytest
from support.files import write

from maestro_dsl.app import lint

HEAD = "apiVersion: maestro/v1\nkind: "
FILES = {
    "maestro.yaml": HEAD + "Project\nid: demo\nvars: {region: eu}\ndefaults: {timeout: 15m}\n",
    "plan.yaml": HEAD
    + "Plan\nid: demo\nblueprint: flow\ninputs: {language: python}\n"
    + "team: {maker: {use: maker}, taker: {use: taker}}\ncontracts: [api.contract.yaml, web.contract.yaml]\n",
    "flow.blueprint.yaml": HEAD
    + "Blueprint\nid: flow\ninputs: {language: {type: string, enum: [python, go]}}\nnodes:\n"
    + "  build: {action: fulfil, foreach: contracts, as: contract, when: inputs.language == 'go'}\n"
    + "  tell: {action: command, needs: [build], with: {run: [echo, '{{ inputs.language }}']}}\n",
    "maker.persona.yaml": HEAD + "Persona\nid: maker\n",
    "taker.persona.yaml": HEAD + "Persona\nid: taker\n",
    "api.contract.yaml": HEAD
    + "Contract\nid: api\nname: API\nprovider_persona_id: maker\nconsumer_persona_ids: [taker]\n"
    + "deliverables: [{name: a, artifacts: ['*.py']}]\n",
    "web.contract.yaml": HEAD
    + "Contract\nid: web\nname: Web\nprovider_persona_id: taker\n"
    + "deliverables: [{name: a, artifacts: ['*.js']}]\n",
}
BUILD = "when: inputs.language == 'go'"
RUN = "'{{ inputs.language }}'"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch) -> Path:
    write(tmp_path, FILES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def change(name: str, old: str, new: str) -> None:
    text = Path(name).read_text()
    assert old in text
    Path(name).write_text(text.replace(old, new))


def found(*paths: str):
    result = lint([Path(path) for path in paths], environ={})
    texts = {file: text.splitlines() for file, text in result.sources.items()}
    return [
        (item.code, item.span.file, texts[item.span.file][item.span.line - 1][item.span.column - 1 :])
        for item in result.diagnostics
    ]


def found_at(*paths: str):
    """Return code, file and the text under the finding."""
    ends = []
    for item, (code, file, rest) in zip(
        lint([Path(path) for path in paths], environ={}).diagnostics, found(*paths), strict=True
    ):
        ends.append((code, file, rest[: item.span.end_column - item.span.column]))
    return ends


def message(code: str) -> tuple[str, str | None]:
    (item,) = [item for item in lint([], environ={}).diagnostics if item.code == code]
    return item.message, item.help


def test_a_sound_project_has_no_findings():
    assert found() == []


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("flow.blueprint.yaml", BUILD, "when: 1 == 1", ("EXP004", "1 == 1")),
        ("flow.blueprint.yaml", BUILD, "when: not (2 > 1)", ("EXP004", "not (2 > 1)")),
        (
            "flow.blueprint.yaml",
            BUILD,
            "when: inputs.language == inputs.language",
            ("EXP004", "inputs.language == inputs.language"),
        ),
        (
            "flow.blueprint.yaml",
            BUILD,
            "when: contract.mock_available or true",
            ("EXP004", "contract.mock_available or true"),
        ),
        (
            "flow.blueprint.yaml",
            BUILD,
            "when: inputs.language == 'rust'",
            ("EXP004", "rust"),
        ),
        (
            "flow.blueprint.yaml",
            BUILD,
            "when: contract.type == 'REST'",
            ("EXP004", "REST"),
        ),
        (
            "flow.blueprint.yaml",
            BUILD,
            "when: \"contract.mock_available and contract.type in ['GRAPHQL', 'REST']\"",
            ("EXP004", "REST"),
        ),
        (
            "flow.blueprint.yaml",
            BUILD,
            "retry: {when: \"'trnsport' != failure or attempt < 2\"}",
            ("EXP004", "trnsport"),
        ),
        (
            "flow.blueprint.yaml",
            BUILD,
            "retry: {when: 'failure != ''unparseable'' and attempt < 3'}",
            ("EXP004", "unparseable"),
        ),
        (
            "flow.blueprint.yaml",
            BUILD,
            "idempotency_key: \"{{ 'a' if contract.type != 'REST' else 'b' }}\"",
            ("EXP004", "REST"),
        ),
        (
            "flow.blueprint.yaml",
            BUILD,
            'persona: "{{ contract.id ~ 1 }}"',
            ("REF002", '"{{ contract.id ~ 1 }}"'),
        ),
        ("flow.blueprint.yaml", BUILD, "persona: makr", ("REF002", "makr")),
        (
            "flow.blueprint.yaml",
            BUILD,
            'contract: "{{ contract.id ~ 1 }}"',
            ("REF003", '"{{ contract.id ~ 1 }}"'),
        ),
        ("flow.blueprint.yaml", BUILD, "contract: apu", ("REF003", "apu")),
        ("flow.blueprint.yaml", "needs: [build]", "needs: [biuld]", ("REF001", "biuld")),
        (
            "flow.blueprint.yaml",
            RUN,
            "'{{ nodes.biuld.outputs }}'",
            ("REF001", "biuld"),
        ),
        ("flow.blueprint.yaml", RUN, "'{{ 3 }}'", ("SCH003", "'{{ 3 }}'")),
        (
            "flow.blueprint.yaml",
            "type: string, enum",
            "type: strin, enum",
            ("SCH003", "strin"),
        ),
        ("flow.blueprint.yaml", "enum: [python, go]", "enum: [python], default: go", ("SCH004", "go")),
        ("plan.yaml", "language: python", "language: pyton", ("SCH004", "pyton")),
        ("plan.yaml", "language: python", "language: 3", ("SCH003", "3")),
        ("api.contract.yaml", "[taker]", "[takr]", ("CTR002", "takr")),
        ("api.contract.yaml", "[taker]", "[taker, maker]", ("CTR002", "maker")),
        ("maker.persona.yaml", "id: maker", "id: maker\nprompt_file: gone.md.j2", ("REF008", "gone.md.j2")),
    ],
)
def test_a_mistake_is_found_at_its_place(file, old, new, expected):
    change(file, old, new)
    assert (expected[0], file, expected[1]) in found_at()


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("flow.blueprint.yaml", BUILD, "when: inputs.language == contract.id"),
        ("flow.blueprint.yaml", BUILD, "when: contract.mock_available or inputs.language != 'python'"),
        ("flow.blueprint.yaml", BUILD, "when: contract.type == 'REST_API' and inputs.language == 'go'"),
        ("flow.blueprint.yaml", BUILD, "when: contract.name == 'REST'"),
        ("flow.blueprint.yaml", BUILD, "when: \"'go' in inputs.language\""),
        ("flow.blueprint.yaml", BUILD, "persona: '{{ contract.provider_persona_id }}'"),
        ("flow.blueprint.yaml", BUILD, "contract: '{{ contract.id }}'"),
        ("flow.blueprint.yaml", RUN, "'{{ inputs.language }}-{{ 3 }}'"),
        ("plan.yaml", "language: python", "language: go"),
    ],
)
def test_a_near_miss_is_let_pass(file, old, new):
    change(file, old, new)
    assert found() == []


def test_messages_name_the_way_out():
    change("flow.blueprint.yaml", BUILD, "persona: '{{ contract.id }}'")
    change("api.contract.yaml", "[taker]", "[takr]")
    change("plan.yaml", "python", "3")
    items = {item.code: item for item in reversed(list(lint([], environ={}).diagnostics))}
    assert items["REF002"].message == '"api" is no member of the plan\'s team (for the key api)'
    assert items["REF002"].help == "team: maker, taker"
    assert items["CTR002"].message == "api is consumed by takr, who is not in the team"
    assert items["CTR002"].help == "did you mean taker? the team is maker, taker"
    assert items["SCH003"].message == '"language" must be text, not the number 3'


def test_a_word_that_an_enumeration_never_is_is_told_with_what_it_can_be():
    change("flow.blueprint.yaml", BUILD, "when: inputs.language == 'rust'")
    assert message("EXP004") == ("inputs.language is never 'rust'", "it is one of: python, go")
    change("flow.blueprint.yaml", "'rust'", "'pyhton'")
    assert message("EXP004")[1] == 'did you mean "python"? it is one of: python, go'


@pytest.mark.parametrize(
    "condition",
    [
        "when: \"contract.type[:4] == 'REST'\"",
        "when: contract.type | lower == 'rest_api'",
        "when: \"inputs.language in ['python', 'go'] or inputs.language is none\"",
        "retry: {when: \"failure in ['transport', 'low_quality'] or attempt + round < 4\"}",
        "when: contracts.other is undefined or contracts.other.mock_available",
        "when: \"team['other'] is defined and (project.vars.none | default('a')) == 'b'\"",
    ],
)
def test_what_an_enumeration_can_be_is_right(condition):
    change("flow.blueprint.yaml", BUILD, condition)
    assert found() == []


def test_a_constant_condition_tells_what_it_is():
    change("flow.blueprint.yaml", BUILD, "when: inputs.language != inputs.language")
    assert message("EXP004")[0] == "this condition is always false"


def test_an_unknown_provider_is_one_finding():
    change("flow.blueprint.yaml", BUILD, "persona: '{{ contract.provider_persona_id }}'")
    change("web.contract.yaml", "provider_persona_id: taker", "provider_persona_id: nobody")
    assert [code for code, *_ in found()] == ["CTR002", "CTR002"]  # nobody, and taker provides nothing now


def test_a_member_whose_persona_is_unknown_is_still_in_the_team():
    change("plan.yaml", "{use: taker}", "{use: takerr}")
    assert [code for code, *_ in found()] == ["REF002"]


def test_a_parameter_keeps_the_type_of_its_expression():
    change(
        "flow.blueprint.yaml",
        "enum: [python, go]}",
        "enum: [python, go]}, count: {type: integer, default: 3}",
    )
    change(
        "flow.blueprint.yaml",
        "nodes:\n",
        "nodes:\n  check: {action: verify, contract: api, with: {seed: '{{ inputs.count }}'}}\n",
    )
    assert found() == []
    change("flow.blueprint.yaml", "seed: '{{ inputs.count }}'", "seed: '{{ inputs.language }}'")
    assert ("SCH003", "flow.blueprint.yaml", "'{{ inputs.language }}'") in found_at()


# ---- definitions that nobody uses ------------------------------------------------------------------------


def idle(*paths):
    return [file for code, file, _ in found(*paths) if code == "REF007"]


def test_what_no_plan_uses_is_named():
    Path("extra.persona.yaml").write_text(HEAD + "Persona\nid: extra\n")
    Path("old.contract.yaml").write_text(FILES["api.contract.yaml"].replace("id: api", "id: old"))
    Path("slow.policy.yaml").write_text(HEAD + "Policy\nid: slow\nretry: {max_attempts: 2}\n")
    assert idle() == ["extra.persona.yaml", "old.contract.yaml", "slow.policy.yaml"]
    assert idle("extra.persona.yaml") == []  # nothing is known of the plans
    assert idle("plan.yaml") == []


def test_a_second_plan_may_use_it():
    Path("extra.persona.yaml").write_text(HEAD + "Persona\nid: extra\n")
    plan = FILES["plan.yaml"].replace("{use: maker}", "{use: extra}").replace("id: demo", "id: other")
    Path("other.plan.yaml").write_text(plan)
    assert idle() == []
    assert idle("plan.yaml", "extra.persona.yaml") == []  # the other plan was not looked at


def test_a_wrong_reference_may_have_meant_it():
    Path("extra.persona.yaml").write_text(HEAD + "Persona\nid: extra\n")
    change("plan.yaml", "{use: taker}", "{use: extraa}")
    assert [code for code, *_ in found()] == ["REF002"]


def test_a_library_uses_nothing_itself():
    Path("extra.persona.yaml").write_text(HEAD + "Persona\nid: extra\n")
    Path("library.yaml").write_text(HEAD + "Library\nid: lib\nversion: 1.0.0\n")
    assert idle() == []
