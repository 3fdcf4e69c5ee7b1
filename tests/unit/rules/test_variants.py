"""Every way in which a rule can be broken, each at its token; its page shows the most common one."""

from pathlib import Path

import pytest
from support.rule_project import (
    API,
    BUILD,
    FLOW,
    GOOD,
    HEAD,
    LIMITED,
    MAKER,
    PAID,
    PLAN,
    PROJECT,
    PROMPT,
    TAKER,
    WEB,
    change,
    write_project,
)

from maestro_dsl.app import lint

RUN = "[echo, '{{ inputs.language }}']"
COMMAND = "{action: command,"
PRICES = "prices.yaml"
CRITERIA = "'*.js']"
LATEST = "models: {good: {provider: anthropic, model: %s}}\nvars:"
OPEN = ("inputs: {", "inputs: {name: {type: string, default: x}, ")

AGAIN = "{policies: {retry: {when: '%s'}}}"
POLICY = "apiVersion: maestro/v1\nkind: Policy\nid: p\n"
HOOK = "tickets: {sink: webhook, url: 'https://x.example'"
JIRA = "tickets: {sink: jira, url: 'https://x.example', user_env: U, token_env: T"

# rule, change of the project, file of the finding, the text under it
LOCK = (
    "format_version: 1\nlibraries:\n  team:\n    version: 1.2.0\n    source: git+https://x.org/a\n"
    f"    commit: '{'1' * 40}'\n    digest: sha256:{'1' * 64}\n"
)
CASES = [
    ("SCH001", {FLOW: (COMMAND, "{action: command, atomize: deliverable,")}, FLOW, "atomize"),
    ("SCH001", {PROJECT: ("vars:", "state: {url: 'postgresql://db.example.com/x'}\nvars:")}, PROJECT, "url"),
    ("SCH007", {FLOW: (COMMAND, "{action: command, idempotency_key: x,")}, FLOW, "idempotency_key"),
    ("SCH007", {FLOW: (COMMAND, "{action: command, as: x,")}, FLOW, "as"),
    (
        "SCH007",
        {
            "p.policy.yaml": POLICY + "give_up: ask\n",
            PLAN: (LIMITED, f"policies: {{retry: {{use: p}}}}\n{LIMITED}"),
        },
        PLAN,
        "use",
    ),
    (
        "SCH007",
        {
            "p.policy.yaml": POLICY + "give_up: ask\n",
            FLOW: (BUILD, "retry: {use: p}, as: contract}\n  check"),
        },
        FLOW,
        "use",
    ),
    ("SCH007", {"p.policy.yaml": POLICY + "retry: {use: q}\n"}, "p.policy.yaml", "use"),
    (
        "SCH007",
        {WEB: (CRITERIA, "'*.js'], acceptance_criteria: [{check: openapi_conformance, run: [a]}]")},
        WEB,
        "run",
    ),
    ("REF008", {PROJECT: ("vars:", "prices_file: prices.yaml\nvars:")}, PROJECT, "prices.yaml"),
    ("SCH007", {PROJECT: ("vars:", f"{HOOK}, project: OPS}}\nvars:")}, PROJECT, "project"),
    ("RUN009", {PROJECT: ("vars:", "tickets: {sink: webhook}\nvars:")}, PROJECT, "webhook"),
    *(
        (
            "RUN010",
            {PROJECT: ("vars:", "prices_file: prices.yaml\nvars:"), PRICES: f"as_of: x\n{text}\n"},
            PRICES,
            marked,
        )
        for text, marked in (
            ("models: {m: {input: 1, ouput: 2}}", "ouput"),
            ("models: {m: {input: 1}}", "m"),
            ("models: {m: {input: -1, output: 2}}", "-1"),
            ("models: {m: {input: 1, output: 2 EUR}}", "2 EUR"),
            ("models: {m: {input: 1, output: .inf}}", ".inf"),
            ("models: {m: [{input: 1, output: 2}, {from_tokens: 1.5, input: 1, output: 2}]}", "1.5"),
            ("models: {m: [{from_tokens: 9, input: 1, output: 2}]}", "9"),
            ("models: {m: [{input: 1, output: 2}, {input: 3, output: 4}]}", "{input: 3, output: 4}"),
            ("models: {m: 3}", "3"),
            ("models: [m]", "[m]"),
            ("models: {}\ncurrency: EUR", "currency"),
            ("models: {}\nfree: house", "house"),
            ("modles: {}", "modles"),
        )
    ),
    ("RUN009", {PROJECT: ("vars:", f"{JIRA}, project: ops}}\nvars:")}, PROJECT, "ops"),
    ("RUN009", {PROJECT: ("vars:", f"{JIRA}}}\nvars:")}, PROJECT, "jira"),
    (
        "RUN009",
        {PROJECT: ("vars:", "tickets: {sink: webhook, url: 'http://far'}\nvars:")},
        PROJECT,
        "'http://far'",
    ),
    ("RUN009", {PROJECT: ("vars:", "tickets: {sink: webhook, url: far}\nvars:")}, PROJECT, "far"),
    (
        "RUN009",
        {PROJECT: ("vars:", "tickets: {sink: github, repository: shop, token_env: T}\nvars:")},
        PROJECT,
        "shop",
    ),
    (
        "REF008",
        {"library.yaml": HEAD + "Library\nid: l\nversion: 1.0.0\nexports: {policies: ['*.policy.yaml']}\n"},
        "library.yaml",
        "'*.policy.yaml'",
    ),
    (
        "REF008",
        {FLOW: ("nodes:\n", "nodes:\n  part: {action: plan, timeout: 1h, with: {file: a.plan.yaml}}\n")},
        FLOW,
        "a.plan.yaml",
    ),
    ("REF009", {"b.plan.yaml": "plan"}, PLAN, "demo"),
    ("GRF002", {PLAN: ("contracts: [api.contract.yaml, web.contract.yaml]", "")}, PLAN, "blueprint"),
    (
        "GRF002",
        {
            FLOW: [
                ("needs: [build]", "needs: {build: {states: [failed]}}"),
                ("needs: [check]", "needs: [check, build]"),
            ]
        },
        FLOW,
        "build",
    ),
    (
        "GRF004",
        {FLOW: ("needs: [check]", "needs:\n      {build: {}, check: {}}")},
        FLOW,
        "build",
    ),
    (
        "GRF005",
        {
            FLOW: [
                ("inputs: {", "inputs: {few: {type: array, items: {type: string}, default: [a]}, "),
                (COMMAND, "{action: command, foreach: inputs.few,"),
            ]
        },
        FLOW,
        "few",
    ),
    (
        "GRF005",
        {
            FLOW: [
                ("inputs: {", "inputs: {count: {type: integer, default: 2}, "),
                (COMMAND, "{action: command, foreach: range(inputs.count),"),
            ]
        },
        FLOW,
        "count",
    ),
    (
        "GRF007",
        {FLOW: ("foreach: contracts, as: contract, needs: [build]", "needs: [build]")},
        FLOW,
        "verify",
    ),
    ("CTR005", {WEB: ("name: web", "mock_available: true\nname: web")}, WEB, "true"),
    ("CTR005", {API: ("interface_spec: {type: openapi, spec_file: api.yaml}\n", "")}, API, "REST_API"),
    ("CTR006", {WEB: (CRITERIA, "'*.js'], acceptance_criteria: [Looks good]")}, WEB, "Looks good"),
    (
        "CTR006",
        {WEB: (CRITERIA, "'*.js'], acceptance_criteria: [{text: Looks good, required: true}]")},
        WEB,
        "Looks good",
    ),
    (
        "CTR010",
        {WEB: ("name: web", "interface_spec: {type: openapi, spec_file: api.yaml}\nname: web")},
        WEB,
        "openapi",
    ),
    ("PER001", {PROJECT: ("vars:", LATEST % "gpt-latest")}, PROJECT, "gpt-latest"),
    ("PER001", {PROJECT: ("vars:", LATEST % "'llama3:latest'")}, PROJECT, "'llama3:latest'"),
    ("PER001", {MAKER: ("id:", "model: openrouter/auto\nid:")}, MAKER, "openrouter/auto"),
    ("PER001", {PLAN: ("{use: taker}", "{use: taker, model: x-latest}")}, PLAN, "x-latest"),
    ("PER001", {PLAN: (LIMITED, "provider: anthropic\n" + LIMITED)}, PLAN, "maker"),
    ("PER002", {MAKER: ("id:", "tools: [all]\nid:")}, MAKER, "all"),
    ("PER002", {MAKER: ("id:", "tools: ['file_*']\nid:")}, MAKER, "'file_*'"),
    ("PER002", {MAKER: ("id:", "tools: ['write_file:/etc']\nid:")}, MAKER, "'write_file:/etc'"),
    ("PER002", {MAKER: ("id:", "tools: ['write_file(~/x)']\nid:")}, MAKER, "'write_file(~/x)'"),
    ("EXP001", {PROMPT: ("{{ persona.name }}", "{% endif %}")}, PROMPT, "endif"),
    ("EXP001", {PLAN: (LIMITED, f"policies: {{retry: {{when: 'attempt = 2'}}}}\n{LIMITED}")}, PLAN, "="),
    ("EXP002", {PROJECT: ("15m}", "15m, policies: {retry: {when: inputs.x}}}")}, PROJECT, "inputs"),
    (
        "EXP002",
        {PROJECT: ("vars:", f"environments: {{x: {{defaults: {AGAIN % 'faillure == 1'}}}}}\nvars:")},
        PROJECT,
        "faillure",
    ),
    ("EXP002", {FLOW: (COMMAND, f"{COMMAND} retry: {{when: inputs.language == 'go'}},")}, FLOW, "inputs"),
    ("EXP003", {"p.policy.yaml": POLICY + "retry: {when: attempt + 1}\n"}, "p.policy.yaml", "attempt + 1"),
    ("EXP004", {FLOW: (COMMAND, f"{COMMAND} retry: {{when: 1 == 1}},")}, FLOW, "1 == 1"),
    ("RUN011", {FLOW: ("nodes:\n", "nodes:\n  part: {action: judge, timeout: 1h}\n")}, FLOW, "judge"),
    (
        "EXP005",
        {PLAN: (LIMITED, f"policies: {{retry: {{when: '{{{{ attempt < 2 }}}}'}}}}\n{LIMITED}")},
        PLAN,
        "{{ attempt < 2 }}",
    ),
    ("EXP001", {PROMPT: ("persona.name", "persona.name | uper")}, PROMPT, "uper"),
    ("EXP001", {PROMPT: ("{{ persona.name }}", "{% include 'x' %}")}, PROMPT, "include"),
    ("PER003", {PROMPT: ("persona.name", "person.name")}, PROMPT, "person"),
    ("PER003", {PROMPT: ("persona.name", "contract.mock_available")}, PROMPT, "mock_available"),
    (
        "PER003",
        {PROMPT: ("{{ persona.name }}", "{% for x in consumed %}{{ x.adress }}{% endfor %}")},
        PROMPT,
        "adress",
    ),
    ("PER004", {MAKER: ("id:", "settings: {temperature: 0.1, effort: low}\nid:")}, MAKER, "effort"),
    (
        "PER004",
        {PLAN: ("{use: taker}", "{use: taker, settings: {temperature: 0.1, effort: low}}")},
        PLAN,
        "effort",
    ),
    (
        "PER004",
        {PLAN: (LIMITED, "policies: {retry: {temperatures: [0.1], efforts: [low]}}\n" + LIMITED)},
        PLAN,
        "efforts",
    ),
    (
        "PER004",
        {**PAID, PLAN: ("{use: taker}", GOOD), TAKER: ("id:", "settings: {temperature: 0.1}\nid:")},
        TAKER,
        "temperature",
    ),
    (
        "PER004",
        {**PAID, PLAN: ("{use: taker}", GOOD), FLOW: (BUILD, "retry: {temperatures: [0.1]}, " + BUILD)},
        FLOW,
        "temperatures",
    ),
    (
        "PER004",
        {
            **PAID,
            PLAN: [("{use: taker}", GOOD), (LIMITED, "policies: {retry: {temperatures: [0.1]}}\n" + LIMITED)],
        },
        PLAN,
        "temperatures",
    ),
    ("PER005", {PROMPT: ("You are {{ persona.name }}.", "{% if false %}{% endif %}")}, MAKER, "maker.md.j2"),
    ("PER006", {**PAID, MAKER: ("id:", "model: god\nid:")}, MAKER, "god"),
    ("RUN001", {PROJECT: ("\ndefaults: {timeout: 15m}", "")}, FLOW, "tell"),
    (
        "RUN004",
        {
            PLAN: (LIMITED, "policies: {retry: {max_attempts: 4, delay: 9m, max_delay: 9m}}\n" + LIMITED),
        },
        FLOW,
        "build",
    ),
    ("RUN002", {PLAN: (LIMITED, "provider: anthropic\n" + LIMITED)}, PLAN, "anthropic"),
    ("RUN005", {FLOW: (COMMAND, "{action: command, effect: true,")}, FLOW, "effect"),
    (
        "RUN007",
        {
            FLOW: (COMMAND, "{action: command, timeout: 2h,"),
            PLAN: (LIMITED, "guardrails: {max_duration: 1h}\n" + LIMITED),
        },
        FLOW,
        "2h",
    ),
    (
        "RUN007",
        {
            WEB: ("name: web", "timeout: 2h\nname: web"),
            PLAN: (LIMITED, "guardrails: {max_duration: 1h}\n" + LIMITED),
        },
        WEB,
        "2h",
    ),
    (
        "RUN008",
        {
            PROJECT: (
                "{timeout: 15m}",
                "{timeout: 15m, policies: {retry: {max_attempts: 1, efforts: [low, max]}}}",
            )
        },
        PROJECT,
        "max",
    ),
    (
        "RUN008",
        {FLOW: (COMMAND, "{action: command, retry: {delay: 1m, max_delay: 30s},")},
        FLOW,
        "1m",
    ),
    ("RUN008", {PLAN: (LIMITED, "policies: {retry: {delay: 8s}}\n" + LIMITED)}, PLAN, "8s"),
    (
        "RUN008",
        {PROJECT: ("{timeout: 15m}", "{timeout: 15m, policies: {retry: {delay: 9s}}}")},
        PROJECT,
        "9s",
    ),
    ("RUN008", {FLOW: (COMMAND, "{action: command, retry: {delay: 7s},")}, FLOW, "7s"),
    (
        "SEC001",
        {MAKER: ("id:", "name: sk-ant-REDACTED0123456789abcdef\nid:".replace("REDACTED", "api03-"))},
        MAKER,
        None,
    ),
    ("SEC001", {TAKER: ("id: taker", "id: taker # ghp_" + "a1B2" * 9)}, TAKER, "ghp_" + "a1B2" * 9),
    ("SEC001", {PROJECT: ("region: eu", "db: 'postgres://app:tr0ub4dor@db/x'")}, PROJECT, "app:tr0ub4dor"),
    ("SEC001", {PROMPT: ("{# brief #}", "AKIA" + "A1B2C3D4E5F6G7H8")}, PROMPT, "AKIAA1B2C3D4E5F6G7H8"),
    ("SEC001", {FLOW: OPEN, PLAN: ("python}", "python, api_key: q9w8e7r6t5}")}, PLAN, "q9w8e7r6t5"),
    ("SEC002", {FLOW: (RUN, "[echo, '{{ nodes.build.outputs.api.files | join }}']")}, FLOW, "files"),
    ("SEC002", {FLOW: [OPEN, (RUN, "['{{ inputs.name }}', a]")]}, FLOW, "name"),
    ("SEC002", {FLOW: [OPEN, (RUN, "[python, -c, 'print({{ inputs.name }})']")]}, FLOW, "name"),
    (
        "SEC002",
        {
            FLOW: [
                OPEN,
                ("tell: {action: command,", "tell: {action: render,"),
                (f"run: {RUN}", "path: '{{ inputs.name }}', text: x"),
            ]
        },
        FLOW,
        "name",
    ),
    ("SEC002", {PROMPT: ("{# brief #}", "{{ requirement }}")}, PROMPT, "requirement"),
    (
        "SEC003",
        {
            PROJECT: ("region: eu", "region: eu, db_password: ''"),
            FLOW: (RUN, "[a, '{{ project.vars.db_password }}']"),
        },
        FLOW,
        "db_password",
    ),
    (
        "SEC003",
        {
            FLOW: [
                ("inputs: {", "inputs: {pin: {type: string, format: password, default: x}, "),
                (RUN, "[a, '{{ inputs.pin }}']"),
            ]
        },
        FLOW,
        "pin",
    ),
    (
        "LIB001",
        {PROJECT: ("vars:", "libraries: {a: 'https://x.org/a.git'}\nvars:")},
        PROJECT,
        "'https://x.org/a.git'",
    ),
    ("LIB001", {PROJECT: ("vars:", "libraries: {a: team}\nvars:")}, PROJECT, "team"),
    ("LIB001", {PROJECT: ("vars:", "libraries: {a: team@latest}\nvars:")}, PROJECT, "team@latest"),
    (
        "LIB001",
        {"library.yaml": HEAD + "Library\nid: l\nversion: 1.0.0\nrequires: {core: '*'}\n"},
        "library.yaml",
        "'*'",
    ),
    (
        "LIB001",
        {"library.yaml": HEAD + "Library\nid: l\nversion: 1.0.0\nrequires: {base: main}\n"},
        "library.yaml",
        "main",
    ),
    (
        "LIB001",
        {
            "library.yaml": HEAD
            + "Library\nid: l\nversion: 1.0.0\nrequires: {b: 'git+https://x.org/b@main'}\n"
        },
        "library.yaml",
        "'git+https://x.org/b@main'",
    ),
    ("LIB002", {PROJECT: ("vars:", "libraries: {a: ./b}\nvars:")}, PROJECT, "./b"),
    ("LIB002", {PROJECT: ("vars:", "libraries: {a: 'http://x.org/a@^1'}\nvars:")}, PROJECT, None),
    ("LIB002", {"maestro.lock": "format_version: 9\nlibraries: {}\n"}, "maestro.lock", "format_version"),
    ("LIB002", {"maestro.lock": LOCK}, "maestro.lock", "team"),
    (
        "LIB002",
        {PROJECT: ("vars:", "libraries: {team: 'git+https://x.org/a@^2'}\nvars:"), "maestro.lock": LOCK},
        PROJECT,
        "'git+https://x.org/a@^2'",
    ),
    (
        "LIB002",
        {
            PROJECT: ("vars:", "libraries: {team: 'git+https://x.org/a@^1'}\nvars:"),
            "maestro.lock": LOCK + "    requires: {base: ^1}\n",
        },
        PROJECT,
        "'git+https://x.org/a@^1'",
    ),
    (
        "LIB003",
        {
            PROJECT: ("vars:", "libraries: {team: 'git+https://x.org/a@^1'}\nvars:"),
            "maestro.lock": LOCK,
            ".maestro/libraries/team/library.yaml": HEAD + "Library\nid: team\nversion: 1.2.0\n",
        },
        "maestro.lock",
        f"sha256:{'1' * 64}",
    ),
    (
        "STY001",
        {
            "library.yaml": HEAD
            + "Library\nid: l\nversion: 1.0.0\nexports: {contracts: [./web.contract.yaml]}\n"
        },
        WEB,
        "web",
    ),
]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> None:
    write_project(tmp_path)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{case[0]}-{case[3]}") for case in CASES])
def test_a_mistake_is_found_at_its_token(case):
    code, changes, file, token = case
    if changes == {"b.plan.yaml": "plan"}:
        changes = {"b.plan.yaml": Path(PLAN).read_text()}
    change(changes)
    result = lint([], environ={})
    tokens = [
        result.sources[item.span.file].splitlines()[item.span.line - 1][
            item.span.column - 1 : item.span.end_column - 1
        ]
        for item in result.diagnostics
        if item.code == code and item.span.file == file
    ]
    assert tokens
    assert token is None or token in tokens
