"""The breaker as a state machine: whatever happens in whatever order, it keeps what it promises."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from maestro_dsl.compiler.plan import BreakerPolicy
from maestro_dsl.engine.policy import breaker
from maestro_dsl.engine.policy.breaker import ANSWERED, COUNTED, NEVER_ASKED, Breaker, BreakerMode
from maestro_dsl.engine.ports.failures import Failure

POLICY = BreakerPolicy(failures=3, reset_after_s=60.0)
ENDS = st.sampled_from([None, *Failure])


class BreakerMachine(RuleBasedStateMachine):
    """Calls that start and end at any time; a plain account of them is kept beside the breaker."""

    def __init__(self):
        super().__init__()
        self.breaker = Breaker()
        self.now = 1_000.0
        self.calls = []  # probe or not, and when it began
        self.in_a_row = 0

    @rule(seconds=st.floats(0.0, 100.0))
    def wait(self, seconds):
        self.now += seconds

    @rule()
    def ask(self):
        before = self.breaker
        admission, self.breaker = breaker.admit(POLICY, before, self.now)
        if admission.wait_s is not None:
            assert before.mode is not BreakerMode.CLOSED
            assert 0 < admission.wait_s <= POLICY.reset_after_s
            assert self.breaker == before
            later, _ = breaker.admit(POLICY, before, self.now + admission.wait_s)
            assert later.probe  # whoever waits as long as told may go
            return
        assert admission.probe == (before.mode is not BreakerMode.CLOSED)
        if admission.probe:
            alive = [at for probe, at in self.calls if probe and self.now - at < POLICY.reset_after_s]
            assert not alive or before.probe_at is None, "a second probe before the first is lost"
        self.calls.append((admission.probe, self.now))

    @rule(data=st.data(), failure=ENDS)
    def end(self, data, failure):
        if not self.calls:
            return
        probe, _ = self.calls.pop(data.draw(st.integers(0, len(self.calls) - 1)))
        before = self.breaker
        self.breaker = breaker.record(POLICY, before, failure, self.now, probe=probe)
        if failure is None or failure in ANSWERED:
            self.in_a_row = 0
            assert self.breaker == Breaker()
        elif probe and failure not in NEVER_ASKED:
            self.in_a_row += failure in COUNTED
            assert (self.breaker.mode, self.breaker.opened_at) == (BreakerMode.OPEN, self.now)
        elif failure in COUNTED:
            self.in_a_row += 1
            if before.mode is BreakerMode.CLOSED:
                opened = self.in_a_row >= POLICY.failures
                assert (self.breaker.mode is BreakerMode.OPEN) == opened
        else:
            assert self.breaker.failures == before.failures

    @rule(data=st.data())
    def cut_off(self, data):
        """A call is cancelled: only a probe gives something back."""
        if not self.calls:
            return
        probe, _ = self.calls.pop(data.draw(st.integers(0, len(self.calls) - 1)))
        if probe:
            self.breaker = breaker.release(self.breaker)

    @invariant()
    def an_open_breaker_knows_since_when(self):
        if self.breaker.mode is BreakerMode.CLOSED:
            assert self.breaker.failures < POLICY.failures
            assert self.breaker.opened_at is None
        else:
            assert self.breaker.opened_at <= self.now

    @invariant()
    def the_count_is_right_while_it_is_closed(self):
        if self.breaker.mode is BreakerMode.CLOSED:
            assert self.breaker.failures == self.in_a_row


TestBreaker = BreakerMachine.TestCase
TestBreaker.settings = settings(stateful_step_count=40)
