import pytest

from maestro_dsl.cli.main import execute


@pytest.fixture
def lint(capsys):
    """Return a function that runs `maestro lint` here and returns code, output and messages."""

    def run(*arguments):
        code = execute(["lint", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run
