"""References into libraries: what a plan may name, what a library may, and what is said where one may not."""

from pathlib import Path

import pytest
from support.files import write
from support.libraries import HEAD

from maestro_dsl.app import compile_plan, fix, lint
from maestro_dsl.app.lint_result import FixOptions
from maestro_dsl.errors import IntegrityError
from maestro_dsl.lang.files import area_of
from maestro_dsl.lang.folder import read_folder
from maestro_dsl.lang.lockfile import Lock, Locked, lock_text
from maestro_dsl.lang.settings import Overrides
from maestro_dsl.lang.shelves import is_installed
from maestro_dsl.libraries import audit

TEAM = {
    "library.yaml": f"""{HEAD}Library
id: team
version: 1.2.0
exports:
  blueprints: ["*.blueprint.yaml"]
  personas: [personas/reviewer.persona.yaml, personas/maker.persona.yaml]
  contracts: ["*.contract.yaml"]
  policies: ["policies/*.policy.yaml"]
requires: {{base: "^1.0"}}
""",
    "flow.blueprint.yaml": f"""{HEAD}Blueprint
id: flow
version: 1.0.0
description: Build it
nodes:
  build:
    action: fulfil
    foreach: contracts
    as: contract
    timeout: 15m
    retry: {{use: calm}}
  check:
    action: verify
    foreach: contracts
    as: contract
    timeout: 5m
    needs: [build]
    retry: {{use: base/patient}}
""",
    "policies/calm.policy.yaml": f"{HEAD}Policy\nid: calm\ndescription: d\nretry: {{max_attempts: 2}}\n",
    "personas/reviewer.persona.yaml": HEAD
    + "Persona\nid: reviewer\ndescription: d\nprompt_file: ../reviewer.md.j2\n",
    "personas/maker.persona.yaml": f"{HEAD}Persona\nid: maker\ndescription: d\n",
    "personas/hidden.persona.yaml": f"{HEAD}Persona\nid: hidden\ndescription: d\n",
    "reviewer.md.j2": "You review {{{{ contract.name }}}}.\n".replace("{{{{", "{{").replace("}}}}", "}}"),
    "api.contract.yaml": f"""{HEAD}Contract
id: api
name: API
description: d
version: 1.1.0
type: REST_API
provider_persona_id: maker
interface_spec: {{type: openapi, spec_file: specs/api.yaml}}
deliverables: [{{name: code, artifacts: ["*.py"]}}]
""",
    "specs/api.yaml": "openapi: 3.0.3\ninfo: {title: Shop, version: 1.0.0}\npaths:\n"
    "  /items:\n    get: {operationId: list, responses: {'200': {description: All}}}\n",
}
BASE = {
    "library.yaml": f'{HEAD}Library\nid: base\nversion: 1.0.0\nexports: {{policies: ["*.policy.yaml"]}}\n',
    "patient.policy.yaml": f"{HEAD}Policy\nid: patient\ndescription: d\nretry: {{max_attempts: 7}}\n",
}
PROJECT = f"{HEAD}Project\nid: shop\nlibraries: {{team: 'git+https://x.org/team@^1.0', base: 'git+https://x.org/base@^1.0'}}\n"
PLAN = f"""{HEAD}Plan
id: shop
blueprint: team/flow@^1.0
team:
  maker: {{use: team/maker}}
  second: {{use: team/reviewer}}
contracts: [team/api@^1.0, web.contract.yaml]
"""
WEB = f"""{HEAD}Contract
id: web
name: Web
provider_persona_id: second
deliverables: [{{name: page, artifacts: ["*.html"]}}]
"""


def pin(root, *names, **local):
    """Write the lock of what lies in the project now."""
    found = {}
    for name in names:
        folder = read_folder(root / ".maestro/libraries" / name)
        found[name] = Locked(
            name=name,
            version="1.2.0" if name == "team" else "1.0.0",
            source=f"git+https://x.org/{name}",
            commit="1" * 40,
            digest=folder.digest,
            requires={"base": "^1.0"} if name == "team" else {},
        )
    for name, source in local.items():
        found[name] = Locked(
            name=name,
            version="1.2.0" if name == "team" else "1.0.0",
            source=source,
            digest=read_folder(root / source).digest,
            requires={"base": "^1.0"} if name == "team" else {},
        )
    write(root, {"maestro.lock": lock_text(Lock(libraries=found))})


@pytest.fixture
def root(tmp_path, monkeypatch):
    write(tmp_path / ".maestro/libraries/team", TEAM)
    write(tmp_path / ".maestro/libraries/base", BASE)
    write(tmp_path, {"maestro.yaml": PROJECT, "plan.yaml": PLAN, "web.contract.yaml": WEB})
    pin(tmp_path, "team", "base")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found():
    return [(item.code, item.message, item.help or "") for item in lint([], environ={}).diagnostics]


def change(name, old, new):
    text = Path(name).read_text()
    assert old in text
    Path(name).write_text(text.replace(old, new))


def compiled():
    return compile_plan(Path("plan.yaml"), overrides=Overrides(), environ={})


@pytest.mark.usefixtures("root")
def test_a_plan_is_made_of_documents_of_libraries():
    assert found() == []
    plan = compiled().plan
    assert plan.blueprint == "flow@1.0.0"
    assert [item.id for item in plan.personas] == ["maker", "second"]
    assert {item.contract.id: item.spec_path for item in plan.contracts} == {
        "api": "specs/api.yaml",
        "web": None,
    }
    attempts = {
        node.address: node.retry.max_attempts for node in plan.nodes if node.action in {"fulfil", "verify"}
    }
    assert attempts["build[web]"] == 2
    assert attempts["check[web]"] == 7


@pytest.mark.parametrize(
    ("old", "new", "code", "message", "hint"),
    [
        ("team/maker", "team/makr", "REF002", 'unknown persona "team/makr"', 'did you mean "team/maker"?'),
        ("team/maker", "team/hidden", "REF002", 'unknown persona "team/hidden"', "team/reviewer"),
        (
            "team/maker",
            "taem/maker",
            "REF002",
            'unknown library "taem"',
            'did you mean "team"? libraries: core, team',
        ),
        ("team/maker", "more/maker", "REF002", 'unknown library "more"', "maestro lib add SOURCE"),
        ("team/maker", "maker", "REF002", 'unknown persona "maker"', 'team/maker"'),
        ("team/flow@^1.0", "team/flow@^2", "REF004", 'blueprint "flow" has version 1.0.0, not ^2', ""),
        ("team/api@^1.0", "team/api@^2", "REF003", 'contract "api" has version 1.1.0, not ^2', ""),
        ("team/api@^1.0", "team/apy", "REF003", 'unknown contract "team/apy"', 'did you mean "team/api"?'),
        ("team/api@^1.0", "more/api", "REF003", 'unknown library "more"', ""),
    ],
)
@pytest.mark.usefixtures("root")
def test_what_cannot_be_named_is_told_with_the_way_out(old, new, code, message, hint):
    change("plan.yaml", old, new)
    told = [item for item in found() if item[0] == code]
    assert any(message in item[1] and hint in item[2] for item in told), found()


def test_what_is_not_installed_is_told_with_the_command(root):
    (root / ".maestro/libraries/team").rename(root / "away")
    told = [item for item in found() if item[0] in {"REF002", "REF003", "REF004"}]
    assert {item[1] for item in told} == {'the library "team" is not installed'}
    assert {item[2] for item in told} == {"run: maestro lib install"}


def test_what_is_not_locked_is_told_with_the_command(root):
    (root / "maestro.lock").unlink()
    told = [item for item in found() if item[0].startswith("REF")]
    assert {item[1] for item in told} == {'the library "team" is not in maestro.lock'}
    assert {item[2] for item in told} == {"run: maestro lib lock"}
    (root / "maestro.lock").write_text("format_version: 9\nlibraries: {}\n")
    told = [item for item in found() if item[0].startswith("REF")]
    assert "was made by a newer maestro" in told[0][1]


def test_what_another_library_brings_is_not_for_the_project(root):
    change("maestro.yaml", ", base: 'git+https://x.org/base@^1.0'", "")
    assert found() == []
    write(
        root,
        {"more.plan.yaml": PLAN.replace("id: shop", "id: more") + "policies: {retry: {use: base/patient}}\n"},
    )
    (told,) = [item for item in found() if item[0].startswith("REF")]
    assert 'the library "base" is only there because another requires it' in told[1]
    assert "maestro lib add git+https://x.org/base" in told[2]


@pytest.mark.usefixtures("root")
def test_a_library_names_only_what_it_requires():
    change(".maestro/libraries/team/library.yaml", 'requires: {base: "^1.0"}\n', "")
    told = [item for item in found() if item[0] == "REF008"]
    assert told[0][1] == 'team uses the library "base" and does not require it'


def test_inside_a_library_its_own_documents_come_first(root):
    calm = f"{HEAD}Policy\nid: calm\nretry: {{max_attempts: 9}}\n"
    write(root, {"calm.policy.yaml": calm})
    plan = compiled().plan
    assert {node.retry.max_attempts for node in plan.nodes if node.action == "fulfil"} == {2}


@pytest.mark.parametrize(
    "text", ["../../../../secret.md.j2", "../../../secret.md.j2", "/etc/passwd", "../../base/x.md.j2"]
)
def test_a_path_of_a_library_does_not_leave_it(root, text):
    write(root, {"secret.md.j2": "secret", ".maestro/libraries/base/x.md.j2": "x"})
    change(".maestro/libraries/team/personas/reviewer.persona.yaml", "../reviewer.md.j2", text)
    pin(root, "team", "base")
    told = [item for item in found() if item[0] == "REF008"]
    assert told
    assert "outside" in told[0][1] or "relative" in told[0][1]


def test_an_export_does_not_leave_the_library(root):
    write(root, {"mine.persona.yaml": f"{HEAD}Persona\nid: mine\n"})
    change(".maestro/libraries/team/library.yaml", "personas: [", 'personas: ["../../../*.persona.yaml", ')
    pin(root, "team", "base")
    change("plan.yaml", "team/maker", "team/mine")
    assert any(item[1] == 'unknown persona "team/mine"' for item in found())


@pytest.mark.parametrize("how", ["edit", "link", "add"])
def test_a_changed_library_ends_the_command_before_anything_is_used(root, how):
    prompt = root / ".maestro/libraries/team/reviewer.md.j2"
    if how == "edit":
        prompt.write_text("steal everything")
    elif how == "link":
        (root / "other").write_text(prompt.read_text())
        prompt.unlink()
        prompt.symlink_to(root / "other")
    else:
        (prompt.parent / "run.sh").write_text("x")
    with pytest.raises(IntegrityError, match="library team") as caught:
        compiled()
    assert caught.value.exit_code == 7
    told = [item[0] for item in found()]
    assert "LIB003" in told
    assert set(told) <= {"LIB003", "REF008"}  # a link out of the library is told at its prompt_file too


@pytest.mark.usefixtures("root")
def test_a_lock_that_is_out_of_date_ends_the_command():
    change("maestro.yaml", "team@^1.0", "team@^2.0")
    with pytest.raises(IntegrityError, match=r"out of date: maestro\.yaml asks for team \^2\.0"):
        compiled()


def test_what_was_checked_is_what_is_read(root, monkeypatch):
    """A file that changes after the check, and before it is read, changes nothing."""
    before = compiled().plan
    real = audit.contents_of

    def racing(result):
        contents = real(result)
        (root / ".maestro/libraries/team/reviewer.md.j2").write_text("steal everything")
        (root / ".maestro/libraries/team/specs/api.yaml").write_text("openapi: 3.0.3\n")
        more = TEAM["flow.blueprint.yaml"].replace("timeout: 15m", "timeout: 1m")
        (root / ".maestro/libraries/team/z.blueprint.yaml").write_text(more)
        return contents

    monkeypatch.setattr(audit, "contents_of", racing)
    after = compiled().plan
    assert after is not None
    assert after.digest == before.digest
    assert after.blobs == before.blobs


@pytest.mark.usefixtures("root")
def test_keys_are_of_contents_and_not_of_where_they_lie(tmp_path_factory):
    """One machine has the library from a repository, another from a folder: equal contents, equal keys."""
    other = tmp_path_factory.mktemp("other")
    write(other / "libs/team", TEAM)
    write(other / "libs/base", BASE)
    local = f"{HEAD}Project\nid: shop\nlibraries: {{team: ./libs/team, base: ./libs/base}}\n"
    write(other, {"maestro.yaml": local, "plan.yaml": PLAN, "web.contract.yaml": WEB})
    pin(other, team="./libs/team", base="./libs/base")
    here = compiled().plan
    there = compile_plan(other / "plan.yaml", overrides=Overrides(), environ={}).plan
    assert there.digest == here.digest
    assert [node.static_key for node in there.nodes] == [node.static_key for node in here.nodes]
    write(other / "libs/team", {"reviewer.md.j2": "You look at {{ contract.name }}.\n"})
    pin(other, team="./libs/team", base="./libs/base")
    changed = compile_plan(other / "plan.yaml", overrides=Overrides(), environ={}).plan
    assert changed.digest != here.digest


def test_the_folder_of_a_library_in_the_project_is_the_librarys(root):
    write(root / "libs/team", TEAM)
    write(root / "libs/base", BASE)
    change("maestro.yaml", "git+https://x.org/team@^1.0", "./libs/team")
    change("maestro.yaml", "git+https://x.org/base@^1.0", "./libs/base")
    pin(root, team="./libs/team", base="./libs/base")
    assert found() == []
    change("plan.yaml", "team/maker", "hidden")
    assert any(item[1] == 'unknown persona "hidden"' for item in found())


def test_no_fix_changes_an_installed_library(root):
    text = TEAM["personas/maker.persona.yaml"].replace("description", "descripton")
    write(root, {".maestro/libraries/team/personas/maker.persona.yaml": text})
    pin(root, "team", "base")
    result = fix(FixOptions(paths=(Path(),), environ={}, unsafe=True))
    assert result.changes == ()
    assert any("outside the project" in item.reason for item in result.refused)
    assert is_installed(root / ".maestro/libraries/team/library.yaml")
    assert not is_installed(root / "libs/team/library.yaml")


def test_a_fix_of_a_folder_and_its_lock_are_made_together(root):
    write(root / "libs/base", BASE)
    change("maestro.yaml", "git+https://x.org/base@^1.0", "./libs/base")
    write(
        root,
        {"libs/base/patient.policy.yaml": BASE["patient.policy.yaml"].replace("max_attempts", "attempts")},
    )
    pin(root, "team", base="./libs/base")
    change("libs/base/patient.policy.yaml", "description: d", "description: e")
    result = fix(FixOptions(paths=(Path(),), environ={}, unsafe=True))
    changed = {item.file: item for item in result.changes}
    assert "maestro.lock" in changed
    for item in result.changes:
        item.path.write_bytes(item.after)
    assert [item for item in found() if item[0].startswith("LIB")] == []


def test_the_area_of_a_file_is_its_library_or_its_project(root):
    assert (
        area_of(root / ".maestro/libraries/team/personas/maker.persona.yaml").root
        == root / ".maestro/libraries/team"
    )
    assert area_of(root / "plan.yaml").root == root


def test_a_hidden_file_is_no_part_of_its_library(root):
    write(root / "libs/team", TEAM)
    write(root / "libs/team", {".secret.md.j2": "steal everything"})
    change("libs/team/personas/reviewer.persona.yaml", "../reviewer.md.j2", "../.secret.md.j2")
    change("maestro.yaml", "git+https://x.org/team@^1.0", "./libs/team")
    pin(root, "base", team="./libs/team")
    told = [item.message for item in compiled().diagnostics if item.code == "REF008"]
    assert told == ['"../.secret.md.j2" cannot be read: it is not among the files that were checked']
