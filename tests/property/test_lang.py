from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_dsl.lang.model import Kind
from maestro_dsl.lang.read import read_content
from maestro_dsl.lang.source import Profile, load
from maestro_dsl.lang.validators import python_validator, schema_of, validator_of

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)
SCALARS = st.none() | st.booleans() | st.integers(-(10**12), 10**12) | TEXT | st.floats(-1e6, 1e6)
DATA = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)
YAMLISH = st.lists(
    st.sampled_from(
        [*"{}[]:,-?&*!|>'\"%@`#<=~. \n\t\r\\", "\n  ", "- ", ": ", "<<: ", "&a", "*a", "!!str ", "---\n", "k"]
    ),
    max_size=40,
).map("".join)


class Quoting(yaml.SafeDumper):
    """Quotes every text: PyYAML writes YAML 1.1, where `0E0` without quotes is one."""


Quoting.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | YAMLISH.map(str.encode) | YAMLISH.map(lambda text: text.encode("utf-16")))
def test_any_bytes_give_findings_never_an_exception(content: bytes) -> None:
    for profile in Profile:
        loaded = load(content, "f.yaml", profile=profile)
        for item in loaded.diagnostics:
            assert 1 <= item.span.line <= loaded.text.count("\n") + loaded.text.count("\r") + 1
    read_content(content, Path("f.yaml"), "f.yaml")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_gives_findings_never_an_exception(text: str) -> None:
    for profile in Profile:
        load(text, "f.yaml", profile=profile)


@settings(max_examples=150, deadline=None)
@given(DATA)
def test_what_was_dumped_is_loaded_again(data: Any) -> None:
    assert load(json.dumps(data), "f.json", profile=Profile.INTERFACE).data == data
    dumped = yaml.dump(data, Dumper=Quoting, allow_unicode=True)
    assert load(dumped, "f.yaml", profile=Profile.INTERFACE).data == data


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(TEXT, SCALARS, min_size=1, max_size=5))
def test_every_value_has_a_place_that_holds_it(data: dict[str, Any]) -> None:
    text = json.dumps(data, ensure_ascii=False)
    source = load(text, "f.json", profile=Profile.INTERFACE).map
    for key, value in data.items():
        assert json.loads(source.raw((key,))) == value


PLAN: dict[str, Any] = {
    "apiVersion": "maestro/v1",
    "kind": "Plan",
    "id": "p",
    "blueprint": "b",
    "team": {"dev": {"use": "core/dev"}},
    "policies": {"retry": {"max_attempts": 3}},
    "contracts": ["x"],
}
BLUEPRINT: dict[str, Any] = {
    "apiVersion": "maestro/v1",
    "kind": "Blueprint",
    "id": "b",
    "nodes": {"a": {"action": "command", "with": {"run": ["x"]}, "needs": {"b": {"states": "any"}}}},
}


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(json.dumps(draw(st.sampled_from([PLAN, BLUEPRINT]))))
    for _ in range(draw(st.integers(1, 3))):
        node: Any = data
        while isinstance(node, dict) and node:
            key = draw(st.sampled_from([*sorted(node), "extra"]))
            if key == "extra" or key in {"kind", "apiVersion"} or draw(st.booleans()):
                if key not in {"kind", "apiVersion"}:
                    node[key] = draw(SCALARS | st.just([]) | st.just({}))
                break
            node = node[key]
    return data


@settings(max_examples=150, deadline=None)
@given(damaged())
def test_both_validators_find_the_same_and_partial_documents_decode(data: dict[str, Any]) -> None:
    kind = Kind(data["kind"])
    rust = {repr(item) for item in validator_of(kind).violations(data)}
    python = {repr(item) for item in python_validator(kind).violations(data)}
    assert rust == python
    read = read_content(json.dumps(data, ensure_ascii=False).encode(), Path("f.yaml"), "f.yaml")
    assert read.document is not None
    assert bool(rust) == read.diagnostics.has_errors


@pytest.mark.parametrize("kind", list(Kind))
def test_the_schemas_are_valid_and_their_examples_are_accepted(kind: Kind) -> None:
    from jsonschema import Draft202012Validator

    Draft202012Validator.check_schema(schema_of(kind))
    for example in schema_of(kind)["examples"]:
        assert list(validator_of(kind).violations(example)) == []
