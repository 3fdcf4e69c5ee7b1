from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from functools import partialmethod

import pytest

from maestro_dsl.engine.events import FileRef
from maestro_dsl.engine.ports.storage import Pruned
from maestro_dsl.errors import EnvironmentFailure, IntegrityError, StateError, UnrecoverableError
from maestro_dsl.storage.artifacts import Artifacts
from maestro_dsl.storage.folder import Folder
from maestro_dsl.storage.lease import Holder
from maestro_dsl.storage.output import Conflict, OutputFolder

ME = Holder(pid=1, host="h", since="now", command="c")


@pytest.fixture
def artifacts(tmp_path):
    return Artifacts(tmp_path / "state")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def output(out, artifacts):
    return OutputFolder(out, artifacts)


@pytest.fixture
def refs(artifacts):
    def make(files, *, executable=False):
        return [
            FileRef(path=path, digest=artifacts.put(text.encode()), size=len(text), executable=executable)
            for path, text in files.items()
        ]

    return make


def tree(root):
    return {
        str(path.relative_to(root)): path.read_text() if path.is_file() else None
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_files_and_a_manifest_without_anything_that_varies(output, out, refs):
    files = refs({"api/app.py": "app", "README.md": "same", "api/copy.md": "same"})
    output.publish("build[api]", "k" * 64, files)
    assert {path: text for path, text in tree(out).items() if ".maestro" not in path} == {
        "api/app.py": "app",
        "README.md": "same",
        "api/copy.md": "same",
    }
    manifest = json.loads((out / ".maestro" / "manifest.json").read_text())
    assert manifest["files"]["api/app.py"] == {
        "key": "k" * 64,
        "node": "build[api]",
        "sha256": files[0].digest,
    }
    assert sorted(manifest) == ["digest", "files", "format_version"]
    assert list(tree(out)) == [".maestro/manifest.json", "README.md", "api/app.py", "api/copy.md"]


def test_publishing_again_writes_nothing(output, out, refs, monkeypatch):
    files = refs({"a": "1"})
    output.publish("n", "k", files)
    monkeypatch.setattr(os, "rename", None)
    output.publish("n", "k", files)
    assert (out / "a").read_text() == "1"


def test_the_order_of_publishing_does_not_show(tmp_path, artifacts, refs):
    folders = [tmp_path / "one", tmp_path / "two"]
    nodes = [("a", refs({"x": "1", "y": "2"})), ("b", refs({"z": "3"}))]
    for folder, order in zip(folders, (nodes, nodes[::-1]), strict=True):
        for node, files in order:
            OutputFolder(folder, artifacts).publish(node, "k", files[::-1])
    assert tree(folders[0]) == tree(folders[1])


def test_an_executable_stays_one(output, out, refs):
    output.publish("n", "k", refs({"run.sh": "#!"}, executable=True))
    assert (out / "run.sh").stat().st_mode & stat.S_IXUSR
    output.publish("n", "k", refs({"run.sh": "#!"}))
    assert not (out / "run.sh").stat().st_mode & stat.S_IXUSR


def test_what_a_node_no_longer_makes_is_removed_if_it_is_ours(output, out, refs):
    output.publish("n", "k", refs({"deep/down/old": "1", "edited": "2", "stays": "3"}))
    (out / "edited").write_text("mine")
    output.publish("n", "k2", refs({"stays": "3"}))
    assert not (out / "deep").exists()
    assert (out / "edited").read_text() == "mine"
    assert list(output.files()) == ["stays"]


def test_a_node_removes_nothing_of_another(output, out, refs):
    output.publish("n", "k", refs({"a": "1"}))
    output.publish("m", "k", refs({"b": "1"}))
    assert sorted(path.name for path in out.iterdir()) == [".maestro", "a", "b"]


# ---- nodes that left the plan ----------------------------------------------------------------------------


@pytest.fixture
def planned(out, artifacts):
    """The folder as a run of the plan `p` has it."""
    return OutputFolder(out, artifacts, "p")


def test_the_files_of_a_node_that_left_the_plan_go_with_their_folders(planned, out, refs):
    planned.publish("n", "k", refs({"deep/down/a": "1", "c": "1"}))
    planned.publish("m", "k", refs({"b": "1"}))
    assert planned.outdated(["m", "n"]) == ()
    assert planned.outdated(["m"]) == ("c", "deep/down/a")
    assert planned.prune(["m"]) == Pruned(removed=("c", "deep/down/a"))
    assert list(tree(out)) == [".maestro/manifest.json", "b"]
    assert planned.prune(["m"]) == Pruned()


def test_an_edited_file_of_a_node_that_left_the_plan_stays_and_is_a_persons(planned, out, refs):
    planned.publish("n", "k", refs({"a": "1", "b": "1", "c": "1"}))
    (out / "a").write_text("mine")
    (out / "c").write_text("mine too")
    planned.accept(["c"])
    (out / "notes.txt").write_text("never ours")
    assert planned.outdated([]) == ("b",)
    assert planned.prune([]) == Pruned(removed=("b",), kept=("a", "c"))
    assert (out / "a").read_text() == "mine"
    assert (out / "c").read_text() == "mine too"
    assert (out / "notes.txt").exists()
    assert not planned.files()


def test_a_link_or_a_folder_in_the_place_of_such_a_file_stays(planned, out, refs, tmp_path):
    planned.publish("n", "k", refs({"a": "1", "b": "1", "d/c": "1"}))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "c").write_text("1")
    (out / "a").unlink()
    (out / "a").symlink_to(elsewhere / "c")
    (out / "b").unlink()
    (out / "b").mkdir()
    (out / "d" / "c").unlink()
    (out / "d").rmdir()
    (out / "d").symlink_to(elsewhere)
    assert planned.prune([]).kept == ("a", "b", "d/c")
    assert (out / "a").is_symlink()
    assert (out / "b").is_dir()
    assert (elsewhere / "c").read_text() == "1"


def test_a_path_that_another_node_makes_now_stays(planned, out, refs):
    planned.publish("n", "k", refs({"a": "1", "b": "1"}))
    planned.publish("m", "k", refs({"a": "1"}))
    assert planned.prune(["m"]) == Pruned(removed=("b",))
    assert (out / "a").read_text() == "1"
    assert planned.files()["a"].node == "m"


def test_what_another_plan_or_an_older_version_made_in_this_folder_stays(
    output, planned, out, artifacts, refs
):
    output.publish("old", "k", refs({"old": "1"}))  # its manifest names no plan
    OutputFolder(out, artifacts, "q").publish("n", "k", refs({"other": "1"}))
    planned.publish("n2", "k", refs({"a": "1"}))
    assert planned.prune([]) == Pruned(removed=("a",))
    assert output.prune([]) == Pruned()
    assert sorted(output.files()) == ["old", "other"]


def test_a_removal_cut_off_anywhere_is_carried_on(planned, out, artifacts, refs, monkeypatch):
    names = [f"f{number}" for number in range(3)]
    for cut in range(5):
        planned.publish("n", "k", refs(dict.fromkeys(names, "1")))
        (out / "f1").write_text("1")
        calls = iter(range(cut, -2, -1))

        def killed(self, *args, then, calls=calls):
            if next(calls) <= 0:
                raise KeyboardInterrupt
            return then(self, *args)

        with monkeypatch.context() as patched:
            for name in ("remove", "stage"):
                patched.setattr(Folder, name, partialmethod(killed, then=getattr(Folder, name)))
            with suppress(KeyboardInterrupt):
                planned.prune([])
        again = OutputFolder(out, artifacts, "p")
        again.prune([])
        assert list(tree(out)) == [".maestro/manifest.json"]
        assert not again.files()


def test_what_a_killed_publish_of_a_node_left_goes_too(planned, out, artifacts, refs, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(OutputFolder, "_finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            planned.publish("n", "k", refs({"a": "1"}))
    assert (out / "a").exists()
    assert OutputFolder(out, artifacts, "p").prune(["m"]) == Pruned(removed=("a",))
    assert list(tree(out)) == [".maestro/manifest.json"]


def test_a_changed_file_is_a_conflict_and_is_not_overwritten(output, out, refs):
    output.publish("n", "k", refs({"a": "1", "b": "1"}))
    (out / "a").write_text("mine")
    conflict = Conflict(path="a", reason="changed since we wrote it", node="n")
    assert output.conflicts() == (conflict,)
    with pytest.raises(
        UnrecoverableError, match=r"what is not ours: a \(changed since we wrote it\)"
    ) as caught:
        output.publish("n", "k2", refs({"a": "2", "b": "2"}))
    assert "--accept" in caught.value.hint
    assert (out / "a").read_text() == "mine"
    assert (out / "b").read_text() == "1"


def test_an_unlisted_file_where_we_would_write_is_a_conflict(output, out, refs):
    (out / "api").mkdir(parents=True)
    (out / "api" / "mine.py").write_text("mine")
    (out / "notes.txt").write_text("mine")
    assert output.conflicts(["api/**", "web/*.js"]) == (
        Conflict(path="api/mine.py", reason="an unlisted file"),
    )
    assert output.conflicts(["notes.txt"]) == (Conflict(path="notes.txt", reason="an unlisted file"),)
    assert output.conflicts(["api"]) == (Conflict(path="api", reason="a folder"),)
    with pytest.raises(UnrecoverableError, match=r"notes.txt \(an unlisted file\)"):
        output.publish("n", "k", refs({"notes.txt": "ours"}))


def test_an_equal_unlisted_file_is_no_obstacle(output, out, refs):
    out.mkdir()
    (out / "a").write_text("1")
    output.publish("n", "k", refs({"a": "1"}))
    assert list(output.files()) == ["a"]


def test_an_accepted_file_is_kept_until_it_is_replaced(output, out, refs):
    output.publish("n", "k", refs({"a": "1"}))
    (out / "a").write_text("mine")
    output.accept(["a"])
    assert output.conflicts() == ()
    output.publish("n", "k", refs({"a": "1"}))
    output.publish("n", "k2", refs({"a": "2"}))
    assert (out / "a").read_text() == "mine"
    (out / "a").write_text("mine, later")
    assert [conflict.path for conflict in output.conflicts()] == ["a"]
    output.replace(["a"])
    assert (out / "a").read_text() == "2"
    assert output.conflicts() == ()
    assert output.files()["a"].accepted is None


def test_an_accepted_unlisted_file_is_never_removed(output, out, refs):
    out.mkdir()
    (out / "a").write_text("mine")
    output.accept(["a"])
    output.publish("n", "k", refs({"a": "ours"}))
    output.publish("n", "k", [])
    assert (out / "a").read_text() == "mine"


def test_a_replaced_unlisted_file_is_overwritten_when_published(output, out, refs, artifacts):
    out.mkdir()
    (out / "a").write_text("mine")
    output.replace(["a"])
    again = OutputFolder(out, artifacts)
    assert again.conflicts(["a"]) == ()
    again.publish("n", "k", refs({"a": "ours"}))
    assert (out / "a").read_text() == "ours"
    assert not (out / ".maestro" / "underway.json").exists()


def test_the_permission_to_replace_is_for_what_was_seen(output, out, refs):
    out.mkdir()
    (out / "a").write_text("mine")
    output.replace(["a"])
    (out / "a").write_text("mine, later")
    with pytest.raises(UnrecoverableError, match="an unlisted file"):
        output.publish("n", "k", refs({"a": "ours"}))


def test_a_missing_file_is_restored_without_running(output, out, refs):
    output.publish("n", "k", refs({"a": "1", "b/c": "2"}))
    (out / "b" / "c").unlink()
    (out / "b").rmdir()
    assert output.missing() == ("b/c",)
    assert output.conflicts(["b/*"]) == ()
    output.restore(output.missing())
    assert (out / "b" / "c").read_text() == "2"
    assert output.missing() == ()


def test_a_file_whose_name_no_node_could_write_is_no_conflict(output, out):
    out.mkdir()
    for name in (b"new\nline", b"back\\slash", b"\xff"):
        (out / os.fsdecode(name)).write_text("mine")
    assert output.conflicts(["**"]) == ()


def test_looking_creates_nothing(output, out):
    assert output.conflicts(["**"]) == ()
    assert output.missing() == ()
    assert output.files() == {}
    assert not out.exists()


@pytest.mark.parametrize(
    "damage",
    [lambda t: t[:-3], lambda _: "", lambda t: t.replace('"n"', '"m"'), lambda _: "[]", lambda _: "{}"],
)
def test_a_damaged_manifest_is_not_an_empty_one(output, out, refs, damage):
    output.publish("n", "k", refs({"a": "1"}))
    manifest = out / ".maestro" / "manifest.json"
    manifest.write_text(damage(manifest.read_text()))
    for use in (output.files, output.conflicts, output.missing, lambda: output.publish("n", "k", [])):
        with pytest.raises(IntegrityError, match=r"manifest.json is damaged") as caught:
            use()
        assert "move the output folder away" in caught.value.hint


def test_a_newer_manifest_is_refused(output, out, refs):
    output.publish("n", "k", refs({"a": "1"}))
    manifest = out / ".maestro" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"format_version": 1', '"format_version": 2'))
    with pytest.raises(StateError, match="written by a newer version"):
        output.files()


def test_lost_content_is_noticed_before_anything_is_renamed(output, out, refs):
    files = [*refs({"a": "1"}), FileRef(path="b", digest="0" * 64, size=1)]
    with pytest.raises(IntegrityError, match="is not there"):
        output.publish("n", "k", files)
    assert not (out / "a").exists()


def test_two_users_of_one_output_exclude_each_other(output, out, tmp_path):
    other = OutputFolder(out, Artifacts(tmp_path / "another state"))
    with (
        output.lock().acquire(ME),
        pytest.raises(StateError, match=r"the output folder .* is in use by process 1"),
    ):
        other.lock().acquire(ME)
    assert sorted(path.name for path in (out / ".maestro").iterdir()) == ["lock", "tmp"]


# ---- escapes ---------------------------------------------------------------------------------------------


ESCAPES = ["../out2/x", "a/../../x", "/etc/x", "", ".", "a//b", "a/", "./a", "a\x00b", "a\\..\\b", "a\nb"]
ESCAPES += [".maestro/manifest.json", ".Maestro/x", "x" * 300, "a\ud800"]


@pytest.mark.parametrize("path", ESCAPES)
def test_paths_that_leave_the_folder_are_refused(output, out, refs, path):
    with pytest.raises(UnrecoverableError, match="is not a path inside the output folder"):
        output.publish("n", "k", [*refs({"fine": "1"}), *refs({path: "bad"})])
    assert not out.exists()


def test_a_folder_that_is_a_link_is_not_entered(output, out, refs, tmp_path):
    (tmp_path / "outside").mkdir()
    out.mkdir()
    (out / "api").symlink_to(tmp_path / "outside")
    assert output.conflicts(["api/**"]) == (Conflict(path="api", reason="a symbolic link"),)
    with pytest.raises(UnrecoverableError, match=r"api/app.py \(reached through a symbolic link"):
        output.publish("n", "k", refs({"api/app.py": "x"}))
    with pytest.raises(UnrecoverableError, match="cannot be replaced"):
        output.replace(["api/app.py"])
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_folder_swapped_for_a_link_after_the_look_is_not_entered(output, out, refs, tmp_path, monkeypatch):
    (tmp_path / "outside").mkdir()
    (out / "api").mkdir(parents=True)
    stage = output._folder.stage

    def swap(*args, **options):
        if (out / "api").is_dir() and not (out / "api").is_symlink():
            (out / "api").rmdir()
            (out / "api").symlink_to(tmp_path / "outside")
        stage(*args, **options)

    monkeypatch.setattr(output._folder, "stage", swap)
    with pytest.raises(EnvironmentFailure):
        output.publish("n", "k", refs({"api/app.py": "x"}))
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_file_that_is_a_link_is_never_written_through(output, out, refs, tmp_path):
    (tmp_path / "secret").write_text("secret")
    out.mkdir()
    (out / "a").symlink_to(tmp_path / "secret")
    with pytest.raises(UnrecoverableError, match=r"a \(a symbolic link\)"):
        output.publish("n", "k", refs({"a": "ours"}))
    output.replace(["a"])
    output.publish("n", "k", refs({"a": "ours"}))
    assert not (out / "a").is_symlink()
    assert (tmp_path / "secret").read_text() == "secret"


def test_a_hard_links_other_name_keeps_its_content(output, out, refs, tmp_path):
    output.publish("n", "k", refs({"a": "1"}))
    os.link(out / "a", tmp_path / "other name")
    output.publish("n", "k2", refs({"a": "2"}))
    assert (out / "a").read_text() == "2"
    assert (tmp_path / "other name").read_text() == "1"


def test_a_foreign_hard_link_is_a_conflict(output, out, tmp_path):
    (tmp_path / "secret").write_text("secret")
    out.mkdir()
    os.link(tmp_path / "secret", out / "a")
    assert [conflict.path for conflict in output.conflicts(["a"])] == ["a"]


def test_a_pipe_is_not_opened(output, out, refs):
    out.mkdir()
    os.mkfifo(out / "a")
    assert output.conflicts(["*"]) == (Conflict(path="a", reason="a device, pipe or socket"),)
    with pytest.raises(UnrecoverableError, match="device, pipe or socket"):
        output.publish("n", "k", refs({"a": "1"}))
    with pytest.raises(UnrecoverableError, match="a cannot be kept"):
        output.accept(["a"])


def test_our_own_folder_may_not_be_a_link(output, out, refs, tmp_path):
    (tmp_path / "outside").mkdir()
    out.mkdir()
    (out / ".maestro").symlink_to(tmp_path / "outside")
    with pytest.raises(EnvironmentFailure):
        output.publish("n", "k", refs({"a": "1"}))
    assert list((tmp_path / "outside").iterdir()) == []


def test_the_same_path_twice_is_refused(output, refs):
    with pytest.raises(UnrecoverableError, match="n wrote the same path twice"):
        output.publish("n", "k", [*refs({"a": "1"}), *refs({"a": "2"})])
