"""The guide's commands, run page after page as a reader would: one project, one run of it."""

import pytest
from support.markdown import ROOT, Terminal, steps, write_files

GUIDE = ROOT / "docs/guide"


def test_the_documents_of_the_language_page_are_a_project(tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    write_files(GUIDE / "language.md", project)
    terminal = Terminal(tmp_path / "home", project, quick=True)
    for step in steps(GUIDE / "language.md"):
        terminal.run(step)


@pytest.mark.slow
def test_the_commands_of_the_other_pages_do_what_is_said(tmp_path):
    terminal = Terminal(tmp_path / "home", tmp_path, quick=True)
    for page in ("running", "contracts-and-mocks", "state", "cli"):
        for step in steps(GUIDE / f"{page}.md"):
            terminal.run(step)
