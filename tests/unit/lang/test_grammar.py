"""The grammar as a tree of keys: every key is described, and the defaults it states are the true ones."""

import jsonschema
import jsonschema_rs
import pytest

from maestro_dsl.lang.grammar import grammar_of, walk
from maestro_dsl.lang.layers import built_in
from maestro_dsl.lang.model import (
    Blueprint,
    Contract,
    Deliverable,
    Kind,
    MockOptions,
    Need,
    NodeSpec,
)
from maestro_dsl.lang.units import parse_duration, parse_money, parse_size, parse_tokens
from maestro_dsl.lang.validators import _rust_validator, schema_of
from maestro_dsl.money import NANO_USD

KEYS = {(kind, path): part for kind in Kind for path, part in walk(grammar_of(kind))}
UNITS = {"duration": parse_duration, "money": parse_money, "size": parse_size, "tokens": parse_tokens}


def test_every_key_has_title_description_and_example():
    bare = [
        (kind.value, path, missing)
        for (kind, path), part in KEYS.items()
        for place in (part, part.entries)
        for missing in ("title", "description", "examples")
        if place is not None and (place is part or place.schema.get("type") != "string")
        if not place.schema.get(missing) and not (place is part.entries and "$ref" in place.schema)
    ]
    assert bare == []


def test_descriptions_are_sentences():
    for part in KEYS.values():
        assert str(part.schema["description"]).endswith((".", "?")), part.schema["description"]


def _decoded(part, value):
    if isinstance(value, list):
        return tuple(_decoded(part.items, item) for item in value)
    unit = UNITS.get(part.schema.get("x-unit"))
    return value if unit is None else unit(value)


SETTINGS = [
    key
    for key in built_in()
    if key not in {"attempt_timeout", "give_up_on_failure"} and built_in()[key][0] != ()
]


@pytest.mark.parametrize("key", SETTINGS)
def test_the_stated_defaults_are_the_built_in_ones(key):
    expected = built_in()[key][0]
    places = [KEYS[kind, path] for kind in Kind for path in (key, f"defaults.{key}") if (kind, path) in KEYS]
    stating = [part for part in places if "default" in part.schema]
    assert stating
    for part in stating:
        assert _decoded(part, part.schema["default"]) == expected


@pytest.mark.parametrize(
    ("kind", "path", "cls", "names"),
    [
        (Kind.CONTRACT, "", Contract, ["version", "type", "mock_available"]),
        (Kind.CONTRACT, "deliverables[].", Deliverable, ["against"]),
        (Kind.CONTRACT, "mock_options.", MockOptions, ["error_rate", "timeout_rate"]),
        (Kind.BLUEPRINT, "", Blueprint, ["version", "execution_mode", "coordination_mode"]),
        (Kind.BLUEPRINT, "nodes.<id>.", NodeSpec, ["required", "effect"]),
        (Kind.BLUEPRINT, "nodes.<id>.needs.<id>.", Need, ["join", "states"]),
    ],
)
def test_the_stated_defaults_are_those_of_the_model(kind, path, cls, names):
    for name in names:
        part = KEYS[kind, path + name]
        assert _decoded(part, part.schema["default"]) == cls.__dataclass_fields__[name].default


def test_money_is_counted_in_billionths():
    assert parse_money("200 USD") == 200 * NANO_USD


@pytest.mark.parametrize("kind", list(Kind))
def test_nothing_that_the_grammar_shows_breaks_it(kind):
    for path, part in ((path, part) for (own, path), part in KEYS.items() if own is kind):
        shown = [*part.schema["examples"], *([part.schema["default"]] if "default" in part.schema else [])]
        own = {**part.schema, "$defs": schema_of(kind).get("$defs", {})}
        validator = _rust_validator(kind, own)
        assert [(path, value) for value in shown if not validator.is_valid(value)] == []


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        ("http://localhost:3001", True),
        ("http://127.0.0.1:65535/api", True),
        ("http://[::1]:80/", True),
        ("http://localhost", False),  # of which port?
        ("http://localhost:0", False),
        ("http://localhost:65536", False),
        ("localhost:3001", False),
        ("https://localhost:3001", False),
        ("http://mock.example.com:3001", False),
        ("http://localhost:3001 ", False),
    ],
)
def test_a_mock_stands_at_a_port_of_this_machine(value, is_one):
    schema = KEYS[Kind.CONTRACT, "mock_endpoint"].schema
    assert jsonschema_rs.is_valid(schema, value) is is_one
    assert jsonschema.Draft202012Validator(schema).is_valid(value) is is_one
