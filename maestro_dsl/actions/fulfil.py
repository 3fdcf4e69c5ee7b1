"""`fulfil`: a persona writes what its contract promises, and the result is held to that contract.

Ask, unpack, heal, stage, judge. The files go to the staging folder and the artifact store; nothing reaches
the output here. What a consumer's tests asked of a mock is recorded, so that it can be asked of the real
provider later.
"""

from __future__ import annotations

import json
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, cast

from maestro_dsl.actions.criteria import Judged, Scene, criteria_check, judge_contract
from maestro_dsl.actions.request import Answer, ask
from maestro_dsl.actions.workspace import input_for, lay_out, store_files, too_large
from maestro_dsl.engine.events import Issue
from maestro_dsl.engine.ports.attempts import AttemptResult, AttemptSpec, CheckResult, QualityReport
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.engine.ports.models import ProviderFailure
from maestro_dsl.engine.ports.processes import ServiceLease, ServiceSpec
from maestro_dsl.errors import EnvironmentFailure, UnrecoverableError
from maestro_dsl.interfaces.registry import is_served, kind_of
from maestro_dsl.providers.envelope import unpack
from maestro_dsl.validation.files import FileAssessment, assess_files
from maestro_dsl.validation.healing import heal
from maestro_dsl.validation.quality import INTEGRATION, quality

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from maestro_dsl.engine.ports.work import WorkContext
    from maestro_dsl.lang.model import Contract, Json


class Fulfil:
    """The action `fulfil`."""

    async def work(self, spec: AttemptSpec, context: WorkContext) -> AttemptResult:
        """Do one attempt; every failure is returned, with what was wrong as issues."""
        if spec.contract is None:
            return AttemptResult(failure=Failure.FATAL, message=f"{spec.node.address} names no contract")
        try:
            answer = await ask(spec, context)
        except ProviderFailure as failure:
            return AttemptResult(
                failure=failure.failure,
                message=failure.message,
                retry_after_s=failure.retry_after_s,
                usage_known=failure.usage_known,
            )
        files, problems = unpack(answer.response.text)
        if problems:
            wrong = tuple(Issue(severity="error", check="answer", message=text) for text in problems)
            return _refused(answer, Failure.UNPARSABLE, wrong)
        healed, done = heal(files)
        contents = {path: text.encode() for path, text in healed.items()}
        folder = spec.contract.contract.provider_persona_id
        if large := too_large(folder, contents, spec.sizes.max_artifact_bytes):
            return _refused(answer, Failure.INVALID, large)
        try:
            return await _judge(spec, context, answer, contents, done)
        except UnrecoverableError as error:
            return AttemptResult(failure=Failure.INVALID, message=error.message, answer=answer.blob)
        except EnvironmentFailure as error:
            hint = f"; {error.hint}" if error.hint else ""
            return AttemptResult(failure=Failure.FATAL, message=error.message + hint, answer=answer.blob)


def _refused(answer: Answer, failure: Failure, issues: tuple[Issue, ...]) -> AttemptResult:
    return AttemptResult(
        failure=failure,
        message=issues[0].message,
        issues=issues,
        answer=answer.blob,
        usage=answer.response.usage,
        nano_usd=answer.nano_usd,
        notes=answer.response.notes,
    )


async def _judge(
    spec: AttemptSpec,
    context: WorkContext,
    answer: Answer,
    contents: Mapping[str, bytes],
    healed: tuple[str, ...],
) -> AttemptResult:
    compiled = spec.contract
    if compiled is None:
        raise UnrecoverableError(f"{spec.node.address} names no contract")
    contract = compiled.contract
    folder = contract.provider_persona_id
    refs = store_files(context.artifacts, folder, contents)
    lay_out(context.staging / "files", contents)
    assessed = assess_files(contract, contents, spec.node.deliverables)
    async with consumed_services(spec, context) as leases:
        scene = Scene(
            spec=spec,
            context=context,
            contract=contract,
            files=contents,
            refs=refs,
            urls={lease.contract_id: lease.url for lease in leases},
            trusted=trusted_code(spec, context),
        )
        judged = await judge_contract(scene)
        calls = [dict(call) for lease in leases for call in _named_calls(lease)]
    strangers = tuple(_outside_issue(call, spec, contents) for call in _outside(calls))
    report, issues = _scored(assessed, judged, calls, strangers)
    failure, message = _failure(contract, assessed, judged, report, spec.quality_threshold)
    return AttemptResult(
        failure=failure,
        message=message,
        issues=issues,
        healed=healed,
        files=refs,
        outputs={"files": [ref.path for ref in refs], "score": report.score},
        score=report.score,
        quality=report,
        usage=answer.response.usage,
        nano_usd=answer.nano_usd,
        answer=answer.blob,
        recorded_calls=_store_calls(context, calls),
        notes=answer.response.notes,
        usable=assessed.parses,
    )


@asynccontextmanager
async def consumed_services(
    spec: AttemptSpec, context: WorkContext, *, real: Iterable[str] = ()
) -> AsyncIterator[list[ServiceLease]]:
    """Serve everything the node consumes: mocks, and the real provider for ids in `real` or on hard edges."""
    wanted_real = {*spec.node.consumes_real, *real}
    async with AsyncExitStack() as stack:
        leases = []
        for compiled in spec.consumed:
            if compiled.spec_digest is None or not is_served(compiled.contract.type):
                continue
            provided = input_for(spec, compiled.id) if compiled.id in wanted_real else None
            service = ServiceSpec(
                contract=compiled,
                mode="real" if provided else "mock",
                spec=context.artifacts.get(compiled.spec_digest),
                user=spec.node.address,
                files=provided.files if provided else (),
                trusted=trusted_code(spec, context),
            )
            leases.append(await stack.enter_async_context(context.services.lease(service)))
        yield leases


def trusted_code(spec: AttemptSpec, context: WorkContext) -> bool:
    """Return whether what the run's provider writes may run with resource limits alone."""
    if context.provider is None or spec.persona is None:
        return context.provider is not None and context.provider.capability("").trusted_code
    return context.provider.capability(spec.persona.model.model).trusted_code


def _named_calls(lease: ServiceLease) -> list[dict[str, object]]:
    return [{"contract": lease.contract_id, **call} for call in lease.calls()] if lease.mode == "mock" else []


def _store_calls(context: WorkContext, calls: list[dict[str, object]]) -> str | None:
    if not calls:
        return None
    lines = (json.dumps(call, sort_keys=True, ensure_ascii=False) for call in calls)
    return context.artifacts.put("\n".join(lines).encode())


def _scored(
    assessed: FileAssessment,
    judged: tuple[Judged, ...],
    calls: list[dict[str, object]],
    strangers: tuple[Issue, ...],
) -> tuple[QualityReport, tuple[Issue, ...]]:
    known = sum(1 for call in calls if call.get("operation") is not None)
    integration = CheckResult(name=INTEGRATION, passed=known, required=len(calls), applicable=bool(calls))
    issues = [*assessed.issues, *(issue for item in judged for issue in item.issues)]
    issues += strangers
    report = quality(
        (assessed.checks[0], criteria_check(judged), *assessed.checks[1:], integration),
        completeness=assessed.completeness,
        file_count=assessed.file_count,
        issues=issues,
    )
    return report, tuple(issues)


def _outside(calls: list[dict[str, object]]) -> list[dict[str, object]]:
    """Return the calls that no contract has, each kind of them once."""
    strange = (call for call in calls if call.get("operation") is None)
    return list(
        {
            (call.get("method"), call.get("path"), str(call.get("violations"))): call for call in strange
        }.values()
    )


def _outside_issue(call: Mapping[str, object], spec: AttemptSpec, contents: Mapping[str, bytes]) -> Issue:
    # A test may ask for what is not there on purpose, so this alone is a remark, not a failure.
    consumed = next((item for item in spec.consumed if item.id == call.get("contract")), None)
    interface = None if consumed is None else kind_of(consumed.contract.type)
    texts = {path: content.decode("utf-8", "replace") for path, content in contents.items()}
    message = f"{call.get('method')} {call.get('path')} is outside the contract {call.get('contract')}"
    place = None
    if interface is not None:
        message, place = interface.outside(cast("Mapping[str, Json]", call), texts)
    file, line = place or (None, None)
    return Issue(severity="info", check=INTEGRATION, message=message, file=file, line=line)


def _failure(
    contract: Contract,
    assessed: FileAssessment,
    judged: tuple[Judged, ...],
    report: QualityReport,
    threshold: float,
) -> tuple[Failure | None, str]:
    failed = [item for item in judged if item.required and not item.passed]
    if any(issue.severity == "error" for issue in assessed.issues):
        first = next(issue for issue in assessed.issues if issue.severity == "error")
        place = f"{first.file}: " if first.file else ""
        return Failure.INVALID, f"{contract.id}: {place}{first.message}"
    if failed:
        return Failure.INVALID, f"{contract.id}: not met: {failed[0].criterion.label}"
    if report.score < threshold:
        return Failure.LOW_QUALITY, f"{contract.id}: score {report.score} is below {threshold}"
    return None, ""
