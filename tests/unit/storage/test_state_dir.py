from __future__ import annotations

import os
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from maestro_dsl.errors import EnvironmentFailure
from maestro_dsl.storage.state_dir import DEFAULT_STATE_PATH, file_system, resolve_state_dir

LOCAL = "/dev/vda / ext4 rw 0 0\n"


@pytest.fixture
def unwritable(tmp_path):
    """A path that nobody can create, root included: its parent is a file."""
    (tmp_path / "file").write_text("")
    return tmp_path / "file" / "state"


def test_the_default_is_the_documented_one():
    assert Path("/var/maestro/state") == DEFAULT_STATE_PATH


def test_the_command_line_comes_first(tmp_path):
    environ = {"MAESTRO_STATE_DIR": str(tmp_path / "env")}
    chosen = resolve_state_dir(str(tmp_path / "flag"), environ, default=tmp_path / "default", mounts=LOCAL)
    assert (chosen.path, chosen.origin) == (tmp_path / "flag", "--state-dir")
    assert (chosen.journal_mode, chosen.warnings) == ("WAL", ())
    assert stat.S_IMODE(chosen.path.stat().st_mode) == 0o700


def test_then_the_environment(tmp_path):
    environ = {"MAESTRO_STATE_DIR": str(tmp_path / "env")}
    chosen = resolve_state_dir(None, environ, default=tmp_path / "default", mounts=LOCAL)
    assert (chosen.path, chosen.origin) == (tmp_path / "env", "environment MAESTRO_STATE_DIR")
    assert not (tmp_path / "default").exists()


def test_then_the_default_where_it_can_be_written(tmp_path):
    chosen = resolve_state_dir(None, {"MAESTRO_STATE_DIR": ""}, default=tmp_path / "default", mounts=LOCAL)
    assert (chosen.path, chosen.origin) == (tmp_path / "default", "built-in default")


def test_else_the_users_state_directory(tmp_path, unwritable):
    home = {"HOME": str(tmp_path / "home")}
    chosen = resolve_state_dir(None, home, default=unwritable, mounts=LOCAL)
    assert chosen.path == tmp_path / "home" / ".local" / "state" / "maestro"
    assert chosen.origin == f"user state directory ({unwritable} cannot be written)"
    xdg = home | {"XDG_STATE_HOME": str(tmp_path / "xdg")}
    assert resolve_state_dir(None, xdg, default=unwritable, mounts=LOCAL).path == tmp_path / "xdg" / "maestro"
    relative = home | {"XDG_STATE_HOME": "relative"}
    assert resolve_state_dir(None, relative, default=unwritable, mounts=LOCAL).path == chosen.path


@pytest.mark.parametrize("origin", ["--state-dir", "environment MAESTRO_STATE_DIR"])
def test_a_named_folder_that_cannot_be_written_is_not_replaced_by_another(tmp_path, unwritable, origin):
    flag = str(unwritable) if origin == "--state-dir" else None
    environ = {} if flag else {"MAESTRO_STATE_DIR": str(unwritable)}
    with pytest.raises(
        EnvironmentFailure, match=r"cannot be written: .*[nN]ot a (folder|directory)"
    ) as caught:
        resolve_state_dir(flag, environ, default=tmp_path / "default", mounts=LOCAL)
    assert origin in caught.value.message
    assert "--state-dir" in caught.value.hint


def test_a_network_file_system_gets_a_warning_and_the_safe_journal_mode(tmp_path):
    mounts = LOCAL + f"server:/x {tmp_path} nfs4 rw 0 0\n"
    chosen = resolve_state_dir(str(tmp_path / "state"), {}, mounts=mounts)
    assert chosen.journal_mode == "DELETE"
    assert "is on a network file system (nfs4)" in chosen.warnings[0]


def test_a_folder_that_others_can_write_gets_a_warning(tmp_path):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    chosen = resolve_state_dir(str(tmp_path / "open"), {}, mounts=LOCAL)
    assert chosen.warnings == (
        f"other users can write to the state directory {tmp_path / 'open'}: chmod 700 {tmp_path / 'open'}",
    )


@pytest.mark.parametrize(
    ("mounts", "kind"),
    [
        ("", ""),
        ("a / ext4 rw\nb /mnt nfs rw\n", "nfs"),
        ("a / ext4 rw\nb /mn nfs rw\n", "ext4"),
        ("a / ext4 rw\nb /mnt nfs rw\nc /mnt xfs rw\n", "xfs"),
        ("b /mnt/my\\040share fuse.sshfs rw\nshort\n", "fuse.sshfs"),
    ],
)
def test_the_file_system_is_that_of_the_deepest_mount_point(mounts, kind):
    assert file_system(Path("/mnt/my share/state"), mounts) == kind


def test_who_only_looks_is_told_the_same_folder_and_none_is_made(tmp_path, unwritable):
    home = {"HOME": str(tmp_path / "home")}
    for default in (tmp_path / "default", unwritable):
        seen = resolve_state_dir(None, home, default=default, mounts=LOCAL, looking=True)
        assert not seen.exists
        made = resolve_state_dir(None, home, default=default, mounts=LOCAL)
        assert (seen.path, seen.origin, seen.obstacle) == (made.path, made.origin, None)
        assert made.exists


def test_who_only_looks_is_told_why_nothing_can_be_stored(tmp_path, unwritable, monkeypatch):
    seen = resolve_state_dir(str(unwritable), {}, mounts=LOCAL, looking=True)
    assert seen.obstacle == "Not a directory"
    monkeypatch.setattr(os, "access", lambda *_: False)
    seen = resolve_state_dir(str(tmp_path / "a" / "b"), {}, mounts=LOCAL, looking=True)
    assert seen.obstacle == "Permission denied"
    read_only = SimpleNamespace(f_flag=os.ST_RDONLY)
    monkeypatch.setattr(os, "statvfs", lambda _: read_only)
    assert (
        resolve_state_dir(str(tmp_path), {}, mounts=LOCAL, looking=True).obstacle == "Read-only file system"
    )


def test_a_user_without_a_home_is_no_accident(tmp_path, unwritable, monkeypatch):
    def nobody():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nobody)
    seen = resolve_state_dir(None, {}, default=unwritable, mounts=LOCAL, looking=True)
    assert seen.path == Path("/.local/state/maestro")
    monkeypatch.setattr(Path, "expanduser", lambda _: nobody())
    monkeypatch.chdir(tmp_path)
    assert resolve_state_dir("~x/state", {}, mounts=LOCAL).path == tmp_path / "~x" / "state"
