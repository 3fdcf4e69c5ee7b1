"""`fmt` over generated YAML in every style with comments everywhere: same values, every comment, stable."""

import json
import os
import re
from collections import Counter
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.yamlish import TEXTS, documents

from maestro_dsl.lang.format import format_content
from maestro_dsl.lang.grammar import grammar_of
from maestro_dsl.lang.model import Kind
from maestro_dsl.lang.parsing import python_parser_of
from maestro_dsl.lang.quoting import written
from maestro_dsl.lang.source import load

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = int(os.environ.get("MAESTRO_TEST_FORMAT", "70"))
"""How many documents are generated; thousands find rarer ones."""
OURS = sorted(
    path
    for pattern in ("blueprints/**/*.yaml", "examples/*/*.yaml", "examples/*/contracts/*.contract.yaml")
    for path in ROOT.glob(pattern)
)
slow_to_draw = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def formatted(text):
    return format_content(text.encode(), "f.yaml").text


@slow_to_draw
@given(documents(head=["kind: Plan", "apiVersion: maestro/v1"]))
def test_values_and_comments_stay_and_a_second_time_changes_nothing(text):
    made = formatted(text)
    if made is None:
        assert load(text, "f.yaml").diagnostics.has_errors
        return
    before, after = (json.dumps(load(item, "f.yaml").data, sort_keys=True) for item in (text, made))
    assert after == before
    assert Counter(re.findall(r"# c\d+", made)) == Counter(re.findall(r"# c\d+", text))
    assert formatted(made) == made
    assert "\r" not in made
    assert made.endswith("\n")


@slow_to_draw
@given(TEXTS, st.booleans())
def test_a_text_that_is_written_is_read_again(text, is_flow):
    shown = written(text, in_flow=is_flow)
    wrapped = f"[{shown}, z]\n" if is_flow else f"k: {shown}\n"
    loaded = load(wrapped, "f.yaml")
    assert not list(loaded.diagnostics)
    assert loaded.data == ([text, "z"] if is_flow else {"k": text})


def annotated(text):
    """Return a canonical text with a comment above and behind every line that begins an entry."""
    lines = []
    for number, line in enumerate(text.splitlines()):
        entry = re.match(r"( *)(- )?(\w+:|- )(.*)", line)
        if entry is None or line.lstrip().startswith("#"):
            lines.append(line)
            continue
        lines.append(f"{entry[1]}# above {number}")
        lines.append(line if "#" in line or line.endswith((">-", "|")) else f"{line}  # behind {number}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(ROOT)))
def test_our_own_documents_are_in_canonical_form_with_comments_too(path):
    text = path.read_text(encoding="utf-8")
    assert formatted(text) == text
    marked = annotated(text)
    assert formatted(marked) == marked


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(ROOT)))
def test_comments_travel_with_their_keys(path):
    marked = annotated(path.read_text(encoding="utf-8"))
    _head, *sections = re.split(r"(?m)^(?=# above )", marked)
    shuffled = "".join(reversed(sections))
    assert formatted(shuffled) == "".join(sections)
    assert formatted(shuffled.replace("\n", "\r\n")) == "".join(sections)


def shuffled(data, part, rand):
    """Return `data` with the keys that the grammar knows in another order; names that people chose stay."""
    if isinstance(data, list):
        return [shuffled(item, part.items if part else None, rand) for item in data]
    if not isinstance(data, dict):
        return data
    siblings = {key: value for key, value in data.items() if isinstance(value, str)}
    inner = [
        (key, shuffled(value, part.key(key, siblings) if part else None, rand)) for key, value in data.items()
    ]
    if part is not None and part.keys:
        rand.shuffle(inner)
    return dict(inner)


@slow_to_draw
@given(st.sampled_from(OURS), st.randoms(use_true_random=False), st.booleans())
def test_the_order_of_keys_does_not_depend_on_how_they_stood(path, rand, is_flow):
    data = load(path.read_bytes(), "f.yaml").data
    other = shuffled(data, grammar_of(Kind(data["kind"])), rand)
    made = formatted(yaml.safe_dump(other, sort_keys=False, default_flow_style=is_flow, allow_unicode=True))
    assert json.dumps(load(made, "f.yaml").data) == json.dumps(data)


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_parser_in_python_leads_to_the_same_form(path, monkeypatch):
    marked = annotated(path.read_text(encoding="utf-8"))
    monkeypatch.setattr("maestro_dsl.lang.tree_reader.parser_of", python_parser_of)
    assert formatted(marked) == marked


MARKS = [
    *"{}[]:,-?&*!|>'\"%@`#<=~. \n\t\r\\",
    "\n  ",
    "- ",
    ": ",
    "&a ",
    "*a ",
    "!!str ",
    "---\n",
    "k",
    "|+\n",
    ">2\n",
]
YAMLISH = st.lists(st.sampled_from(MARKS), max_size=30).map("".join)


@slow_to_draw
@given(YAMLISH | st.text(max_size=30), YAMLISH)
def test_any_text_is_formatted_or_left(before, after):
    text = f"{before}\napiVersion: maestro/v1\nkind: Plan\nid: {after}"
    made = formatted(text)
    if made is None:
        return
    assert json.dumps(load(made, "f.yaml").data, sort_keys=True) == json.dumps(
        load(text, "f.yaml").data, sort_keys=True
    )
    assert formatted(made) == made
