"""What the server knows between messages, without a protocol around it."""

import pytest

import maestro_dsl.rules
from maestro_dsl.app import FixOptions, fix
from maestro_dsl.diagnostics import Edit, Fix, Severity, Span
from maestro_dsl.lsp.findings import Shown
from maestro_dsl.lsp.positions import Positions
from maestro_dsl.lsp.session import Session
from maestro_dsl.rules import RULES
from maestro_dsl.rules.base import Rule, Scope

TEXT = "apiVersion: maestro/v1\nkind: Persona\nid: dev   # the one\nname: 12:30\n"


def rule(columns, replacement):
    """Return a rule that offers, as safe, to replace a part of the third line."""

    def check(facts):
        for document in facts.documents:
            span = Span(document.file, 3, columns[0], 3, columns[1])
            made = Fix(title=f"write {replacement}", edits=(Edit(span=span, replacement=replacement),))
            yield planted.finding(span, "as you like", fix=made)

    planted = Rule(
        code="XXX001", name="x", severity=Severity.WARNING, scope=Scope.DOCUMENT, summary="x", check=check
    )
    return planted


@pytest.fixture
def path(tmp_path):
    (tmp_path / "maestro.yaml").write_text("apiVersion: maestro/v1\nkind: Project\nname: demo\n")
    (tmp_path / "dev.persona.yaml").write_text("apiVersion: maestro/v1\nkind: Persona\nid: dev\n")
    return (tmp_path / "dev.persona.yaml").resolve()


@pytest.fixture
def session(path):
    session = Session(environ={})
    session.put(path, TEXT)
    return session


def test_all_that_is_safe_is_what_fix_makes_of_the_text_as_it_is_typed(session, path):
    assert session.fixed(path) == TEXT.replace("12:30", '"12:30"')
    options = FixOptions(paths=[path.parent], environ={}, overlay={path: TEXT.encode()})
    assert [change.after.decode() for change in fix(options).changes] == [session.fixed(path)]
    assert "dev   #" not in path.read_text()


@pytest.mark.parametrize(
    ("columns", "replacement"),
    [pytest.param((5, 8), "[", id="unreadable"), pytest.param((5, 8), "dev\nid: two", id="a key twice")],
)
def test_a_fix_that_harms_the_text_is_left_out(session, path, monkeypatch, columns, replacement):
    harmful = rule(columns, replacement)
    monkeypatch.setattr(maestro_dsl.rules, "RULES", (*RULES, harmful))
    monkeypatch.setattr(
        maestro_dsl.rules, "CATALOGUE", {**maestro_dsl.rules.CATALOGUE, harmful.code: harmful}
    )
    assert "XXX001" in {item.code for item in session.checked(path.parent).findings[path]}
    assert session.fixed(path) == TEXT.replace("12:30", '"12:30"')


def test_other_files_and_the_limit_of_findings_stay_as_they_are(session, path):
    other = path.with_name("other.persona.yaml")
    other.write_text(TEXT.replace("dev", "other"))
    session.look_again()
    before = session.checked(path.parent).findings
    assert session.fixed(path) == TEXT.replace("12:30", '"12:30"')
    session.forget()
    assert session.checked(path.parent).findings == before
    assert other.read_text() == TEXT.replace("dev", "other")


CIRCLE = """\
apiVersion: maestro/v1
kind: Blueprint
id: flow
nodes:
  one: {action: command, timeout: 1m, with: {run: [x]}, when: nodes.two.outputs.exit_code == 0}
  two: {action: command, timeout: 1m, with: {run: [x]}, needs: [one]}
"""


@pytest.mark.parametrize(
    ("text", "is_offered"), [(CIRCLE, False), (CIRCLE.replace(", needs: [one]", ""), True)]
)
def test_a_fix_that_makes_a_new_error_is_not_offered(path, text, is_offered):
    flow = path.parent / "flow.blueprint.yaml"
    session = Session(environ={})
    session.put(flow, text)
    checked = session.checked(path.parent)
    (item,) = [found for found in checked.findings[flow] if found.code == "GRF003"]
    assert item.fix is not None
    places = Positions(text, "utf-16")
    shown = Shown(session, checked, "utf-16")
    titles = [action.title for action in shown.actions(flow, places.range(item.span), ())]
    assert ("Add two to the needs of one" in titles) is is_offered
    assert "Suppress GRF003 with a comment" in titles
    assert session.text(flow) == text
