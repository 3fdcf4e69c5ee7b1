"""What expressions know of closed sets of words: they are those of the parts that make the values."""

from __future__ import annotations

from maestro_dsl.compiler.context import RETRY_TYPES, node_types
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.interfaces.verification import Outcome
from maestro_dsl.lang.expression_types import HOLE, mapping_of
from maestro_dsl.lang.model import Blueprint, NodeSpec


def test_a_failure_is_one_of_those_that_the_engine_tells_apart():
    assert RETRY_TYPES["failure"].values == tuple(Failure)


def test_a_verdict_is_one_of_those_that_verifications_have():
    flow = Blueprint(id="flow", nodes={"check": NodeSpec(id="check", action="verify")})
    outputs = node_types(flow, mapping_of(HOLE)).fields["check"].fields["outputs"]
    assert outputs.fields["verdict"].values == tuple(Outcome)
