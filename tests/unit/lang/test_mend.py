"""Entries are added and removed in the style of their mapping or list; or not at all."""

from pathlib import Path

import pytest

from maestro_dsl.lang.edits import apply_edits
from maestro_dsl.lang.mend import with_need, without_key, without_need
from maestro_dsl.lang.read import read_content

HEAD = (
    "apiVersion: maestro/v1\nkind: Blueprint\nid: flow\nnodes:\n"
    "  a: {action: report}\n  b: {action: report}\n"
)


def blueprint(text):
    return read_content((HEAD + text).encode(), Path("f.blueprint.yaml"), "f.blueprint.yaml").document


def mended(text, edit):
    return None if edit is None else apply_edits(HEAD + text, [edit]).removeprefix(HEAD)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  c: {action: report, needs: [a, b]}\n", "  c: {action: report, needs: [b]}\n"),
        ("  c: {action: report, needs: [b, a]}\n", "  c: {action: report, needs: [b]}\n"),
        (
            "  c:\n    needs:\n      - a # first\n      - b # second\n",
            "  c:\n    needs:\n      - b # second\n",
        ),
        ("  c:\n    needs:\n      - b\n      - a", "  c:\n    needs:\n      - b\n"),
        ("  c: {needs: {a: {}, b: {states: any}}}\n", "  c: {needs: {b: {states: any}}}\n"),
        ("  c: {needs: {b: {}, a: {states: any}}}\n", "  c: {needs: {b: {}}}\n"),
        (
            "  c:\n    needs:\n      a:\n        states: any\n      b: {}\n    action: report\n",
            "  c:\n    needs:\n      b: {}\n    action: report\n",
        ),
        ("  c: {needs: [a]}\n", None),
        ("  c: {needs: [a, # why\n    b]}\n", None),
        ("  d: &x {needs: [a, b]}\n  c: *x\n", None),
    ],
)
def test_a_need_is_taken_out(before, after):
    assert mended(before, without_need(blueprint(before), "c", "a")) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  c: {action: report}\n", "  c: {action: report, needs: [a]}\n"),
        ("  c:\n    action: report # why\n", "  c:\n    action: report # why\n    needs: [a]\n"),
        ("  c:\n    action: report", "  c:\n    action: report\n    needs: [a]"),
        ("  c:\r\n    action: report\r\n", "  c:\r\n    action: report\r\n    needs: [a]\r\n"),
        ("  c: {action: report, needs: [b]}\n", "  c: {action: report, needs: [b, a]}\n"),
        (
            "  c:\n    needs:\n    - b\n    action: report\n",
            "  c:\n    needs:\n    - b\n    - a\n    action: report\n",
        ),
        ("  c: {needs: {b: {}}}\n", "  c: {needs: {b: {}, a: {}}}\n"),
        (
            "  c:\n    needs:\n      b:\n        states: any\n",
            "  c:\n    needs:\n      b:\n        states: any\n      a: {}\n",
        ),
        ("  c: {action: report, needs: []}\n", None),
    ],
)
def test_a_need_is_put_in(before, after):
    assert mended(before, with_need(blueprint(before), "c", "a")) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  c: {as: x, action: report}\n", "  c: {action: report}\n"),
        ("  c: {action: report, as: x}\n", "  c: {action: report}\n"),
        (
            "  c:\n    action: report\n    as: x # why\n    when: true\n",
            "  c:\n    action: report\n    when: true\n",
        ),
        ("  c: {as: x}\n", None),
    ],
)
def test_a_key_is_taken_out(before, after):
    assert mended(before, without_key(blueprint(before), ("nodes", "c", "as"))) == after
