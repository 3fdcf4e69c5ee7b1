import pytest
from support.handful import CALLS, Handful


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """A run of the handful that nobody disturbs: its result and its output."""
    handful = Handful.make(tmp_path_factory.mktemp("calm") / "x")
    result = handful.apply()
    assert (result.status, result.verdict, len(handful.calls())) == ("completed", "verified", CALLS)
    return result, handful.tree()
