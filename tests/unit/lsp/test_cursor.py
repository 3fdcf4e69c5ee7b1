import pytest

from maestro_dsl.lsp.cursor import Role, cursor_at

KEY, VALUE, TEXT, COMMENT, NOTHING = Role.KEY, Role.VALUE, Role.TEXT, Role.COMMENT, Role.NOTHING

CASES = {
    "the first key of a document": ("|", KEY, (), ""),
    "a key at the root": ("kind: Plan\nna|", KEY, (), "na"),
    "a key that has its colon": ("kind: Plan\nna|me: x", KEY, (), "na"),
    "a value": ("kind: Plan\nblueprint: par|", VALUE, ("blueprint",), "par"),
    "an empty value": ("blueprint: |", VALUE, ("blueprint",), ""),
    "a value in quotes": ('blueprint: "par|"', VALUE, ("blueprint",), "par"),
    "an empty line inside": ("team:\n  |", KEY, ("team",), ""),
    "an empty line two levels down": ("team:\n  a:\n    use: x\n    |", KEY, ("team", "a"), ""),
    "an empty line one level up again": ("team:\n  a:\n    use: x\n  |", KEY, ("team",), ""),
    "a value below broken lines": ("team:\n  a:\n    ???\n    use: co|", VALUE, ("team", "a", "use"), "co"),
    "an item": ("needs:\n  - fir|", VALUE, ("needs", 0), "fir"),
    "an item right below its key": ("needs:\n- one\n- tw|", VALUE, ("needs", 1), "tw"),
    "the third item": ("a:\n  - x\n  - y\n  - |", VALUE, ("a", 2), ""),
    "a key of a mapping in a list": ("d:\n  - name: a\n  - name: b\n    art|", KEY, ("d", 1), "art"),
    "the value on the line of its dash": ("d:\n  - name: a|", VALUE, ("d", 0, "name"), "a"),
    "the key on the line of its dash": ("d:\n  - na|me: a", KEY, ("d", 0), "na"),
    "a list in a list": ("a:\n  - - x\n    - y|", VALUE, ("a", 0, 1), "y"),
    "a key after a list right below its key": ("needs:\n- one\nna|", KEY, (), "na"),
    "an open bracket": ("needs: [one, tw|", VALUE, ("needs", 1), "tw"),
    "an open bracket before other lines": ("needs: [|\nname: x", VALUE, ("needs", 0), ""),
    "a brace": ("team:\n  a: {us|", KEY, ("team", "a"), "us"),
    "a value in braces": ("team:\n  a: {use: co|}", VALUE, ("team", "a", "use"), "co"),
    "a second key in braces": ("a: {use: x, |}", KEY, ("a",), ""),
    "braces in brackets": ("a: [{b: 1}, {c: |}]", VALUE, ("a", 1, "c"), ""),
    "braces over lines": ("a: {\n  b: 1,\n  c: [x, |\n  ]}", VALUE, ("a", "c", 1), ""),
    "behind a closed bracket": ("needs: [one] |", NOTHING, (), ""),
    "a block scalar": ("a:\n  text: |-\n    one: two\n    th@", TEXT, ("a", "text"), ""),
    "an empty line in a block scalar": ("text: >\n  one\n\n  two@", TEXT, ("text",), ""),
    "behind a block scalar": ("a:\n  text: |-\n    one:\n  b@", KEY, ("a",), "b"),
    "a comment": ("name: x # mae|", COMMENT, (), "# mae"),
    "a line of comment": ("# mae|", COMMENT, (), "# mae"),
    "a hash in quotes": ('name: "a # b|"', VALUE, ("name",), "a # b"),
    "an expression without quotes": ("contract: {{ con|", VALUE, ("contract",), "{{ con"),
    "an expression in quotes": ('contract: "{{ con|"', VALUE, ("contract",), "{{ con"),
    "an anchor": ("a: &x\n  b: |", VALUE, ("a", "b"), ""),
    "a marker of documents": ("---\nkind: Pl|", VALUE, ("kind",), "Pl"),
    "an item that is empty": ("a:\n  -\n  - |", VALUE, ("a", 1), ""),
    "beyond ASCII": ("näme: ü|", VALUE, ("näme",), "ü"),
}


def at(text):
    mark = "@" if "@" in text else "|"
    head, _, tail = text.partition(mark)
    return cursor_at((head + tail).split("\n"), head.count("\n"), len(head) - head.rfind("\n") - 1)


@pytest.mark.parametrize(("text", "role", "steps", "word"), CASES.values(), ids=CASES)
def test_where_the_cursor_stands(text, role, steps, word):
    found = at(text)
    assert (found.role, found.steps, found.word) == (role, steps, word)


def test_what_stands_beside_is_known():
    found = at("nodes:\n  a:\n    action: mock\n    with:\n      |\n    when: x\n  b:\n    action: fulfil")
    assert found.siblings[2] == {"action": "mock", "with": "", "when": "x"}


def test_keys_that_are_there_already_are_known():
    assert at("team:\n  a:\n    use: x\n    |\n    model: y\n  b: {use: z}").beside == {
        "use": "x",
        "model": "y",
    }


@pytest.mark.parametrize("text", [*CASES])
def test_no_place_of_any_text_is_too_much(text):
    body = CASES[text][0].replace("@", "|")
    lines = body.split("\n")
    for number, line in enumerate(lines):
        for column in range(len(line) + 1):
            found = cursor_at(lines, number, column)
            assert len(found.siblings) == len(found.steps)
