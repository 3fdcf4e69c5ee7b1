"""One mistake is one finding: what only follows from it is not told."""

import pytest
from support.rule_project import (
    API,
    BUILD,
    CONTRACT,
    FLOW,
    HEAD,
    LIMITED,
    MAKER,
    PLAN,
    PROJECT,
    PROMPT,
    TAKER,
    WEB,
    change,
    write_project,
)

from maestro_dsl.app import lint

TEAM = "team: {maker: {use: maker}, taker: {use: taker}}"
CONTRACTS = "contracts: [api.contract.yaml, web.contract.yaml]"
CRITERION = "acceptance_criteria: [{check: comand, run: [ls]}]"
TELL = "{action: command,"
SCHEMA = "{type: string, enum: [python, go]}"
LANGUAGE = "echo, '{{ inputs.language }}'"
REGION = f"{LANGUAGE}, '{{{{ project.vars.region }}}}'"
WOB = f"{LANGUAGE}, '{{{{ contracts.web.name }}}}'"
LOST = {PLAN: ("web.contract.yaml]", "wob.contract.yaml]")}
PROVIDER = "{{ contract.provider_persona_id }}"
LITERAL = "{action: fulfil, contract: web, persona: taker, "

# change of the project, and the one finding: rule, file, text under it, what its help begins with
CASES = [
    ({FLOW: ("{{ inputs.language", "{{ inputs.langauge")}, "EXP002", FLOW, "langauge", "did you mean"),
    ({PLAN: ("inputs: {language", "inputs: {langauge")}, "REF005", PLAN, "langauge", "did you mean"),
    ({FLOW: ("inputs: {language", "input: {language")}, "SCH001", FLOW, "input", 'did you mean "inputs"?'),
    ({PLAN: ("inputs: {language", "input: {language")}, "SCH001", PLAN, "input", 'did you mean "inputs"?'),
    ({PLAN: ("team: {", "tame: {")}, "SCH001", PLAN, "tame", 'did you mean "team"?'),
    ({PLAN: ("contracts: [", "contract: [")}, "SCH001", PLAN, "contract", 'did you mean "contracts"?'),
    ({FLOW: ("nodes:", "node:")}, "SCH001", FLOW, "node", 'did you mean "nodes"?'),
    ({FLOW: ("needs: [build]", "need: [build]")}, "SCH001", FLOW, "need", 'did you mean "needs"?'),
    ({API: ("provider_persona_id", "provider_person_id")}, "SCH001", API, "provider_person_id", "did you"),
    ({API: ("deliverables", "deliverable")}, "SCH001", API, "deliverable", 'did you mean "deliverables"?'),
    ({WEB: ("kind: Contract", "kind: Contrct")}, "SCH005", WEB, "Contrct", 'did you mean "Contract"?'),
    ({PLAN: ("{use: taker}", "{use: takr}")}, "REF002", PLAN, "takr", 'did you mean "taker"?'),
    ({TAKER: ("id: taker", "id: takr")}, "REF002", PLAN, "taker", 'did you mean "takr"?'),
    ({API: ("provider_persona_id: maker", "provider_persona_id: makr")}, "CTR002", API, "makr", "did you"),
    (LOST, "REF008", PLAN, "wob.contract.yaml", "did you mean"),
    ({**LOST, FLOW: (LANGUAGE, WOB)}, "REF008", PLAN, "wob.contract.yaml", "did you mean"),
    ({**LOST, FLOW: ("{action: fulfil, ", LITERAL)}, "REF008", PLAN, "wob.contract.yaml", "did you mean"),
    ({PLAN: (CONTRACTS, "contracts: [apy.contract.yaml]")}, "REF008", PLAN, "apy.contract.yaml", "did you"),
    (
        {FLOW: (BUILD, f"as: my-contract, when: contract.mock_available, persona: '{PROVIDER}'}}\n  check")},
        "SCH003",
        FLOW,
        "my-contract",
        "write my_contract",
    ),
    (
        {FLOW: (TELL, f"{TELL} when: nodes.check.outputs.webb.score > 0.5,")},
        "EXP002",
        FLOW,
        "webb",
        "did you mean web? known here: api, web",
    ),
    (
        {PLAN: (TEAM, "team: [maker, taker]")},
        "SCH003",
        PLAN,
        "[maker, taker]",
        "write each item below its name, as maker: …",
    ),
    (
        {FLOW: (BUILD, f"as: key, persona: '{PROVIDER.replace('contract', 'key')}'}}\n  check")},
        "EXP003",
        FLOW,
        "key",
        "choose another name, such as item",
    ),
    (
        {PLAN: ("{use: maker}", "{use: maker.persona.yaml}")},
        "REF002",
        PLAN,
        "maker.persona.yaml",
        'a path begins with ./ or ../: did you mean "./maker.persona.yaml"? personas: ',
    ),
    (
        {PLAN: ("{use: maker}", "{use: team/maker.persona.yaml}")},
        "REF002",
        PLAN,
        "team/maker.persona.yaml",
        'a path begins with ./ or ../: did you mean "./team/maker.persona.yaml"? names with /',
    ),
    (
        {FLOW: ("needs: [build]", "needs: 'build, build'")},
        "SCH003",
        FLOW,
        "'build, build'",
        "write [build, build]",
    ),
    ({FLOW: ("  tell: {", "  tellIt: {")}, "SCH003", FLOW, "tellIt", "write tell_it"),
    ({API: ("deliver", "mock_options: {latency: 5}\ndeliver")}, "SCH003", API, "5", None),
    (
        {
            PLAN: ("[api.contract.yaml", "[more.contract.yaml, api.contract.yaml"),
            "more.contract.yaml": HEAD + CONTRACT.format("more", "maker", "code", "a.py"),
        },
        "GRF006",
        "more.contract.yaml",
        "'a.py'",
        "narrow one of the globs, or let one node need the other",
    ),
    ({PROJECT: ("15m", "0.0s")}, "SCH003", PROJECT, "0.0s", None),
    ({API: ("[taker]", "[taker, taker]")}, "SCH003", API, "taker", None),
    ({PLAN: (CONTRACTS, "contracts: api")}, "SCH003", PLAN, "api", None),
    ({PLAN: ("inputs: {language: python}", "inputs: python")}, "SCH003", PLAN, "python", None),
    ({PLAN: ("inputs: {language: python}\n", "")}, "REF006", PLAN, "blueprint", "add language to inputs: "),
    ({FLOW: (f"inputs: {{language: {SCHEMA}}}", "inputs: 5")}, "SCH003", FLOW, "5", None),
    ({FLOW: (SCHEMA, "5")}, "SCH003", FLOW, "5", None),
    ({FLOW: (SCHEMA, "{type: strng}")}, "SCH003", FLOW, "strng", 'did you mean "string"? types: array'),
    ({FLOW: (SCHEMA, "{type: string, enum: 5}")}, "SCH003", FLOW, "5", "enum takes a list of values"),
    ({PLAN: (CONTRACTS, f"provider: scafold\n{CONTRACTS}")}, "SCH004", PLAN, "scafold", "did you"),
    ({API: ("provider_persona_id: maker", "provider_persona_id: mak")}, "CTR002", API, "mak", "did you"),
    ({WEB: ("id: web\n", "id: api\n")}, "REF009", WEB, "api", "give each contract its own id"),
    ({PLAN: ("kind: Plan", "kind: Project")}, "SCH005", PLAN, "Project", 'did you mean "Plan"?'),
    ({PLAN: (LIMITED, "guardrails: {max_cost:5 USD}\n" + LIMITED)}, "SCH001", PLAN, "max_cost:5", "write"),
    ({PLAN: (CONTRACTS, "contracts: [contract/*.yaml]")}, "REF008", PLAN, "contract/*.yaml", None),
    ({API: ("spec_file: api.yaml", "spec_file: https://x.org/a.yaml")}, "REF008", API, "https://x.org", None),
    ({"api.yaml": ("#/components/schemas/", "#/components/schemes/")}, "CTR001", "api.yaml", None, "did you"),
    ({PROJECT: ("{region: eu}", "eu"), FLOW: (LANGUAGE, REGION)}, "SCH003", PROJECT, "eu", None),
    ({PROJECT: ("{timeout: 15m}", "{timeout: 15x}")}, "SCH003", PROJECT, "15x", None),
    ({PROJECT: ("{region: eu}", "{region: eu"), FLOW: (LANGUAGE, REGION)}, "SYN001", PROJECT, None, "add"),
    ({FLOW: ("nodes:", "nodes: [")}, "SYN001", FLOW, None, "add"),
    ({FLOW: ("needs: [build]", "needs: [check]")}, "GRF001", FLOW, "check", "take check out"),
    ({PLAN: ("{use: taker}", "{use: taker@^2.0}")}, "REF002", PLAN, "taker@^2.0", "there is 0.0.0: write"),
    ({PLAN: ("{use: taker}", "{use: ./web.contract.yaml}")}, "REF002", PLAN, "./web", "name a file such as"),
    ({PLAN: (CONTRACTS, "contracts: ['*.contracts.yaml']")}, "REF008", PLAN, None, "a path starts"),
    ({"b.persona.yaml": f"{HEAD}Persona\nid: maker\n"}, "REF009", MAKER, "maker", "give each persona"),
    ({FLOW: (LANGUAGE, LANGUAGE.replace(" }}", " }"))}, "EXP001", FLOW, "{{", "write }} where it ends"),
    ({FLOW: (TELL, f"{TELL} foreach: inputs.language, as: x,")}, "EXP003", FLOW, "inputs.language", "write"),
    ({PROJECT: ("vars:", "tickets: {sink: jira}\nvars:")}, "RUN009", PROJECT, "jira", "add, e.g. "),
    (
        {
            PROJECT: ("vars:", "prices_file: prices.yaml\nvars:"),
            "prices.yaml": "as_of: x\nmodels: {m: {inptu: 1, output: 2}}\n",
        },
        "RUN010",
        "prices.yaml",
        "inptu",
        'did you mean "input"? ',
    ),
    ({PROMPT: ("persona.name", "deliverables.nmae")}, "PER003", PROMPT, "nmae", "write {% for item in"),
    ({PROMPT: ("persona.name", "folder.name")}, "PER003", PROMPT, "name", "write {{ folder }}"),
    ({PLAN: ("id: demo", "id: demo\nversion: 1.10")}, "SCH003", PLAN, "1.10", None),
    ({PLAN: ("contracts:", "---\ncontracts:")}, "SYN004", PLAN, "---", "put each document"),
    ({PLAN: ("{language: python}", "{language: *py}")}, "SYN001", PLAN, "*py", "put text that starts"),
    ({PLAN: ("apiVersion", "api_version")}, "SCH001", PLAN, "api_version", 'did you mean "apiVersion"?'),
    ({WEB: ("kind: Contract\n", "")}, "SCH005", WEB, "apiVersion", "add kind: Contract"),
    ({FLOW: ("needs: [build]", "needs: build")}, "SCH003", FLOW, "build", "write [build]"),
    ({PLAN: ("inputs: {language: python}", "inputs:")}, "SCH003", PLAN, "inputs", "give it a value"),
    ({FLOW: ("{action: command,", "{action: command, required: 'true',")}, "SCH003", FLOW, "true", "write"),
    ({API: ("name: api", "name: 1")}, "SCH003", API, "1", 'write "1" where text is meant'),
    ({PLAN: ("id: demo", "id: demo\nmax_attempts: 3")}, "SCH001", PLAN, "max_attempts", "it belongs to"),
    ({PLAN: ("id: demo", "id: demo\nnodes: {}")}, "SCH001", PLAN, "nodes", "it belongs to blueprint; valid"),
    ({MAKER: ("id: maker", "id: [maker")}, "SYN001", MAKER, None, "add"),
    ({WEB: ("deliverables: [", "deliverables: [[")}, "SYN001", WEB, None, "add"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> None:
    write_project(tmp_path)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[1]}-{case[3]}")
def test_one_mistake_is_one_finding(case):
    changes, code, file, token, hint = case
    change(changes)
    result = lint([], environ={})
    assert [(item.code, item.span.file) for item in result.diagnostics] == [(code, file)]
    (item,) = result.diagnostics
    line = result.sources[file].splitlines()[item.span.line - 1 :][:1]
    assert token is None or token in line[0][item.span.column - 1 : item.span.end_column - 1]
    assert hint is None or (item.help or "").startswith(hint)


def test_what_stands_under_a_misspelt_key_is_looked_at_too():
    change({PLAN: [("team: {maker: {use", "tame: {maker: {us"), ("{use: taker}", "{use: takr}")]})
    found = [(item.code, item.message) for item in lint([], environ={}).diagnostics]
    assert found == [
        ("SCH001", 'unknown key "tame" in plan "demo"'),
        ("SCH001", 'unknown key "us" in team member "maker"'),
        ("REF002", 'unknown persona "takr"'),
    ]


def test_a_misspelt_value_hides_nothing_else():
    change({FLOW: (TELL, "{action: comand, when: a = b,"), WEB: ("'*.js']", "'*.js'], " + CRITERION)})
    found = [(item.code, item.message) for item in lint([], environ={}).diagnostics]
    assert found == [
        ("SCH004", '"comand" is not a value of "action"'),
        ("EXP001", "the expression should end here"),
        ("SCH004", '"comand" is not a value of "check"'),
    ]


def test_all_expressions_of_a_text_are_looked_at():
    texts = LANGUAGE.replace(" }}'", " }} {{ a b }} {{ inputs.langauge }} {{ inputs.language | uper }} {{ ?'")
    change({FLOW: (LANGUAGE, texts)})
    found = [(item.code, item.message) for item in lint([], environ={}).diagnostics]
    assert found == [
        ("EXP001", "the expression should end here"),
        ("EXP002", "langauge is not defined in inputs"),
        ("EXP001", "there is no filter uper"),
        ("EXP001", "this {{ has no matching }}"),
    ]


@pytest.mark.parametrize(
    ("changes", "message", "help_text"),
    [
        (
            {PLAN: ("inputs: {", "nmae: {a: b}\ninputs: {")},
            'unknown key "nmae" in plan "demo"',
            'did you mean "name"? but "name" must be text, not a mapping; valid keys: apiVersion, ',
        ),
        (
            {FLOW: (TELL, f"{TELL} timeuot: 15x,")},
            'unknown key "timeuot" in node "tell"',
            'did you mean "timeout"? but "15x" is not a duration: write a number with ',
        ),
    ],
)
def test_a_guess_that_the_value_does_not_suit_says_so(changes, message, help_text):
    change(changes)
    [found] = lint([], environ={}).diagnostics
    assert (found.code, found.message) == ("SCH001", message)
    assert found.help.startswith(help_text)


def test_what_must_be_written_in_two_places_is_told_in_both():
    change(
        {FLOW: ("{{ inputs.language", "{{ inputs.langauge"), PLAN: ("{language: python", "{langauge: python")}
    )
    found = [(item.code, item.span.file, item.fix is not None) for item in lint([], environ={}).diagnostics]
    assert found == [("EXP002", FLOW, True), ("REF005", PLAN, True)]


def test_related_places_in_files_of_their_own_are_shown():
    change({PLAN: ("inputs: {language: python}\n", "")})
    result = lint([], environ={})
    (item,) = result.diagnostics
    (related,) = item.related
    assert (related.message, related.span.file in result.sources) == ("declared here", True)
