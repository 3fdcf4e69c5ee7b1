"""`lint --fix` over generated YAML with mistakes: nothing else changes, comments stay, twice is once."""

import json
import re
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.yamlish import documents

from maestro_dsl.app import FixOptions, fix
from maestro_dsl.lang.source import load

HEAD = ["apiVersion: maestro/v1", "kind: Persona"]
MISTAKES = [
    "descripton: some text",
    "'expertis': [a, \"b\"]",
    '"give_up_on_failur" : on',
    "settings: {efort: hgh, max_output_tokens: 1_000}",
    "id: 12:30",
]
drawn = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


@st.composite
def mistaken(draw):
    lines = draw(st.lists(st.sampled_from(MISTAKES), unique=True, max_size=4))
    return draw(documents(head=[*HEAD, *lines]))


def fixed(text, **more):
    return fix(FixOptions(paths=[], environ={}, stdin=text.encode(), **more))


@drawn
@given(mistaken())
def test_fixing_twice_changes_nothing_more(text):
    once = fixed(text, unsafe=True)
    made = once.content.decode()
    again = fixed(made, unsafe=True)
    assert again.content == once.content
    assert again.fixed == ()
    assert Counter(re.findall(r"# c\d+", made)) == Counter(re.findall(r"# c\d+", text))
    assert made.count("\r\n") == text.count("\r\n")


@drawn
@given(mistaken())
def test_safe_fixes_keep_every_value_and_touch_nothing_but_quotes(text):
    result = fixed(text, select=["SYN003"])
    made = result.content.decode()
    assert made.replace('"', "") == text.replace('"', "")
    assert json.dumps(load(made, "f.yaml").data) == json.dumps(load(text, "f.yaml").data)
    assert all(item.fix.safe for item in result.fixed)
    assert not [item for item in result.lint.diagnostics if item.fix is not None and item.fix.safe]
