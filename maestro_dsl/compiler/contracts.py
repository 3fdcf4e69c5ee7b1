"""Contracts of a workspace with their interfaces, and what is wrong with either (CTR001, CTR002, CTR007).

An interface is read once by its own package; its digest is taken over the decoded content, so that comments
and format do not change it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from maestro_dsl.codec import digest, digest_bytes
from maestro_dsl.compiler.claims import candidates
from maestro_dsl.compiler.ids import is_in_team, team_names
from maestro_dsl.compiler.plan import CompiledContract
from maestro_dsl.diagnostics import Diagnostic, Diagnostics, Related, Severity, Span
from maestro_dsl.lang.contracts import ResolvedContract
from maestro_dsl.lang.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import Contract
    from maestro_dsl.lang.sourcemap import Pointer
    from maestro_dsl.lang.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """One artifact glob of one deliverable, with its place."""

    contract: ResolvedContract
    deliverable: int
    artifact: int

    @property
    def glob(self) -> str:
        return self.contract.document.value.deliverables[self.deliverable].artifacts[self.artifact]

    @property
    def name(self) -> str:
        value = self.contract.document.value
        return f"{value.id}.{value.deliverables[self.deliverable].name}"


def compile_contracts(workspace: Workspace) -> tuple[Mapping[str, CompiledContract], Diagnostics]:
    """Return all contracts with digest and operations of their interface, and CTR001 and CTR002 findings."""
    diagnostics = Diagnostics()
    compiled: dict[str, CompiledContract] = {}
    for name, resolved in workspace.contracts.items():
        compiled[name], wrong = _compile_one(resolved)
        diagnostics.extend(wrong)
    diagnostics.extend(provider_problems(workspace))
    return compiled, diagnostics


def _compile_one(resolved: ResolvedContract) -> tuple[CompiledContract, Diagnostics]:
    contract = resolved.document.value
    if resolved.spec_bytes is None or resolved.spec is None or resolved.spec_path is None:
        return CompiledContract(contract=contract), Diagnostics()
    operations, wrong = interface_problems(resolved)
    return (
        CompiledContract(
            contract=contract,
            spec_path=resolved.spec_path,
            spec_digest=digest_bytes(resolved.spec_bytes),
            interface_digest=digest(resolved.spec.data),
            operations=operations,
        ),
        wrong,
    )


def interface_problems(resolved: ResolvedContract) -> tuple[tuple[str, ...], Diagnostics]:
    """Return the names of a contract's operations, and what its spec file gets wrong (CTR001)."""
    from maestro_dsl.interfaces.registry import kind_of  # loads what interfaces are made of

    kind = kind_of(resolved.document.value.type)
    model, wrong = parse_interface(resolved)
    return kind.operations(model) if kind is not None and model is not None else (), wrong


def parse_interface(resolved: ResolvedContract) -> tuple[object | None, Diagnostics]:
    """Return the model of a contract's interface, None where there is none, and what is wrong with it."""
    if resolved.spec_bytes is None or resolved.spec is None or resolved.spec.diagnostics.has_errors:
        return None, Diagnostics()  # what is wrong was reported where it was read
    from maestro_dsl.interfaces.registry import kind_of  # loads what interfaces are made of

    contract = resolved.document.value
    kind = kind_of(contract.type)
    stated = contract.interface_spec.type if contract.interface_spec is not None else None
    if kind is None or stated not in kind.SPEC_TYPES:
        return None, Diagnostics()  # CTR010 tells of an interface that another kind would read
    file = resolved.spec.map.file
    model, wrong = kind.parse(resolved.spec_bytes, file)
    if resolved.is_bundled:
        wrong = Diagnostics([replace(item, span=Span(file)) for item in wrong.items])
    return model, wrong


def provider_problems(workspace: Workspace) -> Diagnostics:
    """Return CTR002: providers and consumers not in the team, own consumers, and who provides nothing."""
    diagnostics = Diagnostics()
    named: set[str] = set()
    provided: set[str] = set()
    has_holes = False
    for resolved in workspace.contracts.values():
        contract = resolved.document.value
        provided.add(contract.provider_persona_id)
        named |= {contract.provider_persona_id, *contract.consumer_persona_ids}
        has_holes = has_holes or bool(resolved.document.holes)
        diagnostics.extend(_parties(workspace, resolved.document))
    if not workspace.contracts or has_holes or workspace.lacks_contracts:
        return diagnostics
    team = team_names(workspace)
    meant = {closest(name, team) for name in named.difference(team)}  # misspelt in one place: one mistake
    for name in workspace.team:
        if name not in provided and name not in meant:
            message = f"{name} is in the team but provides no contract"
            span = workspace.plan.map.key_span(("team", name))
            hint = "give it a contract (provider_persona_id), or take it out of the team"
            diagnostics.add(_ctr002(span, message, hint))
    return diagnostics


def _parties(workspace: Workspace, document: Document[Contract]) -> Iterator[Diagnostic]:
    """Yield CTR002 for one contract: who provides it, and who consumes it."""
    contract, provider = document.value, document.value.provider_persona_id
    pointer: Pointer = ("provider_persona_id",)
    if provider and not document.is_hole(pointer) and not is_in_team(workspace, provider):
        message = f"{contract.id} is provided by {provider}, who is not in the team"
        yield _ctr002(document.map.value_span(pointer), message, _who(workspace, provider))
    written = document.data.get("consumer_persona_ids") if isinstance(document.data, dict) else None
    places = written if isinstance(written, list) else list(contract.consumer_persona_ids)
    for consumer in contract.consumer_persona_ids:
        span = document.map.value_span(("consumer_persona_ids", places.index(consumer)))
        if consumer == provider:
            message = f"{provider} provides {contract.id} and cannot be its consumer too"
            yield _ctr002(span, message, "remove it from consumer_persona_ids")
        elif not is_in_team(workspace, consumer):
            message = f"{contract.id} is consumed by {consumer}, who is not in the team"
            yield _ctr002(span, message, _who(workspace, consumer))


def _who(workspace: Workspace, name: str) -> str:
    team = team_names(workspace)
    similar = closest(name, team)
    guess = f"did you mean {similar}? " if similar else ""
    return f"{guess}the team is {', '.join(team) or 'empty'}"


def _ctr002(span: Span, message: str, hint: str) -> Diagnostic:
    return Diagnostic(
        code="CTR002",
        name="no-provider",
        severity=Severity.ERROR,
        span=span,
        message=message,
        help=hint,
    )


def artifact_overlaps(workspace: Workspace) -> Diagnostics:
    """Return CTR007: two deliverables of one provider that claim the same files."""
    diagnostics = Diagnostics()
    by_provider: dict[str, dict[tuple[str, str], _Claim]] = {}
    for resolved in workspace.contracts.values():
        claims = by_provider.setdefault(resolved.document.value.provider_persona_id, {})
        for i, deliverable in enumerate(resolved.document.value.deliverables):
            for j in range(len(deliverable.artifacts)):
                claim = _Claim(contract=resolved, deliverable=i, artifact=j)
                claims.setdefault((claim.name, claim.glob), claim)
    for claims in by_provider.values():
        globs: dict[str, tuple[str, ...]] = {}
        for name, glob in claims:
            globs[name] = (*globs.get(name, ()), glob)
        for other, other_glob, name, glob in candidates(globs):
            diagnostics.add(_ctr007(claims[other, other_glob], claims[name, glob]))
    return diagnostics


def _ctr007(first: _Claim, second: _Claim) -> Diagnostic:
    def place(claim: _Claim) -> tuple[str | int, ...]:
        return ("deliverables", claim.deliverable, "artifacts", claim.artifact)

    return Diagnostic(
        code="CTR007",
        name="artifact-overlap",
        severity=Severity.WARNING,
        span=second.contract.document.map.value_span(place(second)),
        message=f"{second.name} ({second.glob}) and {first.name} ({first.glob}) claim the same files",
        help="narrow one of the globs; each file should belong to one deliverable",
        related=(
            Related(
                span=first.contract.document.map.value_span(place(first)),
                message=f"{first.name} claims it here",
            ),
        ),
    )
