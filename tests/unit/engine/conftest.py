from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from support.plans import persona, plan

from maestro_dsl.compiler.plan import (
    CompiledContract,
    CompiledPersona,
    CompiledPlan,
    Edge,
    Execution,
    Guardrails,
    KeyPart,
    PlanNode,
    Prompt,
)
from maestro_dsl.lang.model import Contract, Deliverable, InterfaceSpec, ModelSettings

MakePlan = Callable[..., CompiledPlan]


def _persona(persona_id: str, **changes: object) -> CompiledPersona:
    return persona(persona_id, **{"settings": ModelSettings(max_output_tokens=1_000), **changes})


@pytest.fixture
def make_plan() -> MakePlan:
    """Return a builder: keyword name → list of needs, or a PlanNode."""

    def build(
        nodes: Mapping[str, list[str] | PlanNode],
        *,
        personas: tuple[CompiledPersona, ...] = (),
        contracts: tuple[CompiledContract, ...] = (),
        execution: Execution | None = None,
        guardrails: Guardrails | None = None,
        **defaults: object,
    ) -> CompiledPlan:
        made: list[PlanNode] = []
        for address, given in nodes.items():
            if isinstance(given, PlanNode):
                made.append(given)
                continue
            edges = tuple(Edge(source=need) for need in given)
            made.append(
                replace(PlanNode(address=address, node=address, action="do", edges=edges), **defaults)
            )
        return plan(
            tuple(
                replace(node, key_parts=node.key_parts or (KeyPart(name="prompt", digest=node.address),))
                for node in made
            ),
            id="plan",
            name="plan",
            personas=personas,
            contracts=contracts,
            provider="scripted",
            guardrails=guardrails or Guardrails(),
            execution=execution or Execution(),
        )

    return build


@pytest.fixture
def make_persona() -> Callable[..., CompiledPersona]:
    return _persona


@pytest.fixture
def team_plan(make_plan: MakePlan) -> CompiledPlan:
    """mock → build[api] and build[web] (on the mock) → verify[api] → recheck[api/web] → report."""
    api = CompiledContract(
        contract=Contract(
            id="api",
            provider_persona_id="back",
            consumer_persona_ids=("front",),
            deliverables=(Deliverable(name="service", artifacts=("**/*.py",)),),
            interface_spec=InterfaceSpec(type="openapi", spec_file="api.yaml"),
        ),
        interface_digest="i" * 64,
    )
    web = CompiledContract(
        contract=Contract(
            id="web",
            provider_persona_id="front",
            deliverables=(Deliverable(name="page", artifacts=("*.html",)),),
        )
    )
    prompt = Prompt(system="s" * 100, user="u" * 100)
    nodes = (
        PlanNode(address="mock[api]", node="mock", key="api", action="mock", contract_id="api"),
        PlanNode(
            address="build[api]",
            node="build",
            key="api",
            action="fulfil",
            persona_id="back",
            contract_id="api",
            deliverables=("service",),
            edges=(Edge(source="mock[api]"),),
            writes=("back/**",),
            prompt=prompt,
        ),
        PlanNode(
            address="build[web]",
            node="build",
            key="web",
            action="fulfil",
            persona_id="front",
            contract_id="web",
            deliverables=("page",),
            consumes_mock=("api",),
            edges=(Edge(source="mock[api]", contract_id="api"),),
            writes=("front/**",),
            prompt=prompt,
        ),
        PlanNode(
            address="verify[api]",
            node="verify",
            key="api",
            action="verify",
            contract_id="api",
            edges=(Edge(source="build[api]"),),
        ),
        PlanNode(
            address="recheck[api/build[web]]",
            node="recheck",
            action="recheck",
            contract_id="api",
            rechecks="build[web]",
            edges=(Edge(source="build[web]"), Edge(source="verify[api]")),
        ),
        PlanNode(
            address="report",
            node="report",
            action="report",
            edges=(Edge(source="recheck[api/build[web]]", states=("any",)),),
        ),
    )
    return make_plan(
        {node.address: node for node in nodes},
        personas=(_persona("back"), _persona("front")),
        contracts=(api, web),
    )
