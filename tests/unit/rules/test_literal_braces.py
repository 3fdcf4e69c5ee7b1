"""EXP006 and EXP007: every text of the grammar is decided on, and each literal place is looked at."""

import re
from pathlib import Path

import pytest
from support.rule_project import (
    API,
    FLOW,
    GOOD,
    HEAD,
    LIMITED,
    MAKER,
    PLAN,
    PROJECT,
    WEB,
    change,
    write_project,
)

from maestro_dsl.app import lint
from maestro_dsl.lang.edits import apply_edits
from maestro_dsl.lang.grammar import grammar_of
from maestro_dsl.lang.model import Kind
from maestro_dsl.rules import literal_braces

SAID = "{{ inputs.language }}"
RUN = "[echo, '{{ inputs.language }}']"
TICKETS = "tickets: {sink: github, repository: a/b, token_env: T, labels: [%s]}\nvars:"
HOOK = "tickets: {sink: webhook, url: 'https://x.example/%s', secret_env: S}\nvars:"
JIRA = "tickets: {sink: jira, url: 'https://x.org', project: A, issue_type: '%s', user_env: U, token_env: T}"
LIBRARY = HEAD + "Library\nid: l\nversion: 1.0.0\ndescription: l\nmaestro: '%s'\n"
BLOCK = "  tell:\n    action: command\n    with:\n      run:\n        - echo\n        - "
OPEN = ("{type: string, enum: [python, go]}", "{type: string}")

LITERAL = {
    "output": {PLAN: (LIMITED, f"output: 'build/{SAID}'\n{LIMITED}")},
    "provider": {PLAN: (LIMITED, f"provider: 'scripted:{SAID}'\n{LIMITED}")},
    "default provider": {PROJECT: ("timeout: 15m", f"timeout: 15m, provider: 'scripted:{SAID}'")},
    "an environment's": {
        PROJECT: ("vars:", f"environments: {{x: {{defaults: {{provider: 'scripted:{SAID}'}}}}}}\nvars:")
    },
    "a member's model": {PLAN: ("{use: maker}", f"{{use: maker, model: '{SAID}'}}")},
    "input": {FLOW: OPEN, PLAN: ("{language: python}", f"{{language: '{SAID}'}}")},
    "an input's default": {FLOW: ("{type: string,", f"{{type: string, default: '{SAID}',")},
    "version": {API: ("type: openapi,", f"type: openapi, version: '{SAID}',")},
    "credentials": {API: ("deliverables", f"mock_options: {{credentials: ['{SAID}']}}\ndeliverables")},
    "start": {API: ("deliverables", f"start: [python, '{SAID}']\ndeliverables")},
    "artifacts": {WEB: ("'*.js'", f"'*.js', '{SAID}/*'")},
    "criterion": {WEB: ("*.js']", f"*.js'], acceptance_criteria: [{{check: command, run: [a, '{SAID}']}}]")},
    "model": {MAKER: ("id:", f"model: '{SAID}'\nid:")},
    "tools": {MAKER: ("id:", f"tools: ['{SAID}']\nid:")},
    "alias": {PROJECT: ("vars:", f"models: {{m: {{provider: scaffold, model: '{SAID}'}}}}\nvars:")},
    "alias' provider": {PROJECT: ("vars:", f"models: {{m: {{provider: '{SAID}', model: m}}}}\nvars:")},
    "address": {PROJECT: ("vars:", HOOK % SAID)},
    "issue type": {PROJECT: ("vars:", f"{JIRA % SAID}\nvars:")},
    "labels": {PROJECT: ("vars:", TICKETS % f"'{SAID.replace(' ', '')}'")},
    "variables": {PROJECT: ("region: eu", f"region: [{{deep: '{SAID}'}}]")},
    "an environment's variables": {
        PROJECT: ("vars:", f"environments: {{x: {{vars: {{region: '{SAID}'}}}}}}\nvars:")
    },
    "version of the tool": {"library.yaml": LIBRARY % SAID},
}

EVALUATED = {
    "Blueprint nodes.*.foreach",
    "Blueprint nodes.*.when",
    "Blueprint nodes.*.persona",
    "Blueprint nodes.*.contract",
    "Blueprint nodes.*.idempotency_key",
    "Blueprint nodes.*.with.instructions",
    "Blueprint nodes.*.with.path",
    "Blueprint nodes.*.with.text",
    "Blueprint nodes.*.with.message",
    "Blueprint nodes.*.with.file",
    "Blueprint nodes.*.with.title",
    "Blueprint nodes.*.with.run.*",
}
CONDITIONS = {
    "Plan policies.retry.when",
    "Project defaults.policies.retry.when",
    "Project environments.*.defaults.policies.retry.when",
    "Blueprint nodes.*.retry.when",
    "Policy retry.when",
}
LOOKED_UP = {
    "Plan blueprint",
    "Plan team.*.use",
    "Plan contracts.*",
    "Plan policies.use",
    "Plan policies.retry.use",
    "Contract interface_spec.spec_file",
    "Contract interface_spec.compatible_with",
    "Contract interface_spec.compatible_with.spec_file",
    "Persona prompt_file",
    "Project prices_file",
    "Project libraries.*",
    "Project defaults.policies.use",
    "Project defaults.policies.retry.use",
    "Project environments.*.defaults.policies.use",
    "Project environments.*.defaults.policies.retry.use",
    "Project tickets.project",
    "Project tickets.repository",
    "Project lint.select.*",
    "Project lint.ignore.*",
    "Project lint.per_path.*.*",
    "Policy retry.use",
    "Blueprint nodes.*.retry.use",
    "Library exports.blueprints.*",
    "Library exports.personas.*",
    "Library exports.contracts.*",
    "Library exports.policies.*",
    "Library requires.*",
}
"""That nothing has such a name is another finding."""
PROSE = {
    *(f"{kind} {key}" for kind in Kind for key in ("name", "description")),
    "Plan requirement",
    "Blueprint use_cases.*",
    "Blueprint best_practices.*",
    "Blueprint nodes.*.description",
    "Persona expertise.*",
    "Contract deliverables.*.description",
    "Contract deliverables.*.acceptance_criteria.*",
    "Contract deliverables.*.acceptance_criteria.*.text",
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> None:
    write_project(tmp_path)
    monkeypatch.chdir(tmp_path)


def free_texts(part, path):
    """Yield the way to every text that may hold an expression as far as the grammar knows."""
    schema = part.schema
    options = [schema, *schema.get("oneOf", ()), *schema.get("anyOf", ())]
    if any(map(_is_free, options)):
        yield path
    steps = list(part.keys.items())
    steps += [
        pair for parts in part.cases.values() for name, inner in parts.items() for pair in [(name, inner)]
    ]
    steps += [("*", inner) for inner in (part.entries, part.items) if inner is not None]
    for name, inner in steps:
        yield from free_texts(inner, f"{path}.{name}".removeprefix("."))


def _is_free(schema):
    stated = schema.get("type")
    if "string" not in (stated if isinstance(stated, list) else [stated]) or "enum" in schema:
        return False
    return any(re.search(schema.get("pattern", ""), text) for text in (SAID, SAID.replace(" ", "")))


def tokens(code):
    result = lint([], environ={})
    return [
        result.sources[item.span.file].splitlines()[item.span.line - 1][
            item.span.column - 1 : item.span.end_column - 1
        ]
        for item in result.diagnostics
        if item.code == code
    ]


def test_every_free_text_of_the_grammar_is_decided_on():
    tables = (literal_braces._NAMES, literal_braces._TEXTS)
    literal = {f"{kind} {path}" for table in tables for kind in table for path in table[kind]}
    found = {f"{kind} {path}" for kind in Kind for path in free_texts(grammar_of(kind), "")}
    decided = EVALUATED | CONDITIONS | LOOKED_UP | PROSE | literal
    assert found <= decided, "is it evaluated, taken literally, looked up, or for people?"
    assert {item for item in decided - found if "**" not in item} == set()


@pytest.mark.parametrize("case", LITERAL.values(), ids=list(LITERAL))
def test_braces_are_found_where_they_stay(case):
    change(case)
    assert [token.replace(" ", "") for token in tokens("EXP006")] == [SAID.replace(" ", "")]


def test_the_sign_of_others_belongs_to_the_braces():
    change({PLAN: (LIMITED, 'output: "b\\u00fcild/${{ a }}/\\x7b{ b }}"\n' + LIMITED)})
    assert tokens("EXP006") == ["${{ a }}", "\\x7b{ b }}"]


@pytest.mark.parametrize(
    "said",
    [
        "{{.State.Running}}",
        "{{ range .inputs.x }}",
        "{{ name }}",
        "{{cookiecutter.slug}}",
        "{{ 'inputs.x' }}",
        "{{",
    ],
)
def test_another_programs_braces_may_stay(said):
    written = said.replace("'", "''")
    change(
        {
            WEB: ("'*.js'", f"'{written}/*.js'"),
            API: ("deliverables", f"start: [a, '{written}']\ndeliverables"),
        }
    )
    change({PROJECT: ("region: eu", f"region: '{written}'")})
    assert tokens("EXP006") == []


def test_what_another_rule_says_of_the_value_is_not_said_twice():
    change({PLAN: (LIMITED, f"provider: '{SAID}'\noutput: [\"{SAID}\"]\n{LIMITED}")})
    change({PROJECT: ("vars:", f"prices_file: '{SAID}'\n" + HOOK.replace("https://x.example/", "") % SAID)})
    found = lint([], environ={}).diagnostics
    assert {item.code for item in found if item.span.file == PROJECT} == {"REF008", "RUN009"}
    assert [item.code for item in found if item.code.startswith("EXP")] == []
    assert [item.code for item in found if "output" in item.message] == ["SCH003"]


@pytest.mark.parametrize(
    ("old", "new", "after"),
    [
        (RUN, "[echo, '${{ inputs.language }}']", RUN),
        (RUN, '[echo, "\\x24{{ inputs.language }}"]', '[echo, "{{ inputs.language }}"]'),
        (None, BLOCK, None),
    ],
)
def test_the_sign_is_taken_away(old, new, after):
    if after is None:  # block style: a plain text cannot begin with a brace
        text = Path(FLOW).read_text()
        before = text[: text.index("  tell:")] + new
        Path(FLOW).write_text(f"{before}${SAID}\n")
        after = f'{before}"{SAID}"\n'
    else:
        change({FLOW: (old, new)})
    [found] = lint([], environ={}).diagnostics
    assert (found.code, found.fix.safe) == ("EXP007", False)
    assert after in apply_edits(Path(FLOW).read_text(), found.fix.edits)


def test_each_sign_is_one_finding_in_each_node_and_key():
    twice = "{run: [echo, '${{ inputs.language }} or ${{ inputs.language }}']}}\n"
    more = "  more: {action: command, effect: true, idempotency_key: 'a-${{ inputs.language }}', with: "
    change({FLOW: (f"{{run: {RUN}}}}}\n", f"{twice}{more}{twice}")})
    assert tokens("EXP007") == ["$" + SAID] * 5


@pytest.mark.parametrize(
    "said",
    [
        "$${{ inputs.language }}",
        "$ {{ inputs.language }}",
        "${{ inputs.price }}",
        "{{ '$' ~ inputs.language }}",
    ],
)
def test_a_dollar_may_be_meant(said):
    change(
        {
            FLOW: [
                ("inputs: {", "inputs: {price: {type: number, default: 2}, "),
                (RUN, f'[echo, "{said}", "{SAID}", "{{{{ inputs.price }}}} USD"]'),
            ]
        }
    )
    assert [item.code for item in lint([], environ={}).diagnostics] == []


def test_outputs_of_nodes_can_be_amounts_too():
    change({FLOW: (RUN, "[echo, '${{ nodes.build.outputs.api.score }}', '{{ inputs.language }}']")})
    assert [item.code for item in lint([], environ={}).diagnostics] == []


def test_the_sign_in_a_condition_or_an_id_is_told_there():
    change(
        {
            FLOW: [
                ("as: contract}\n  check", "as: contract, persona: '${{ contract.id }}'}\n  check"),
                ("{action: command,", "{action: command, when: \"${{ inputs.language == 'go' }}\","),
            ]
        }
    )
    assert [item.code for item in lint([], environ={}).diagnostics] == ["SCH003", "EXP001"]


def test_a_model_without_a_paid_name_is_one_finding():
    change({PROJECT: ("vars:", f"models: {{good: {{provider: scaffold, model: '{SAID}'}}}}\nvars:")})
    change({PLAN: ("{use: taker}", GOOD)})
    assert [item.code for item in lint([], environ={}).diagnostics] == ["EXP006"]
