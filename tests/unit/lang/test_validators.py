from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from maestro_dsl.lang.model import Kind
from maestro_dsl.lang.validators import one_by_one, schema_of, validator_of

if TYPE_CHECKING:
    from maestro_dsl.lang.model import Json

_CASE = {"if": {"properties": {"a": {"const": "x"}}, "required": ["a"]}, "then": {"required": ["b"]}}
_ACTIONS = schema_of(Kind.BLUEPRINT)["$defs"]["node"]["properties"]["action"]["enum"]
_PARAMS = [None, {}, {"run": ["a"]}, {"run": 1}, {"path": "a", "text": "b"}, {"seed": 0}, {"no": 1}]


@pytest.mark.parametrize("params", _PARAMS)
@pytest.mark.parametrize("action", [*_ACTIONS, "no", 1, None])
def test_quick_answer_and_explanation_agree_on_every_action(action: Json, params: Json) -> None:
    node: dict[str, Json] = {"action": action} if params is None else {"action": action, "with": params}
    if action is None:
        del node["action"]
    data: Json = {"apiVersion": "maestro/v1", "kind": "Blueprint", "id": "b", "nodes": {"n": node}}
    validator = validator_of(Kind.BLUEPRINT)
    assert validator.is_valid(data) == (not list(validator.violations(data)))


def test_cases_that_exclude_each_other_are_asked_up_to_the_first_that_applies() -> None:
    other = {**_CASE, "if": {"properties": {"a": {"const": "y"}}, "required": ["a"]}}
    (asked,) = one_by_one({"$defs": {"d": {"allOf": [_CASE, other]}}})["$defs"]["d"]["allOf"]
    assert asked == {**_CASE, "else": {**other, "else": {}}}


@pytest.mark.parametrize(
    "other",
    [
        _CASE,
        {**_CASE, "else": {}},
        {**_CASE, "if": {"properties": {"b": {"const": "y"}}, "required": ["b"]}},
        {**_CASE, "if": {"properties": {"a": {"const": "y"}}}},
        {**_CASE, "if": {"properties": {"a": {"const": 1}}, "required": ["a"]}},
        {"required": ["a"]},
    ],
)
def test_cases_that_may_both_apply_stay_as_they_are(other: dict[str, Any]) -> None:
    schema = {"$defs": {"d": {"allOf": [_CASE, other]}}}
    assert one_by_one(schema) == schema
