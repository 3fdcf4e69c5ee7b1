"""The quick reader of simple YAML never says anything else than the whole one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from maestro_dsl.lang.simple_yaml import data_of
from maestro_dsl.lang.source import load, load_simple

ROOT = Path(__file__).parents[2]
REAL = sorted([*(ROOT / "blueprints").rglob("*.yaml"), *(ROOT / "examples").rglob("*.yaml")])
TEXTS = [file.read_text("utf-8") for file in REAL]
SIGNS = [
    *" \n\t:#-,[]{}\"'|>&*!%@?~<=+.\\\0\r\ufeff\u2028\x85é😀",
    "  ", "\n  ", "\n    ", "- ", ": ", " #", "a: ", "b: 1", "\n- ", "\na:", "[a, b]", "{a: b}",
    "{{ x }}", "yes", "012", "1.10", "1e3", "null", "true", "---\n", "...\n", "---", '"q"', "'s'",
    "''", "<<", "a: b: c", "http://x", "? a", "- - ", "{}", "[]", "x y", "-1", "a\n b", "word",
]  # fmt: skip
LINES = [
    "",
    "- ",
    *r"""
a:
a: 1
b:
b: x y
c: [1, a, {d: e}]
c: {d: e, f: []}
- a
- a: 1
- a:
-   b: 2
- [x]
- {y: z}
# note
d: 'it'  # note
e: "x: y"
e: a#b
f: a # b
- http://x
k: 15m
k: 0x1f
l: 1.10
m: |
n: text
o: >-
- - a
p: &x 1
q: *x
r: {s: t
yes: 1
w: [a b, c:d]
x: .5
z: ~
-
y: -1
y: - 1
u:v
t: 'a''b'
t: "a\n"
s: {a: {b: {c: d}}}
g: [[a], [b]]
h: [a,b]
h: {a: 1,b: 2}
h: [ ]
h: [a,]
h: {a}
h: {a: }
h: [a] # x
h: [a] x
i: ''
i: ""
""".strip().splitlines(),
]


def agrees(text: str) -> bool:
    """Compare both readers, and return whether the quick one read the text."""
    found = data_of(text)
    if found is None:
        return False
    whole = load(text, "f")
    assert not whole.diagnostics.items, [item.message for item in whole.diagnostics]
    assert repr(found) == repr(whole.data)  # the order of keys and the type of numbers too
    simple = load_simple(text.encode(), "f")
    assert simple is not None
    for pointer in pointers(found):
        assert simple.map.value_span(pointer) == whole.map.value_span(pointer)
        assert simple.map.key_span(pointer) == whole.map.key_span(pointer)
    return True


def pointers(value: object, at: tuple[str | int, ...] = ()):
    """Yield the way to every value."""
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from pointers(item, (*at, key))


@pytest.mark.parametrize("file", REAL, ids=lambda file: file.name)
def test_real_documents_are_read_alike(file):
    agrees(file.read_text("utf-8"))


def test_blueprints_and_personas_are_read_quickly():
    files = [file for file in REAL if file.is_relative_to(ROOT / "blueprints")]
    assert all(agrees(file.read_text("utf-8")) for file in files)


@given(st.data())
@settings(max_examples=200)
def test_changed_documents_are_read_alike(data):
    text = data.draw(st.sampled_from(TEXTS))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 12))
        text = text[:at] + data.draw(st.sampled_from(SIGNS)) + text[at + cut :]
    agrees(text)


@given(st.lists(st.tuples(st.integers(0, 6), st.sampled_from(LINES)), max_size=12))
@settings(max_examples=500)
@example([(0, "a:"), (0, "- a"), (0, "b: x y")])
@example([(0, "a:"), (0, "- a:"), (2, "- a"), (2, "b: x y"), (0, "b:")])
def test_stacked_lines_are_read_alike(lines):
    agrees("\n".join(" " * indent + line for indent, line in lines))


@given(st.lists(st.sampled_from(SIGNS), max_size=14))
@settings(max_examples=500)
def test_scattered_signs_are_read_alike(signs):
    agrees("a: " + "".join(signs))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "- a",
        "a: b\n c",
        "a: |\n  b",
        "a: 1\na: 2",
        "a: yes",
        "on: 1",
        "a: {b}",
        "a: &b c",
        "a:\tb",
        "a: [b",
    ],
)
def test_what_is_not_simple_is_left_to_the_parser(text):
    assert data_of(text) is None


def test_limits_are_left_to_the_parser():
    assert data_of("a: [" + "b, " * 300_000 + "b]\n") is None
    deep = "".join(f"{' ' * depth}a:\n" for depth in range(60))
    assert data_of(deep) is None
    assert data_of("a: " + "[" * 50 + "]" * 50) is None
