import pytest
from support.desk import FILES, Desk
from support.editor import Editor
from support.files import write


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    return write(tmp_path_factory.mktemp("project").resolve(), FILES)


@pytest.fixture(scope="session")
def running(project):
    editor = Editor(project)
    yield editor
    code, errors = editor.close()
    assert (code, errors) == (0, "")


@pytest.fixture
def desk(running, project):
    opened = []

    def at(name):
        opened.append(Desk(running, project, name))
        return opened[-1]

    yield at
    for item in opened:
        running.shut(item.path)
    running.published.clear()
