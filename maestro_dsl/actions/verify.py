"""`verify` and `recheck`: is the promise kept, and do those who relied on it still work?

Both generate nothing. A check that could not run is "could not verify", never a pass.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from maestro_dsl.actions.conformance import (
    broken,
    combined,
    consumer_conformance,
    files_conformance,
    provider_conformance,
    worse,
)
from maestro_dsl.actions.criteria import CONFORMANCE, Judged, Scene, judge_contract
from maestro_dsl.actions.fulfil import consumed_services, trusted_code
from maestro_dsl.actions.workspace import input_for, read_files
from maestro_dsl.engine.events import Issue
from maestro_dsl.engine.ports.attempts import AttemptResult, AttemptSpec, InputResult, Verdict
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.errors import EnvironmentFailure, UnrecoverableError
from maestro_dsl.interfaces.registry import is_served
from maestro_dsl.validation.files import assess_files

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.engine.ports.processes import ServiceLease
    from maestro_dsl.engine.ports.work import WorkContext


class Verify:
    """The action `verify`: a contract's provider, for real."""

    async def work(self, spec: AttemptSpec, context: WorkContext) -> AttemptResult:
        """Start the provider where there is an interface; else judge the files and their criteria again."""
        compiled = spec.contract
        if compiled is None:
            return AttemptResult(failure=Failure.FATAL, message=f"{spec.node.address} names no contract")
        provided = input_for(spec, compiled.id)
        if provided is None:
            return _result(_unverified(compiled.id, "its provider left no result"))
        try:
            if compiled.spec_digest is not None and is_served(compiled.contract.type):
                verdict = await provider_conformance(
                    context,
                    compiled,
                    provided.files,
                    user=spec.node.address,
                    trusted=trusted_code(spec, context),
                )
            else:
                verdict = await _files_kept(spec, context, provided)
        except UnrecoverableError as error:
            verdict = broken(compiled.id, error)
        except EnvironmentFailure as error:
            verdict = _unverified(compiled.id, error.message)
        return _result(verdict)


class Recheck:
    """The action `recheck`: a consumer that was built on a mock, against the real provider."""

    async def work(self, spec: AttemptSpec, context: WorkContext) -> AttemptResult:
        """Replay the consumer's recorded calls, then run its criteria against the real address."""
        compiled = spec.contract
        consumer = next((item for item in spec.inputs if item.node == spec.node.rechecks), None)
        if compiled is None or consumer is None or consumer.contract_id is None:
            return AttemptResult(failure=Failure.FATAL, message=f"{spec.node.address} has nothing to recheck")
        if input_for(spec, compiled.id) is None:
            return _result(_unverified(compiled.id, "the real provider left no result"))
        try:
            async with consumed_services(spec, context, real=[compiled.id]) as leases:
                return _result(await _recheck(spec, context, consumer, leases))
        except UnrecoverableError as error:
            return _result(broken(compiled.id, error))
        except EnvironmentFailure as error:
            return _result(_unverified(compiled.id, error.message))


async def _recheck(
    spec: AttemptSpec, context: WorkContext, consumer: InputResult, leases: list[ServiceLease]
) -> Verdict:
    target = spec.contract
    compiled = next(item for item in spec.contracts if item.id == consumer.contract_id)
    if target is None:
        raise UnrecoverableError(f"{spec.node.address} names no contract")
    files = read_files(context.artifacts, consumer.files, compiled.contract.provider_persona_id)
    address = next((lease.url for lease in leases if lease.contract_id == target.id), None)
    if address is None:  # nothing of this kind is called: the consumer meets the provider in its criteria
        provided = input_for(spec, target.id)
        own = read_files(
            context.artifacts, provided.files if provided else (), target.contract.provider_persona_id
        )
        replayed = files_conformance(context, target, _texts(own))
    else:
        replayed = await consumer_conformance(
            context, target, address, _calls(context, consumer, target.id), consumer_files=_texts(files)
        )
    scene = Scene(
        spec=spec,
        context=context,
        contract=compiled.contract,
        files=files,
        refs=consumer.files,
        urls={lease.contract_id: lease.url for lease in leases},
        trusted=trusted_code(spec, context),
    )
    judged = await judge_contract(scene, skip=CONFORMANCE)
    return combined(target.id, replayed, judged)


def _calls(context: WorkContext, consumer: InputResult, contract_id: str) -> tuple[Mapping[str, Any], ...]:
    if consumer.recorded_calls is None:
        return ()
    lines = context.artifacts.get(consumer.recorded_calls).decode().splitlines()
    calls = (json.loads(line) for line in lines)
    return tuple(call for call in calls if call.get("contract") == contract_id)


def _texts(files: Mapping[str, bytes]) -> dict[str, str]:
    return {path: content.decode("utf-8", "replace") for path, content in files.items()}


async def _files_kept(spec: AttemptSpec, context: WorkContext, provided: InputResult) -> Verdict:
    """Judge a contract of deliverables only: its files, and the criteria that need no address."""
    compiled = spec.contract
    if compiled is None:
        raise UnrecoverableError(f"{spec.node.address} names no contract")
    contract = compiled.contract
    files = read_files(context.artifacts, provided.files, contract.provider_persona_id)
    assessed = assess_files(contract, files)
    judged: tuple[Judged, ...] = ()
    consumes = any(
        contract.provider_persona_id in item.contract.consumer_persona_ids for item in spec.contracts
    )
    if not consumes:  # those who consume are judged against the real thing by their rechecks
        scene = Scene(
            spec=spec,
            context=context,
            contract=contract,
            files=files,
            refs=provided.files,
            urls={},
            trusted=trusted_code(spec, context),
        )
        judged = await judge_contract(scene)
    missing = tuple(issue.message for issue in assessed.issues if issue.severity == "error")
    base = Verdict(
        contract_id=contract.id,
        verdict="not_fulfilled" if missing else "fulfilled",
        fulfilled=not missing,
        score=assessed.completeness,
        missing=missing,
        issues=assessed.issues,
        parts={"completeness": assessed.completeness},
    )
    if compiled.spec_digest is not None:
        base = worse(base, files_conformance(context, compiled, _texts(files)))
    return combined(contract.id, base, judged)


def _result(verdict: Verdict) -> AttemptResult:
    return AttemptResult(
        verdict=verdict,
        issues=verdict.issues,
        score=verdict.score,
        outputs={"verdict": verdict.verdict, "score": verdict.score},
        message="" if verdict.fulfilled else "; ".join([*verdict.missing, *_messages(verdict)][:3]),
    )


def _messages(verdict: Verdict) -> list[str]:
    return [issue.message for issue in verdict.issues if issue.severity in {"critical", "error"}]


def _unverified(contract_id: str, message: str) -> Verdict:
    issue = Issue(severity="error", check="start", message=message)
    return Verdict(
        contract_id=contract_id, verdict="could_not_verify", fulfilled=False, score=0.0, issues=(issue,)
    )
