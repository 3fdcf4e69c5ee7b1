"""Generate, validate, try again with the errors, for Python callers."""

from __future__ import annotations

import asyncio

import pytest

import maestro_dsl
from maestro_dsl.compiler.plan import RetryPolicy
from maestro_dsl.engine.events import Issue
from maestro_dsl.engine.orchestrator import RetryOrchestrator, Validation

BAD = Issue(severity="error", check="c", message="no greeting")
FATAL = Issue(severity="critical", check="c", message="no text")
SMALL = Issue(severity="warning", check="c", message="long line")


class Model:
    """Answers with the number of the attempt; the attempts of `bad` have an error."""

    def __init__(self, *bad):
        self.bad, self.told, self.temperatures, self.slept = bad, [], [], []

    async def generate(self, told, setting):
        self.told.append([item.message for item in told])
        self.temperatures.append(setting.temperature)
        return len(self.told)

    def validate(self, output):
        return Validation(issues=(SMALL, BAD, FATAL) if output in self.bad else (SMALL,))

    async def sleep(self, seconds):
        self.slept.append(seconds)

    def run(self, **settings):
        orchestrator = RetryOrchestrator(sleep=self.sleep, **settings)
        return asyncio.run(orchestrator.execute(self.generate, self.validate)), orchestrator


def test_the_first_output_that_passes_is_the_last_attempt():
    model = Model(1)
    (output, validation, attempts), orchestrator = model.run()
    assert (output, validation.passed, attempts) == (2, True, 2)
    assert model.told == [[], ["no greeting", "no text"]]  # a warning is not fed back
    assert [(item.number, item.output, item.validation.passed) for item in orchestrator.history] == [
        (1, 1, False),
        (2, 2, True),
    ]


@pytest.mark.parametrize(
    ("settings", "attempts", "temperatures"),
    [
        ({}, 3, [None, None, None]),
        ({"temperatures": [0.7, 0.5, 0.3, 0.3]}, 4, [0.7, 0.5, 0.3, 0.3]),
        ({"temperatures": [0.7, 0.5], "max_attempts": 4}, 4, [0.7, 0.5, 0.5, 0.5]),
        ({"policy": RetryPolicy(max_attempts=2, temperatures=(0.1,))}, 2, [0.1, 0.1]),
        ({"max_attempts": 1}, 1, [None]),
    ],
)
def test_exhaustion_keeps_the_last_output_and_its_validation(settings, attempts, temperatures):
    model = Model(*range(9))
    result, orchestrator = model.run(**settings)
    assert (result.output, result.validation.passed, result.attempts_used) == (attempts, False, attempts)
    assert model.temperatures == temperatures
    assert len(orchestrator.history) == attempts
    assert model.slept == [1.0, 2.0, 4.0][: attempts - 1]


def test_an_orchestrator_begins_anew_each_time_and_passes_errors_on():
    model = Model(1)
    _, orchestrator = model.run()
    asyncio.run(orchestrator.execute(model.generate, model.validate))
    assert [item.number for item in orchestrator.history] == [1]

    async def broken(_told, _setting):
        raise OSError("no line")

    with pytest.raises(OSError, match="no line"):
        asyncio.run(orchestrator.execute(broken, model.validate))


def test_it_is_a_public_name():
    assert maestro_dsl.RetryOrchestrator is RetryOrchestrator
