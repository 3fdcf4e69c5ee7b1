"""Printing values as JSON gives the bytes that the standard library gives for their plain form."""

import json
from dataclasses import MISSING, dataclass, field, fields
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_dsl.codec import ascii_text, canonical, digest, digest_plain, to_json
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


@given(st.dictionaries(texts, json_values, max_size=3))
def test_the_digest_of_plain_json_is_the_usual_one(value):
    assert digest_plain(value) == digest_plain(MappingProxyType(value)) == digest(value)


def test_what_is_no_plain_json_is_not_digested_as_such():
    with pytest.raises(TypeError):
        digest_plain({"a": Inner()})


def test_a_number_that_is_none_is_no_text_for_storage():
    with pytest.raises(ValueError, match="Out of range"):
        ascii_text(Inner(z=float("nan")))
    assert canonical(Inner(z=float("inf"))) == b'{"z":Infinity}'


@pytest.mark.parametrize("name", sorted(BODIES))
@given(data=st.data())
def test_the_text_of_an_event_is_its_json_with_sorted_keys_without_what_is_as_usual(name, data):
    kind = BODIES[name]
    samples = {"usage": Usage(input_tokens=3), "interrupted": ("a", "b"), "outputs": {"é": [1, None]}}
    chosen = {
        item.name: samples.get(item.name, data.draw(plain, label=item.name))
        for item in fields(kind)
        if data.draw(st.booleans()) or item.default is item.default_factory
    }
    event = Event(run_id="r\u20ac", seq=data.draw(st.integers()), at=1.5, body=kind(**chosen))
    whole, stored = event.to_json(), json.loads(event.text())
    usual = {item.name: value_of(item) for item in fields(kind)}
    assert event.text() == json.dumps(stored, sort_keys=True, separators=(",", ":"))
    assert whole == {key: to_json(usual[key]) for key in whole.keys() - stored.keys()} | stored
    assert {key for key in stored if key in chosen} == {
        key for key, value in chosen.items() if usual[key] is MISSING or is_stored(value, usual[key])
    }
    assert event.text() is event.text()
    assert events.EVENT_VERSION == 1


def value_of(item):
    return item.default if item.default_factory is MISSING else item.default_factory()


def is_stored(value, usual):
    return value != usual if isinstance(usual, dict) else value is not usual


def test_what_an_event_does_not_store_is_what_it_always_meant():
    """Journals of older versions left these out: a default may come, and never change."""
    found = {
        name: {item.name: to_json(value_of(item)) for item in fields(kind) if value_of(item) is not MISSING}
        for name, kind in BODIES.items()
    }
    no_usage = dict.fromkeys(("input_tokens", "output_tokens", "cache_write_tokens", "cache_read_tokens"), 0)
    attempt = {"message": "", "issues": [], "healed": [], "score": None, "usage": no_usage, "nano_usd": 0}
    saved = {"saved_tokens": 0, "saved_nano_usd": 0, "saved_s": 0.0}
    reserved = {"reserved_tokens": 0, "reserved_nano_usd": 0}
    assert {name: usual for name, usual in found.items() if usual} == {
        "RunStarted": {"options": {}},
        "RunResumed": {"interrupted": []},
        "AttemptStarted": reserved | {"reason": "", "temperature": None, "effort": None, "free": False},
        "AttemptFinished": attempt | {"duration_s": 0.0, "result_digest": None},
        "NodeFinished": saved
        | {"key": None, "reason": "", "result_digest": None, "score": None, "verdict": None}
        | {"files": [], "outputs": {}, "cause": [], "recorded_calls": None},
        "NodeDecided": {"by": "", "note": ""},
        "ServiceReady": {"pgid": None},
        "ProviderHeld": {"reason": ""},
        "TicketOpened": {"target": {}},
        "RunPaused": {"by": "policy"},
        "LimitRaised": {"max_cost_nano_usd": None, "max_tokens": None, "max_duration_s": None},
        "RunFinished": {"reason": "", "removed": [], "kept": [], "unchecked": []},
    }
