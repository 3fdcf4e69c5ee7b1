"""Which line of a consumer's text makes a call."""

import pytest

from maestro_dsl.interfaces.consumers import is_test_file
from maestro_dsl.interfaces.openapi.locate import Place, find_call

PYTHON = '''\
"""Client of /tasks."""
class Client:
    def list_tasks(self):
        return self._send("GET", "/tasks")

    def create_task(self, task):
        return self._send("POST", "/tasks", task)

    def get_task(self, task_id):
        return self._send("GET", f"/tasks/{task_id}")

    def complete_task(self, task_id):
        return self._send("POST", "/tasks/" + task_id + "/complete")

    def wrong(self):
        return self._send("GET", "/task")
'''


@pytest.mark.parametrize(
    ("method", "path", "line"),
    [
        ("GET", "/tasks", 4),
        ("POST", "/tasks", 7),
        ("POST", "/tasks/{taskId}/complete", 13),
        ("POST", "/tasks/17/complete", 13),
        ("GET", "/task", 16),
    ],
)
def test_literal_words_and_the_method_lead_to_the_line(method, path, line) -> None:
    assert find_call(method, path, {"client.py": PYTHON}) == Place(file="client.py", line=line)


def test_code_comes_before_tests_and_prose() -> None:
    files = {
        "README.md": "GET /tasks\n",
        "tests/test_client.py": 'send("GET", "/tasks")\n',
        "web/client.py": '\nsend("GET", "/tasks")\n',
    }
    assert find_call("GET", "/tasks", files) == Place(file="web/client.py", line=2)


def test_nothing_is_named_where_nothing_fits() -> None:
    assert find_call("GET", "/projects", {"client.py": PYTHON}) is None
    assert find_call("GET", "/", {"client.py": PYTHON}) is None
    assert find_call("GET", "/tasks", {}) is None


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("tests/helpers.py", True),
        ("web/test_client.py", True),
        ("web/client.test.js", True),
        ("web/contest.py", False),
        ("web/client.js", False),
    ],
)
def test_names_of_test_files(file, expected) -> None:
    assert is_test_file(file) is expected
