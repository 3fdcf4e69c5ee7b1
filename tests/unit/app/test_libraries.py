"""The life of a project's libraries: add, lock, install, update, verify, list."""

import shutil
from pathlib import Path

import pytest
from support.files import write
from support.libraries import ENVIRON, HEAD, Repository, library, manifest, needs_git, project, requires

from maestro_dsl.app import (
    add_library,
    install_libraries,
    list_libraries,
    lock_libraries,
    verify_libraries,
)
from maestro_dsl.errors import CompileError, EnvironmentFailure, IntegrityError, UsageError
from maestro_dsl.lang.lockfile import lock_of

pytestmark = needs_git
API = """openapi: 3.0.3
info: {title: Shop, version: 1.0.0}
paths:
  /items:
    get:
      operationId: listItems
      parameters: [{name: limit, in: query, schema: {type: integer}}]
      responses: {'200': {description: All}}
"""
CONTRACT = f"""{HEAD}Contract
id: api
name: Shop API
version: 1.0.0
type: REST_API
provider_persona_id: maker
interface_spec: {{type: openapi, spec_file: api.yaml}}
deliverables: [{{name: service, artifacts: ["*.py"]}}]
"""


@pytest.fixture
def environ(tmp_path):
    return {**ENVIRON, "MAESTRO_CACHE_DIR": str(tmp_path / "cache")}


@pytest.fixture
def team(tmp_path):
    repository = Repository(tmp_path / "team")
    repository.commit(library("team"), "v1.0.0")
    repository.commit(library("team", "1.1.0", prompt="Better\n"), "v1.1.0")
    return repository


@pytest.fixture
def root(tmp_path):
    return project(tmp_path / "shop")


def pins(root):
    return {name: item.version for name, item in lock_of(root).lock.libraries.items()}


def with_contract(version, api=API, contract=CONTRACT):
    exports = "exports: {contracts: [api.contract.yaml]}\n"
    text = manifest("team", version).replace("exports: {personas: [personas/*.persona.yaml]}\n", exports)
    return {"library.yaml": text, "api.contract.yaml": contract, "api.yaml": api}


def test_a_repository_is_added_locked_and_installed(root, team, environ):
    name, result = add_library(team.source, root, environ=environ)
    assert name == "team"
    assert result.installed == ("team",)
    assert f"libraries:\n  team: {team.source}@^1.1.0\n" in (root / "maestro.yaml").read_text()
    assert pins(root) == {"team": "1.1.0"}
    assert (root / ".maestro/libraries/team/reviewer.md.j2").read_text() == "Better\n"
    assert [item.name for item in verify_libraries(root).libraries] == ["team"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("id: shop\n", "id: shop\nlibraries:\n  house: ./libs/house\n"),
        ("id: shop", "id: shop\nlibraries:\n  house: ./libs/house\n"),
        ("id: shop\nlibraries: {}\n", "id: shop\nlibraries: {house: ./libs/house}\n"),
        (
            "id: shop\nlibraries: { # mine\n  a: ./libs/a }\n",
            "id: shop\nlibraries: {house: ./libs/house,  # mine\n  a: ./libs/a }\n",
        ),
        (
            "libraries: # ours\n    # first\n    a: ./libs/a # it\nid: shop\n",
            "libraries: # ours\n    # first\n    house: ./libs/house\n    a: ./libs/a # it\nid: shop\n",
        ),
        (
            "id: shop\nlibraries:\n  house: './x@^0.1' # old\n",
            "id: shop\nlibraries:\n  house: './libs/house' # old\n",
        ),
    ],
)
def test_adding_keeps_the_form_of_the_file(root, environ, before, after):
    write(root, {f"libs/house/{name}": text for name, text in library("house").items()})
    write(root, {f"libs/a/{name}": text for name, text in library("a").items()})
    (root / "maestro.yaml").write_text(f"{HEAD}Project\n{before}")
    add_library("./libs/house", root, environ=environ)
    assert (root / "maestro.yaml").read_text() == f"{HEAD}Project\n{after}"


def test_a_folder_is_added_as_seen_from_the_project(root, environ):
    write(root.parent, {f"house/{name}": text for name, text in library("house").items()})
    (root / "sub").mkdir()
    add_library("../../house", root / "sub", environ=environ)
    assert "house: ../house" in (root / "maestro.yaml").read_text()
    assert lock_of(root).lock.libraries["house"].source == "../house"


@pytest.mark.parametrize(
    ("source", "error", "told"),
    [
        ("./none", UsageError, "there is no folder ./none"),
        ("house", UsageError, "no source"),
        ("--upload-pack=touch x", UsageError, "no source"),
        ("./empty", UsageError, "has no library.yaml"),
        ("git+file:///nonexistent/x@^1", EnvironmentFailure, "cannot be reached"),
    ],
)
def test_what_cannot_be_added_changes_nothing(root, environ, source, error, told):
    (root / "empty").mkdir()
    before = (root / "maestro.yaml").read_text()
    with pytest.raises(error, match=told):
        add_library(source, root, environ=environ)
    assert (root / "maestro.yaml").read_text() == before
    assert lock_of(root) is None


def test_a_library_that_does_not_fit_is_not_added(root, team, environ):
    add_library(f"{team.source}@1.0.0", root, environ=environ)
    before = (root / "maestro.yaml").read_text()
    write(root, {"house/library.yaml": manifest("house", more=requires(team="^1.1"))})
    with pytest.raises(CompileError, match=r"house 1\.0\.0 asks for \^1\.1"):
        add_library("./house", root, environ=environ)
    assert (root / "maestro.yaml").read_text() == before


def test_locking_again_changes_nothing_and_asks_nobody(root, team, environ):
    add_library(f"{team.source}@^1.0", root, environ=environ)
    text = (root / "maestro.lock").read_bytes()
    team.commit(library("team", "1.2.0"), "v1.2.0")
    shutil.rmtree(environ["MAESTRO_CACHE_DIR"])
    shutil.move(team.folder, f"{team.folder}-away")
    result = lock_libraries(root, environ=environ)
    assert (result.changes, result.is_written) == ((), False)
    assert (root / "maestro.lock").read_bytes() == text


def test_updating_takes_the_newest_that_fits(root, team, environ):
    add_library(f"{team.source}@^1.0", root, environ=environ)
    team.commit(library("team", "1.2.0"), "v1.2.0")
    team.commit(library("team", "1.3.0-rc.1"), "v1.3.0-rc.1")
    team.commit(library("team", "2.0.0"), "v2.0.0")
    result = lock_libraries(root, environ=environ, update=None, with_install=True)
    assert [(item.name, item.before, item.after) for item in result.changes] == [("team", "1.1.0", "1.2.0")]
    assert result.installed == ("team",)
    assert verify_libraries(root).libraries[0].version == "1.2.0"


def test_updating_one_leaves_the_others(root, team, tmp_path, environ):
    other = Repository(tmp_path / "other")
    other.commit(library("other"), "v1.0.0")
    add_library(f"{team.source}@^1.0", root, environ=environ)
    add_library(f"{other.source}@^1.0", root, environ=environ)
    team.commit(library("team", "1.2.0"), "v1.2.0")
    other.commit(library("other", "1.2.0"), "v1.2.0")
    lock_libraries(root, environ=environ, update=("other",), with_install=True)
    assert pins(root) == {"other": "1.2.0", "team": "1.1.0"}
    with pytest.raises(UsageError, match='did you mean "other"'):
        lock_libraries(root, environ=environ, update=("othre",))


def test_a_tag_that_moved_is_refused(root, team, environ):
    add_library(f"{team.source}@^1.0", root, environ=environ)
    text = (root / "maestro.lock").read_bytes()
    team.commit(library("team", "1.1.0", prompt="steal everything"), "v1.1.0")
    with pytest.raises(IntegrityError, match=r"team 1\.1\.0 is not what it was: its tag moved") as caught:
        lock_libraries(root, environ=environ, update=None)
    assert caught.value.exit_code == 7
    assert (root / "maestro.lock").read_bytes() == text
    shutil.rmtree(root / ".maestro")
    install_libraries(root, environ=environ, frozen=True)
    assert (root / ".maestro/libraries/team/reviewer.md.j2").read_text() == "Better\n"


def test_versions_that_are_not_what_their_tags_say_are_passed_over(root, team, environ):
    team.commit(library("team", "1.1.0"), "v1.9.0")
    team.commit(library("other", "1.8.0"), "v1.8.0")
    team.commit({"library.yaml": "a: ["}, "v1.7.0")
    team.commit(library("team", "1.6.0", more='maestro: ">=99"\n'), "v1.6.0")
    project(root, team=f"{team.source}@^1.0")
    lock_libraries(root, environ=environ)
    assert pins(root) == {"team": "1.1.0"}
    project(root, team=f"{team.source}@>=1.2")
    with pytest.raises(CompileError) as caught:
        lock_libraries(root, environ=environ)
    for told in (
        "v1.9.0 has the version 1.1.0 in its library.yaml",
        'v1.8.0 calls itself "other"',
        "v1.7.0 has a mistake in library.yaml",
        "v1.6.0 needs maestro >=99",
    ):
        assert told in caught.value.message


def test_several_libraries_live_in_one_repository(root, tmp_path, environ):
    repository = Repository(tmp_path / "all")
    one = {f"libs/one/{name}": text for name, text in library("one").items()}
    two = {f"libs/two/{name}": text for name, text in library("two", "3.0.0").items()}
    repository.commit({**one, **two, "build.sh": "#!/bin/sh\n"}, "one-v1.0.0", "two-v3.0.0")
    add_library(f"{repository.source}#subdirectory=libs/two", root, environ=environ)
    add_library(f"{repository.source}@^1#subdirectory=libs/one", root, environ=environ)
    assert pins(root) == {"one": "1.0.0", "two": "3.0.0"}
    assert (root / ".maestro/libraries/two/library.yaml").is_file()


def test_a_commit_is_pinned_as_it_is(root, team, environ):
    commit = team.commit(library("team", "1.5.0"))
    team.commit(library("team", "1.6.0"))
    add_library(f"{team.source}@{commit}", root, environ=environ)
    assert pins(root) == {"team": "1.5.0"}
    assert lock_of(root).lock.libraries["team"].commit == commit


def test_what_a_library_requires_comes_along(root, tmp_path, environ, team):
    house = Repository(tmp_path / "house")
    house.commit(library("house", more=requires(team=f"{team.source}@^1.0")), "v1.0.0")
    add_library(f"{house.source}@^1", root, environ=environ)
    assert pins(root) == {"house": "1.0.0", "team": "1.1.0"}
    found = {item.name: item for item in list_libraries(root)}
    assert found["team"].required_by == ("house",)
    assert found["team"].stated is None
    project(root)
    result = lock_libraries(root, environ=environ, with_install=True)
    assert [(item.name, item.after) for item in result.changes] == [("house", None), ("team", None)]
    assert not (root / ".maestro/libraries/house").exists()
    assert list_libraries(root) == ()


def test_a_breaking_contract_needs_a_new_major_version(root, tmp_path, environ):
    repository = Repository(tmp_path / "team")
    repository.commit(with_contract("1.0.0"), "v1.0.0")
    add_library(f"{repository.source}@^1", root, environ=environ)
    required = API.replace("in: query,", "in: query, required: true,")
    repository.commit(with_contract("1.1.0", required), "v1.1.0")
    text = (root / "maestro.lock").read_text()
    result = lock_libraries(root, environ=environ, update=None, with_install=True)
    assert result.is_refused
    (found,) = result.breaks
    assert (found.library, found.contract, found.before, found.after) == ("team", "api", "1.0.0", "1.1.0")
    assert found.changes == ('GET /items: query parameter "limit": it is required now',)
    assert (root / "maestro.lock").read_text() == text
    accepted = lock_libraries(root, environ=environ, update=None, accept_breaking=True, with_install=True)
    assert accepted.is_written
    assert pins(root) == {"team": "1.1.0"}


def test_a_break_that_is_announced_is_let_pass(root, tmp_path, environ):
    repository = Repository(tmp_path / "team")
    repository.commit(with_contract("1.0.0"), "v1.0.0")
    add_library(f"{repository.source}@>=1", root, environ=environ)
    required = API.replace("in: query,", "in: query, required: true,")
    bumped = CONTRACT.replace("version: 1.0.0", "version: 2.0.0")
    repository.commit(with_contract("1.1.0", required, bumped), "v1.1.0")
    assert lock_libraries(root, environ=environ, update=None).breaks == ()
    repository.commit(with_contract("2.0.0", API.replace("/items", "/things")), "v2.0.0")
    assert lock_libraries(root, environ=environ, update=None).breaks == ()
    assert pins(root) == {"team": "2.0.0"}


def test_a_contract_that_is_gone_breaks_as_well(root, tmp_path, environ):
    repository = Repository(tmp_path / "team")
    repository.commit(with_contract("1.0.0"), "v1.0.0")
    add_library(f"{repository.source}@^1", root, environ=environ)
    repository.commit(
        {"library.yaml": manifest("team", "1.1.0").replace("personas: [personas", "policies: [x")}, "v1.1.0"
    )
    (found,) = lock_libraries(root, environ=environ, update=None).breaks
    assert found.changes == ("api is not exported any more",)


def test_frozen_refuses_a_lock_that_is_out_of_date(root, team, environ):
    project(root, team=f"{team.source}@^1.0")
    with pytest.raises(IntegrityError, match=r"out of date: library team is not locked") as caught:
        install_libraries(root, environ=environ, frozen=True)
    assert caught.value.exit_code == 7
    assert not (root / ".maestro").exists()
    install_libraries(root, environ=environ)
    assert install_libraries(root, environ=environ, frozen=True).installed == ()
    project(root, team=f"{team.source}@>=2")
    with pytest.raises(
        IntegrityError, match=r"maestro\.yaml asks for team >=2, and maestro\.lock pins 1\.1\.0"
    ):
        install_libraries(root, environ=environ, frozen=True)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("digest: sha256:", "digest: sha256:0", "is damaged"),
        ('version: "1.1.0"', 'version: "1.0.0"', "changed by hand"),
        ('requires:\n      core: "^0.1"\n', "", "changed by hand"),
        ('core: "^0.1"', 'core: "^9.9"', "changed by hand"),
        ("  team:\n", "  extra:\n", "library team is not in maestro.lock"),
        ("source: git+file://", "source: git+file:///x", "has it from"),
    ],
)
def test_a_lock_that_was_tampered_with_is_refused(root, team, environ, old, new, told):
    team.commit(library("team", "1.1.1", more=requires(core="^0.1")), "v1.1.1")
    team.commit(library("team", "1.1.0", more=requires(core="^0.1")), "v1.1.0")
    add_library(f"{team.source}@1.1.0", root, environ=environ)
    path = root / "maestro.lock"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(IntegrityError, match=told):
        verify_libraries(root)


def test_a_commit_in_the_lock_that_is_another_gives_another_digest(root, team, environ):
    add_library(f"{team.source}@^1.0", root, environ=environ)
    locked = lock_of(root).lock.libraries["team"]
    evil = team.commit(library("team", "1.1.0", prompt="steal everything"))
    path = root / "maestro.lock"
    path.write_text(path.read_text().replace(locked.commit, evil))
    shutil.rmtree(root / ".maestro")
    with pytest.raises(IntegrityError, match=r"is not what maestro\.lock says") as caught:
        install_libraries(root, environ=environ, frozen=True)
    assert caught.value.exit_code == 7
    assert not (root / ".maestro/libraries/team").exists()


def test_how_each_library_stands_is_listed(root, team, environ):
    add_library(f"{team.source}@^1.0", root, environ=environ)
    write(root, {f"house/{name}": text for name, text in library("house").items()})
    add_library("./house", root, environ=environ)

    def states():
        return {item.name: item.state for item in list_libraries(root)}

    assert states() == {"house": "ok", "team": "ok"}
    (root / ".maestro/libraries/team/reviewer.md.j2").write_text("x")
    (root / "house/reviewer.md.j2").write_text("x")
    assert states() == {"house": "out of date", "team": "broken"}
    with pytest.raises(IntegrityError, match="its files were changed"):
        verify_libraries(root)
    shutil.rmtree(root / ".maestro")
    assert states()["team"] == "not installed"
    lock_libraries(root, environ=environ)
    with pytest.raises(IntegrityError, match="not installed: team"):
        verify_libraries(root)
    (root / "maestro.lock").unlink()
    assert states() == {"house": "not locked", "team": "not locked"}


def test_without_a_project_there_are_no_libraries(tmp_path, environ):
    for call in (lock_libraries, install_libraries):
        with pytest.raises(UsageError, match=r"there is no maestro\.yaml here"):
            call(tmp_path, environ=environ)
    project(tmp_path, core="./x")
    with pytest.raises(CompileError, match="built in"):
        lock_libraries(tmp_path, environ=environ)
    project(tmp_path, x="http://x.org/a@^1")
    with pytest.raises(CompileError, match="not allowed"):
        lock_libraries(tmp_path, environ=environ)
    Path(tmp_path, "maestro.yaml").write_text(f"{HEAD}Project\nid: 1\nlibraries: 1\n")
    with pytest.raises(CompileError, match="mistakes"):
        lock_libraries(tmp_path, environ=environ)


def test_a_library_with_mistakes_in_what_it_exports_is_not_added(root, tmp_path):
    files = library("team") | {
        "library.yaml": manifest("team")
        .replace(
            "[personas/*.persona.yaml]",
            "[personas/*.persona.yaml, old/*.persona.yaml]\n  contracts: [personas/reviewer.persona.yaml]",
        )
        .replace("exports: {", "exports:\n  ")
        .replace("]}", "]"),
    }
    files["personas/reviewer.persona.yaml"] += "nmae: Reviewer\n"
    write(tmp_path / "team", files)
    before = (root / "maestro.yaml").read_bytes()
    with pytest.raises(CompileError, match="has 3 mistakes in what it exports") as caught:
        add_library("../team", root, environ=ENVIRON)
    found = [(item.span.file, item.span.line, item.message) for item in caught.value.diagnostics]
    reviewer = "personas/reviewer.persona.yaml"
    manifest_file, persona = "../team/library.yaml", f"../team/{reviewer}"
    assert found == [
        (manifest_file, 6, '"old/*.persona.yaml" matches no file of the library'),
        (
            manifest_file,
            7,
            f'"{reviewer}" matches "{reviewer}", which is none of its contracts',
        ),
        (persona, 5, 'unknown key "nmae" in persona "reviewer"'),
    ]
    assert set(caught.value.sources) == {manifest_file, persona}
    assert (root / "maestro.yaml").read_bytes() == before
    assert not (root / "maestro.lock").exists()


def test_interfaces_and_prompts_of_a_library_are_looked_at_before_it_is_pinned(root, tmp_path):
    exports = "exports: {personas: [personas/*.persona.yaml], contracts: ['*.contract.yaml']}"
    stated = manifest("team").replace("exports: {personas: [personas/*.persona.yaml]}", exports)
    contract = f"{HEAD}Contract\nid: {{0}}\nname: {{0}}\ntype: REST_API\nprovider_persona_id: reviewer\n"
    contract += "deliverables: [{{name: a, artifacts: ['{0}/*.py']}}]\n"
    contract += "interface_spec: {{type: openapi, spec_file: {1}}}\n"
    files = library("team", prompt="Review\n{{ contract.nmae }} {{ persona.name | uper }}\n") | {
        "library.yaml": stated,
        "api.contract.yaml": contract.format("api", "api.yaml"),
        "web.contract.yaml": contract.format("web", "../web.yaml"),
        "api.yaml": "openapi: 3.0.3\ninfo: {title: A, version: 1.0.0}\npaths: []\n",
        "notes/idle.persona.yaml": f"{HEAD}Persona\nid: 1\n",
    }
    write(tmp_path / "team", files)
    with pytest.raises(CompileError, match="in what it exports") as caught:
        add_library("../team", root, environ=ENVIRON)
    found = [(item.code, item.span.file, item.span.line) for item in caught.value.diagnostics]
    assert found == [
        ("CTR001", "../team/api.yaml", 3),
        ("PER003", "../team/reviewer.md.j2", 2),
        ("EXP001", "../team/reviewer.md.j2", 2),
        ("REF008", "../team/web.contract.yaml", 8),
    ]
    outside = next(item for item in caught.value.diagnostics if item.code == "REF008")
    assert outside.message == '"../web.yaml" lies outside the folder of the library'
    related = next(item.related for item in caught.value.diagnostics if item.code == "EXP001")
    assert [other.span.file for other in related] == ["../team/personas/reviewer.persona.yaml"]
    assert not (root / "maestro.lock").exists()


def test_a_new_version_with_mistakes_is_not_taken(root, team, environ):
    add_library(team.source, root, environ=environ)
    lock = (root / "maestro.lock").read_bytes()
    team.commit(library("team", "1.2.0") | {"personas/reviewer.persona.yaml": "id: [\n"}, "v1.2.0")
    with pytest.raises(CompileError, match="library team") as caught:
        lock_libraries(root, environ=environ, update=None, with_install=True)
    assert {item.span.file for item in caught.value.diagnostics} == {
        "team/library.yaml",
        "team/personas/reviewer.persona.yaml",
    }
    assert (root / "maestro.lock").read_bytes() == lock
