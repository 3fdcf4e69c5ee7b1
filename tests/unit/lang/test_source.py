from __future__ import annotations

import itertools
import json

import pytest

from maestro_dsl.lang import source
from maestro_dsl.lang.edits import apply_edits
from maestro_dsl.lang.parsing import python_parser_of
from maestro_dsl.lang.source import Profile, load


def codes(content: bytes | str, profile: Profile = Profile.DOCUMENT) -> list[tuple[str, int, int]]:
    found = load(content, "f.yaml", profile=profile).diagnostics
    return [(item.code, item.span.line, item.span.column) for item in found]


def test_plain_text_follows_yaml_1_2_and_never_the_norway_problem() -> None:
    text = "[yes, on, NO, 12:30, 012, true, null, ~, 3, -4, 0x1f, 0o17, 2.5, .5, 1e3, .inf, 1e999, '7']"
    assert load(text, "f", profile=Profile.INTERFACE).data == [
        "yes",
        "on",
        "NO",
        "12:30",
        "012",
        True,
        None,
        None,
        3,
        -4,
        31,
        15,
        2.5,
        0.5,
        1000.0,
        ".inf",
        "1e999",
        "7",
    ]


def test_keys_are_text_whatever_they_look_like() -> None:
    assert load("{200: a, true: b, ~: c}", "f").data == {"200": "a", "true": "b", "~": "c"}


def test_a_number_too_long_for_a_number_stays_text() -> None:
    digits = "9" * 5000
    assert load(f"a: {digits}", "f").data == {"a": digits}


def test_a_duplicate_key_names_both_places_and_the_first_value_counts() -> None:
    loaded = load("a: 1\nb: 2\na: {x: 3}\n", "f.yaml")
    (found,) = loaded.diagnostics
    assert (found.code, found.severity, found.span.line) == ("SYN002", "error", 3)
    assert found.message == 'key "a" stands twice in the same mapping'
    assert [(item.span.line, item.message) for item in found.related] == [(1, "first stated here")]
    assert loaded.data == {"a": 1, "b": 2}
    assert loaded.map.value_span(("b",)).line == 2


def test_in_interfaces_a_duplicate_warns_and_the_last_value_counts() -> None:
    loaded = load("a: 1\nb: 2\na: 3\n", "f.yaml", profile=Profile.INTERFACE)
    assert [(item.code, item.severity) for item in loaded.diagnostics] == [("SYN002", "warning")]
    assert loaded.data == {"b": 2, "a": 3}
    assert loaded.map.value_span(("a",)).line == 3
    assert loaded.map.value_span(("b",)).line == 2


@pytest.mark.parametrize(
    ("text", "safe"),
    [("1.10", False), ("0777", True), ("12:30", True), ("yes", True), ("1_000", True), ("2026-11-21", True)],
)
def test_what_readers_disagree_on_is_a_warning_with_a_fix(text: str, safe: bool) -> None:
    (found,) = load(f"a: {text}\n", "f.yaml").diagnostics
    assert (found.code, found.severity) == ("SYN003", "warning")
    assert found.fix is not None
    assert found.fix.safe is safe
    assert found.fix.edits[0].replacement == f'"{text}"'
    assert load(f'a: "{text}"\n', "f.yaml").diagnostics.items == []


def test_quality_figures_are_not_ambiguous() -> None:
    assert codes("a: 0.80\nb: 1.0\nc: [0.7, 0.50]\n") == []


def test_a_second_document_is_a_warning_at_its_mark() -> None:
    assert codes("a: 1\n---\nb: 2\n") == [("SYN004", 2, 1)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<<: {a: 1}\n", ("SYN005", 1, 1)),
        ("a: &x [1, *x]\n", ("SYN005", 1, 11)),
        ("a: {{ x }}\n", ("SYN001", 1, 5)),
        ("a: b: c\n", ("SYN001", 1, 5)),
        ("a:\n\t- x\n", ("SYN001", 2, 1)),
        ("a: 'x\n", ("SYN001", 1, 4)),
        ("a: [1, 2\nb: 3\n", ("SYN001", 2, 2)),
        ("a: @x\n", ("SYN001", 1, 4)),
        ("a: \x00\n", ("SYN001", 1, 4)),
    ],
)
def test_what_is_refused_points_at_the_token(text: str, expected: tuple[str, int, int]) -> None:
    loaded = load(text, "f.yaml")
    assert loaded.data is None
    assert codes(text) == [expected]


@pytest.mark.parametrize(
    "value", ["*nothing", "!!python/object:os.system x", "!!int x", "!x!y z", "!<q> [b]"]
)
def test_what_means_nothing_is_unknown(value: str) -> None:
    loaded = load(f"a: {value}\nb: 2\n", "f.yaml")
    assert loaded.data == {"a": None, "b": 2}
    assert loaded.unknown == {3}
    assert [(item.code, item.span.line, item.span.column) for item in loaded.diagnostics] == [
        ("SYN001", 1, 4)
    ]


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfa: 1", "\ufeffa: 1", "a: 1".encode("utf-16")])
def test_a_byte_order_mark_is_understood(content: bytes | str) -> None:
    loaded = load(content, "f.yaml")
    assert loaded.data == {"a": 1}
    assert loaded.map.value_span(("a",)).column == 4


def test_bytes_that_are_no_text_have_a_position() -> None:
    (found,) = load(b"a: 1\nb: \xff", "f.yaml").diagnostics
    assert (found.code, found.span.line, found.span.column) == ("SYN001", 2, 4)
    assert found.message == "not UTF-8 text: byte 0xff cannot be decoded"


def bombs() -> dict[str, bytes]:
    laughs = ["a: &a [x,x,x,x,x,x,x,x,x,x]"]
    names = "abcdefghij"
    for above, name in itertools.pairwise(names):
        laughs.append(f"{name}: &{name} [{','.join(['*' + above] * 10)}]")
    long_text = "a: &a " + "x" * 1_000_000 + "\nb: [" + ",".join(["*a"] * 20) + "]"
    return {
        "size": b"x" * 10_000_000,
        "depth": b"[" * 100_000,
        "depth of mappings": b"{a: " * 100_000,
        "block depth": b"- " * 100_000,
        "nodes": b"[" + b"1," * 300_000 + b"]",
        "laughs": "\n".join(laughs).encode(),
        "long text": long_text.encode(),
    }


@pytest.mark.parametrize("name", bombs())
def test_bombs_are_refused_with_a_position(name: str) -> None:
    loaded = load(bombs()[name], "f.yaml")
    assert loaded.data is None
    assert [item.code for item in loaded.diagnostics] == ["SYN005"]


def test_the_node_limit_counts_values_not_keys() -> None:
    text = "".join(f"k{number}: {number}\n" for number in range(100_000))
    assert load(text, "f.yaml").diagnostics.items == []


def test_interfaces_may_use_merge_keys() -> None:
    text = "base: &b {a: 1, b: 2}\none: {<<: *b, b: 3}\ntwo: {<<: [*b, {c: 4}]}\n"
    loaded = load(text, "f.yaml", profile=Profile.INTERFACE)
    assert loaded.data == {
        "base": {"a": 1, "b": 2},
        "one": {"b": 3, "a": 1},
        "two": {"a": 1, "b": 2, "c": 4},
    }
    assert loaded.map.value_span(("one", "a")).line == 1
    assert loaded.map.value_span(("two", "c")).line == 3


def test_json_is_read_with_the_same_positions_as_yaml() -> None:
    text = '{"a": [1, {"b\\"": "x, {y}: [z]"}],\n "c": {}, "d": -1.5e3, "\\ud83d\\ude00": null}'
    fast = load(text, "f.json", profile=Profile.INTERFACE)
    assert fast.data == json.loads(text)
    slow = load(text.replace("\\ud83d\\ude00", "\U0001f600"), "f.json")
    for pointer in [("a",), ("a", 1), ("a", 1, 'b"'), ("c",), ("d",)]:
        assert fast.map.value_span(pointer) == slow.map.value_span(pointer), pointer
        assert fast.map.key_span(pointer) == slow.map.key_span(pointer), pointer


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', '{"a": NaN}', '{"a": 1e999}', '{"a": 1,}', "{a: 1}"])
def test_what_is_not_plain_json_is_read_as_yaml(text: str) -> None:
    assert isinstance(load(text, "f.json", profile=Profile.INTERFACE).data, dict)


def test_half_a_character_is_refused_not_passed_on() -> None:
    assert codes('{"a": "\\ud800"}', Profile.INTERFACE) == [("SYN001", 1, 10)]


def test_deep_json_is_refused_not_overflown() -> None:
    assert codes('{"a":' * 5000, Profile.INTERFACE)[0][0] == "SYN005"
    assert codes('{"a":' * 5000 + "1" + "}" * 5000, Profile.INTERFACE)[0][0] == "SYN005"


def test_the_parser_in_python_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["a: [1, {b: 'it''s'}]\nc: |\n  x\n  y\n", "a: b: c", "a: 1\na: 2", "x: \x01", "[a"]
    fast = [load(text, "f") for text in texts]
    monkeypatch.setattr(source, "parser_of", python_parser_of)
    for text, expected in zip(texts, fast, strict=True):
        found = load(text, "f")
        assert found.data == expected.data
        assert [(d.code, d.message) for d in found.diagnostics] == [
            (d.code, d.message) for d in expected.diagnostics
        ]


@pytest.mark.parametrize("char", ["\x85", "\u2028", "\u2029"])
@pytest.mark.parametrize("is_python", [False, True])
def test_line_breaks_of_yaml_1_1_alone_are_characters(
    char: str, is_python: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_python:
        monkeypatch.setattr(source, "parser_of", python_parser_of)
    text = (
        f"plain: foo{char}bar # one{char}two: 3\nlast: foo {char}\nsingle: 'a{char}b'\n"
        f'double: "a{char}b\\L"\nblock: |\n  a{char}b\n  {char}c\nflow: [a{char}b]\nk{char}ey: 1\nafter: 2\n'
    )
    found = load(text, "f")
    assert found.data == {
        "plain": f"foo{char}bar",
        "last": f"foo {char}",
        "single": f"a{char}b",
        "double": f"a{char}b\u2028",
        "block": f"a{char}b\n{char}c\n",
        "flow": [f"a{char}b"],
        f"k{char}ey": 1,
        "after": 2,
    }
    assert [(item.code, item.span.line, item.span.column) for item in found.diagnostics] == [
        *(("SYN003", 1, 11), ("SYN003", 1, 21), ("SYN003", 2, 11), ("SYN003", 3, 11), ("SYN003", 4, 11)),
        *(("SYN003", 6, 4), ("SYN003", 8, 9), ("SYN003", 9, 2)),
    ]
    assert found.map.value_span(("after",)).line == 10
    assert found.map.scalar_offsets(("plain",)).span(4).column == 12
    edits = [edit for item in found.diagnostics if item.fix for edit in item.fix.edits]
    mended = load(apply_edits(text, edits), "f")
    assert mended.data == found.data
    assert [item.span.line for item in mended.diagnostics] == [1, 6]  # comments and blocks have no escapes


def test_a_character_of_private_use_stays_what_it_is() -> None:
    text = "a: \u2028\ue000\nb: \"\\ue001 \\uE002\"\nc: '\\ue003'\n"
    assert load(text, "f").data == {"a": "\u2028\ue000", "b": "\ue001 \ue002", "c": "\\ue003"}


def test_a_separator_that_was_meant_as_a_line_end_is_named() -> None:
    (found,) = load("a: 1\u2028b: 2\n", "f").diagnostics
    assert (found.code, found.span.column) == ("SYN001", 7)
    assert found.help == "U+2028 at line 1, column 5, ends no line in YAML: put a line feed in its place"


_NO_LINE_END = "U+0085 at line 1, column 3, ends no line in YAML: put a line feed in its place"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a:\x85 1\nb: 2\n", _NO_LINE_END),
        ("a: 1\n\ufeffb: 1\n", "remove U+FEFF at line 2, column 1, which cannot be seen"),
    ],
)
def test_a_mistake_beside_what_cannot_be_seen_names_it(text: str, hint: str) -> None:
    assert [item.help for item in load(text, "f").diagnostics] == [hint]
