"""What the expressions of a blueprint can see: the values known at compile time, and their types.

`inputs`, `team`, `contracts`, `project.vars`; inside `foreach` also the `as` name and `key`; at run time
`nodes.<id>.outputs`. The process environment is not among them. Contracts and personas appear as the keys of
their documents; addresses and money do not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.lang.expression_types import (
    BOOLEAN,
    HOLE,
    INTEGER,
    NUMBER,
    STRING,
    UNTYPED,
    Type,
    TypeKind,
    list_of,
    mapping_of,
    one_of,
    record,
    type_of,
    type_of_schema,
    unify,
)
from maestro_dsl.lang.model import ContractType
from maestro_dsl.lang.references import has_inputs, is_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import Blueprint, Contract, Json
    from maestro_dsl.lang.workspace import ResolvedMember, Workspace

CONTRACT_TYPE: Final = record(
    {
        "id": STRING,
        "name": STRING,
        "version": STRING,
        "type": one_of(item.value for item in ContractType),
        "description": STRING,
        "provider_persona_id": STRING,
        "consumer_persona_ids": list_of(STRING),
        "mock_available": BOOLEAN,
        "interface_spec": record({"type": STRING, "version": STRING, "spec_file": STRING}, "an interface"),
        "deliverables": list_of(
            record({"name": STRING, "description": STRING, "artifacts": list_of(STRING)}, "a deliverable")
        ),
    },
    "a contract",
    is_contract=True,
)
PERSONA_TYPE: Final = record(
    {
        "id": STRING,
        "name": STRING,
        "description": STRING,
        "expertise": list_of(STRING),
        "tools": list_of(STRING),
        "model": STRING,
    },
    "a persona",
)
_OUTPUTS: Final[Mapping[str, Mapping[str, Type]]] = {
    "approve": {"approved": BOOLEAN},
    "command": {"exit_code": INTEGER, "stdout": STRING},
    "fulfil": {"files": list_of(STRING), "score": NUMBER},
    "mock": {"files": list_of(STRING)},
    "render": {"files": list_of(STRING)},
    "report": {"score": NUMBER},
    "verify": {"verdict": one_of(("fulfilled", "not_fulfilled", "could_not_verify")), "score": NUMBER},
    "vote": {"winner": STRING, "tally": mapping_of(INTEGER)},
}
_FAILURES: Final = (
    "transport",
    "throttle",
    "overload",
    "timeout",
    "unparsable",
    "invalid",
    "low_quality",
    "judge_error",
    "budget",
    "cannot",
    "fatal",
)
"""The kinds of failure that the engine tells apart."""
RETRY_TYPES: Final[Mapping[str, Type]] = {"failure": one_of(_FAILURES), "attempt": INTEGER, "round": INTEGER}
"""What `retry.when` sees, and nothing else: the kind of the last failure, and both counters from 1."""


def contract_value(contract: Contract) -> dict[str, Json]:
    """Return a contract as expressions see it; `mock_available` is false where there is nothing to mock."""
    spec = contract.interface_spec
    return {
        "id": contract.id,
        "name": contract.name or contract.id,
        "version": contract.version,
        "type": contract.type.value,
        "description": contract.description or "",
        "provider_persona_id": contract.provider_persona_id,
        "consumer_persona_ids": list(contract.consumer_persona_ids),
        "mock_available": contract.can_mock,
        "interface_spec": None
        if spec is None
        else {"type": spec.type, "version": spec.version or "", "spec_file": spec.spec_file},
        "deliverables": [
            {"name": item.name, "description": item.description or "", "artifacts": list(item.artifacts)}
            for item in contract.deliverables
        ],
    }


def persona_value(member: ResolvedMember) -> dict[str, Json]:
    """Return a team member as expressions see it."""
    persona = member.persona.value
    return {
        "id": member.id,
        "name": persona.name or member.id,
        "description": persona.description or "",
        "expertise": list(persona.expertise),
        "tools": list(persona.tools),
        "model": member.settings.model.model,
    }


def values(workspace: Workspace) -> dict[str, Json]:
    """Return the values known at compile time."""
    return {
        "inputs": dict(workspace.inputs),
        "team": {name: persona_value(member) for name, member in workspace.team.items()},
        "contracts": {
            name: contract_value(contract.document.value) for name, contract in workspace.contracts.items()
        },
        "project": {"vars": dict(workspace.vars)},
    }


def types(document: Document[Blueprint], workspace: Workspace | None) -> dict[str, Type]:
    """Return the types of all names but `nodes`; without a workspace any contract or variable may be.

    What could not be read, because of a mistake that is told elsewhere, may be anything.
    """
    contracts, team, project_vars = mapping_of(CONTRACT_TYPE), mapping_of(PERSONA_TYPE), HOLE
    if workspace is not None:
        plan, project = workspace.plan, workspace.project
        if not workspace.lacks_contracts:
            contracts = record(
                dict.fromkeys(workspace.contracts, CONTRACT_TYPE), "the contracts", is_open=True
            )
        if not plan.is_hole(("team",)):
            names = (*plan.value.team, *workspace.team)
            team = record(dict.fromkeys(names, PERSONA_TYPE), "the team", is_open=True)
        if not workspace.lacks_project and (project is None or not project.holes):
            project_vars = record(
                {name: type_of(value) for name, value in workspace.vars.items()}, is_open=True
            )
    inputs = HOLE
    if not document.is_hole(("inputs",)):
        known = {name: _input_type(schema) for name, schema in document.value.inputs.items()}
        lost = {str(hole[1]): HOLE for hole in document.holes if hole[:1] == ("inputs",)}
        inputs = record({**known, **lost})
    return {"inputs": inputs, "team": team, "contracts": contracts, "project": record({"vars": project_vars})}


def types_in_nodes(document: Document[Blueprint], workspace: Workspace | None) -> dict[str, Type]:
    """Return the types of all names that expressions of a node see, but for those of its loop."""
    known = types(document, workspace)
    return {**known, "nodes": node_types(document.value, known["contracts"])}


def _input_type(schema: object) -> Type:
    """Return the type that an input's schema states; that it is no schema is told elsewhere."""
    found = type_of_schema(schema)
    return HOLE if found is UNTYPED and not is_schema(schema) else found


def unknown_names(workspace: Workspace) -> tuple[str, ...]:
    """Return the names of which expressions may not see all: a mistake that is told elsewhere hides some."""
    plan, project, blueprint = workspace.plan, workspace.project, workspace.blueprint
    holes = (*plan.holes, *blueprint.holes)
    found = [name for name in ("inputs", "team") if any(hole[0] == name for hole in holes if hole)]
    found += [] if has_inputs(plan, blueprint) else ["inputs"]
    found += [] if len(workspace.team) == len(plan.value.team) else ["team"]
    found += ["contracts"] if workspace.lacks_contracts else []
    found += ["project"] if workspace.lacks_project or (project is not None and project.holes) else []
    return tuple(found)


def node_types(blueprint: Blueprint, contracts: Type) -> Type:
    """Return the type of `nodes`: the outputs of each node by its action, by key where it has a `foreach`.

    Keys are known where `foreach` goes over `contracts` and their type knows them.
    """
    known: dict[tuple[str, str | None], Type] = {}
    fields: dict[str, Type] = {}
    for name, spec in blueprint.nodes.items():
        kind = (spec.action, spec.foreach)
        if kind not in known:
            outputs = record(_OUTPUTS.get(spec.action, {}), f"the outputs of {spec.action}")
            if spec.foreach == "contracts" and contracts.fields is not None:
                outputs = record(
                    dict.fromkeys(contracts.fields, outputs), "the outputs by contract", is_open=True
                )
            elif spec.foreach is not None:
                outputs = mapping_of(outputs)
            known[kind] = record({"outputs": outputs})
        fields[name] = known[kind]
    return record(fields)


def member_type(source: Type) -> Type | None:
    """Return the type of the items that `foreach` over `source` gives, or None where it cannot."""
    if source.kind is TypeKind.HOLE:
        return HOLE
    if source.kind in {TypeKind.LIST, TypeKind.MAPPING}:
        return source.item or HOLE
    if source.kind is TypeKind.RECORD and source.fields is not None:
        if source.label == "the contracts":
            return CONTRACT_TYPE
        return unify(source.fields.values()) if source.label in {"", "the team"} else None
    return None
