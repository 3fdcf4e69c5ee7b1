"""What an editor is told after any edits is what a fresh look at the same texts finds."""

import os
import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.files import write
from support.rule_project import FILES, HEAD

from maestro_dsl.app import lint
from maestro_dsl.app.occurrences import named_in
from maestro_dsl.app.rulebook import page_of
from maestro_dsl.lang.memory import Memory
from maestro_dsl.lsp.session import Session
from maestro_dsl.rules import CATALOGUE

EXAMPLES = int(os.environ.get("MAESTRO_TEST_EDITING", "10"))
PAGE_FILE = re.compile(r"^`([^`\n]+)`\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NO_PLAN = {"lone/" + name: FILES[name] for name in ("flow.blueprint.yaml", "api.contract.yaml", "api.yaml")}
TEXTS = {
    **FILES,
    **NO_PLAN,
    "lone/other.persona.yaml": HEAD + "Persona\nid: other\nprompt_file: ../maker.md.j2\n",
    "lone/twin.contract.yaml": FILES["api.contract.yaml"].replace("id: api", "id: twin"),
}
NAMES = sorted(TEXTS)
WORDS = sorted({word for text in TEXTS.values() for word in re.findall(r"[\w./{}:#'-]+", text)})


@st.composite
def steps(draw):
    """Return what is done to which file: typed, closed, written to the disk or removed from it."""
    name, deed = (
        draw(st.sampled_from(NAMES)),
        draw(st.sampled_from(["type"] * 6 + ["close", "save", "remove"])),
    )
    at, how, word = draw(st.integers(0, 99)), draw(st.integers(0, 3)), draw(st.sampled_from(WORDS))
    return name, deed, (at, how, word)


def edited(text, edit):
    at, how, word = edit
    pieces = re.split(r"([\w./{}:#'-]+)", text) if how else text.splitlines(keepends=True)
    place = at % len(pieces) if pieces else 0
    if how == 3:
        return text
    return "".join([*pieces[:place], *([word] if how == 1 else []), *pieces[place + 1 :]])


def fresh(session, root):
    """Return the findings of a session that knows nothing yet."""
    other = Session(environ={})
    for path, text in session.texts.items():
        other.put(path, text)
    return other.checked(root).findings


@settings(
    max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(steps(), min_size=1, max_size=4))
def test_after_any_edits_the_editor_knows_what_a_fresh_look_finds(tmp_path_factory, done):
    root = tmp_path_factory.mktemp("project").resolve()
    write(root, TEXTS)
    session = Session(environ={})
    opened = root / "plan.yaml"
    session.put(opened, TEXTS["plan.yaml"])
    session.checked(root)
    for name, deed, edit in done:
        path = root / name
        text = edited(session.text(path), edit)
        if deed == "close" and path != opened:
            session.close(path)
        elif deed == "type":
            session.put(path, text)
        elif deed == "remove":
            path.unlink(missing_ok=True)
            session.look_again()
        else:
            path.write_text(text)
            session.look_again()
        assert session.checked(root).findings == fresh(session, root)
    scene = replace(session.scene(opened), memory=Memory())
    for path, document in scene.documents.items():
        assert session.names_in(path) == named_in(scene, document)


def test_documents_looked_at_alone_give_what_they_give_together(tmp_path, monkeypatch):
    """The examples of all rules in one folder, each file of which stands alone or belongs to some plan."""
    monkeypatch.chdir(tmp_path)
    for rule in CATALOGUE.values():
        for name, content in PAGE_FILE.findall(page_of(rule).partition("\n## Better\n")[0]):
            (tmp_path / rule.code / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / rule.code / name).write_text(content)
    select = [rule.code for rule in CATALOGUE.values()]
    memory = Memory()
    together = lint([], environ={}, select=select)
    assert len({item.code for item in together.diagnostics}) > 50
    for _ in range(2):
        alone = lint([], environ={}, select=select, memory=memory)
        assert list(alone.diagnostics) == list(together.diagnostics)
        assert list(alone.suppressed) == list(together.suppressed)


@pytest.mark.parametrize("code", list(CATALOGUE))
def test_the_example_of_a_rule_gives_the_same_from_memory(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rule = CATALOGUE[code]
    for name, content in PAGE_FILE.findall(page_of(rule)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    select = (code,) if rule.is_optional else ()
    memory = Memory()
    found = [lint([], environ={}, select=select, memory=kept) for kept in (None, memory, memory)]
    assert len({tuple(item.diagnostics) for item in found}) == 1
