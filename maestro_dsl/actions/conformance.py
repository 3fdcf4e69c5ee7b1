"""Verification of one interface: the real provider against it, and a consumer's calls against the provider.

Maps what `interfaces` find to the engine's records; decides nothing about how an interface is checked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.engine.events import FileRef, Issue
from maestro_dsl.engine.ports.attempts import Verdict
from maestro_dsl.engine.ports.processes import ServiceSpec
from maestro_dsl.errors import UnrecoverableError
from maestro_dsl.interfaces.registry import FILES_ONLY, kind_of
from maestro_dsl.validation.quality import rounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from maestro_dsl.actions.criteria import Judged
    from maestro_dsl.compiler.plan import CompiledContract
    from maestro_dsl.engine.ports.work import WorkContext
    from maestro_dsl.interfaces.registry import InterfaceKind
    from maestro_dsl.interfaces.verification import VerificationResult

_WORST_FIRST: Final = ("not_fulfilled", "could_not_verify", "fulfilled")


async def provider_conformance(
    context: WorkContext,
    compiled: CompiledContract,
    files: tuple[FileRef, ...],
    *,
    user: str,
    trusted: bool,
) -> Verdict:
    """Start the provider from its files and verify it against the contract's interface.

    Raises:
        UnrecoverableError: the provider died or never answered.
        EnvironmentFailure: the machine cannot start it.
    """
    interface, api, content = _interface(context, compiled)
    service = ServiceSpec(
        contract=compiled, mode="real", spec=content, user=user, files=files, trusted=trusted
    )
    async with context.services.lease(service) as lease:
        return verdict_of(await interface.verify(api, lease.url, contract_id=compiled.id))


async def consumer_conformance(
    context: WorkContext,
    compiled: CompiledContract,
    url: str,
    calls: Iterable[Mapping[str, Any]],
    *,
    consumer_files: Mapping[str, str],
) -> Verdict:
    """Replay what a consumer asked of the mock against the real provider at `url`."""
    interface, api, _ = _interface(context, compiled)
    found = await interface.replay(
        api, url, tuple(calls), contract_id=compiled.id, consumer_files=consumer_files
    )
    return verdict_of(found)


def files_conformance(context: WorkContext, compiled: CompiledContract, files: Mapping[str, str]) -> Verdict:
    """Hold the texts of a deliverable against an interface that has no address."""
    _, api, _ = _interface(context, compiled)
    kind = FILES_ONLY[compiled.contract.type]
    return verdict_of(kind.check_files(api, files, contract_id=compiled.id))


def worse(one: Verdict, other: Verdict) -> Verdict:
    """Return two verdicts on the same contract as one: the worse outcome, the mean score, all findings."""
    verdict = next(name for name in _WORST_FIRST if name in {one.verdict, other.verdict})
    return Verdict(
        contract_id=one.contract_id,
        verdict=verdict,
        fulfilled=verdict == "fulfilled",
        score=rounded((one.score + other.score) / 2),
        missing=(*one.missing, *other.missing),
        issues=(*one.issues, *other.issues),
        recommendations=(*one.recommendations, *other.recommendations),
        parts={**one.parts, **other.parts},
    )


def _interface(context: WorkContext, compiled: CompiledContract) -> tuple[InterfaceKind, Any, bytes]:
    interface = kind_of(compiled.contract.type)
    stated = compiled.contract.interface_spec
    if interface is None or stated is None or compiled.spec_digest is None:
        raise UnrecoverableError(
            f"{compiled.id} has no interface that can be verified: {compiled.contract.type.value}"
        )
    content = context.artifacts.get(compiled.spec_digest)
    api, problems = interface.parse(content, stated.spec_file)
    if api is None:
        first = next(iter(problems))
        raise UnrecoverableError(f"{stated.spec_file}: {first.message}")
    return interface, api, content


def verdict_of(found: VerificationResult) -> Verdict:
    """Return the engine's form of a verification."""
    return Verdict(
        contract_id=found.contract_id,
        verdict=found.verdict.value,
        fulfilled=found.fulfilled,
        score=found.score,
        missing=found.missing,
        issues=tuple(
            Issue(
                severity=item.severity,
                message=item.message,
                check=item.check,
                file=item.file,
                line=item.line,
                operation=item.operation,
            )
            for item in found.issues
        ),
        recommendations=found.recommendations,
        parts=found.parts,
    )


def broken(contract_id: str, error: UnrecoverableError) -> Verdict:
    """Return the verdict on a provider that was started and died, or never answered: a broken promise.

    What could not be started at all (`EnvironmentFailure`) is none: that could not be verified.
    """
    return Verdict(
        contract_id=contract_id,
        verdict="not_fulfilled",
        fulfilled=False,
        score=0.0,
        issues=(Issue(severity="critical", check="start", message=error.message),),
        recommendations=(error.hint,) if error.hint else (),
    )


def combined(contract_id: str, base: Verdict, judged: tuple[Judged, ...]) -> Verdict:
    """Return `base` joined with judged criteria; the worse of the two decides, unjudged fails closed."""
    counted = [item for item in judged if item.required]
    failed = [item for item in counted if item.passed is False]
    unjudged = [item for item in counted if item.passed is None]
    outcomes = {base.verdict if base.parts or not counted else "fulfilled"}
    outcomes |= {"not_fulfilled"} if failed else set()
    outcomes |= {"could_not_verify"} if unjudged else set()
    if base.verdict == "could_not_verify" and not base.parts and not counted:
        outcomes = {"could_not_verify"}
    verdict = next(name for name in _WORST_FIRST if name in outcomes)
    parts, scores = dict(base.parts), [base.score] if base.parts else []
    if counted:
        parts["criteria"] = rounded(sum(1 for item in counted if item.passed) / len(counted))
        scores.append(parts["criteria"])
    score = rounded(sum(scores) / len(scores)) if scores else base.score
    return Verdict(
        contract_id=contract_id,
        verdict=verdict,
        fulfilled=verdict == "fulfilled",
        score=score,
        missing=base.missing,
        issues=(*base.issues, *(issue for item in judged for issue in item.issues)),
        recommendations=base.recommendations,
        parts=parts,
    )
