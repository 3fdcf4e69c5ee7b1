from pathlib import Path

import pytest

from maestro_dsl.app import format_documents, init_project, init_templates, lint


@pytest.mark.parametrize("template", init_templates())
def test_a_new_project_is_clean_and_known_to_editors(template, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = init_project(Path("demo"), template=template)
    assert not list(lint([Path("demo")], environ={}).diagnostics)
    assert format_documents([Path("demo")]).changes == ()
    documents = [name for name in made.files if name.endswith(".yaml") and "spec" not in name]
    assert documents
    for name in documents:
        comment, path = (Path("demo") / name).read_text().splitlines()[0].split("=")
        assert comment == "# yaml-language-server: $schema"
        assert (Path("demo") / name).parent.joinpath(path).is_file()
