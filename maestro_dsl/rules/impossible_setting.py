"""PER004 impossible-setting: a setting that the model rejects, or two that exclude each other.

An error where it is written for the persona, the member or the node; information where it is inherited from
policies, because it is dropped there and the run says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Related, Severity
from maestro_dsl.lang.model import Kind
from maestro_dsl.rules.base import Facts, Rule, Scope
from maestro_dsl.rules.walk import mapping_at, retries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from maestro_dsl.compiler.instances import Instance
    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import DocumentValue
    from maestro_dsl.lang.sourcemap import Pointer, SourceMap
    from maestro_dsl.lang.workspace import ResolvedMember, Workspace

_REJECTS: Final = {"anthropic": "temperature"}
"""Model provider -> what none of its models takes. The API of anthropic answers 400 to a temperature."""
_INSTEAD: Final = {"temperature": "effort", "temperatures": "efforts"}


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every setting that cannot take effect."""
    for document in facts.documents:
        yield from _both(document)
    for workspace, instances, _ in facts.expanded:
        rejecting = {
            name: member
            for name, member in workspace.team.items()
            if member.settings.model.provider in _REJECTS
        }
        if rejecting:
            yield from _of_members(workspace, rejecting)
            yield from _of_nodes(workspace, instances, rejecting)
            yield from _inherited(workspace, rejecting)


def _both(document: Document[DocumentValue]) -> Iterator[Diagnostic]:
    places: list[Pointer] = [("settings",)] if document.kind is Kind.PERSONA else []
    if document.kind is Kind.PLAN:
        places = [("team", name, "settings") for name in mapping_at(document.data, ("team",))]
    pairs = [(place, "temperature", "effort") for place in places]
    pairs += [(place, "temperatures", "efforts") for place, _ in retries(document)]
    for place, one, other in pairs:
        stated = mapping_at(document.data, place)
        if one in stated and other in stated:
            where = Related(span=document.map.key_span((*place, one)), message=f"{one} stands here")
            message = f"a model takes {one} or {other}, never both"
            yield RULE.finding(
                document.map.key_span((*place, other)), message, "keep one of the two", related=(where,)
            )


def _of_members(workspace: Workspace, members: dict[str, ResolvedMember]) -> Iterator[Diagnostic]:
    for name, member in members.items():
        provider = member.settings.model.provider
        if member.member.settings.temperature is not None:
            place = ("team", name, "settings", "temperature")
            yield _rejected(workspace.plan.map, place, provider)
        elif member.persona.value.settings.temperature is not None:
            yield _rejected(member.persona.map, ("settings", "temperature"), provider)


def _of_nodes(
    workspace: Workspace, instances: Iterable[Instance], members: dict[str, ResolvedMember]
) -> Iterator[Diagnostic]:
    seen: set[str] = set()
    for instance in instances:
        spec = instance.spec
        if not spec.retry.temperatures or spec.id in seen or instance.persona_id not in members:
            continue
        seen.add(spec.id)
        provider = members[instance.persona_id].settings.model.provider
        yield _rejected(workspace.blueprint.map, ("nodes", spec.id, "retry", "temperatures"), provider)


def _inherited(workspace: Workspace, members: dict[str, ResolvedMember]) -> Iterator[Diagnostic]:
    provider = next(iter(members.values())).settings.model.provider
    plan, project = workspace.plan, workspace.project
    if plan.value.policies.retry.temperatures:
        place: Pointer = ("policies", "retry", "temperatures")
        yield _rejected(plan.map, place, provider, severity=Severity.INFO)
    elif project is not None and project.value.defaults.policies.retry.temperatures:
        place = ("defaults", "policies", "retry", "temperatures")
        yield _rejected(project.map, place, provider, severity=Severity.INFO)


def _rejected(
    source: SourceMap, place: Pointer, provider: str, *, severity: Severity = Severity.ERROR
) -> Diagnostic:
    key = str(place[-1])
    what = "is dropped" if severity is Severity.INFO else "is refused"
    message = f"models of {provider} take no {key}; it {what}"
    return RULE.finding(source.key_span(place), message, f"use {_INSTEAD[key]}", severity=severity)


RULE = Rule(
    code="PER004",
    name="impossible-setting",
    severity=Severity.ERROR,
    scope=Scope.WORKSPACE,
    summary="a setting that the model rejects",
    check=check,
)
