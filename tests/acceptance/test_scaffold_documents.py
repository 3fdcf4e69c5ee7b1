"""Real OpenAPI documents: what is understood works when started, and the rest is named as missing."""

from pathlib import Path

import pytest
from support.scaffold import page_files, put, running, service_files, suite_files, task, unittest_in

from maestro_dsl.providers.scaffold.choose import Impossible
from maestro_dsl.providers.scaffold.deliver import deliver

DATA = Path(__file__).parents[3] / "shared" / "data" / "openapi"
USABLE = {
    "oai-petstore-expanded.yaml": (4, 0),
    "redocly-museum-31.yaml": (6, 2),
    "swagger-petstore.yaml": (15, 4),
    "camara-sim-swap-subscriptions.yaml": (4, 0),
    "meilisearch.json": (25, 88),
    "oai-tictactoe-31.yaml": (1, 2),
    "oai-uspto.yaml": (1, 2),
}
UNUSABLE = (
    "readme-discriminators.json",
    "readme-parameters-style-31.yaml",
    "readme-security-31.yaml",
)

pytestmark = [
    pytest.mark.needs_data,
    pytest.mark.skipif(not DATA.is_dir(), reason="real OpenAPI documents are not beside this checkout"),
]


@pytest.mark.parametrize("name", sorted(USABLE))
def test_what_is_understood_works(name, tmp_path):
    spec = (DATA / name).read_bytes()
    service = put(service_files(spec), tmp_path / "service")
    result = unittest_in(service)
    assert result.returncode == 0, result.stderr
    with running(service, tmp_path / "data") as (url, _):
        for kind, files in (("page", page_files(spec)), ("suite", suite_files(spec))):
            result = unittest_in(put(files, tmp_path / kind), MAESTRO_URL_BACKEND_API=url)
            assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name", sorted(USABLE))
def test_what_is_missing_is_named(name):
    files, notes = deliver(task(globs=("*.py", "README.md"), spec=(DATA / name).read_bytes()))
    done, missing = USABLE[name]
    named = [note for note in notes if note.startswith("missing: ")]
    assert len(named) == missing
    assert files["README.md"].startswith("# ")
    assert f"{done} operations over" in files["README.md"]
    assert all(f"- {note}" in files["README.md"] for note in named)


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_document_without_resources_is_refused_with_reasons(name):
    with pytest.raises(
        Impossible, match=r"no operation of backend_api is one that a template can do\. (GET|POST|PATCH)"
    ):
        service_files((DATA / name).read_bytes())


def test_the_largest_documents_do_not_crash():
    for name in ("box.json", "spotify-web-api.yml"):
        for source in service_files((DATA / name).read_bytes()).items():
            if source[0].endswith(".py"):
                compile(source[1], source[0], "exec")
