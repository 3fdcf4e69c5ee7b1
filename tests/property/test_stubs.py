"""For any schema of a small grammar: sample values are valid, and the stubs are code that can be read."""

import ast
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_dsl.interfaces.openapi.validate import errors
from maestro_dsl.interfaces.stubs.emit import emit
from maestro_dsl.interfaces.stubs.parse import parse
from maestro_dsl.interfaces.stubs.values import values

NAMES = st.text(min_size=1, max_size=8) | st.sampled_from(["class", "__proto__", 'a"b', "id", "${x}", "None"])
LEAVES = st.sampled_from(
    [
        {"type": "string"},
        {"type": "string", "format": "date-time"},
        {"type": "integer", "minimum": 3, "maximum": 9},
        {"type": "number"},
        {"type": ["boolean", "null"]},
        {"enum": ["a", "it's", 'say "b"', "\\", 1, None]},
        {"const": "fixed"},
        {"$ref": "#/$defs/other"},
        {},
    ]
)


def grown(inner):
    records = st.dictionaries(NAMES, inner, max_size=4).flatmap(
        lambda known: st.builds(
            lambda needed: {"type": "object", "properties": known, "required": needed},
            st.lists(st.sampled_from(sorted(known)), unique=True) if known else st.just([]),
        )
    )
    lists = inner.map(lambda item: {"type": "array", "items": item})
    maps = inner.map(lambda item: {"type": "object", "additionalProperties": item})
    options = st.lists(inner, min_size=1, max_size=3).map(lambda found: {"anyOf": found})
    return records | lists | maps | options


SCHEMAS = st.recursive(LEAVES, grown, max_leaves=8)


@settings(max_examples=60)
@given(SCHEMAS, SCHEMAS, NAMES)
def test_samples_are_valid_and_stubs_can_be_read(schema, other, title):
    if "$ref" in other:
        other = {"type": "string"}  # a type that is only itself has no values
    source = {"title": title, "$defs": {"other": other}, "type": "object", "properties": {"value": schema}}
    interface, found = parse(json.dumps(source).encode(), "any.json")
    assert interface is not None, [item.message for item in found]
    made = values(interface)
    for name, known in interface.types.items():
        assert [errors(interface.api, known, value) for value in made[name]] == [[]] * len(made[name])
    files = emit(interface, "any", b"", "any.json")
    ast.parse(files["contracts/any_stubs.py"])
    assert json.loads(files["contracts/any_stubs.json"]) == made
