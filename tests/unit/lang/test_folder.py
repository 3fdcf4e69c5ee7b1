"""A folder that is shared: its digest, and everything that may not be in it."""

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_dsl.lang import folder as module
from maestro_dsl.lang.disk import noted, overlaid
from maestro_dsl.lang.files import still_holds
from maestro_dsl.lang.folder import FolderProblem, folder_of, problem_of, read_folder

NAMES = st.text(st.sampled_from("abcä-_ 9"), min_size=1, max_size=6).filter(
    lambda name: name.strip() == name and name[0] not in "-_"
)
FILES = st.dictionaries(NAMES.map(lambda name: f"{name}.md"), st.binary(max_size=20), max_size=6)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "library.yaml").write_text("a")
    (tmp_path / "sub" / "x.md").write_text("b")
    return tmp_path


@settings(max_examples=40)
@given(FILES)
def test_the_digest_is_of_names_and_contents_alone(files):
    there = {name.casefold() for name in files}
    if len(there) < len(files):
        return
    found = folder_of(files)
    assert list(found.files) == sorted(files)
    assert folder_of(dict(reversed(files.items()))).digest == found.digest
    for name, content in files.items():
        assert folder_of({**files, name: content + b"x"}).digest != found.digest
        rest = {other: text for other, text in files.items() if other != name}
        assert folder_of(rest).digest != found.digest


def test_the_digest_is_the_same_on_every_machine():
    found = folder_of({"library.yaml": b"a", "sub/x.md": b"b"})
    assert found.digest == "sha256:2db20e92cdd070ad957cb068cfd95228d43e9ab3a0577062e8906b2a588d8995"


def test_a_folder_on_disk_is_the_same_folder(folder):
    assert read_folder(folder) == folder_of({"library.yaml": b"a", "sub/x.md": b"b"})


def test_moving_text_between_name_and_content_is_another_folder():
    assert folder_of({"a.md": b"b.md"}).digest != folder_of({"b.md": b"a.md"}).digest
    assert folder_of({"a.md": b"", "b.md": b""}).digest != folder_of({"a.md": b""}).digest


def test_hidden_names_are_no_part_of_it_unless_it_is_strict(folder):
    before = read_folder(folder).digest
    (folder / ".git").mkdir()
    (folder / ".git" / "config").symlink_to("/etc/passwd")
    (folder / "sub" / ".x").write_text("x")
    assert read_folder(folder).digest == before
    with pytest.raises(FolderProblem, match="does not belong there"):
        read_folder(folder, is_strict=True)


def _symlink(folder):
    (folder / "sub" / "link.md").symlink_to("x.md")


def _linked_folder(folder):
    (folder / "more").symlink_to("sub")


def _dangling(folder):
    (folder / "link.md").symlink_to("/nowhere")


def _hard(folder):
    os.link(folder / "library.yaml", folder / "hard.yaml")


def _fifo(folder):
    os.mkfifo(folder / "pipe.md")


def _socket(folder):
    with socket.socket(socket.AF_UNIX) as made:
        here = Path.cwd()
        os.chdir(folder)  # the path of a socket may not be long
        made.bind("s.md")
        os.chdir(here)


def _executable(folder):
    (folder / "sub" / "x.md").chmod(0o755)


def _unreadable_name(folder):
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.md")).write_text("x")


def _large(folder):
    with (folder / "large.md").open("wb") as file:
        file.truncate(module.MOST_IN_A_FILE + 1)


def _deep(folder):
    path = folder.joinpath(*["d"] * module.MOST_DEPTH)
    path.mkdir(parents=True)


@pytest.mark.parametrize(
    ("plant", "told"),
    [
        (_symlink, '"sub/link.md" is a symbolic link'),
        (_linked_folder, '"more" is a symbolic link'),
        (_dangling, '"link.md" is a symbolic link'),
        (_hard, "has a second name on this disk"),
        (_fifo, '"pipe.md" is no plain file'),
        (_socket, '"s.md" is no plain file'),
        (_executable, '"sub/x.md" is executable'),
        (_unreadable_name, "is no name that every machine can hold"),
        (_large, "is larger than 8 MiB"),
        (_deep, "is too long"),
    ],
)
def test_what_cannot_be_shared_is_refused(folder, plant, told):
    plant(folder)
    with pytest.raises(FolderProblem, match=told.replace("(", r"\(")):
        read_folder(folder)


def test_a_device_is_refused(folder, monkeypatch):
    monkeypatch.setattr(module, "_walk", lambda *_, **__: iter([(Path(os.devnull), "null.md")]))
    with pytest.raises(FolderProblem, match="no plain file"):
        read_folder(folder)


def test_a_link_in_place_of_the_folder_is_refused(folder, tmp_path_factory):
    link = tmp_path_factory.mktemp("links") / "link"
    link.symlink_to(folder)
    with pytest.raises(FolderProblem, match="symbolic link"):
        read_folder(link)


def test_an_absent_folder_is_told(tmp_path):
    with pytest.raises(FolderProblem, match="there is no folder"):
        read_folder(tmp_path / "x")


def test_too_many_files_and_bytes_are_refused(folder, monkeypatch):
    monkeypatch.setattr(module, "MOST_FILES", 1)
    with pytest.raises(FolderProblem, match="more than 1 files"):
        read_folder(folder)
    with pytest.raises(FolderProblem, match="more than 1 files"):
        folder_of({"a.md": b"", "b.md": b""})
    monkeypatch.undo()
    monkeypatch.setattr(module, "MOST_BYTES", 1)
    with pytest.raises(FolderProblem, match="hold more than"):
        read_folder(folder)
    with pytest.raises(FolderProblem, match="hold more than"):
        folder_of({"a.md": b"xx"})


def test_empty_folders_are_counted_as_well(folder, monkeypatch):
    monkeypatch.setattr(module, "_MOST_ENTRIES", 2)
    with pytest.raises(FolderProblem, match="more than"):
        read_folder(folder)


@pytest.mark.parametrize(
    "path",
    [
        "run.sh", "setup.py", "x.js", "binary", "a.exe", "x.pyc", "Makefile",
        "../x.md", "a/../x.md", "/x.md", "a//x.md", "./x.md", "a/./x.md", "",
        "-rf.md", "~x.md", "a/-x/y.md", ".git/config", "x.md.", "x.md ", "a\\b.md", "a:b.md", "a\nb.md",
        "con.md", "aux/x.md", "LPT1.yaml", "a\u202eb.md", "a\u200bb.md", "a\x7f.md", "a?.md", "a*.md",
        "a/" * 12 + "x.md", "x" * 300 + ".md",
    ],
)  # fmt: skip
def test_hostile_names_are_refused(path):
    assert problem_of(path) is not None
    with pytest.raises(FolderProblem):
        folder_of({path: b""})


@pytest.mark.parametrize(
    "path",
    ["library.yaml", "a b/ö.md", "LICENSE", "x.graphql", "p/system.md.j2", "api.d.ts", "t.PYI", "con-v.md"],
)
def test_ordinary_names_are_let_pass(path):
    assert problem_of(path) is None


@pytest.mark.parametrize(
    "pair", [("a.md", "A.md"), ("\u00e4.md", "a\u0308.md"), ("a/x.md", "A/x.md"), ("ß.md", "SS.md")]
)
def test_names_that_are_one_file_elsewhere_are_refused(pair):
    with pytest.raises(FolderProblem, match="one file on some machines"):
        folder_of(dict.fromkeys(pair, b""))


def test_a_file_is_no_folder_as_well():
    with pytest.raises(FolderProblem, match="what is a file as well"):
        folder_of({"a.md": b"", "a.md/b.md": b""})


def test_a_file_that_changes_while_it_is_read_is_refused(folder, monkeypatch):
    real = os.open

    def swapped(path, flags, *more):
        if str(path).endswith("library.yaml"):
            Path(path).write_text("another")
        return real(path, flags, *more)

    monkeypatch.setattr(os, "open", swapped)
    with pytest.raises(FolderProblem, match="changed while it was read"):
        read_folder(folder)


def test_a_link_that_appears_before_it_is_opened_is_not_followed(folder, monkeypatch):
    real = os.open

    def swapped(path, flags, *more):
        if str(path).endswith("library.yaml"):
            Path(path).unlink()
            Path(path).symlink_to("/etc/passwd")
        return real(path, flags, *more)

    monkeypatch.setattr(os, "open", swapped)
    with pytest.raises(FolderProblem, match="cannot be read"):
        read_folder(folder)


def test_what_is_asked_is_noted_and_can_be_asked_again(folder):
    with noted() as notes:
        read_folder(folder)
    assert still_holds(notes.answers)
    (folder / "sub" / "x.md").write_text("c")
    assert not still_holds(notes.answers)
    (folder / "run.sh").write_text("c")
    with noted() as notes, pytest.raises(FolderProblem):
        read_folder(folder)
    assert still_holds(notes.answers)
    (folder / "run.sh").unlink()
    assert not still_holds(notes.answers)


def test_contents_that_are_not_on_disk_yet_count(folder):
    with overlaid({(folder / "sub" / "x.md").resolve(): b"new"}):
        assert read_folder(folder).files["sub/x.md"] == b"new"
