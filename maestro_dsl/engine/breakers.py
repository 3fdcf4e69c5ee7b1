"""The breakers and throttle gates of a run, one a model, shared by all its nodes.

They are rebuilt from the journal on resume; other processes do not see them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.engine.policy import breaker
from maestro_dsl.engine.policy.breaker import Breaker

if TYPE_CHECKING:
    from maestro_dsl.compiler.plan import BreakerPolicy
    from maestro_dsl.engine.pacing import Pacer
    from maestro_dsl.engine.ports import Failure, ModelKey
    from maestro_dsl.ports import Clock


class Breakers:
    """Who may call which model now."""

    def __init__(self, clock: Clock, pacer: Pacer) -> None:
        self._clock = clock
        self._pacer = pacer
        self._breakers: dict[ModelKey, Breaker] = {}
        self._not_before: dict[ModelKey, float] = {}

    def state(self, model: ModelKey) -> Breaker:
        """Return the breaker of a model."""
        return self._breakers.get(model, Breaker())

    async def admitted(self, model: ModelKey, policy: BreakerPolicy) -> bool:
        """Wait for the model's turn; False where the breaker stayed open longer than `max_wait_s`.

        Raises:
            Halted: the run is stopped meanwhile.
        """
        while (left := self._not_before.get(model, 0.0) - self._clock.now()) > 0:
            await self._pacer.sleep(left)  # the gate may have moved meanwhile
        given_up_at = self._clock.now() + policy.max_wait_s
        while True:
            now = self._clock.now()
            admission, self._breakers[model] = breaker.admit(policy, self.state(model), now)
            if admission.wait_s is None:
                return True
            if now >= given_up_at:
                return False
            self._pacer.check()
            await self._pacer.answered.wait(min(admission.wait_s, given_up_at - now))
            self._pacer.check()

    def record(self, model: ModelKey, policy: BreakerPolicy, failure: Failure | None, at: float) -> None:
        """Take note of a call's end."""
        before = self.state(model)
        self._breakers[model] = breaker.record(policy, before, failure, at)
        if before.opened_at is not None:
            self._pacer.answered.fire()

    def release(self, model: ModelKey) -> None:
        """Give back a probe that was cut off."""
        self._breakers[model] = breaker.release(self.state(model))
        self._pacer.answered.fire()

    def throttled(self, model: ModelKey, until: float) -> None:
        """Let every node of this model wait until then: the provider asked for it."""
        self._not_before[model] = max(until, self._not_before.get(model, 0.0))
