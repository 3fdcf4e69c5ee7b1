"""For each rule what is nearly wrong and is not: it must stay silent, and so must every other rule.

A case changes one text of a small sound project, or adds files to it. The table names every rule.
"""

import pytest
from support.rule_project import (
    API,
    BUILD,
    CONTRACT,
    FLOW,
    GOOD,
    HEAD,
    LIMITED,
    MAKER,
    PAID,
    PLAN,
    PROJECT,
    PROMPT,
    SPEC,
    TAKER,
    WEB,
    change,
    write_project,
)

from maestro_dsl.app import lint
from maestro_dsl.lang.folder import folder_of
from maestro_dsl.rules import CATALOGUE

SHARED = f"{HEAD}Policy\nid: p\nsafety: {{max_attempts: 1}}\nguardrails: {{max_cost: 5 USD}}\n"
RETRY_OF_P = "policies: {retry: {use: p}}"
LOCK = "format_version: 1\nlibraries:\n"
A_COMMIT = "1" * 40
A_DIGEST = "sha256:" + "1" * 64
B_DIGEST = folder_of({"library.yaml": (HEAD + "Library\nid: b\nversion: 1.0.0\n").encode()}).digest


def _pin(name, version, source, commit, digest):
    pinned = f"    commit: '{commit}'\n" if commit else ""
    return f"  {name}:\n    version: {version}\n    source: {source}\n{pinned}    digest: {digest}\n"


# rule -> cases; a case is a mapping of file -> (old, new), or file -> the text of a new file
CASES = {
    "SYN001": [{MAKER: ("id: maker", 'id: "maker"')}],
    "SYN002": [{FLOW: ("as: contract}\n  check", "as: contract, required: true}\n  check")}],
    "SYN003": [
        {PROJECT: ("region: eu", "release: '1.10', port: 8080, ratio: 0.5, at: 12h30")},
        {PROJECT: ("region: eu", "country: norway, answer: yesterday, version: 1.2.3, flag: true")},
    ],
    "SYN004": [{MAKER: ("apiVersion", "---\napiVersion")}, {MAKER: ("j2\n", "j2\n...\n")}],
    "SYN005": [{PLAN: ("{use: maker}, taker", "&one {use: maker}, taker")}],
    "SCH001": [{MAKER: ("id: maker", "id: maker\nmax_attempts: 3")}],
    "SCH002": [{WEB: ("name: web\n", "name: W\n")}],
    "SCH003": [{WEB: ("name: web", "timeout: 1.5h\nname: web")}, {MAKER: ("id:", "token_budget: 1.5k\nid:")}],
    "SCH004": [{PLAN: (LIMITED, "policies: {give_up: keep_mock}\ncontracts: [api")}],
    "SCH005": [{"other.yaml": "kind: Deployment\nspec: {}\n"}],
    "SCH006": [{MAKER: ("id:", "expertise: [skills, prompt]\nid:")}],
    "SCH007": [
        {FLOW: ("{action: command, needs", "{action: command, effect: true, idempotency_key: x, needs")},
        {FLOW: (BUILD, "as: contract, effect: false}\n  check")},
        {WEB: ("'*.js']", "'*.js'], acceptance_criteria: [{check: command, run: [make]}]")},
        {"p.policy.yaml": SHARED, PLAN: (LIMITED, f"policies: {{use: p}}\n{LIMITED}")},
        {"p.policy.yaml": f"{SHARED}retry: {{delay: 1s}}\n", PLAN: (LIMITED, f"{RETRY_OF_P}\n{LIMITED}")},
    ],
    "REF001": [{FLOW: ("needs: [check]", "needs: {check: {states: any}}")}],
    "REF002": [{FLOW: (BUILD, "persona: maker, as: contract}\n  check")}],
    "REF003": [{FLOW: ("needs: [build]", "contract: '{{ contract.id }}', needs: [build]")}],
    "REF004": [{PLAN: ("blueprint: flow", "blueprint: ./flow.blueprint.yaml")}],
    "REF005": [
        {
            FLOW: [
                ("inputs: {", "inputs: {more: {type: string, default: x}, "),
                ("[echo,", "[echo, '{{ inputs.more }}',"),
            ],
            PLAN: ("python}", "python, more: y}"),
        }
    ],
    "REF006": [
        {FLOW: ("[python, go]}", "[python, go], default: go}"), PLAN: ("inputs: {language: python}\n", "")}
    ],
    "REF007": [{FLOW: ("{{ inputs.language }}", '{{ inputs["language"] }}')}],
    "REF008": [
        {
            "library.yaml": HEAD
            + "Library\nid: lib\nversion: 1.0.0\nexports: {personas: ['*.persona.yaml']}\n",
            MAKER: ("id:", "description: m\nid:"),
            TAKER: ("id:", "description: t\nid:"),
        }
    ],
    "REF009": [
        {
            "sub/maestro.yaml": HEAD + "Project\nid: sub\n",
            "sub/maker.persona.yaml": HEAD + "Persona\nid: maker\n",
            "sub/plan.yaml": HEAD
            + "Plan\nid: sub\nblueprint: sequential-basic\nteam: {maker: {use: maker}}\n"
            "contracts: [x.contract.yaml]\n",
            "sub/x.contract.yaml": HEAD + CONTRACT.format("x", "maker", "a", "*.py"),
        }
    ],
    "GRF001": [{FLOW: ("needs: [check]", "needs: {check: {}, build: {states: any}}")}],
    "GRF002": [
        {FLOW: ("needs: [check]", "needs: {check: {states: [failed]}, build: {}}")},
        {FLOW: ("needs: [check]", "needs: {check: {states: any}, build: {states: [failed]}}")},
    ],
    "GRF003": [
        {FLOW: ("needs: [check],", "needs: [check], when: \"nodes.build.outputs['api'].score > 0.5\",")}
    ],
    "GRF004": [
        {FLOW: ("needs: [check]", "needs: {build: {states: any}, check: {}}")},
        {FLOW: ("needs: [check]", "needs: {build: {}, check: {states: any}}")},
        {  # an empty list would leave nobody who waits for build
            FLOW: [
                (
                    "foreach: contracts, as: contract, needs",
                    "foreach: project.vars.few, contract: api, needs",
                ),
                ("needs: [check]", "needs: [build, check]"),
            ],
            PROJECT: ("region: eu", "few: [a, b]"),
        },
    ],
    "GRF005": [
        {
            FLOW: [
                (
                    "inputs: {",
                    "inputs: {few: {type: array, items: {type: string}, maxItems: 9, default: [a]}, ",
                ),
                ("{action: command,", "{action: command, foreach: inputs.few,"),
            ]
        },
        {
            FLOW: [
                ("inputs: {", "inputs: {few: {type: array, items: {type: string}, default: [a]}, "),
                ("{action: command,", "{action: command, foreach: inputs.few,"),
            ],
            PROJECT: ("vars:", "limits: {max_fanout: 50}\nvars:"),
        },
        {
            FLOW: ("{action: command,", "{action: command, foreach: project.vars.few,"),
            PROJECT: ("region: eu", "few: [a, b]"),
        },
        {PROJECT: ("vars:", "limits: {max_fanout: 2}\nvars:")},
    ],
    "GRF006": [{WEB: ("*.js", "*.py")}],
    "GRF007": [{FLOW: ("foreach: contracts, as: contract, needs: [build]", "contract: api, needs: [build]")}],
    "GRF008": [{FLOW: (BUILD, "as: contract, when: contract.id != 'x'}\n  check")}],
    "EXP001": [
        {FLOW: (BUILD, "as: contract, when: (contract.id == 'api')}\n  check")},
        {PROMPT: ("{{ persona.name }}", "{% if persona.name %}{{ persona.name | upper }}{% endif %}")},
    ],
    "EXP002": [{FLOW: (BUILD, "when: key == contract.id or contract.id == 'web', as: contract}\n  check")}],
    "EXP003": [
        {
            FLOW: ("{action: command,", "{action: command, retry: {when: failure != 'unparsable'},"),
            PLAN: (LIMITED, "policies: {retry: {when: attempt < 3 and round == 1}}\n" + LIMITED),
            PROJECT: ("15m}", "15m, policies: {give_up: ask, retry: {when: \"failure in ['transport']\"}}}"),
        },
        {FLOW: (BUILD, "as: contract, when: contract.name | length > 0}\n  check")},
    ],
    "EXP004": [{FLOW: (BUILD, "as: contract, when: contract.id == inputs.language}\n  check")}],
    "EXP005": [{FLOW: (BUILD, "as: contract, when: \"contract.name == '{' ~ '{'\"}\n  check")}],
    "EXP006": [
        {API: ("name: api", "description: 'for {{ plan.id }}'\nname: '{{ contract.id }}'")},
        {API: ("deliverables", "start: [docker, inspect, --format, '{{.State.Status}}', x]\ndeliverables")},
        {PLAN: (LIMITED, "requirement: 'Greet with {{ inputs.name }}'\noutput: 'build/{a}'\n" + LIMITED)},
    ],
    "EXP007": [
        {
            FLOW: (
                "'{{ inputs.language }}'",
                "'$', '$HOME', '$ {{ inputs.language }}', '$${{ inputs.language }}'",
            )
        },
        {FLOW: ("[echo, '{{ inputs.language }}'", "[echo, '${{ 2 + 3 }}', '{{ inputs.language }}'")},
    ],
    "CTR001": [{"api.yaml": (": 3.0.3", ": 3.1.0")}],
    "CTR002": [{API: ("[taker]", "[]")}],
    "CTR003": [
        {
            API: (
                "spec_file: api.yaml}",
                "spec_file: api.yaml, compatible_with: {version: 1.0.0, spec_file: old.yaml}}",
            ),
            "old.yaml": SPEC.replace("id: {type: integer,", "id: {type: number,"),
        }
    ],
    "CTR004": [
        {"api.yaml": ("example: {id: 1}", "example: {secret: x}")},
        {"api.yaml": [("application/json", "application/xml"), ("example: {id: 1}", "example: <item/>")]},
    ],
    "CTR005": [
        {
            API: (
                "type: REST_API\ninterface_spec: {type: openapi, spec_file: api.yaml}\n",
                "mock_available: false\n",
            )
        },
        {API: ("type: REST_API\ninterface_spec: {type: openapi, spec_file: api.yaml}\n", "")},
    ],
    "CTR006": [
        {
            WEB: ("'*.js']", "'*.js'], acceptance_criteria: [Looks good]"),
            PLAN: (LIMITED, "provider: scripted:a\n" + LIMITED),
        }
    ],
    "CTR007": [
        {
            WEB: (
                "[{name: page, artifacts: ['*.js']}",
                "[{name: page, artifacts: ['*.js']}, {name: t, artifacts: ['*.css']}",
            )
        }
    ],
    "CTR008": [{WEB: ("[{name: page", "[{name: code, artifacts: ['*.md']}, {name: page")}],
    "CTR009": [{API: ("'*.py']", "'*.py'], acceptance_criteria: [{check: openapi_conformance}]")}],
    "CTR010": [{WEB: ("name: web", "type: INTERFACE\nname: web")}],
    "PER001": [
        {PROJECT: ("vars:", "models: {fast: {provider: x, model: latest-but-one}}\nvars:")},
        {**PAID, PLAN: ("{use: taker}", GOOD), API: ("name: api", "token_budget: 50k\nname: api")},
    ],
    "PER002": [{MAKER: ("id:", "tools: [read_file, 'write_file(src/**)', all_files]\nid:")}],
    "PER003": [
        {PROMPT: ("{# brief #}", "{% for x in deliverables %}{{ x.name }}{{ loop.index }}{% endfor %}")},
        {PROMPT: ("{# brief #}", "{% set persona_ = contract.id %}{{ persona_ }}{{ contract.spec }}")},
    ],
    "PER004": [
        {TAKER: ("id:", "settings: {temperature: 0.5}\nid:")},
        {
            **PAID,
            PLAN: ("{use: taker}", GOOD),
            MAKER: ("id:", "settings: {temperature: 0.5}\nid:"),
            API: ("name: api", "token_budget: 50k\nname: api"),
        },
    ],
    "PER005": [{PROMPT: ("You are {{ persona.name }}.", "{{ persona.name }}")}],
    "PER006": [{**PAID, PLAN: ("{use: taker}", "{use: taker, model: qwen3-coder}")}],
    "RUN001": [
        {
            PROJECT: ("\ndefaults: {timeout: 15m}", ""),
            FLOW: ("{action: command,", "{action: command, timeout: 1m,"),
            WEB: ("name: web", "timeout: 5m\nname: web"),
            API: ("name: api", "timeout: 5m\nname: api"),
        }
    ],
    "RUN002": [{**PAID, PLAN: ("{use: taker}", "{use: taker, model: good, token_budget: 50k}")}],
    "RUN003": [
        {PLAN: (LIMITED, "guardrails: {max_tokens: 10}\n" + LIMITED)},  # scaffold asks no model
        {**PAID, PLAN: ("{use: taker}}\n", GOOD + "}\nguardrails: {max_tokens: 100k}\n")},
    ],
    "RUN004": [
        {
            FLOW: (
                "{action: command,",
                (
                    "{action: command, timeout: 61s, give_up: ask, "
                    "retry: {max_attempts: 3, delay: 20s, max_delay: 40s, jitter: 0},"
                ),
            )
        }
    ],
    "RUN005": [{FLOW: ("{action: command,", "{action: command, effect: true, retry: {max_attempts: 1},")}],
    "RUN006": [
        {FLOW: ("{action: command,", "{action: command, retry: {max_attempts: 1},")},
        {
            FLOW: ("{action: command,", "{action: command, retry: {max_attempts: 4},"),
            PROJECT: ("timeout: 15m", "timeout: 15m, policies: {give_up: ask}"),
        },
    ],
    "RUN007": [
        {
            FLOW: ("{action: command,", "{action: command, timeout: 5m, attempt_timeout: 5m,"),
            PLAN: (LIMITED, "guardrails: {max_duration: 5m}\n" + LIMITED),
        }
    ],
    "RUN008": [
        {
            PLAN: (
                LIMITED,
                "policies: {retry: {max_attempts: 3, temperatures: [0.7, 0.5, 0.3], delay: 5s, "
                "max_delay: 5s}}\n" + LIMITED,
            )
        },
        {
            PLAN: (LIMITED, "policies: {retry: {delay: 5s}}\n" + LIMITED),
            PROJECT: ("{timeout: 15m}", "{timeout: 15m, policies: {retry: {delay: 9s}}}"),
        },
        {
            PLAN: (LIMITED, "policies: {retry: {max_delay: 1m}}\n" + LIMITED),
            FLOW: ("{action: command,", "{action: command, retry: {delay: 40s},"),
        },
    ],
    "RUN009": [
        {PROJECT: ("vars:", "tickets: {sink: webhook, url: 'http://127.0.0.1:9/x', secret_env: S}\nvars:")},
        {PROJECT: ("vars:", "tickets: {sink: github, repository: a/b.c, token_env: T, labels: [x]}\nvars:")},
    ],
    "RUN010": [
        {
            PROJECT: ("vars:", "prices_file: prices.yaml\nvars:"),
            "prices.yaml": (
                "as_of: '2026-11-01'\nfree: [house]\nmodels:\n  m: {input: 0, output: 0.5}\n"
                "  n: [{input: 1, output: 2}, {from_tokens: 9, input: 2, output: 4, cache_write_1h: 5}]\n"
            ),
        }
    ],
    "RUN011": [{FLOW: ("nodes:\n", "nodes:\n  ask: {action: approve}\n  sum: {action: report}\n")}],
    "SEC001": [
        {
            PROJECT: (
                "region: eu",
                "token_budget: abc12345, password: 'changeme-123', api_key: '{{ x }}1234567'",
            )
        },
        {MAKER: ("id:", "description: task-list-of-the-week-and-more-0123456789\nid:")},
        {PROJECT: ("region: eu", "url: 'https://user:example@host/', secret: short1")},
        {PROJECT: ("region: eu", "a: 'pg://app:app@db/', b: 'pg://me:password@db/', c: 'pg://me:${PW}@db/'")},
        {MAKER: ("id:", "description: sk-learn-and-other-words-that-are-long\nid:")},
    ],
    "SEC002": [
        {
            FLOW: [
                ("go]}", "go]}, free: {type: string, default: a}"),
                ("[echo,", "[echo, '{{ inputs.free }}',"),
            ]
        },
        {
            FLOW: (
                "[echo, '{{ inputs.language }}']",
                "[echo, '{{ nodes.build.outputs.api.score }}', '{{ inputs.language }}']",
            )
        },
        {FLOW: ("[echo, '{{ inputs.language }}']", "[sh, -c, 'echo {{ inputs.language }}']")},
    ],
    "SEC003": [
        {
            FLOW: [
                ("inputs: {", "inputs: {max_tokens: {type: integer, default: 3}, "),
                ("[echo,", "[echo, 'at most {{ inputs.max_tokens }}',"),
            ]
        },
        {
            FLOW: [
                ("inputs: {", "inputs: {api_key: {type: string, default: ''}, "),
                ("needs: [check],", "needs: [check], when: inputs.api_key != '',"),
            ]
        },
    ],
    "LIB001": [
        {
            PROJECT: (
                "vars:",
                (
                    "libraries: {a: 'git+https://x.org/a.git@^1.2', b: './b', c: 'git@x.org:c.git@v1.0.0', "
                    "d: 'https://x.org/d@0a1b2c3d4e5f60718293a4b5c6d7e8f901234567'}\nvars:"
                ),
            ),
            "b/library.yaml": HEAD + "Library\nid: b\nversion: 1.0.0\n",
            "maestro.lock": LOCK
            + _pin("a", "1.4.0", "git+https://x.org/a.git", A_COMMIT, A_DIGEST)
            + _pin("b", "1.0.0", "./b", None, B_DIGEST)
            + _pin("c", "1.0.0", "git+ssh://git@x.org/c.git", A_COMMIT, A_DIGEST)
            + _pin("d", "0.1.0", "git+https://x.org/d", "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567", A_DIGEST),
        },
        {
            "library.yaml": HEAD
            + "Library\nid: l\nversion: 1.0.0\nrequires: {a: '>=1.2,<2', b: ^1, c: 1.0.0, core: '>=0.1'}\n"
        },
    ],
    "LIB002": [
        {
            PROJECT: ("vars:", "libraries: {b: './b@^1'}\nvars:"),
            "b/library.yaml": HEAD + "Library\nid: b\nversion: 1.0.0\n",
            "b/.notes": "a name with a dot is no part of it",
            "maestro.lock": LOCK + _pin("b", "1.0.0", "./b", None, B_DIGEST),
        },
        {"maestro.lock": "format_version: 1\nlibraries: {}\n"},
    ],
    "LIB003": [
        {
            PROJECT: ("vars:", "libraries: {b: 'git+https://x.org/b.git@^1'}\nvars:"),
            ".maestro/libraries/b/library.yaml": HEAD + "Library\nid: b\nversion: 1.0.0\n",
            "maestro.lock": LOCK + _pin("b", "1.0.0", "git+https://x.org/b.git", A_COMMIT, B_DIGEST),
        },
        {
            PROJECT: ("vars:", "libraries: {b: 'git+https://x.org/b.git@^1'}\nvars:"),
            "maestro.lock": LOCK + _pin("b", "1.0.0", "git+https://x.org/b.git", A_COMMIT, A_DIGEST),
        },
    ],
    "STY001": [
        {
            "library.yaml": HEAD
            + "Library\nid: lib\nversion: 1.0.0\nexports: {contracts: ['api*.contract.yaml']}\n",
            API: ("name: api", "name: api\ndescription: The API"),
        }
    ],
    "STY002": [{MAKER: ("id: maker", "id:   maker")}],
    "SUP001": [
        {
            TAKER: (
                "id: taker",
                "id: taker\ntools: ['*'] # maestro: ignore[PER002, broad-tools] in a box of its own",
            )
        },
        {TAKER: ("id: taker", "id: taker\n# maestro: ignore[broad-tools] in a box of its own\ntools: ['*']")},
        {TAKER: ("id: taker", "id: taker\ndescription: 'say # maestro: ignore[X] to hide'")},
        {TAKER: ("id: taker", "id: taker\ndescription: |\n  say\n  # maestro: ignore[X]\n")},
        {TAKER: ("id: taker", "id: taker # what maestro: ignore means stands in the guide")},
    ],
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> None:
    write_project(tmp_path)
    monkeypatch.chdir(tmp_path)


def test_the_project_itself_is_silent():
    assert [(item.code, item.message) for item in lint([], environ={}).diagnostics] == []


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=code) for code, cases in CASES.items() for case in cases]
)
def test_a_near_miss_is_let_pass(case):
    change(case)
    assert [(item.code, item.message) for item in lint([], environ={}).diagnostics] == []


def test_every_rule_has_one():
    assert set(CASES) == set(CATALOGUE)
