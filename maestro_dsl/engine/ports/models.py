"""The port of model providers: a request, its answer, and what tokens cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Protocol, TypeAlias

from maestro_dsl.compiler.plan import CompiledContract, CompiledPersona
from maestro_dsl.engine.events import Usage
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.lang.model import Json, ModelSettings
from maestro_dsl.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """What a model can do; `None` for a limit means unknown."""

    temperature: bool = False
    effort: bool = False
    structured_output: bool = False
    context_tokens: int | None = None
    program: bool = False
    """True where it is a program and no model: it uses no tokens, so nothing is reserved for it."""
    trusted_code: bool = False
    """True where what it writes is our own template output and may run with resource limits alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a conversation; `role` is user or assistant."""

    role: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceInput:
    """A contract of the task with the bytes of its spec; `role` is provides or consumes."""

    role: str
    contract: CompiledContract
    spec: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a request is about, for providers that are programs; never sent to a model."""

    action: str
    node: str
    persona: CompiledPersona
    deliverables: tuple[str, ...]
    interfaces: tuple[InterfaceInput, ...]
    requirement: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Files of the nodes this one needs: output-relative path → text."""

    @property
    def provided(self) -> InterfaceInput | None:
        """The contract that this task fulfils."""
        return next((item for item in self.interfaces if item.role == "provides"), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """One call of a model."""

    system: str
    messages: tuple[Message, ...]
    model: str
    settings: ModelSettings
    max_output_tokens: int
    idempotency_key: str
    attempt: int
    round: int
    timeout_s: float
    output_schema: Mapping[str, Json] | None = None
    task: Task | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelResponse:
    """The answer; files stand in `text` as the envelope of `maestro_dsl.providers.envelope`."""

    text: str
    usage: Usage
    finish_reason: str = "stop"
    raw_id: str = ""
    notes: tuple[str, ...] = ()
    """What the provider left out and why, e.g. an operation that a template cannot do."""


class ProviderFailure(Exception):  # noqa: N818 - the taxonomy's word
    """A call that gave no answer; `failure` says which kind, so that policies can decide.

    `usage_known` = the provider is sure that the call cost nothing, as when it was refused. A line that broke
    or an answer that never came may have been paid for, so these are charged at the reservation unless the
    provider knows better (None = by kind).
    """

    def __init__(
        self,
        failure: Failure,
        message: str,
        *,
        retry_after_s: float | None = None,
        usage_known: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.failure = failure
        self.message = message
        self.retry_after_s = retry_after_s
        unsure = failure in {Failure.TRANSPORT, Failure.TIMEOUT}
        self.usage_known = not unsure if usage_known is None else usage_known


class Provider(Protocol):
    """A source of answers: a model, a template engine, a recording."""

    name: str

    def capability(self, model: str) -> Capability:
        """Return what `model` can do."""

    async def generate(self, request: ModelRequest) -> ModelResponse:
        """Answer one request.

        Raises:
            ProviderFailure: no answer; the failure says whether another call may help.
        """


ModelKey: TypeAlias = tuple[str, str]
"""(provider name, model id)"""


class Prices(Protocol):
    """Dated prices of models."""

    def cost_nano_usd(self, model: ModelKey, usage: Usage) -> int | None:
        """Return the price of `usage`, or None where the model has no price."""

    def bound_nano_usd(self, model: ModelKey, input_tokens: int, output_tokens: int) -> int | None:
        """Return the dearest price of so many tokens, or None where the model has no price."""
