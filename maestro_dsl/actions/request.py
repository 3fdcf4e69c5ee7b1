"""Builds the call of a model for one attempt, and makes it at most once, also across a kill.

The answer is stored and recorded durably before it is used; a later try of the same request takes the stored
answer instead of paying again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.codec import canonical, digest
from maestro_dsl.engine.events import Usage
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.engine.ports.models import (
    InterfaceInput,
    Message,
    ModelRequest,
    ModelResponse,
    ProviderFailure,
    Task,
)

if TYPE_CHECKING:
    from maestro_dsl.engine.ports.attempts import AttemptSpec
    from maestro_dsl.engine.ports.storage import ArtifactStore
    from maestro_dsl.engine.ports.work import WorkContext

DEFAULT_OUTPUT_TOKENS: Final = 16_000
_MAX_INPUT_BYTES: Final = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A provider's answer and the blob that holds it."""

    response: ModelResponse
    blob: str
    nano_usd: int


def build_request(spec: AttemptSpec, artifacts: ArtifactStore) -> ModelRequest:
    """Return the request of an attempt: the node's prompt, then what was wrong with the last answer."""
    node, persona = spec.node, spec.persona
    if node.prompt is None or persona is None:
        raise ProviderFailure(Failure.FATAL, f"{node.address} has no persona to ask")
    messages = [Message(role="user", text=node.prompt.user)]
    if spec.feedback:
        if spec.previous:
            messages.append(Message(role="assistant", text=_stored(artifacts, spec.previous).text))
        messages.append(Message(role="user", text=_feedback(spec)))
    return ModelRequest(
        system=node.prompt.system,
        messages=tuple(messages),
        model=persona.model.model,
        settings=spec.settings,
        max_output_tokens=spec.settings.max_output_tokens or DEFAULT_OUTPUT_TOKENS,
        idempotency_key=spec.idempotency_key,
        attempt=spec.attempt,
        round=spec.round,
        timeout_s=spec.timeout_s,
        task=_task(spec, artifacts),
    )


def _feedback(spec: AttemptSpec) -> str:
    lines = ["Your last answer was checked and these points failed. Mend them and send all files again.", ""]
    for issue in spec.feedback:
        place = f"{issue.file}:{issue.line}: " if issue.file and issue.line else f"{issue.file or ''} "
        lines.append(f"- {place.strip()} {issue.message}".replace("-  ", "- "))
    return "\n".join(lines)


def _task(spec: AttemptSpec, artifacts: ArtifactStore) -> Task:
    provided = [spec.contract] if spec.contract is not None else []
    interfaces = [("provides", contract) for contract in provided]
    interfaces += [("consumes", contract) for contract in spec.consumed]
    if spec.persona is None:
        raise ProviderFailure(Failure.FATAL, f"{spec.node.address} has no persona to ask")
    return Task(
        action=spec.node.action,
        node=spec.node.address,
        persona=spec.persona,
        deliverables=spec.node.deliverables,
        interfaces=tuple(
            InterfaceInput(
                role=role,
                contract=contract,
                spec=artifacts.get(contract.spec_digest) if contract.spec_digest else None,
            )
            for role, contract in interfaces
        ),
        requirement=spec.requirement,
        inputs=_inputs(spec, artifacts),
    )


def _inputs(spec: AttemptSpec, artifacts: ArtifactStore) -> dict[str, str]:
    files: dict[str, str] = {}
    room = _MAX_INPUT_BYTES
    for item in spec.inputs:
        for ref in item.files:
            room -= ref.size
            if room >= 0:
                files[ref.path] = artifacts.get(ref.digest).decode("utf-8", "replace")
    return files


async def ask(spec: AttemptSpec, context: WorkContext) -> Answer:
    """Return the answer to the attempt's request, from the store where it was already paid for.

    Raises:
        ProviderFailure: no provider, not enough of the lease left, or the call failed.
    """
    if context.provider is None or spec.persona is None:
        raise ProviderFailure(Failure.CANNOT, "no model provider is configured for this run")
    request = build_request(spec, context.artifacts)
    request_digest = _request_digest(request)
    stored = context.stored_answer(request_digest)
    model = (context.provider.name, request.model)
    if stored is not None:
        response = _stored(context.artifacts, stored)
        cost = context.prices.cost_nano_usd(model, response.usage)
        return Answer(response=response, blob=stored, nano_usd=_charged(cost, spec))
    _within_lease(spec, context, request)
    response = await context.provider.generate(request)
    blob = context.artifacts.put(canonical(response))
    cost = context.prices.cost_nano_usd(model, response.usage)
    await context.answered(request_digest, blob, response.usage, cost)
    return Answer(response=response, blob=blob, nano_usd=_charged(cost, spec))


def _charged(cost: int | None, spec: AttemptSpec) -> int:
    """Unknown cost is charged at the reservation."""
    return spec.lease_nano_usd if cost is None else cost


def _within_lease(spec: AttemptSpec, context: WorkContext, request: ModelRequest) -> None:
    provider = context.provider
    if provider is None or provider.capability(request.model).program:
        return
    bound = request_bytes(request) + request.max_output_tokens
    if bound > spec.lease_tokens:
        message = f"the call may need {bound} tokens; {spec.lease_tokens} are reserved for this attempt"
        raise ProviderFailure(Failure.BUDGET, message)


def request_bytes(request: ModelRequest) -> int:
    """Return the UTF-8 size of what is sent: an upper bound of its tokens."""
    return len(request.system.encode()) + sum(len(message.text.encode()) for message in request.messages)


def _request_digest(request: ModelRequest) -> str:
    """Digest of what is sent and of the attempt, so that a repeated question is asked again."""
    return digest(
        {
            "system": request.system,
            "messages": request.messages,
            "model": request.model,
            "settings": request.settings,
            "max_output_tokens": request.max_output_tokens,
            "output_schema": request.output_schema,
            "attempt": request.attempt,
            "round": request.round,
        }
    )


def _stored(artifacts: ArtifactStore, blob: str) -> ModelResponse:
    data: Any = json.loads(artifacts.get(blob))
    return ModelResponse(
        text=data["text"],
        usage=Usage(**data["usage"]),
        finish_reason=data["finish_reason"],
        raw_id=data["raw_id"],
        notes=tuple(data["notes"]),
    )
