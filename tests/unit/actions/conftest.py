from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from support.plans import persona

from maestro_dsl.codec import canonical
from maestro_dsl.compiler.plan import CompiledContract, ModelRef, PlanNode, Prompt
from maestro_dsl.engine.events import FileRef, Usage
from maestro_dsl.engine.ports.attempts import AttemptResult, AttemptSpec, InputResult
from maestro_dsl.engine.ports.models import Capability, ModelResponse
from maestro_dsl.engine.ports.processes import CommandResult
from maestro_dsl.engine.ports.work import WorkContext
from maestro_dsl.lang.model import Contract, Criterion, Deliverable
from maestro_dsl.providers.envelope import pack
from maestro_dsl.testing import FlatPrices, MemoryArtifacts, MemoryServices, NoSandbox

MAKER = persona("maker", name="Maker", model=ModelRef(provider="says", model="m"))


class Says:
    """A provider that gives one answer and counts the questions."""

    name = "says"

    def __init__(self, text):
        self.text = text
        self.requests = []

    def capability(self, _model):
        return Capability()

    async def generate(self, request):
        self.requests.append(request)
        if isinstance(self.text, Exception):
            raise self.text
        return ModelResponse(text=self.text, usage=Usage(input_tokens=7, output_tokens=3))


class Answers:
    """A sandbox in which every command ends alike."""

    level = "none"

    def __init__(self, exit_code=0, stderr="", **more):
        self.result = CommandResult(exit_code=exit_code, stdout="", stderr=stderr, **more)
        self.commands = []

    async def run(self, command):
        self.commands.append(command)
        return self.result


@dataclass
class Bench:
    """One attempt at the contract `thing`, which promises Python files and what a test adds."""

    scratch: Path
    criteria: tuple[Criterion, ...] = ()
    provider: object = field(default_factory=lambda: Says(pack({"thing.py": "x = 1\n"})))
    sandbox: object = field(default_factory=NoSandbox)
    artifacts: MemoryArtifacts = field(default_factory=MemoryArtifacts)
    stored: dict[str, str] = field(default_factory=dict)
    expected_files: int | None = None

    @property
    def contract(self):
        made = Deliverable(
            name="all",
            artifacts=("**/*.py",),
            expected_files=self.expected_files,
            acceptance_criteria=self.criteria,
        )
        contract = Contract(id="thing", provider_persona_id="maker", deliverables=(made,))
        return CompiledContract(contract=contract)

    def spec(self, action="fulfil", **more):
        prompt = Prompt(system="be brief", user="make it") if action == "fulfil" else None
        node = PlanNode(
            address=f"{action}[thing]", node=action, action=action, contract_id="thing", prompt=prompt
        )
        spec = AttemptSpec(
            run_id="run",
            node=node,
            attempt=1,
            round=1,
            fence=1,
            key="key",
            contract=self.contract,
            contracts=(self.contract,),
            persona=MAKER if action == "fulfil" else None,
            lease_tokens=100_000,
        )
        return replace(spec, **more)

    def given(self, files, **more):
        """The result of an earlier node, as an input."""
        refs = tuple(
            FileRef(path=f"maker/{path}", digest=self.artifacts.put(content), size=len(content))
            for path, content in files.items()
        )
        result = AttemptResult(files=refs, **more)
        digest = self.artifacts.put(canonical(result))
        return InputResult(node="build[thing]", contract_id="thing", result_digest=digest, files=refs)

    def work(self, action, spec):
        async def answered(request, response, _usage, _cost):
            self.stored[request] = response

        context = WorkContext(
            artifacts=self.artifacts,
            provider=self.provider,
            prices=FlatPrices(),
            sandbox=self.sandbox,
            services=MemoryServices(),
            staging=self.scratch / "staging",
            scratch=self.scratch / "scratch",
            answered=answered,
            stored_answer=self.stored.get,
        )
        return asyncio.run(action.work(spec, context))


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


@pytest.fixture
def says():
    return Says


@pytest.fixture
def answers():
    return Answers
