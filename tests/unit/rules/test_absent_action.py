"""RUN011: what it calls absent is what no implementation is there for."""

from __future__ import annotations

from maestro_dsl.actions import ACTIONS
from maestro_dsl.lang.grammar import grammar_of, walk
from maestro_dsl.lang.model import Kind
from maestro_dsl.rules.absent_action import PRESENT


def test_the_actions_that_are_there_are_those_with_an_implementation():
    words = dict(walk(grammar_of(Kind.BLUEPRINT)))["nodes.<id>.action"].schema["enum"]
    assert tuple(sorted(set(words) & set(ACTIONS))) == PRESENT
