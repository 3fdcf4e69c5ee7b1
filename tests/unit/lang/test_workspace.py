from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.files import write

from maestro_dsl.errors import UsageError
from maestro_dsl.lang.model import GiveUp, ModelAlias
from maestro_dsl.lang.settings import Overrides, for_node
from maestro_dsl.lang.workspace import Workspace, find_blueprints, load_documents, load_workspace

HEADER = "apiVersion: maestro/v1\nkind: "
FILES = {
    "maestro.yaml": HEADER + "Project\nid: demo\nvars: {region: eu, size: 1}\n"
    "models: {fast: {provider: anthropic, model: small}}\n"
    "environments: {ci: {vars: {size: 2}, defaults: {policies: {give_up: ask}}}}\n"
    "defaults: {timeout: 10m, token_budget: 70k}\n",
    "plan.yaml": HEADER + "Plan\nid: demo\nblueprint: mine\nteam:\n"
    "  dev: {use: dev}\n  qa: {use: ./people/qa.persona.yaml, model: fast, token_budget: 5k}\n"
    "contracts: [contracts/*.contract.yaml]\ninputs: {language: python}\n"
    "policies: {retry: {use: careful, delay: 2s}}\n",
    "mine.blueprint.yaml": HEADER + "Blueprint\nid: mine\nversion: 1.2.0\n"
    "inputs: {language: {type: string}, level: {type: integer, default: 3}}\n"
    "nodes:\n  build: {action: fulfil, foreach: contracts, as: contract, "
    'with: {instructions: "{{ inputs.language }} {{ inputs.level }}"}, persona: dev, contract: api}\n'
    "  report: {action: report, needs: [build]}\n",
    "people/dev.persona.yaml": HEADER + "Persona\nid: dev\nprompt_file: dev.md.j2\nmax_attempts: 5\n",
    "people/dev.md.j2": "You build.\n",
    "people/qa.persona.yaml": HEADER + "Persona\nid: qa\ngive_up_on_failure: false\n",
    "contracts/api.contract.yaml": HEADER + "Contract\nid: api\nname: API\nprovider_persona_id: dev\n"
    "interface_spec: {type: openapi, spec_file: api.yaml}\ndeliverables: [{name: api, artifacts: ['*.py']}]\n"
    "timeout: 1m\n",
    "contracts/api.yaml": "openapi: 3.0.0\npaths: {}\n",
    "careful.policy.yaml": HEADER
    + "Policy\nid: careful\nretry: {temperatures: [0.7, 0.5, 0.3, 0.3], delay: 9s}\n",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write(tmp_path, FILES)


def read(project: Path, **overrides: object) -> tuple[Workspace | None, list[tuple[str, str, int, str]]]:
    workspace, found = load_workspace(project / "plan.yaml", overrides=Overrides(**overrides), environ={})
    return workspace, [(item.code, item.span.file, item.span.line, item.message) for item in found]


def change(project: Path, name: str, old: str, new: str) -> None:
    text = (project / name).read_text()
    assert old in text
    (project / name).write_text(text.replace(old, new))


def test_a_sound_project_loads_whole(project: Path) -> None:
    workspace, found = read(project)
    assert found == []
    assert workspace is not None
    assert list(workspace.team) == ["dev", "qa"]
    assert workspace.team["dev"].prompt == "You build.\n"
    assert workspace.team["dev"].prompt_file == "people/dev.md.j2"
    assert workspace.contracts["api"].spec_path == "contracts/api.yaml"
    assert workspace.inputs == {"language": "python", "level": 3}
    assert workspace.vars == {"region": "eu", "size": 1}
    assert workspace.documents[0].file == "plan.yaml"
    assert workspace.root == project.resolve()


def test_every_setting_knows_where_it_came_from(project: Path) -> None:
    workspace, _ = read(project)
    assert workspace is not None
    settings, origins = workspace.settings, workspace.settings.origins
    assert (settings.max_attempts, settings.retry.max_attempts) == (4, 4)
    assert origins["max_attempts"] == "length of policies.retry.temperatures (careful.policy.yaml:4)"
    assert (settings.retry.delay_s, origins["policies.retry.delay"]) == (2.0, "plan.yaml:10")
    assert (settings.timeout_s, origins["timeout"]) == (600.0, "maestro.yaml:7")
    assert (settings.give_up, origins["policies.give_up"]) == (GiveUp.SKIP_DEPENDANTS, "built-in default")
    dev, qa = workspace.team["dev"].settings, workspace.team["qa"].settings
    assert (dev.max_attempts, dev.origins["max_attempts"]) == (5, "people/dev.persona.yaml:5")
    assert (dev.token_budget, dev.origins["token_budget"]) == (70_000, "maestro.yaml:7")
    assert (qa.max_attempts, qa.token_budget) == (4, 5000)
    assert qa.model == ModelAlias(provider="anthropic", model="small")
    assert dev.model == ModelAlias(provider="scaffold", model="default")


def test_an_environment_stands_above_the_project(project: Path) -> None:
    workspace, _ = read(project, env_name="ci", sets={"region": "us"})
    assert workspace is not None
    assert workspace.vars == {"region": "us", "size": 2}
    assert workspace.settings.give_up is GiveUp.ASK
    with pytest.raises(UsageError, match='no environment "cj"') as caught:
        read(project, env_name="cj")
    assert caught.value.hint == 'did you mean "ci"? environments of the project: ci'


def test_environment_and_command_line_stand_above_everything(project: Path) -> None:
    environ = {"MAESTRO_MAX_ATTEMPTS": "2", "MAESTRO_TOKEN_BUDGET": "1k", "MAESTRO_PROVIDER": "replay"}
    workspace, _ = load_workspace(
        project / "plan.yaml", overrides=Overrides(provider="scripted"), environ=environ
    )
    assert workspace is not None
    dev, qa = workspace.team["dev"].settings, workspace.team["qa"].settings
    assert (dev.max_attempts, dev.origins["max_attempts"]) == (2, "environment MAESTRO_MAX_ATTEMPTS")
    assert qa.token_budget == 1000
    assert qa.model.provider == "scripted"
    assert workspace.settings.origins["provider"] == "command line"
    with pytest.raises(UsageError, match='MAESTRO_MAX_ATTEMPTS: "x" is not a number'):
        load_workspace(project / "plan.yaml", overrides=Overrides(), environ={"MAESTRO_MAX_ATTEMPTS": "x"})


def test_a_node_takes_the_nearest_value(project: Path) -> None:
    workspace, _ = read(project)
    assert workspace is not None
    node = workspace.blueprint.value.nodes["build"]
    contract = workspace.contracts["api"].document
    qa = for_node(workspace.settings, node=node, contract=contract, member=workspace.team["qa"].settings)
    assert (qa.timeout_s, qa.origins["timeout"]) == (60.0, "contracts/api.contract.yaml:8")
    assert (qa.give_up, qa.origins["policies.give_up"]) == (GiveUp.ASK, "people/qa.persona.yaml:4")
    assert qa.retry.max_attempts == 4
    dev = for_node(workspace.settings, node=node, contract=contract, member=workspace.team["dev"].settings)
    assert dev.retry.max_attempts == 5


def test_a_node_may_use_a_policy(project: Path) -> None:
    change(project, "mine.blueprint.yaml", "{action: report,", "{action: report, retry: {use: careful},")
    change(project, "plan.yaml", "use: careful, ", "")
    workspace, found = read(project)
    assert found == []
    assert workspace is not None
    assert workspace.settings.max_attempts == 3
    node = workspace.blueprint.value.nodes["report"]
    settings = for_node(workspace.settings, node=node, blueprint=workspace.blueprint)
    assert (settings.retry.max_attempts, settings.retry.delay_s) == (4, 9.0)
    assert settings.origins["policies.retry.delay"] == "careful.policy.yaml:4"


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("plan.yaml", "use: dev}", "use: dve}", ("REF002", "plan.yaml", 6, 'unknown persona "dve"')),
        (
            "plan.yaml",
            "use: dev}",
            "use: acme/x}",
            ("REF002", "plan.yaml", 6, 'unknown library "acme" in "acme/x"'),
        ),
        (
            "plan.yaml",
            "blueprint: mine",
            "blueprint: mien",
            ("REF004", "plan.yaml", 4, 'unknown blueprint "mien"'),
        ),
        (
            "plan.yaml",
            "blueprint: mine",
            "blueprint: mine@^2.0",
            ("REF004", "plan.yaml", 4, 'blueprint "mine" has version 1.2.0, not ^2.0'),
        ),
        (
            "plan.yaml",
            "contracts/*",
            "nothing/*",
            ("REF008", "plan.yaml", 8, '"nothing/*.contract.yaml" matches no file'),
        ),
        (
            "plan.yaml",
            "[contracts/*.contract.yaml]",
            "[../x.contract.yaml]",
            ("REF008", "plan.yaml", 8, '"../x.contract.yaml" lies outside the project folder'),
        ),
        (
            "plan.yaml",
            "[contracts/*.contract.yaml]",
            "[contracts/*, mine.blueprint.yaml]",
            ("REF003", "plan.yaml", 8, '"mine.blueprint.yaml" is a Blueprint, and a Contract is needed here'),
        ),
        (
            "plan.yaml",
            "language: python",
            "langauge: python",
            ("REF005", "plan.yaml", 9, 'blueprint "mine" has no input "langauge"'),
        ),
        (
            "plan.yaml",
            "language: python",
            "level: 2",
            ("REF006", "plan.yaml", 9, 'blueprint "mine" needs the input "language"'),
        ),
        (
            "mine.blueprint.yaml",
            "needs: [build]",
            "needs: [biuld]",
            ("REF001", "mine.blueprint.yaml", 8, 'node "report" needs "biuld", which is no node'),
        ),
        (
            "mine.blueprint.yaml",
            "contract: api}",
            "contract: apy}",
            ("REF003", "mine.blueprint.yaml", 7, '"apy" is no contract of the plan'),
        ),
        (
            "mine.blueprint.yaml",
            "inputs.level",
            "1",
            ("REF007", "mine.blueprint.yaml", 5, 'input "level" is never read'),
        ),
        (
            "people/dev.persona.yaml",
            "dev.md.j2",
            "../../x.md",
            ("REF008", "people/dev.persona.yaml", 4, '"../../x.md" lies outside the project folder'),
        ),
        (
            "people/dev.persona.yaml",
            "dev.md.j2",
            "no.md",
            ("REF008", "people/dev.persona.yaml", 4, '"no.md" does not exist'),
        ),
        (
            "contracts/api.contract.yaml",
            "api.yaml",
            "/etc/passwd",
            (
                "REF008",
                "contracts/api.contract.yaml",
                6,
                '"/etc/passwd" must be a relative path with / between its parts',
            ),
        ),
        (
            "plan.yaml",
            "use: careful",
            "use: carefull",
            ("REF008", "plan.yaml", 10, 'unknown policy "carefull"'),
        ),
    ],
)
def test_a_wrong_reference_points_at_the_token(
    project: Path, file: str, old: str, new: str, expected: tuple[str, str, int, str]
) -> None:
    change(project, file, old, new)
    assert expected in read(project)[1]


def test_unknown_names_list_what_there_is(project: Path) -> None:
    change(project, "plan.yaml", "use: dev}", "use: dve}")
    _, found = load_workspace(project / "plan.yaml", overrides=Overrides(), environ={})
    (item,) = found
    assert item.help is not None
    assert item.help.startswith('did you mean "dev"? personas: core/')
    assert item.help.endswith(", dev, qa")


def test_a_link_out_of_the_project_is_refused(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "secret.yaml"
    outside.write_text("a: 1\n")
    (project / "contracts/api.yaml").unlink()
    (project / "contracts/api.yaml").symlink_to(outside)
    _, found = read(project)
    assert ("REF008", "contracts/api.contract.yaml", 6, '"api.yaml" lies outside the project folder') in found


def test_one_bad_document_reports_all_four_mistakes(project: Path) -> None:
    (project / "plan.yaml").write_text(
        HEADER + "Plan\nid: demo\nblueprint: mine\ntimeuot: 3\nteam:\n  dev: {use: nobody}\n"
        "execution: {schedule: wave}\nid: twice\ninputs: {language: go}\n"
    )
    codes = {code for code, *_ in read(project)[1]}
    assert {"SCH001", "SCH004", "SYN002", "REF002"} <= codes


def test_two_contracts_with_one_id_are_refused(project: Path) -> None:
    text = (project / "contracts/api.contract.yaml").read_text()
    (project / "contracts/b.contract.yaml").write_text(text)
    assert ("REF009", "contracts/b.contract.yaml", 3, 'two contracts of this plan have the id "api"') in read(
        project
    )[1]


def test_lint_finds_every_document_of_a_folder(project: Path) -> None:
    (project / ".hidden").mkdir()
    (project / ".hidden/x.plan.yaml").write_text("nonsense: [")
    documents, found = load_documents([project])
    assert len(documents) == 7
    assert found.items == []
    _, found = load_documents([project / "nothing.yaml"])
    assert [item.code for item in found] == ["REF008"]


def test_blueprints_of_project_and_core_are_found(project: Path) -> None:
    ids = [document.value.id for document in find_blueprints(project)]
    assert ids[0] == "mine"
    assert "parallel-contract-first" in ids


def test_loading_stays_light() -> None:
    program = (
        "import sys, maestro_dsl.lang.workspace as w; from pathlib import Path; "
        "w.load_documents([Path(sys.argv[1])]); "
        "heavy = {'networkx', 'sqlalchemy', 'fastapi', 'anthropic', 'jsonschema', 'jinja2'}; "
        "print(sorted(heavy & sys.modules.keys()))"
    )
    blueprints = Path(__file__).parents[3] / "blueprints"
    done = subprocess.run(
        [sys.executable, "-c", program, str(blueprints)],
        capture_output=True,
        text=True,
        check=True,
        cwd=blueprints.parent,
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("mark", "where"),
    [
        ("maestro.yaml", "the project folder"),
        ("library.yaml", "the folder of the library"),
        ("none.yaml", "the document's folder"),
    ],
)
def test_a_path_that_leads_out_is_told_what_it_leaves(tmp_path, mark, where):
    area = tmp_path / "area"
    area.mkdir()
    (area / mark).write_text("")
    (area / "a.persona.yaml").write_text(f"{HEADER}Persona\nid: a\nprompt_file: ../x.md\n")
    _, found = load_documents([area / "a.persona.yaml"])
    assert [item.message for item in found] == [f'"../x.md" lies outside {where}']
