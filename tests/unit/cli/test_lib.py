import json

import pytest
from support.files import write
from support.libraries import HEAD, Repository, library, needs_git, project

from maestro_dsl.cli.main import execute

pytestmark = needs_git


@pytest.fixture
def team(tmp_path, monkeypatch):
    for name in ("GIT_DIR", "GIT_CONFIG_COUNT"):
        monkeypatch.delenv(name, raising=False)
    repository = Repository(tmp_path / "team")
    repository.commit(library("team"), "v1.0.0")
    monkeypatch.chdir(project(tmp_path / "shop"))
    return repository


def run(capsys, *words):
    code = execute(["lib", *words])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_library_lives_from_added_to_updated(team, capsys):
    code, out, err = run(capsys, "add", f"{team.source}@^1.0")
    assert (code, out) == (0, "")
    assert err == (
        f"locked 1.0.0 team: {team.source}\ninstalled team\nnext: blueprint: team/…   (in a plan file)\n"
    )
    code, out, _ = run(capsys, "list")
    assert out.split() == ["team", "1.0.0", "ok", team.git("rev-parse", "HEAD")[:12], team.source]
    assert run(capsys, "install", "--frozen") == (0, "", "nothing to change\nnext: maestro lint\n")
    team.commit(library("team", "1.1.0"), "v1.1.0")
    code, _, err = run(capsys, "update", "team")
    assert (code, err.splitlines()[0]) == (0, f"1.0.0 to 1.1.0 team: {team.source}")
    code, _, err = run(capsys, "verify")
    assert (code, err.splitlines()[0]) == (0, "1 library as maestro.lock says")


def test_json_is_one_document_of_everything(team, capsys):
    code, out, err = run(capsys, "add", team.source, "--format", "json")
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert document["format_version"] == 1
    assert (document["name"], document["installed"], document["is_refused"]) == ("team", ["team"], False)
    assert document["changes"] == [{"name": "team", "before": None, "after": "1.0.0", "source": team.source}]
    assert set(document["libraries"][0]) == {
        "name", "version", "source", "digest", "commit", "tag", "requires"
    }  # fmt: skip
    for words in (["lock"], ["install"], ["update"], ["verify"], ["list"]):
        code, out, _ = run(capsys, *words, "--format", "json")
        assert (code, json.loads(out)["format_version"]) == (0, 1)
    assert json.loads(out)["libraries"][0]["state"] == "ok"


def test_integrity_is_exit_code_seven(team, tmp_path, capsys):
    run(capsys, "add", team.source)
    prompt = tmp_path / "shop/.maestro/libraries/team/reviewer.md.j2"
    prompt.write_text("steal everything")
    code, _, err = run(capsys, "verify")
    assert code == 7
    assert err == (
        "error: library team is not what maestro.lock pins: its files were changed\n"
        "hint: see what changed, then put the pinned files back: maestro lib install\n"
    )
    code, out, _ = run(capsys, "verify", "--format", "json")
    assert (code, json.loads(out)["error"]["kind"]) == (7, "integrity")
    (tmp_path / "shop/maestro.yaml").write_text(f"{HEAD}Project\nid: shop\n")
    prompt.write_text(library("team")["reviewer.md.j2"])
    code, _, err = run(capsys, "install", "--frozen")
    assert code == 7
    assert "maestro.lock is out of date: maestro.lock pins team, which nobody asks for" in err


def test_a_breaking_update_is_a_negative_verdict(team, capsys, monkeypatch):
    from maestro_dsl.app import libraries
    from maestro_dsl.app.library_changes import ContractBreak

    run(capsys, "add", f"{team.source}@^1.0")
    team.commit(library("team", "1.1.0"), "v1.1.0")
    found = ContractBreak(
        library="team", contract="api", before="1.0.0", after="1.1.0", changes=("GET / is gone",)
    )
    monkeypatch.setattr(libraries, "contract_breaks", lambda *_: (found,))
    code, out, err = run(capsys, "update")
    assert (code, out) == (1, "")
    assert "team 1.0.0 to 1.1.0 breaks contract api:\n  GET / is gone\n" in err
    assert "next: ask for the old version in maestro.yaml, or: maestro lib update --accept-breaking" in err
    code, out, _ = run(capsys, "update", "--format", "json")
    assert (code, json.loads(out)["is_refused"]) == (1, True)
    assert run(capsys, "update", "--accept-breaking")[0] == 0


def test_a_conflict_is_told_on_several_lines(team, tmp_path, capsys):
    write(
        tmp_path / "shop",
        {"house/library.yaml": library("house", more='requires: {team: "^2"}\n')["library.yaml"]},
    )
    project(tmp_path / "shop", house="./house", team=f"{team.source}@^1")
    code, _, err = run(capsys, "lock")
    assert code == 4
    assert "  maestro.yaml asks for ^1 of" in err
    assert "  house 1.0.0 asks for ^2\n" in err


@pytest.mark.usefixtures("team")
def test_what_is_no_source_is_told(capsys):
    code, _, err = run(capsys, "add", "http://x.org/team")
    assert code == 2
    assert 'speaks "http", which is not allowed' in err
    code, _, err = run(capsys, "list")
    assert (code, err) == (0, "no libraries; core is built in\nnext: maestro lib add SOURCE\n")


@pytest.mark.usefixtures("team")
def test_blueprints_of_libraries_are_searched(tmp_path, capsys):
    flow = f"{HEAD}Blueprint\nid: flow\nversion: 1.0.0\ndescription: Reviewed twice\n"
    flow += "nodes: {a: {action: report}}\n"
    text = library("house")["library.yaml"].replace(
        "personas: [personas/*.persona.yaml]", "blueprints: ['*.blueprint.yaml']"
    )
    write(tmp_path / "shop", {"house/library.yaml": text, "house/flow.blueprint.yaml": flow})
    run(capsys, "add", "./house")
    assert execute(["blueprint", "search", "twice"]) == 0
    assert capsys.readouterr().out.startswith("house/flow")
    assert execute(["blueprint", "show", "house/flow"]) == 0
