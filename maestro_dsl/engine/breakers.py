"""Who may call which model now: one breaker a model, one patience a model provider, shared by all nodes.

The rules are `policy.breaker`. Where the breakers stand is kept by a `BreakerStore`: the one of the state
directory is shared by all processes on it and survives them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from maestro_dsl.engine.events import AlertRaised, Body, ProviderHeld
from maestro_dsl.engine.policy import breaker
from maestro_dsl.engine.policy.breaker import Admission, Breaker, BreakerMode

if TYPE_CHECKING:
    from maestro_dsl.compiler.plan import BreakerPolicy
    from maestro_dsl.engine.pacing import Pacer
    from maestro_dsl.engine.ports.failures import Failure
    from maestro_dsl.engine.ports.models import ModelKey
    from maestro_dsl.engine.state import RunState
    from maestro_dsl.ports import Clock, Rand

LOOK_EVERY_S: Final = 1.0
"""How often a node that waits looks whether another process has closed the breaker."""
_SPREAD: Final = 0.1
Change: TypeAlias = Callable[[Breaker], Breaker]


class BreakerStore(Protocol):
    """Where breakers are kept; each change is one step that no other process can come between.

    What a provider as a whole asked for stands under the model "".
    """

    def load(self, model: ModelKey) -> Breaker:
        """Return the breaker of a model, a closed one where nothing is known."""

    def change(self, model: ModelKey, change: Change) -> Breaker:
        """Replace the breaker of a model by what `change` makes of it, durably, and return that."""


class MemoryBreakers:
    """Breakers of this process alone."""

    def __init__(self) -> None:
        self._breakers: dict[ModelKey, Breaker] = {}

    def load(self, model: ModelKey) -> Breaker:
        """Return the breaker of a model."""
        return self._breakers.get(model, Breaker())

    def change(self, model: ModelKey, change: Change) -> Breaker:
        """Replace the breaker of a model."""
        self._breakers[model] = changed = change(self.load(model))
        return changed


class Gate:
    """The way to the models for one run."""

    def __init__(
        self,
        *,
        clock: Clock,
        pacer: Pacer,
        store: BreakerStore,
        state: RunState,
        rand: Rand,
        tell: Callable[[Body], None],
    ) -> None:
        self._clock = clock
        self._pacer = pacer
        self._store = store
        self._state = state
        self._rand = rand
        self._tell = tell
        self._held: dict[str, float] = {}
        self._probes: dict[ModelKey, float | None] = {}
        """When this run's last probe of each model began."""

    async def patience(self, model: ModelKey, longest_s: float) -> bool:
        """Wait while the model's provider asks for patience; False where that takes longer than allowed.

        Raises:
            Halted: the run is stopped meanwhile.
        """
        began = self._clock.now()
        self._hear_of_others(model[0])
        while (left := self._until(model[0]) - self._clock.now()) > 0:
            if self._clock.now() + left - began > longest_s:
                return False
            # Not all at once when the time is over, and perhaps it has asked again meanwhile.
            await self._pacer.sleep(left + self._rand.uniform(0.0, _SPREAD * left))
            self._hear_of_others(model[0])
        return True

    async def admitted(self, model: ModelKey, policy: BreakerPolicy) -> bool | None:
        """Wait for the breaker; True = go, as the probe; False = go; None = it stayed open too long.

        Raises:
            Halted: the run is stopped meanwhile.
        """
        given_up_at = self._clock.now() + policy.max_wait_s
        while True:
            now = self._clock.now()
            admission = self._ask(model, policy, now)
            if admission.wait_s is None:
                return admission.probe
            if now >= given_up_at:
                return None
            self._pacer.check()
            await self._pacer.answered.wait(min(admission.wait_s, given_up_at - now, LOOK_EVERY_S))
            self._pacer.check()

    def still_open(self, model: ModelKey, *, probe: bool) -> bool:
        """Return whether a call that was let through may still go out: it may have waited since."""
        if self._until(model[0]) > self._clock.now():
            return False
        return probe or self._store.load(model).opened_at is None

    def _ask(self, model: ModelKey, policy: BreakerPolicy, now: float) -> Admission:
        found = self._store.load(model)
        admission, after = breaker.admit(policy, found, now)
        if after == found:
            return admission  # nothing to store: closed, or not due yet
        taken: list[Admission] = []

        def take(current: Breaker) -> Breaker:
            answer, new = breaker.admit(policy, current, now)
            taken.append(answer)
            return new

        changed = self._store.change(model, take)  # asked again inside: only one of many becomes the probe
        if taken[-1].probe:
            self._probes[model] = changed.probe_at
        return taken[-1]

    def record(self, model: ModelKey, policy: BreakerPolicy, failure: Failure | None, *, probe: bool) -> None:
        """Take note of how a call ended."""
        now, before = self._clock.now(), self._store.load(model)

        def note(current: Breaker) -> Breaker:
            return breaker.record(policy, current, failure, now, probe=probe)

        if note(before) != before:
            after = self._store.change(model, note)
            self._changed(model, policy, before, after)
        if before.opened_at is not None:
            self._pacer.answered.fire()

    def release(self, model: ModelKey, *, probe: bool) -> None:
        """Give back a probe that was cut off; one that was taken for lost meanwhile is another's by now."""
        if probe:
            own = self._probes.get(model)
            self._store.change(
                model, lambda found: breaker.release(found) if found.probe_at == own else found
            )
            self._pacer.answered.fire()

    def hold(self, provider: str, delay_s: float, reason: str) -> None:
        """Let every node of this provider wait so long: it asked for it."""
        until = self._clock.now() + delay_s
        if until > self._until(provider):
            self._hold(provider, until, reason)
            # Not in this run alone: the limit is that of an account, and other runs call with the same one.
            self._store.change(
                (provider, ""), lambda found: replace(found, held_until=max(until, found.held_until))
            )

    def _hear_of_others(self, provider: str) -> None:
        until = self._store.load((provider, "")).held_until
        if until > max(self._until(provider), self._clock.now()):
            self._hold(provider, until, "another run was asked to wait")

    def _hold(self, provider: str, until: float, reason: str) -> None:
        self._held[provider] = until
        self._tell(ProviderHeld(provider=provider, until=until, reason=reason))

    def _until(self, provider: str) -> float:
        return max(self._held.get(provider, 0.0), self._state.held.get(provider, 0.0))

    def _changed(self, model: ModelKey, policy: BreakerPolicy, before: Breaker, after: Breaker) -> None:
        name = "/".join(model)
        if after.mode is BreakerMode.OPEN and before.mode is not BreakerMode.OPEN:
            message = (
                f"{name} is cut off for {policy.reset_after_s:g} s after {after.failures} failures in a row"
            )
        elif after.mode is BreakerMode.CLOSED and before.mode is not BreakerMode.CLOSED:
            message = f"{name} answers again"
        else:
            return
        self._tell(AlertRaised(kind="breaker", subject=name, message=message))
