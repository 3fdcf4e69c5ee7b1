import asyncio
import subprocess
import sys

import pytest
from support.scaffold import TODO_SPEC, put, task, unittest_in

from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.engine.ports.models import ModelRequest, ProviderFailure
from maestro_dsl.lang.model import ModelSettings
from maestro_dsl.providers.envelope import unpack
from maestro_dsl.providers.scaffold import ScaffoldProvider
from maestro_dsl.providers.scaffold.algorithms import ALGORITHMS
from maestro_dsl.providers.scaffold.choose import Impossible
from maestro_dsl.providers.scaffold.deliver import deliver

SPEC = TODO_SPEC.read_bytes()


def generate(made):
    request = ModelRequest(
        system="",
        messages=(),
        model="default",
        settings=ModelSettings(),
        max_output_tokens=1,
        idempotency_key="k",
        attempt=1,
        round=1,
        timeout_s=1.0,
        task=made,
    )
    return asyncio.run(ScaffoldProvider().generate(request))


def test_the_answer_is_the_envelope_and_costs_nothing():
    response = generate(task(globs=("*.py", "README.md"), spec=SPEC))
    files, problems = unpack(response.text)
    assert not problems
    assert set(files) == {
        "server.py", "transport.py", "routes.py", "schemas.py", "checks.py", "errors.py", "storage.py",
        "test_service.py", "README.md",
    }  # fmt: skip
    assert response.usage.total == 0
    assert response.notes == ("wrote a service: backend_api has an OpenAPI interface",)


@pytest.mark.parametrize("made", [None, task(globs=("*.py",), spec=SPEC, action="judge")])
def test_it_answers_fulfil_alone(made):
    with pytest.raises(ProviderFailure, match="scaffold answers fulfil alone") as caught:
        generate(made)
    assert caught.value.failure is Failure.CANNOT


def test_an_impossible_task_is_cannot():
    with pytest.raises(ProviderFailure) as caught:
        generate(task(globs=("*.py",), spec=b"swagger: '2.0'"))
    assert caught.value.failure is Failure.CANNOT
    assert "Swagger 2.0" in caught.value.message


def test_equal_input_gives_equal_bytes_whatever_the_hash_seed():
    code = (
        "from support.scaffold import *; import hashlib; spec = TODO_SPEC.read_bytes();"
        "found = [sorted(make(spec).items()) for make in (service_files, page_files, suite_files)];"
        "print(hashlib.sha256(repr(found).encode()).hexdigest())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_files_go_where_the_globs_are():
    files, notes = deliver(task(globs=("web/**/*.html", "web/*.js", "web/*.css"), spec=SPEC, role="consumes"))
    assert set(files) == {"web/index.html", "web/app.js", "web/client.js", "web/styles.css"}
    assert "left out: serve.py, which no artifact glob of the contract matches" in notes


def test_the_service_starts_as_the_contract_says():
    made = task(globs=("app/*.py",), spec=SPEC, start=("python", "app/main.py"))
    files, _ = deliver(made)
    assert "app/main.py" in files
    assert "from main import build" in files["app/test_service.py"]


def test_a_start_that_is_no_python_file_is_refused():
    with pytest.raises(Impossible, match=r'starts its product with "node server\.js"'):
        deliver(task(globs=("*.py",), spec=SPEC, start=("node", "server.js")))


def test_globs_that_would_cut_the_service_in_half_are_refused():
    with pytest.raises(Impossible, match=r"do not match transport\.py"):
        deliver(task(globs=("server.py", "README.md"), spec=SPEC))


@pytest.mark.parametrize("name", ALGORITHMS)
def test_each_algorithm_passes_its_tests(name, tmp_path):
    files, _ = deliver(task(globs=("*.py", "README.md"), name=name))
    assert set(files) == {f"{name}.py", f"test_{name}.py", "README.md"}
    result = unittest_in(put(files, tmp_path))
    assert result.returncode == 0, result.stderr
