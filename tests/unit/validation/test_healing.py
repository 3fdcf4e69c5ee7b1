from hypothesis import given
from hypothesis import strategies as st

from maestro_dsl.validation.healing import heal


def test_a_code_fence_around_a_whole_file_is_stripped():
    assert heal({"a.py": "```python\nx = 1\n```\n"}) == (
        {"a.py": "x = 1\n"},
        ("a.py: stripped a code fence",),
    )


def test_a_fence_inside_a_file_stays():
    text = "# Title\n\n```sh\nls\n```\n"
    assert heal({"README.md": text}) == ({"README.md": text}, ())


def test_trailing_commas_are_dropped_only_where_that_makes_json_valid():
    files, done = heal({"a.json": '{"a": [1, 2,],}\n', "b.json": "{,,}\n"})
    assert files == {"a.json": '{"a": [1, 2]}\n', "b.json": "{,,}\n"}
    assert done == ("a.json: repaired JSON",)


def test_line_ends_and_the_last_newline():
    files, done = heal({"a.txt": "\ufeffa\r\nb"})
    assert files == {"a.txt": "a\nb\n"}
    assert done == (
        "a.txt: removed a byte order mark",
        "a.txt: unified line ends",
        "a.txt: added a final newline",
    )


def test_a_value_with_a_colon_is_quoted_where_that_makes_yaml_valid():
    loose = "title: Shop: the API\nnote: |\n  a: b: c\nother:\n  - name: x: y\nplain: a # b: c\n"
    broken = "a: {b: [}\nc: d: e\n"
    files, done = heal({"a.yaml": loose, "b.yml": broken, "c.md": "a: b: c\n"})
    quoted = loose.replace("Shop: the API", '"Shop: the API"').replace("x: y", '"x: y"')
    assert files == {"a.yaml": quoted, "b.yml": broken, "c.md": "a: b: c\n"}
    assert done == ("a.yaml: quoted values in YAML",)


@given(st.text(), st.sampled_from(["a.json", "a.yaml", "a.py", "a.md"]))
def test_healing_twice_changes_nothing_more_for_unfenced_text(text, path):
    once, _ = heal({path: text})
    again, done = heal(once)
    assert again == once or any("fence" in item for item in done)
