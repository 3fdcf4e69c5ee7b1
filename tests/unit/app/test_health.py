import pytest

from maestro_dsl.app import effective_config
from maestro_dsl.errors import CompileError
from maestro_dsl.lang.settings import Overrides

PROJECT = """\
apiVersion: maestro/v1
kind: Project
id: demo
lint:
  ignore: [STY001]
  per_path:
    "legacy/**": [RUN]
  severity: {RUN001: error}
  fail_on: warning
defaults: {timeout: 20m}
"""


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def found():
        shown = effective_config(None, overrides=Overrides(), environ={"HOME": str(tmp_path)})
        return {item.key: (item.value, item.origin) for item in shown}

    return found


def test_the_lint_settings_of_a_project_have_their_places(settings, tmp_path):
    (tmp_path / "maestro.yaml").write_text(PROJECT)
    shown = {key: value for key, value in settings().items() if key.startswith("lint.")}
    assert shown == {
        "lint.fail_on": ("warning", "maestro.yaml:9"),
        "lint.ignore": (["STY001"], "maestro.yaml:5"),
        "lint.per_path.legacy/**": (["RUN"], "maestro.yaml:7"),
        "lint.select": ([], "built-in default"),
        "lint.severity.RUN001": ("error", "maestro.yaml:8"),
    }


def test_the_project_of_a_folder_counts_without_a_plan(settings, tmp_path):
    assert settings()["timeout_s"] == (900.0, "built-in default")
    (tmp_path / "maestro.yaml").write_text(PROJECT)
    assert settings()["timeout_s"] == (1200.0, "maestro.yaml:10")


def test_what_is_wrong_is_not_in_force(settings, tmp_path):
    (tmp_path / "maestro.yaml").write_text(PROJECT.replace("[STY001]", "5"))
    assert settings()["lint.ignore"] == ([], "built-in default")
    (tmp_path / "maestro.yaml").write_text(PROJECT.replace("[STY001]", "[STY001"))
    with pytest.raises(CompileError, match=r"maestro\.yaml cannot be read"):
        settings()
