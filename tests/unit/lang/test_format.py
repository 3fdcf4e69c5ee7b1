import pytest

from maestro_dsl.lang.format import FormatBug, format_content

HEAD = "apiVersion: maestro/v1\nkind: Plan\n"


def formatted(text, head=HEAD):
    made = format_content((head + text).encode(), "plan.yaml")
    assert made.text is not None, list(made.diagnostics)
    return made.text.removeprefix(head)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("id:   x\n", "id: x\n"),
        ("id: x   # why\n", "id: x  # why\n"),
        ("id: x\n\n\n\nname: y\n\n\n", "id: x\n\nname: y\n"),
        ("team:\n        a:\n           use: b\n", "team:\n  a:\n    use: b\n"),
        ("contracts:\n- a\n- b\n", "contracts:\n  - a\n  - b\n"),
        ("contracts:\n-   - a\n    - b\n", "contracts:\n  - - a\n    - b\n"),
        ("contracts: [ a,b , c ]\n", "contracts: [a, b, c]\n"),
        ("contracts: [a, b,]\n", "contracts: [a, b]\n"),
        ("inputs: {a: , b}\n", "inputs: {a: null, b: null}\n"),
        ("inputs: {a: {b: [1,2]}}\n", "inputs: {a: {b: [1, 2]}}\n"),
        ("team: {}\n", "team: {}\n"),
        ('id: "x"\n', "id: x\n"),
        ('name: "a\u2028b"\n', 'name: "a\\u2028b"\n'),
        ('name: "a\\Lb"\n', 'name: "a\\Lb"\n'),
        ("id: 'it''s'\n", "id: it's\n"),
        ('output: "yes"\n', 'output: "yes"\n'),
        ("output: yes\n", 'output: "yes"\n'),
        ("output: '12:30'\n", 'output: "12:30"\n'),
        ("version: '1.10'\n", 'version: "1.10"\n'),
        ("quality_threshold: 0.80\n", "quality_threshold: 0.80\n"),
        ("output: '*.py'\n", 'output: "*.py"\n'),
        ("output: '{{ x == \"a\" }}'\n", "output: '{{ x == \"a\" }}'\n"),
        (r'output: "tab\there"' + "\n", r'output: "tab\there"' + "\n"),
        ("contracts: ['a: b', 'c,d', \"e\"]\n", 'contracts: ["a: b", "c,d", e]\n'),
        ("requirement: >-\n      two\n      lines\n\nid: x\n", "\nid: x\nrequirement: >-\n  two\n  lines\n"),
        ("requirement: |+ # keep\n    text\n\n\n", "requirement: |+  # keep\n  text\n\n\n"),
        ("requirement: |2\n    deeper\n", "requirement: |2\n    deeper\n"),
        ("requirement: some\n   text\n\n   more\n", "requirement: some\n  text\n\n  more\n"),
        ("team: &t\n  a: {use: b}\ninputs: *t\n", "team: &t\n  a: {use: b}\ninputs: *t\n"),
        ("? id\n: x\n", "id: x\n"),
        ("id: !!str x\n", "id: !!str x\n"),
    ],
)
def test_layout_and_quotes(before, after):
    assert formatted(before) == after
    assert formatted(after) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("contracts: [ # why\n  a, # one\n  b ]\n", "contracts:  # why\n  - a  # one\n  - b\n"),
        (
            "contracts: [a,\n  # before b\n  b\n  # end\n  ]\n",
            "contracts:\n  - a\n  # before b\n  - b\n  # end\n",
        ),
        ("contracts: [\n  # empty\n  ]\n", "contracts: []  # empty\n"),
        ("team:\n  a:\n    use: b\n    # of a\n  # of team\n# of plan\n", None),
        ("contracts:\n  # first\n  - a\n\n  # second\n  - b\n  # end\n", None),
        ("contracts:\n  - # item\n    - a\n", "contracts:\n  -  # item\n    - a\n"),
        ("contracts:\n  -\n    # item\n    - a\n", "contracts:\n  # item\n  - - a\n"),
        ("id: # why\n  x\n", "id: x  # why\n"),
        ("id: # one\n  # two\n  x # three\n", "# two\n# one\nid: x  # three\n"),
        ("# of name\nname: n # n\n# of id\nid: i # i\n", "# of id\nid: i  # i\n# of name\nname: n  # n\n"),
    ],
)
def test_comments_stay_with_what_they_are_about(before, after):
    assert formatted(before) == (before if after is None else after)


def test_long_flow_becomes_a_block_and_short_stays():
    items = ", ".join(f"contracts/number_{number}.yaml" for number in range(9))
    lines = "".join(f"  - contracts/number_{number}.yaml\n" for number in range(9))
    assert formatted(f"contracts: [{items}]\n") == f"contracts:\n{lines}"


@pytest.mark.parametrize("place", ["above", "behind"])
def test_a_comment_that_hides_findings_keeps_its_line_in_one_piece(place):
    items = ", ".join(f"contracts/number_{number}.yaml" for number in range(9))
    comment = "# maestro: ignore[REF008] made by another program"
    line = f"contracts: [{items}]"
    text = f"{comment}\n{line}\n" if place == "above" else f"{line}  {comment}\n"
    assert formatted(text) == text


def test_what_stands_at_the_top_stays_there():
    text = "# licence\n\n# of the id\nid: x\nkind: Plan\napiVersion: maestro/v1\n"
    assert formatted(text, "") == "# licence\n\napiVersion: maestro/v1\nkind: Plan\n# of the id\nid: x\n"
    line = "# yaml-language-server: $schema=plan.schema.json\n"
    assert formatted(line + "id: x\n" + HEAD, "") == line + HEAD + "id: x\n"


def test_document_markers_and_directives_stay():
    text = "%YAML 1.2\n---  # start\n" + HEAD + "id: x\n"
    assert formatted(text.replace("  # start", " # start"), "") == text
    assert formatted("---\n" + HEAD + "id: x\n...\n# end\n", "") == "---\n" + HEAD + "id: x\n# end\n"


def test_names_that_people_choose_keep_their_order():
    text = "team:\n  z: {use: b}\n  a: {use: c}\n"
    assert formatted(text) == text


def test_keys_with_anchors_keep_their_order():
    text = "team: {a: &m {use: b}, c: *m}\nid: x\n"
    assert formatted(text) == text


def test_a_byte_order_mark_and_crlf_go():
    text = HEAD + "id: x\n"
    for content in (text.replace("\n", "\r\n").encode("utf-8-sig"), text.encode("utf-16"), text.encode()):
        assert format_content(content, "plan.yaml").text == text


@pytest.mark.parametrize(
    "text", ["id: [\n", "id: x\nid: y\n", "id: x\n---\nid: y\n", "id: !!python/x y\n", "\x00"]
)
def test_broken_files_are_not_formatted(text):
    made = format_content((HEAD + text).encode(), "plan.yaml")
    assert made.text is None
    assert made.diagnostics


@pytest.mark.parametrize("text", ["", "openapi: 3.0.0\n", "[a]\n", "apiVersion: v1\nkind: Pod\n"])
def test_other_yaml_is_not_ours(text):
    made = format_content(text.encode(), "x.yaml")
    assert (made.text, made.is_ours, list(made.diagnostics)) == (None, False, [])


def test_a_wrong_kind_of_ours_is_told():
    made = format_content(b"apiVersion: maestro/v1\nkind: Plam\n", "x.yaml")
    assert [item.code for item in made.diagnostics] == ["SCH005"]


def test_another_meaning_is_never_handed_out(monkeypatch):
    from maestro_dsl.lang import format as own

    for wrong in (HEAD + "id: z\n", HEAD + "id: x\n", "id: [\n"):
        monkeypatch.setattr(own, "print_tree", lambda _tree, wrong=wrong: wrong)
        with pytest.raises(FormatBug, match=r"left as it is"):
            format_content((HEAD + "id: x # lost\n").encode(), "plan.yaml")
