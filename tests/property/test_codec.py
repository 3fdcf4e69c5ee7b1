"""Printing values as JSON gives the bytes that the standard library gives for their plain form."""

import json
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_dsl.codec import ascii_text, canonical, to_json
from maestro_dsl.engine import events
from maestro_dsl.engine.events import BODIES, Event, Usage


class Word(StrEnum):
    ONE = "one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    z: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    b: Any = ()
    a: Any = 0
    B: Any = "é"
    inner: Inner = field(default_factory=Inner)


texts = st.text(max_size=8) | st.just("\ud800")
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
json_values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8
)
values = st.recursive(
    json_values | st.just(Word.ONE) | st.frozensets(texts, max_size=2),
    lambda inner: (
        st.builds(Inner, z=inner)
        | st.builds(Outer, a=inner, b=st.tuples(inner, inner), inner=st.builds(Inner, z=inner))
        | st.dictionaries(st.integers() | texts, inner, max_size=2)
    ),
    max_leaves=6,
)


@given(values)
def test_canonical_bytes_and_ascii_text_are_those_of_the_standard_library(value):
    shape = to_json(value)
    wanted = json.dumps(shape, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert canonical(value) == wanted.encode("utf-8", "surrogatepass")
    assert ascii_text(value) == json.dumps(shape, sort_keys=True, separators=(",", ":"))


def test_a_number_that_is_none_is_no_text_for_storage():
    with pytest.raises(ValueError, match="Out of range"):
        ascii_text(Inner(z=float("nan")))
    assert canonical(Inner(z=float("inf"))) == b'{"z":Infinity}'


@pytest.mark.parametrize("name", sorted(BODIES))
@given(data=st.data())
def test_the_text_of_an_event_is_its_json_with_sorted_keys(name, data):
    kind = BODIES[name]
    samples = {"usage": Usage(input_tokens=3), "interrupted": ("a", "b"), "outputs": {"é": [1, None]}}
    chosen = {
        item.name: samples.get(item.name, data.draw(plain, label=item.name))
        for item in fields(kind)
        if data.draw(st.booleans()) or item.default is item.default_factory
    }
    event = Event(run_id="r\u20ac", seq=data.draw(st.integers()), at=1.5, body=kind(**chosen))
    assert event.text() == json.dumps(event.to_json(), sort_keys=True, separators=(",", ":"))
    assert event.text() is event.text()
    assert events.EVENT_VERSION == 1
