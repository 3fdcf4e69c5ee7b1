"""The verifier is tested by planting faults in a correct provider: a few of every kind here.

All of them, over more descriptions: `python benchmarks/mutants.py`.
"""

import asyncio
from pathlib import Path

from support.mutants import mutants
from support.mutation import run
from support.openapi import read_api

SPEC = Path(__file__).parents[2] / "fixtures" / "openapi" / "blog.yaml"


def test_one_fault_of_every_kind_that_fits_is_found_and_nothing_else():
    api = read_api(SPEC)
    last = {mutant.kind: (mutant.operation.id, mutant.what) for mutant in mutants(api)}
    tally = asyncio.run(
        run("blog.yaml", api, chosen=lambda item: last[item.kind] == (item.operation.id, item.what))
    )
    assert tally.false_alarms == ()
    assert len(tally.outcomes) == len(last) >= 20
    assert tally.of("missed") == ()
    assert tally.of("equivalent") == ()
