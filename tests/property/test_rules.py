"""Rules meet anything: mutated examples of all pages give findings inside the text, never a crash."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maestro_dsl.app import lint
from maestro_dsl.app.rulebook import PAGES
from maestro_dsl.lang.edits import Claims, Lines

FILE = re.compile(r"^`([^`\n]+)`\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROJECTS = [dict(FILE.findall(page.read_text("utf-8"))) for page in sorted(PAGES.glob("*.md"))]
PIECES = (
    "{", "}", "[", "]", ": ", "- ", "&a ", "*a", '"', "'", "|\n", "\n", "\t", "#", "{{", "}}", "null", "~",
    "5: ", "true", "inputs.", "nodes.", "<<: ", "---\n", "[]", "{}", "-1", "1e999", "\u2028",
    "# maestro: ignore[X]",
)  # fmt: skip


@st.composite
def mutated(draw):
    files = dict(draw(st.sampled_from(PROJECTS)))
    for _ in range(draw(st.integers(1, 4))):
        name = draw(st.sampled_from(sorted(files)))
        text = files[name]
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from((0, 0, 1, 5, 20))))
        files[name] = text[:start] + draw(st.sampled_from(PIECES)) + text[end:]
    return files


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, files) -> None:
    for old in folder.rglob("*"):
        if old.is_file():
            old.unlink()
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=mutated())
def test_findings_of_anything_lie_inside_the_text(folder, files):
    write(folder, files)
    result = lint([], environ={})
    for item in result.diagnostics:
        places = [item.span, *(related.span for related in item.related)]
        for span in places:
            if span.file in result.sources:
                Lines(result.sources[span.file]).range(span)
        for edit in item.fix.edits if item.fix is not None else ():
            text = result.sources.get(edit.span.file) or (folder / edit.span.file).read_text("utf-8")
            assert Claims(text).claim([edit])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("maestro.yaml", "apiVersion: maestro/v1\nkind: Project\nid: p\nmodels: {5: {provider: x}}\n"),
        ("p.plan.yaml", "apiVersion: maestro/v1\nkind: Plan\nid: p\nblueprint: x\nteam: {7: {}}\n"),
    ],
)
def test_keys_that_look_like_numbers_are_keys(folder, name, text):
    (folder / name).write_text(text)
    assert {item.code for item in lint([], environ={}).diagnostics} >= {"SCH002"}


def test_a_parameter_whose_place_is_a_mapping_is_left_out(folder):
    contract = next(files for files in PROJECTS if "api.yaml" in files)
    write(folder, contract)
    parameters = "      parameters: [{name: x, in: {y: z}}]\n      responses:"
    spec = (folder / "api.yaml").read_text().replace("9.9.9", "3.0.3").replace("      responses:", parameters)
    (folder / "api.yaml").write_text(spec)
    assert "CTR001" in {item.code for item in lint([], environ={}).diagnostics}
