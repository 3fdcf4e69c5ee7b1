"""What the templates write, started in a sandbox: the service keeps its contract, its consumers theirs."""

import asyncio
from pathlib import Path

import pytest
from support.sandboxes import ISOLATING, needs_isolation

from maestro_dsl.compiler.plan import CompiledContract
from maestro_dsl.engine.events import FileRef
from maestro_dsl.engine.ports.processes import CommandSpec, ServiceSpec
from maestro_dsl.interfaces.openapi.parse import parse
from maestro_dsl.interfaces.openapi.replay import replay_calls
from maestro_dsl.interfaces.openapi.verify import verify
from maestro_dsl.lang.model import Contract, ContractType, InterfaceSpec
from maestro_dsl.providers.scaffold.backend import write_backend
from maestro_dsl.providers.scaffold.frontend import write_frontend
from maestro_dsl.providers.scaffold.qa import write_tests
from maestro_dsl.providers.scaffold.resources import find_service
from maestro_dsl.sandbox import choose
from maestro_dsl.sandbox.services import LocalServices
from maestro_dsl.storage.artifacts import Artifacts

SPEC = Path(__file__).parents[2] / "examples" / "todo-app" / "contracts" / "api_spec.yaml"
LEVELS = ["rlimits", pytest.param(ISOLATING, marks=needs_isolation)]


class Stage:
    """The services of one sandbox level, with the generated backend ready to be started."""

    def __init__(self, tmp_path: Path, level: str) -> None:
        self.content = SPEC.read_bytes()
        self.api, _ = parse(self.content, SPEC.name)
        self.written = find_service(self.api, "backend_api")
        self.artifacts = Artifacts(tmp_path / "state")
        self.sandbox = choose(level)
        self.tmp_path = tmp_path
        self.services = LocalServices(
            artifacts=self.artifacts,
            sandbox=self.sandbox,
            scratch=tmp_path / "scratch",
            on_event=lambda _event: None,
        )
        self.backend, _ = write_backend(self.written)

    def service(self, mode: str) -> ServiceSpec:
        contract = Contract(
            id="backend_api",
            provider_persona_id="backend_developer",
            deliverables=(),
            type=ContractType.REST_API,
            interface_spec=InterfaceSpec(type="openapi", spec_file=SPEC.name),
        )
        refs = tuple(
            FileRef(
                path=f"backend_developer/{name}", digest=self.artifacts.put(text.encode()), size=len(text)
            )
            for name, text in self.backend.items()
        )
        return ServiceSpec(
            contract=CompiledContract(contract=contract),
            mode=mode,
            spec=self.content,
            user="test",
            files=refs,
            trusted=True,
        )

    async def tested(self, files: dict[str, str], url: str):
        folder = self.tmp_path / "consumer"
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, "utf-8")
        return await self.sandbox.run(
            CommandSpec(
                argv=("python", "-m", "unittest", "discover"),
                cwd=folder,
                reach={"MAESTRO_URL_BACKEND_API": url},
                trusted=True,
            )
        )


@pytest.mark.parametrize("level", LEVELS)
def test_the_generated_service_keeps_its_contract(tmp_path, level) -> None:
    stage = Stage(tmp_path, level)

    async def scenario():
        async with stage.services.lease(stage.service("real")) as lease:
            return await verify(stage.api, lease.url, contract_id="backend_api")

    result = asyncio.run(scenario())
    assert (result.issues, result.missing, result.fulfilled, result.score) == ((), (), True, 1.0)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("write", [write_frontend, write_tests])
def test_what_a_consumer_asked_of_the_mock_the_generated_service_answers(tmp_path, level, write) -> None:
    stage = Stage(tmp_path, level)
    files, _ = write(stage.written)

    async def scenario():
        async with stage.services.lease(stage.service("mock")) as mock:
            tested = await stage.tested(files, mock.url)
            calls = mock.calls()
        async with stage.services.lease(stage.service("real")) as real:
            return tested, await replay_calls(
                stage.api, real.url, calls, contract_id="backend_api", consumer_files=files
            )

    tested, result = asyncio.run(scenario())
    assert tested.exit_code == 0, tested.stderr
    assert (result.issues, result.fulfilled, result.checks > 50) == ((), True, True)


def test_a_wrong_call_of_the_client_is_found_with_file_and_line(tmp_path) -> None:
    stage = Stage(tmp_path, "rlimits")
    files, _ = write_frontend(stage.written)
    old = '"createTask": {"method": "POST", "path": "/tasks"}'
    line = files["client.js"].splitlines().index(f"  {old},") + 1
    files = {**files, "client.js": files["client.js"].replace(old, old.replace("/tasks", "/task"))}

    async def scenario():
        async with stage.services.lease(stage.service("mock")) as mock:
            await stage.tested(files, mock.url)
            calls = mock.calls()
        async with stage.services.lease(stage.service("real")) as real:
            return await replay_calls(
                stage.api, real.url, calls, contract_id="backend_api", consumer_files=files
            )

    result = asyncio.run(scenario())
    assert [(item.message, item.file, item.line) for item in result.issues] == [
        ("the consumer calls POST /task, which the contract does not have", "client.js", line)
    ]
