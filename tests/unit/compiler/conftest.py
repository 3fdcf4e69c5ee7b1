"""Workspaces built from values, so that the compiler is tested without files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from maestro_dsl.lang.contracts import ResolvedContract
from maestro_dsl.lang.document import Document
from maestro_dsl.lang.model import (
    Against,
    Blueprint,
    Contract,
    ContractType,
    Deliverable,
    InterfaceSpec,
    Kind,
    Need,
    NodeSpec,
    Persona,
    Plan,
    TeamMember,
)
from maestro_dsl.lang.settings import EffectiveSettings, Overrides, effective, for_member
from maestro_dsl.lang.source import Profile, load
from maestro_dsl.lang.sourcemap import SourceMap
from maestro_dsl.lang.workspace import ResolvedMember, Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SPEC = """\
openapi: 3.0.3
info: {title: Tasks, version: 1.0.0}
paths:
  /tasks:
    get: {operationId: listTasks, responses: {'200': {description: all tasks}}}
"""

CONTRACT_FIRST = (
    NodeSpec(
        id="mock", action="mock", foreach="contracts", as_name="contract", when="contract.mock_available"
    ),
    NodeSpec(
        id="build",
        action="fulfil",
        foreach="contracts",
        as_name="contract",
        persona="{{ contract.provider_persona_id }}",
        needs=(Need(node="mock"),),
    ),
    NodeSpec(
        id="integrate", action="verify", foreach="contracts", as_name="contract", needs=(Need(node="build"),)
    ),
    NodeSpec(id="report", action="report", needs=(Need(node="integrate", states=("any",)),)),
)


def _document(kind: Kind, value: Any, file: str, root: Path, text: str = "") -> Document[Any]:
    source_map = load(text, file).map if text else SourceMap(file, "", None)
    return Document(
        kind=kind,
        value=value,
        data=None,
        map=source_map,
        file=file,
        path=root / file,
        text=text,
        digest="0" * 64,
    )


def _settings(**changes: Any) -> EffectiveSettings:
    defaults = effective(plan=None, project=None, overrides=Overrides(), environ={})
    return replace(defaults, **changes)


def _member(
    member_id: str, root: Path, prompt: str, settings: EffectiveSettings, plan: Document[Plan]
) -> ResolvedMember:
    persona = Persona(id=member_id, name=member_id.replace("_", " "), expertise=("work",))
    document = _document(Kind.PERSONA, persona, f"{member_id}.persona.yaml", root)
    member = TeamMember(use=f"core/{member_id}")
    return ResolvedMember(
        id=member_id,
        member=member,
        persona=document,
        prompt=prompt,
        prompt_file=f"{member_id}.md.j2" if prompt else None,
        settings=for_member(settings, member, document, plan=plan, member_id=member_id),
    )


def contract(
    contract_id: str,
    provider: str,
    consumers: Sequence[str] = (),
    *,
    spec: bool = False,
    artifacts: Sequence[str] = ("*.py",),
    **changes: Any,
) -> Contract:
    """Return a contract with one deliverable."""
    values: dict[str, Any] = {
        "id": contract_id,
        "provider_persona_id": provider,
        "consumer_persona_ids": tuple(consumers),
        "deliverables": (Deliverable(name="product", artifacts=tuple(artifacts)),),
        "interface_spec": InterfaceSpec(type="openapi", spec_file="api.yaml") if spec else None,
    }
    return Contract(**{**values, **changes})


def workspace(
    contracts: Sequence[Contract] = (),
    nodes: Sequence[NodeSpec] = CONTRACT_FIRST,
    *,
    root: Path = Path("/project"),
    spec: str = SPEC,
    prompts: Mapping[str, str] | None = None,
    blueprint_text: str = "",
    inputs: Mapping[str, Any] | None = None,
    input_schemas: Mapping[str, Any] | None = None,
    variables: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Workspace:
    """Return a workspace whose team are the providers of `contracts`."""
    team = dict.fromkeys(item.provider_persona_id for item in contracts)
    blueprint = Blueprint(id="flow", nodes={node.id: node for node in nodes}, inputs=input_schemas or {})
    plan = Plan(
        id="demo",
        blueprint="flow",
        team={name: TeamMember(use=f"core/{name}") for name in team},
        requirement="A list of tasks",
    )
    loaded = load(spec, "api.yaml", profile=Profile.INTERFACE)
    resolved = {
        item.id: ResolvedContract(
            document=_document(Kind.CONTRACT, item, f"{item.id}.contract.yaml", root),
            spec_path="contracts/api.yaml" if item.interface_spec else None,
            spec_bytes=spec.encode() if item.interface_spec else None,
            spec=loaded if item.interface_spec else None,
        )
        for item in sorted(contracts, key=lambda item: item.id)
    }
    plan_document = _document(Kind.PLAN, plan, "plan.yaml", root)
    in_force = _settings(**settings)
    return Workspace(
        root=root,
        plan=plan_document,
        project=None,
        blueprint=_document(Kind.BLUEPRINT, blueprint, "flow.blueprint.yaml", root, blueprint_text),
        team={
            name: _member(name, root, (prompts or {}).get(name, ""), in_force, plan_document) for name in team
        },
        contracts=resolved,
        settings=in_force,
        inputs=inputs or {},
        vars=variables or {},
        documents=(plan_document,),
    )


def full_stack(**changes: Any) -> Workspace:
    """Return the team of the reference: backend 60 min, frontend 45 min on the mock, QA 30 min for real."""
    final = (Deliverable(name="final", artifacts=("test_*.py",), against=Against.REAL),)
    contracts = (
        contract(
            "backend_api",
            "backend",
            ["frontend", "qa"],
            spec=True,
            type=ContractType.REST_API,
            estimate_s=3600.0,
        ),
        contract("web_app", "frontend", ["qa"], estimate_s=2700.0, artifacts=["*.html"]),
        contract("acceptance", "qa", estimate_s=1800.0, deliverables=final),
    )
    return workspace(contracts, **changes)


@pytest.fixture
def make_workspace() -> Callable[..., Workspace]:
    """Return the builder of workspaces."""
    return workspace


@pytest.fixture
def make_contract() -> Callable[..., Contract]:
    """Return the builder of contracts."""
    return contract


@pytest.fixture
def make_full_stack() -> Callable[..., Workspace]:
    """Return the builder of the full-stack workspace."""
    return full_stack
