"""Plants every fault that fits a description, one at a time, and counts which ones `verify` finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from support.mutants import Mutant, Provider, mutants

from maestro_dsl.interfaces.openapi.serve import mock_app
from maestro_dsl.interfaces.openapi.verify import verify
from maestro_dsl.interfaces.verification import Outcome
from maestro_dsl.net.server import serve

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from maestro_dsl.interfaces.openapi.model import Api

EQUIVALENT = "its answers are all allowed: no request of the contract tells it from a correct provider"
UNREACHED = "no request that the contract allows reaches what is changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What became of one mutant: found, equivalent or missed."""

    spec: str
    kind: str
    operation: str
    what: str
    result: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """All mutants of one description, and the false alarms on the correct provider."""

    spec: str
    outcomes: tuple[Fate, ...]
    false_alarms: tuple[str, ...]

    def of(self, result: str) -> tuple[Fate, ...]:
        return tuple(item for item in self.outcomes if item.result == result)


async def run(
    name: str,
    api: Api,
    *,
    make: Callable[[], Any] | None = None,
    kinds: Collection[str] | None = None,
    chosen: Callable[[Mutant], bool] = lambda _mutant: True,
    seeds: tuple[int, ...] = (0,),
) -> Tally:
    """Return what `verify` makes of a correct provider of `api` and of each chosen mutant of it."""
    provider = Provider(api, make or (lambda: mock_app(api, seed="provider")))
    server = await serve(provider)
    outcomes, alarms = [], []
    try:
        for seed in seeds:
            provider.plant(None)
            result = await verify(api, server.url, contract_id=name, seed=seed)
            alarms += [item.message for item in result.issues if item.severity == "error"]
            if result.verdict is not Outcome.FULFILLED:
                alarms.append(f"seed {seed}: {result.verdict.value}")
        for mutant in mutants(api):
            if chosen(mutant) and (not kinds or mutant.kind in kinds):
                provider.plant(mutant)
                result = await verify(api, server.url, contract_id=name)
                outcomes.append(_outcome(name, mutant, result.verdict))
    finally:
        await server.stop()
    return Tally(spec=name, outcomes=tuple(outcomes), false_alarms=tuple(alarms))


def _outcome(spec: str, mutant: Mutant, verdict: Outcome) -> Fate:
    result, reason = "found", ""
    if verdict is not Outcome.NOT_FULFILLED:
        result = "equivalent" if mutant.is_equivalent else "missed"
        reason = EQUIVALENT if mutant.is_equivalent else "" if mutant.fired else UNREACHED
    return Fate(
        spec=spec,
        kind=mutant.kind,
        operation=mutant.operation.id,
        what=mutant.what,
        result=result,
        reason=reason,
    )
