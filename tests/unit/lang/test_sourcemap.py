from __future__ import annotations

import pytest

from maestro_dsl.lang.source import load

TEXT = """\
# a comment
id: x
team:
  dev: &d {use: core/dev}
  qa: *d
list:
- one
-
  two: 2

empty:
"""


def place(pointer: tuple[str | int, ...], *, key: bool = False) -> str:
    source = load(TEXT, "f.yaml").map
    span = source.key_span(pointer) if key else source.value_span(pointer)
    lines = TEXT.splitlines()
    if span.line == span.end_line:
        return f"{span.line}:{lines[span.line - 1][span.column - 1 : span.end_column - 1]}"
    return f"{span.line}-{span.end_line}"


def test_keys_and_values_stand_where_they_are() -> None:
    assert place(("id",), key=True) == "2:id"
    assert place(("id",)) == "2:x"
    assert place(("team", "dev", "use")) == "4:core/dev"
    assert place(("list", 0)) == "7:one"
    assert place(("list", 1, "two"), key=True) == "9:two"


def test_an_alias_stands_where_it_is_used_and_its_parts_where_they_are_written() -> None:
    assert place(("team", "qa")) == "5:*d"
    assert place(("team", "qa", "use")) == "4:core/dev"


def test_a_block_ends_with_its_last_value() -> None:
    assert place(("list",)) == "7-9"


def test_an_empty_value_is_shown_at_its_key() -> None:
    assert place(("empty",)) == "11:empty"


def test_what_does_not_exist_is_answered_by_its_nearest_ancestor() -> None:
    assert place(("team", "dev", "nope", 3), key=True) == "4:dev"


@pytest.mark.parametrize(
    "text",
    [
        "v: a {{ b }} c\n",
        "v: 'it''s {{ b }}'\n",
        'v: "tab\\t \\u00e9 \\\n    {{ b }} \\x41"\n',
        "v: >-\n    one\n    two {{ b }}\n\n    three\n",
        "v: |\n  one\n    two {{ b }}\n",
        "v: &x !!str {{ b\n",
        'v: "one\n  two\n\n  {{ b }}"\n',
    ],
)
def test_an_offset_inside_a_scalar_finds_its_character(text: str) -> None:
    loaded = load(text.replace("{{ b\n", "a {{ b }}\n"), "f.yaml")
    assert isinstance(loaded.data, dict)
    value = loaded.data["v"]
    assert isinstance(value, str)
    span = loaded.map.scalar_offsets(("v",)).span(value.index("b }"))
    line = loaded.text.splitlines()[span.line - 1]
    assert line[span.column - 1 : span.end_column - 1] == "b"
    assert line[span.column - 1 :].startswith("b }")
