"""`lint --fix` over generated YAML with mistakes: nothing else changes, comments stay, twice is once."""

import json
import random
import re
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.yamlish import documents

from maestro_dsl.app import FixOptions, fix, init_project, write_changes
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


def damage(text, rand):
    """Return a document with a few words misspelled or quoted, as people and editors do."""
    for _ in range(rand.randint(1, 4)):
        word = rand.choice(list(re.finditer(r"\b[a-z_]{4,}\b", text)))
        at = rand.randrange(word.start(), word.end() - 1)
        swapped = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
        quoted = f"{text[: word.start()]}'{word.group()}'{text[word.end() :]}"
        text = rand.choice([swapped, quoted, text[:at] + text[at + 1 :]])
    return text.replace("\n", rand.choice(["\n", "\r\n"]))


@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_project_is_fixed_once_and_for_all(seed, tmp_path):
    rand = random.Random(seed)
    init_project(tmp_path / "demo")
    for path in sorted((tmp_path / "demo").rglob("*.yaml")):
        if "spec" not in path.name:
            path.write_bytes(damage(path.read_text(), rand).encode())
    before = {path: path.read_bytes() for path in (tmp_path / "demo").rglob("*.yaml")}
    result = fix(FixOptions(paths=[tmp_path / "demo"], environ={}, unsafe=True))
    write_changes(result.changes)
    assert fix(FixOptions(paths=[tmp_path / "demo"], environ={}, unsafe=True)).changes == ()
    for path, content in before.items():
        after = path.read_bytes()
        assert after.count(b"#") == content.count(b"#")
        assert after.count(b"\r\n") == content.count(b"\r\n")
