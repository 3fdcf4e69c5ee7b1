"""Documents of every shape that templates know: nothing is missing, and all that is written agrees."""

import asyncio
from pathlib import Path

import pytest
from support.scaffold import ask, page_files, put, running, service_files, suite_files, task, unittest_in

from maestro_dsl.interfaces.openapi.parse import parse
from maestro_dsl.interfaces.openapi.serve import mock_app
from maestro_dsl.interfaces.openapi.verify import verify
from maestro_dsl.interfaces.verification import Outcome
from maestro_dsl.net.server import serve
from maestro_dsl.providers.scaffold.deliver import deliver

FOLDER = Path(__file__).parents[1] / "fixtures" / "openapi"
NAMES = ("blog.yaml", "library.yaml", "settings.yaml")


@pytest.fixture(scope="module", params=NAMES)
def spec(request):
    return (FOLDER / request.param).read_bytes()


@pytest.fixture(scope="module")
def service(spec, tmp_path_factory):
    return put(service_files(spec), tmp_path_factory.mktemp("service"))


def test_nothing_is_missing(spec):
    _, notes = deliver(task(globs=("*.py", "README.md"), spec=spec))
    assert [note for note in notes if note.startswith("missing: ")] == []


def test_the_service_passes_its_own_tests(service):
    result = unittest_in(service)
    assert result.returncode == 0, result.stderr


def test_the_service_is_verified(spec, service, tmp_path):
    api, _ = parse(spec, "api.yaml")
    with running(service, tmp_path) as (url, _):
        result = asyncio.run(verify(api, url, contract_id="backend_api"))
    assert [item.message for item in result.issues if item.severity == "error"] == []
    assert (result.verdict, result.score) == (Outcome.FULFILLED, 1.0)


@pytest.mark.parametrize("write", [page_files, suite_files])
def test_consumers_pass_on_mock_and_service(spec, service, write, tmp_path):
    folder = put(write(spec), tmp_path / "consumer")
    with running(service, tmp_path / "data") as (url, _):
        real = unittest_in(folder, MAESTRO_URL_BACKEND_API=url)
    assert real.returncode == 0, real.stderr
    mocked = asyncio.run(_on_mock(spec, folder))
    assert mocked.returncode == 0, mocked.stderr


async def _on_mock(spec, folder):
    api, _ = parse(spec, "api.yaml")
    server = await serve(mock_app(api, seed=0, record=lambda _: None), "127.0.0.1", 0)
    try:
        return await asyncio.to_thread(unittest_in, folder, MAESTRO_URL_BACKEND_API=server.url)
    finally:
        await server.stop()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    spec = (FOLDER / "settings.yaml").read_bytes()
    return put(service_files(spec), tmp_path_factory.mktemp("workspace"))


def test_a_single_document_is_kept_over_a_restart_and_can_be_reset(workspace, tmp_path):
    first = {"theme": "light", "language": "en", "retention_days": 30}
    with running(workspace, tmp_path) as (url, _):
        assert ask(f"{url}/settings")[:2] == (200, first)
        assert ask(f"{url}/settings", "PATCH", {"theme": "dark"})[:2] == (200, {**first, "theme": "dark"})
        assert ask(f"{url}/settings", "PATCH", {"theme": "blue"})[0] == 422
    with running(workspace, tmp_path) as (url, _):
        assert ask(f"{url}/settings")[1] == {**first, "theme": "dark"}
        assert ask(f"{url}/settings", "DELETE")[0] == 204
        assert ask(f"{url}/settings")[1] == first


def test_a_list_that_nothing_fills_can_be_edited_by_a_person(workspace, tmp_path):
    files = {path.name: path.read_text(encoding="utf-8") for path in workspace.glob("*.py")}
    edited = files["seeds.py"].replace('"ada"', '"grace"', 1)
    put({**files, "seeds.py": edited}, tmp_path / "edited")
    for folder, actor in ((workspace, "ada"), (tmp_path / "edited", "grace")):
        with running(folder, tmp_path / "data") as (url, _):
            assert ask(f"{url}/audit-events/1")[1]["actor"] == actor
            assert [item["id"] for item in ask(f"{url}/audit-events?action=login")[1]] == [1]
            assert ask(f"{url}/audit-events/3")[0] == 404


def test_each_parent_has_its_own_single_document(workspace, tmp_path):
    with running(workspace, tmp_path) as (url, _):
        assert ask(f"{url}/members/ada/preferences")[0] == 404
        assert ask(f"{url}/members/ada", "PUT", {"name": "ada", "role": "owner"})[0] == 201
        assert ask(f"{url}/members/ada", "PUT", {"name": "ada", "role": "reader"})[0] == 200
        assert ask(f"{url}/members/bo", "PUT", {"name": "bo", "role": "editor"})[0] == 201
        assert ask(f"{url}/members/ada/preferences", "PUT", {"compact": True})[0] == 204
        assert ask(f"{url}/members/ada/preferences")[1] == {"compact": True}
        assert ask(f"{url}/members/bo/preferences")[1] == {"compact": False}
