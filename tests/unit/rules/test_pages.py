"""Runs every page: its example gives exactly the output that it shows, and the better way gives none."""

import re
from pathlib import Path

import pytest

from maestro_dsl.app import lint
from maestro_dsl.app.rulebook import PAGES, page_of
from maestro_dsl.diagnostics import Severity
from maestro_dsl.lang.edits import apply_edits
from maestro_dsl.reporters import diagnostics
from maestro_dsl.rules import CATALOGUE
from maestro_dsl.rules.base import Mends

FILE = re.compile(r"^`([^`\n]+)`\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OUTPUT = re.compile(r"(?<= says:\n\n```text\n)(.*?)(?=^```$)", re.MULTILINE | re.DOTALL)
RANK = [Severity.ERROR, Severity.WARNING, Severity.INFO]
HEADINGS = ["Why it matters", "Example", "Better", "Settings"]
FIXES = {Mends.NEVER: "no fix", Mends.SAFE: "safe fix", Mends.LOOK: "fix that needs a look"}
EVERY = pytest.mark.parametrize("rule", CATALOGUE.values(), ids=list(CATALOGUE))


def write(text: str) -> None:
    for name, content in FILE.findall(text):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(content)


def found(rule):
    return lint([], environ={}, select=(rule.code,) if rule.is_optional else ())


def parts(rule) -> tuple[str, str]:
    """Return the page up to the better way, and that."""
    before, _, after = page_of(rule).partition("\n## Better\n")
    return before, after


@pytest.fixture
def folder(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)


@EVERY
@pytest.mark.usefixtures("folder")
def test_the_example_gives_exactly_this_output(rule, request):
    page = page_of(rule)
    write(parts(rule)[0])
    result = found(rule)
    shown = diagnostics.text(result.diagnostics, result.sources)
    assert {item.code for item in result.diagnostics} == {rule.code}
    assert {item.name for item in result.diagnostics} == {rule.name}
    assert min((item.severity for item in result.diagnostics), key=RANK.index) is rule.severity
    if request.config.getoption("--update-golden"):
        (PAGES / f"{rule.code}.md").write_text(OUTPUT.sub(lambda _: shown, page, count=1))
        return
    assert OUTPUT.search(page)[0] == shown


@EVERY
@pytest.mark.usefixtures("folder")
def test_the_better_way_is_silent(rule):
    before, after = parts(rule)
    write(before)
    write(after)
    assert [(item.code, item.message) for item in found(rule).diagnostics] == []


@EVERY
def test_a_page_has_its_parts(rule):
    page = page_of(rule)
    title, _, facts, *_ = page.splitlines()
    assert title == f"# {rule.code} {rule.name}"
    assert facts == f"{rule.severity.value.capitalize()} · {rule.scope.value} · {FIXES[rule.fix]}"
    assert re.findall(r"^## (.*)$", page, re.MULTILINE) == HEADINGS
    assert FILE.search(page)


@pytest.mark.parametrize(
    "rule", [rule for rule in CATALOGUE.values() if rule.fix is not Mends.NEVER], ids=lambda rule: rule.code
)
@pytest.mark.usefixtures("folder")
def test_the_fixes_of_the_example_mend_it(rule):
    write(parts(rule)[0])
    mended = [item for item in found(rule).diagnostics if item.fix is not None]
    assert mended, "the catalogue promises a fix, and the example gets none"
    for file in {edit.span.file for item in mended for edit in item.fix.edits}:
        edits = [edit for item in mended for edit in item.fix.edits if edit.span.file == file]
        Path(file).write_text(apply_edits(Path(file).read_text(), edits))
    after = list(found(rule).diagnostics)
    left = [item for item in after if item.fix is not None]
    assert left == []
    assert [item for item in after if item.severity is Severity.ERROR] == []


def test_there_is_a_page_for_every_rule_and_no_other():
    assert {path.stem for path in PAGES.glob("*.md")} == set(CATALOGUE)
