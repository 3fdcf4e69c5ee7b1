"""After a change, just what the change touches runs, and each node says why."""

from support.projects import Project, ran, reasons, states

from maestro_dsl import app
from maestro_dsl.engine.events import NodeFinished


def test_a_comment_or_a_format_change_runs_nothing(experienced):
    experienced.apply()
    plan = experienced.plan_file
    plan.write_text(
        "# a new comment\n" + plan.read_text().replace("provider: scaffold ", "provider:   scaffold ")
    )
    spec = experienced.folder / "contracts/api_spec.yaml"
    spec.write_text("# another one\n" + spec.read_text())
    assert ran(experienced.apply()) == set()


def test_the_frontend_prompt_runs_the_frontend_and_what_depends_on_it(experienced_small):
    persona = experienced_small.folder / "frontend.persona.yaml"
    prompt = experienced_small.folder / "frontend.md.j2"
    prompt.write_text("You are {{ persona.name }}.\n")
    persona.write_text(
        "apiVersion: maestro/v1\nkind: Persona\nid: frontend_own\nname: Frontend\n"
        "description: Our own\nprompt_file: frontend.md.j2\nexpertise: [HTML]\n"
    )
    experienced_small.edit("plan.yaml", "{use: core/frontend_developer}", "{use: ./frontend.persona.yaml}")
    experienced_small.apply()
    prompt.write_text("You are {{ persona.name }} and you like short functions.\n")
    again = experienced_small.apply()
    assert "build[web_app]" in ran(again)
    assert ran(again) <= {
        "build[web_app]",
        "integrate[web_app]",
        "recheck[backend_api/build[web_app]]",
        "report",
    }
    assert reasons(again)["build[web_app]"] == "prompt changed"


def test_a_description_in_the_interface_is_explained(experienced_small):
    experienced_small.apply()
    experienced_small.edit("contracts/api_spec.yaml", "title: ", "title: New ")
    again = experienced_small.apply()
    why = reasons(again)["build[backend_api]"]
    assert why.startswith("interface backend_api changed: info.title")


def test_a_deleted_file_is_restored_and_nothing_runs(experienced):
    experienced.apply()
    before = experienced.digests()
    (experienced.output / "backend_developer/server.py").unlink()
    again = experienced.apply()
    assert ran(again) == set()
    assert experienced.digests() == before


def test_an_edited_file_is_a_conflict_until_somebody_chooses(experienced):
    import pytest

    from maestro_dsl.errors import OutputConflict

    experienced.apply()
    edited = experienced.output / "backend_developer/server.py"
    ours = edited.read_bytes()
    edited.write_bytes(ours + b"# mine\n")
    with pytest.raises(OutputConflict, match=r"backend_developer/server\.py"):
        experienced.apply()
    assert edited.read_bytes() == ours + b"# mine\n"

    kept = experienced.apply(options=app.ApplyOptions(accept=("backend_developer/server.py",)))
    assert ran(kept) == set()
    assert edited.read_bytes() == ours + b"# mine\n"

    experienced.apply(options=app.ApplyOptions(replace=("backend_developer/server.py",)))
    assert edited.read_bytes() == ours


def test_a_damaged_stored_result_is_made_again_and_mends_the_store(experienced_small, finished_small):
    made = (event.body for event in finished_small[1].events if isinstance(event.body, NodeFinished))
    files = next(body.files for body in made if body.node == "build[backend_api]")
    objects = [experienced_small.state / f"objects/{file.digest[:2]}/{file.digest[2:]}" for file in files]
    ours = next(path for path in objects if path.is_file())
    sound = ours.read_bytes()
    ours.chmod(0o600)
    ours.write_bytes(sound + b"x")
    done = experienced_small.apply()
    assert {"build[backend_api]"} == ran(done)
    assert done.exit_code == 0
    (why,) = (event.body.reason for event in done.events if type(event.body).__name__ == "AttemptStarted")
    assert why == "its stored result is damaged"
    assert ours.read_bytes() == sound


def test_port_concurrency_and_output_are_in_no_key(todo):
    first = todo.report()
    todo.edit(
        "contracts/backend_api.contract.yaml",
        "mock_available: true",
        "mock_available: true\nmock_endpoint: http://localhost:34567",
    )
    second = todo.report(max_concurrency=3, output="elsewhere")
    assert first.plan.digest == second.plan.digest
    assert [n.static_key for n in first.plan.nodes] == [n.static_key for n in second.plan.nodes]


def test_two_folders_have_equal_digests_and_keys(todo, tmp_path):
    other = Project(tmp_path / "other" / "place", tmp_path / "state2", "todo-app")
    one, two = todo.report().plan, other.report().plan
    assert one.digest == two.digest
    assert [n.static_key for n in one.nodes] == [n.static_key for n in two.nodes]


def test_the_plan_says_beforehand_what_will_run_and_why(experienced):
    experienced.apply()
    experienced.edit("contracts/web_app.contract.yaml", "expected_files: 4", "expected_files: 5")
    forecast = experienced.report().forecast
    assert forecast["build[backend_api]"].action == "reuse"
    assert forecast["build[web_app]"].action == "run"
    assert "contract" in forecast["build[web_app]"].reason
    assert states(experienced.apply())["build[backend_api]"] == "cached"
