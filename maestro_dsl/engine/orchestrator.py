"""Generate, validate, try again with the errors: the retry policy of the engine for Python callers.

The rules are those of `policy.retry`, as nodes follow them; nothing is stored and nothing is paid for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

from maestro_dsl.compiler.plan import RetryPolicy
from maestro_dsl.engine.events import Issue
from maestro_dsl.engine.job import FED_BACK
from maestro_dsl.engine.policy import retry
from maestro_dsl.engine.policy.retry import Again, History, Setting
from maestro_dsl.engine.ports.failures import Failure

if TYPE_CHECKING:
    from maestro_dsl.ports import Rand

T = TypeVar("T")
ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """What was found in an output; it has passed where nothing critical and no error is among it."""

    issues: tuple[Issue, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the output can be taken."""
        return not self.fed_back

    @property
    def fed_back(self) -> tuple[Issue, ...]:
        """The issues that the next attempt is told about: critical ones and errors."""
        return tuple(item for item in self.issues if item.severity in FED_BACK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt(Generic[T]):
    """One attempt: what it was told, what came of it."""

    number: int
    setting: Setting
    told: tuple[Issue, ...]
    output: T
    validation: Validation


class Orchestrated(NamedTuple, Generic[T]):
    """The last output, its validation, and how many attempts were used; exhaustion keeps both."""

    output: T
    validation: Validation
    attempts_used: int


Generate = Callable[[Sequence[Issue], Setting], Awaitable[T]]
Validate = Callable[[T], Validation]


class RetryOrchestrator(Generic[T]):
    """Attempts until one passes; with `temperatures` and nothing else stated, as many as there are of them.

    `history` holds every attempt of the last `execute`.
    """

    def __init__(
        self,
        *,
        max_attempts: int | None = None,
        temperatures: Sequence[float] = (),
        policy: RetryPolicy | None = None,
        rand: Rand | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        attempts = max_attempts or len(temperatures) or (ATTEMPTS if policy is None else policy.max_attempts)
        base = policy or RetryPolicy()
        self.policy = RetryPolicy(
            max_attempts=attempts,
            temperatures=tuple(temperatures) or base.temperatures,
            efforts=base.efforts,
            delay_s=base.delay_s,
            max_delay_s=base.max_delay_s,
            jitter=base.jitter,
        )
        self._rand: Rand = rand or _Middle()
        self._sleep = sleep
        self.history: tuple[Attempt[T], ...] = ()

    async def execute(self, generate: Generate[T], validate: Validate[T]) -> Orchestrated[T]:
        """Return the first output that passes, or the last one; what either function raises is raised."""
        self.history = ()
        told: tuple[Issue, ...] = ()
        while True:
            number = len(self.history) + 1
            setting = retry.setting(self.policy, number - 1)
            output = await generate(told, setting)
            validation = validate(output)
            attempt = Attempt(number=number, setting=setting, told=told, output=output, validation=validation)
            self.history = (*self.history, attempt)
            failed = History(failures={Failure.INVALID.value: number})
            decision = None if validation.passed else self._decide(failed)
            if not isinstance(decision, Again):
                return Orchestrated(output, validation, number)
            await self._sleep(decision.delay_s)
            told = validation.fed_back

    def _decide(self, failed: History) -> Again | retry.Exhausted:
        return retry.decide(self.policy, failed, Failure.INVALID, self._rand)


class _Middle:
    """No jitter: a single caller has nobody to keep out of the way of."""

    def uniform(self, low: float, high: float) -> float:
        """Return the middle."""
        return (low + high) / 2
