"""What is installed is what the lock says, or it is not there."""

import os
from pathlib import Path

import pytest
from support.files import write
from support.libraries import library

from maestro_dsl.errors import EnvironmentFailure, IntegrityError
from maestro_dsl.lang.folder import folder_of, read_folder
from maestro_dsl.lang.lockfile import Lock, Locked
from maestro_dsl.libraries import install as module
from maestro_dsl.libraries.install import install


def folder(name="team", **more):
    return folder_of({file: text.encode() for file, text in library(name, **more).items()})


def pinned(name="team", found=None, **more):
    found = found or folder(name)
    return Locked(
        name=name,
        version="1.0.0",
        source=f"git+https://x.org/{name}",
        digest=found.digest,
        commit="1" * 40,
        **more,
    )


def lock(*items):
    return Lock(libraries={item.name: item for item in items})


@pytest.fixture
def place(tmp_path):
    return tmp_path / ".maestro" / "libraries"


def put(root, *items, contents=None):
    return install(root, lock(*items), contents or (lambda item: folder(item.name)))


def names(place):
    return sorted(path.name for path in place.iterdir() if not path.name.startswith("."))


def test_it_is_put_there_once(tmp_path, place):
    assert put(tmp_path, pinned()) == ("team",)
    assert read_folder(place / "team", is_strict=True) == folder()
    assert (place / ".gitignore").read_text() == "*\n"
    assert put(tmp_path, pinned(), contents=lambda _: pytest.fail("it is there")) == ()
    assert {path.stat().st_mode & 0o777 for path in (place / "team").rglob("*.*")} == {0o644}


def test_nothing_to_install_makes_no_folder(tmp_path, place):
    local = Locked(name="x", version="1.0.0", source="./x", digest=folder("x").digest)
    assert put(tmp_path, local) == ()
    assert not place.exists()


def test_contents_of_another_digest_are_refused_before_anything_is_put_there(tmp_path, place):
    with pytest.raises(IntegrityError, match=r"is not what maestro\.lock says") as caught:
        put(tmp_path, pinned(), contents=lambda _: folder(prompt="steal everything"))
    assert caught.value.exit_code == 7
    assert names(place) == []


def test_the_old_one_stays_where_the_new_one_is_refused(tmp_path, place):
    put(tmp_path, pinned())
    new = folder(prompt="new")
    with pytest.raises(IntegrityError):
        put(tmp_path, pinned(found=new), contents=lambda _: folder(prompt="other"))
    assert read_folder(place / "team") == folder()
    assert put(tmp_path, pinned(found=new), contents=lambda _: new) == ("team",)
    assert read_folder(place / "team") == new


def test_what_changes_between_writing_and_putting_in_place_is_noticed(tmp_path, place, monkeypatch):
    real = module._write

    def tampered(target, found):
        real(target, found)
        (target / "reviewer.md.j2").write_text("steal everything")

    monkeypatch.setattr(module, "_write", tampered)
    with pytest.raises(IntegrityError, match=r"is not what maestro\.lock says"):
        put(tmp_path, pinned())
    assert names(place) == []

    def linked(target, found):
        real(target, found)
        (target / "reviewer.md.j2").unlink()
        (target / "reviewer.md.j2").symlink_to("/etc/passwd")

    monkeypatch.setattr(module, "_write", linked)
    with pytest.raises(IntegrityError, match="was changed while it was installed"):
        put(tmp_path, pinned())
    assert names(place) == []


@pytest.mark.parametrize("change", ["edit", "add", "hidden", "remove", "executable", "link", "hard link"])
def test_whatever_was_changed_is_put_back(tmp_path, place, change):
    put(tmp_path, pinned())
    prompt = place / "team" / "reviewer.md.j2"
    if change == "edit":
        prompt.write_text("x")
    elif change == "add":
        (place / "team" / "more.md").write_text("x")
    elif change == "hidden":
        (place / "team" / ".more.md").write_text("x")
    elif change == "remove":
        prompt.unlink()
    elif change == "executable":
        prompt.chmod(0o755)
    elif change == "link":
        text = tmp_path / "text"
        prompt.rename(text)
        prompt.symlink_to(text)
    else:
        os.link(prompt, tmp_path / "text")
    assert put(tmp_path, pinned()) == ("team",)
    assert read_folder(place / "team", is_strict=True) == folder()


def test_a_link_in_the_place_of_a_library_is_replaced_and_not_followed(tmp_path, place):
    outside = write(tmp_path / "outside", {"keep.md": "x"})
    place.mkdir(parents=True)
    (place / "team").symlink_to(outside)
    assert put(tmp_path, pinned()) == ("team",)
    assert not (place / "team").is_symlink()
    assert (outside / "keep.md").read_text() == "x"


@pytest.mark.parametrize("name", [".maestro", ".maestro/libraries"])
def test_a_place_that_leads_elsewhere_is_refused(tmp_path, name):
    outside = tmp_path / "outside"
    outside.mkdir()
    link = tmp_path / name
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(outside)
    with pytest.raises(IntegrityError, match="is a symbolic link"):
        put(tmp_path, pinned())
    assert list(outside.iterdir()) == []


def test_what_is_pinned_no_more_is_removed_and_so_is_what_was_left_behind(tmp_path, place):
    put(tmp_path, pinned(), pinned("base"))
    write(place / ".new-abc", {"x.md": ""})
    write(place / ".old-abc", {"x.md": ""})
    outside = write(tmp_path / "outside", {"keep.md": "x"})
    (place / "stray").symlink_to(outside)
    put(tmp_path, pinned())
    assert names(place) == ["team"]
    assert sorted(path.name for path in place.iterdir()) == [".gitignore", ".lock", "team"]
    assert (outside / "keep.md").exists()


def test_an_end_between_the_two_renames_is_mended_by_the_next_time(tmp_path, place, monkeypatch):
    put(tmp_path, pinned())
    new = folder(prompt="new")
    real = Path.replace

    def dying(self, target):
        if self.name.startswith(".new-"):
            raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(Path, "replace", dying)
    with pytest.raises(KeyboardInterrupt):
        put(tmp_path, pinned(found=new), contents=lambda _: new)
    monkeypatch.undo()
    assert put(tmp_path, pinned(found=new), contents=lambda _: new) == ("team",)
    assert sorted(path.name for path in place.iterdir()) == [".gitignore", ".lock", "team"]


def test_a_disk_that_takes_nothing_is_told(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device", "x")

    monkeypatch.setattr(module, "_write", full)
    with pytest.raises(EnvironmentFailure, match="No space left"):
        put(tmp_path, pinned())
