"""Shared fixtures: golden files, real documents outside the repository, hypothesis settings."""

import difflib
import os
from pathlib import Path

import pytest
from hypothesis import settings

from maestro_dsl.storage.state_dir import resolve_state_dir

GOLDEN = Path(__file__).parent / "golden"

LONG = os.environ.get("MAESTRO_TEST_LONG") == "1"
settings.register_profile("maestro", deadline=None, print_blob=True, max_examples=1_000 if LONG else 50)
settings.load_profile("maestro")


def pytest_addoption(parser):
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the golden files anew; look at the difference before committing",
    )


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory):
    """Keep tests out of the cache, the state and the settings of whoever runs them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("MAESTRO_")]:
            if not name.startswith(("MAESTRO_TEST_", "MAESTRO_URL_")):
                patch.delenv(name)
        patch.setenv("MAESTRO_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("MAESTRO_STATE_DIR", str(tmp_path_factory.mktemp("state")))
        # Also where a test gives an empty environment: the machine's own state is never opened.
        machine = tmp_path_factory.mktemp("machine") / "state"
        patch.setitem(resolve_state_dir.__kwdefaults__, "default", machine)
        yield


@pytest.fixture
def golden(request):
    """Return a function that compares a text with tests/golden/NAME, whole."""
    update = request.config.getoption("--update-golden")

    def compare(name, actual):
        file = GOLDEN / name
        if update:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(actual, encoding="utf-8")
            return
        expected = file.read_text(encoding="utf-8") if file.exists() else ""
        if actual != expected:
            lines = difflib.unified_diff(
                expected.splitlines(), actual.splitlines(), f"golden/{name}", "now", lineterm=""
            )
            text = "\n".join(lines)
            pytest.fail(
                f"differs from its golden file (pytest --update-golden writes it):\n{text}", pytrace=False
            )

    return compare


@pytest.fixture(scope="session")
def shared_data():
    """Return the folder of real documents, or skip: they are not part of the repository."""
    stated = os.environ.get("MAESTRO_TEST_DATA")
    folder = Path(stated) if stated else Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real documents are absent: {folder} (set MAESTRO_TEST_DATA to their folder)")
    return folder
