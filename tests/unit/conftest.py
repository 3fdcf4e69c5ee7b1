"""Values that several unit tests render: a small compiled plan and the events of one run of it."""

import pytest
from support.plans import persona

from maestro_dsl.compiler.plan import (
    CompiledContract,
    CompiledPlan,
    Edge,
    EdgeKind,
    Execution,
    Guardrails,
    ModelRef,
    PlanNode,
)
from maestro_dsl.engine.events import (
    AttemptFinished,
    AttemptStarted,
    Event,
    FileRef,
    NodeFinished,
    RetryScheduled,
    RunFinished,
    RunStarted,
    ServiceReady,
    ServiceStopped,
    Usage,
)
from maestro_dsl.lang.model import Contract, ContractType, Deliverable

RUN = "01939f2e-5a7b-7c11-9d53-3f1d0a6b7c88"


def _persona(name):
    return persona(name, model=ModelRef(provider="scaffold", model="templates"))


def _contract(name, provider, consumers=(), kind=ContractType.INTERFACE):
    return CompiledContract(
        contract=Contract(
            id=name,
            provider_persona_id=provider,
            consumer_persona_ids=consumers,
            type=kind,
            deliverables=(Deliverable(name="all", artifacts=("**/*",)),),
        )
    )


def _hard(*sources):
    return tuple(Edge(source=source) for source in sources)


def _node(action, contract, *, persona=None, edges=(), name=None, **more):
    base = name or action
    address = f"{base}[{contract}]" if contract else base
    return PlanNode(
        address=address,
        node=base,
        action=action,
        contract_id=contract,
        persona_id=persona,
        edges=edges,
        **more,
    )


@pytest.fixture
def sample_plan():
    mocked = (Edge(source="mock[backend_api]", kind=EdgeKind.MOCK, contract_id="backend_api"),)
    nodes = (
        _node("mock", "backend_api"),
        _node(
            "fulfil",
            "backend_api",
            persona="backend_developer",
            edges=_hard("mock[backend_api]"),
            name="build",
        ),
        _node("fulfil", "web_app", persona="frontend_developer", edges=mocked, name="build"),
        _node("fulfil", "acceptance_tests", persona="qa_engineer", edges=mocked, name="build"),
        _node("verify", "backend_api", edges=_hard("build[backend_api]"), name="integrate"),
        *(
            PlanNode(
                address=f"recheck[backend_api/build[{contract}]]",
                node="recheck",
                action="recheck",
                contract_id="backend_api",
                rechecks=f"build[{contract}]",
                edges=_hard(f"build[{contract}]", "integrate[backend_api]"),
            )
            for contract in ("web_app", "acceptance_tests")
        ),
        _node("report", None, edges=_hard("integrate[backend_api]")),
    )
    waves = (
        ("mock[backend_api]",),
        ("build[backend_api]", "build[web_app]", "build[acceptance_tests]"),
        ("integrate[backend_api]",),
        ("recheck[backend_api/build[web_app]]", "recheck[backend_api/build[acceptance_tests]]", "report"),
    )
    return CompiledPlan(
        id="todo_app",
        name="To-do app",
        requirement="A task list",
        blueprint="core/parallel-contract-first@1.0.0",
        execution_mode="parallel",
        nodes=nodes,
        waves=waves,
        personas=tuple(_persona(name) for name in ("backend_developer", "frontend_developer", "qa_engineer")),
        contracts=(
            _contract(
                "backend_api",
                "backend_developer",
                ("frontend_developer", "qa_engineer"),
                ContractType.REST_API,
            ),
            _contract("web_app", "frontend_developer"),
            _contract("acceptance_tests", "qa_engineer"),
        ),
        provider="scaffold",
        guardrails=Guardrails(),
        execution=Execution(),
        quality_threshold=0.8,
        output="build",
    )


def _file(path, size=10):
    return FileRef(path=path, digest="0" * 64, size=size)


def _attempt(node, attempt=1, reason="never run"):
    return AttemptStarted(node=node, attempt=attempt, round=1, fence=attempt, key="k", reason=reason)


def _done(node, attempt=1, failure=None, message="", **more):
    return AttemptFinished(
        node=node, attempt=attempt, round=1, fence=attempt, failure=failure, message=message, **more
    )


@pytest.fixture
def sample_events():
    """Return a run in which one node needed two attempts and one was cached; ends `verified`."""
    api, web, tests = "build[backend_api]", "build[web_app]", "build[acceptance_tests]"
    spec = _file("contracts/backend_api_spec.yaml")
    server = (_file("backend_developer/server.py", 4200), _file("backend_developer/README.md", 900))
    rows = [
        (0.0, RunStarted(plan_id="todo_app", plan_digest="d" * 64, output="build", tool_version="0.1.0")),
        (
            0.0,
            NodeFinished(
                node="mock[backend_api]", state="cached", reason="unchanged", files=(spec,), saved_tokens=0
            ),
        ),
        (0.1, ServiceReady(contract_id="backend_api", mode="mock", url="http://127.0.0.1:41001", lease="l1")),
        (0.1, _attempt(api, reason="prompt changed")),
        (0.1, _attempt(web, reason="interface backend_api changed")),
        (
            1.1,
            _done(
                api,
                failure="invalid",
                message="missing route DELETE /tasks/{id}",
                duration_s=1.0,
                usage=Usage(input_tokens=900),
            ),
        ),
        (
            1.1,
            RetryScheduled(node=api, failure="invalid", delay_s=1.0, level=1, reason="2 of 3 attempts left"),
        ),
        (
            1.6,
            _done(
                web,
                score=0.93,
                duration_s=1.5,
                usage=Usage(input_tokens=1200, output_tokens=300),
                nano_usd=9_000_000,
            ),
        ),
        (
            1.6,
            NodeFinished(
                node=web,
                state="succeeded_on_mock",
                score=0.93,
                files=(_file("frontend_developer/index.html"),),
            ),
        ),
        (2.1, _attempt(api, attempt=2, reason="prompt changed")),
        (
            3.1,
            _done(
                api, attempt=2, score=0.97, duration_s=1.0, usage=Usage(input_tokens=1100, output_tokens=800)
            ),
        ),
        (3.1, NodeFinished(node=api, state="succeeded", score=0.97, files=server)),
        (
            3.1,
            NodeFinished(
                node=tests,
                state="cached",
                reason="unchanged",
                saved_tokens=1500,
                files=(_file("qa_engineer/test_api.py"),),
            ),
        ),
        (3.2, ServiceStopped(contract_id="backend_api", mode="mock", lease="l1")),
        (3.2, _attempt("integrate[backend_api]")),
        (3.6, _done("integrate[backend_api]", duration_s=0.4)),
        (3.6, NodeFinished(node="integrate[backend_api]", state="succeeded", verdict="fulfilled", score=1.0)),
        (3.6, _attempt("recheck[backend_api/build[web_app]]")),
        (3.9, _done("recheck[backend_api/build[web_app]]", duration_s=0.3)),
        (
            3.9,
            NodeFinished(node="recheck[backend_api/build[web_app]]", state="succeeded", verdict="fulfilled"),
        ),
        (
            3.9,
            NodeFinished(
                node="recheck[backend_api/build[acceptance_tests]]",
                state="cached",
                verdict="fulfilled",
                reason="unchanged",
            ),
        ),
        (4.0, NodeFinished(node="report", state="succeeded", files=(_file("quality_report.json"),))),
        (4.0, RunFinished(status="completed", verdict="verified")),
    ]
    return tuple(
        Event(run_id=RUN, seq=number, at=1_800_000_000.0 + at, body=body)
        for number, (at, body) in enumerate(rows, start=1)
    )
