"""What is wrong with the form of YAML, in words of our own, on the sign that is wrong."""

import pytest

from maestro_dsl.lang.source import load

QUOTE, INDENT = "put the text in quotes", "indent with spaces, and give all keys of one mapping"
TAG = 'put text that starts with "!" in quotes'

# text, line and column, message, beginning of the help
CASES = [
    ("a: *.py\n", (1, 4), 'text cannot start with "*" without quotes', QUOTE),
    ("a: & b\n", (1, 4), 'text cannot start with "&" without quotes', QUOTE),
    ("a: @b\n", (1, 4), 'text cannot start with "@" without quotes', QUOTE),
    ("a:\tb\n\tc: 1\n", (2, 1), "a tab cannot indent YAML", "indent with spaces"),
    ("a: | text\n  b\n", (1, 6), "text follows | or > on its line", "start the text on the next line"),
    ("a: |0\n  b\n", (1, 5), "an indentation of 0 after | or >", "leave the number out"),
    ("a: ? b\n", (1, 4), 'a key ("? ") cannot start here', QUOTE),
    ("a: !<x y\n", (1, 7), "a tag is not finished", TAG),
    ("%YAML 1.1\n%YAML 1.2\n---\na: 1\n", (2, 1), "the directive stands twice", "remove the directive"),
    ("%b: c\n", (1, 3), "a line cannot start with % here", "put the text in quotes"),
    ('a: "b" c\n', (1, 8), "text follows a finished value", "put the whole text in quotes"),
    ("[a] b\n", (1, 5), "text follows a finished value", "put the whole text in quotes"),
    ("a: 1\n...\nb: 2\n", (3, 1), "text follows the end of the document", "put what follows in a file"),
    ("a: [1, 2]]\n", (1, 10), 'this "]" closes nothing', "take it away"),
    ("a: {x: 1}}\n", (1, 10), 'this "}" closes nothing', "take it away"),
    ("a: 1\nb\nc: 2\n", (2, 1), 'a key without ":"', 'write "key: value"'),
    ("a: 1\nb:2\nc: 3\n", (2, 2), 'there is no space behind ":"', 'write "b: …"'),
    ("a: 1\nhttp://b\nc: 3\n", (2, 1), 'a key without ":"', 'write "key: value"'),
    ("a: 1\nb:\xa02\nc: 3\n", (2, 3), "the character U+00A0 looks like a space and is none", "put a space"),
    ("a: 1\n b: 2\n", (2, 2), "this key stands below a finished value", INDENT),
    ("a:\n  b: 1\n c: 2\n", (3, 2), "the indentation fits no open mapping", INDENT),
    ("a: b: c\n", (1, 5), 'a second ":" stands where only a value may stand', QUOTE),
    ("a" * 2000 + ": 1\n", (1, 2001), "a key of more than 1,024 characters", "write a shorter key"),
    ('a: "\\uZZZZ"\n', (1, 7), "a Unicode escape that is none", "write the character itself"),
]


@pytest.mark.parametrize(("text", "place", "message", "hint"), CASES, ids=[case[0][:20] for case in CASES])
def test_a_mistake_stands_at_its_sign_in_our_words(text, place, message, hint):
    (found,) = load(text, "x.yaml").diagnostics
    assert (found.code, found.span.line, found.span.column) == ("SYN001", *place)
    assert found.message == message
    assert found.help.startswith(hint)


def test_a_bracket_that_is_not_closed_is_shown_where_it_stands():
    [found] = load("a: [1, 2\nb: 3\n", "f.yaml").diagnostics
    assert (
        found.span.line,
        [(item.span.line, item.span.column, item.message) for item in found.related],
    ) == (
        2,
        [(1, 4, "opened here")],
    )
    [found] = load("a: [1, 2}\n", "f.yaml").diagnostics
    assert found.related == ()
