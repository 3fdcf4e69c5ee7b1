from __future__ import annotations

import json
import os
import random
import zipfile
from contextlib import closing, suppress

import pytest
from support.states import Place

from maestro_dsl.codec import canonical, digest_bytes
from maestro_dsl.errors import IntegrityError, MaestroError, StateError
from maestro_dsl.storage import archive as module
from maestro_dsl.storage.archive import Archive
from maestro_dsl.storage.references import digests_in

LONG = bool(os.environ.get("MAESTRO_TEST_LONG"))


@pytest.fixture
def here(tmp_path):
    place = Place(tmp_path / "here")
    place.run("a", 1.0)
    place.run("b", 2.0, ends="paused", node="m")
    with closing(place.journal):
        yield place


@pytest.fixture
def there(tmp_path):
    place = Place(tmp_path / "there")
    with closing(place.journal):
        yield place


def archive(place):
    return Archive(place.journal, place.artifacts, tool_version="1")


def test_what_is_exported_and_imported_is_exported_the_same(tmp_path, here, there):
    first, second = tmp_path / "first.zip", tmp_path / "second.zip"
    done = archive(here).export(["b", "a"], first, with_newest=True)
    assert (done.runs, done.results) == (("a", "b"), 2)
    taken = archive(there).load(first)
    assert (taken.runs, taken.known, taken.results, taken.objects) == (("a", "b"), (), 2, done.objects)
    archive(there).export(["a", "b"], second, with_newest=True)
    assert first.read_bytes() == second.read_bytes()
    assert there.journal.verify() == ()
    for run_id in "ab":
        assert list(there.journal.events(run_id)) == list(here.journal.events(run_id))
    assert there.journal.run("b").status == "paused"
    assert there.journal.last_result("p", "n") == here.journal.last_result("p", "n")


def test_a_large_state_goes_there_and_back(tmp_path, there):
    place = Place(tmp_path / "large")
    for number in range(1_000 if LONG else 20):
        place.run(f"run-{number:04}", float(number), unique=b"x" * 500, node=f"n{number}")
    first, second = tmp_path / "first.zip", tmp_path / "second.zip"
    done = archive(place).export(sorted(place.ids()), first, with_newest=True)
    assert len(done.runs) == len(place.ids())
    assert archive(there).load(first).objects == done.objects
    archive(there).export(sorted(there.ids()), second, with_newest=True)
    assert first.read_bytes() == second.read_bytes()
    assert there.stored() >= {item.digest for item in place.artifacts.objects()} - unnamed(place)
    assert there.journal.verify() == ()
    place.journal.close()


def unnamed(place):
    return place.stored() - digests_in(" ".join(place.journal.texts()))


def test_one_run_takes_only_its_own_along(tmp_path, here, there):
    archive(here).export(["a"], tmp_path / "a.zip")
    archive(there).load(tmp_path / "a.zip")
    assert there.ids() == {"a"}
    own_of_b = digest_bytes(b"own b")
    assert here.artifacts.has(own_of_b)
    assert not there.artifacts.has(own_of_b)


def test_importing_twice_changes_nothing_and_says_so(tmp_path, here, there):
    archive(here).export(["a"], tmp_path / "a.zip")
    archive(there).load(tmp_path / "a.zip")
    again = archive(there).load(tmp_path / "a.zip")
    assert (again.runs, again.known, again.results) == ((), ("a",), 0)


def test_another_history_under_the_same_id_is_refused(tmp_path, here, there):
    archive(here).export(["a"], tmp_path / "a.zip")
    there.run("a", 7.0, unique=b"!")
    with pytest.raises(StateError, match="another history of run a is here already"):
        archive(there).load(tmp_path / "a.zip")


def test_what_is_not_whole_is_not_exported(tmp_path, here):
    here.artifacts._path(digest_bytes(b"own a")).unlink()
    with pytest.raises(IntegrityError, match="is not there"):
        archive(here).export(["a"], tmp_path / "a.zip")
    assert not list(tmp_path.glob("*.zip*")) + list(tmp_path.glob(".*"))


def rewritten(source, target, change):
    """Write the file again with `change(members)` made and its index right, as an attacker would."""
    with zipfile.ZipFile(source) as file:
        members = {name: file.read(name) for name in file.namelist()}
    change(members)
    index = json.loads(members["maestro-state.json"])
    kept = [name for name in members if name in index["members"]]
    index["members"] = {name: digest_bytes(members[name]) for name in kept}
    members["maestro-state.json"] = canonical(index)
    with zipfile.ZipFile(target, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)


def of_run(change):
    def edit(members):
        run = json.loads(members["runs/000000.json"])
        change(run)
        members["runs/000000.json"] = canonical(run)

    return edit


def first_object(members):
    return next(name for name in members if name.startswith("objects/"))


ATTACKS = {
    "a path that leaves": lambda m: m.update({"../../evil": b"x"}),
    "an absolute path": lambda m: m.update({"/etc/evil": b"x"}),
    "an unknown member": lambda m: m.update({"objects/readme": b"x"}),
    "other content": lambda m: m.update({first_object(m): b"other"}),
    "content left out": lambda m: m.pop(first_object(m)),
    "an event changed": of_run(lambda r: r["events"].__setitem__(1, r["events"][1].replace('"n"', '"x"'))),
    "an event left out": of_run(lambda r: r["events"].pop()),
    "another plan": of_run(lambda r: r.update(plan="{}")),
    "another id": of_run(lambda r: r["run"].update(run_id="other")),
    "a status of its own": of_run(lambda r: r["head"].update(seq=99)),
    "a column too many": of_run(lambda r: r["run"].update(evil=1)),
    "no results": lambda m: m.pop("results.json"),
    "results of another shape": lambda m: m.update({"results.json": b'[{"plan_id": 1}]'}),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_file_that_was_tampered_with_is_refused_and_nothing_is_taken(tmp_path, here, there, attack):
    archive(here).export(["a"], tmp_path / "good.zip")
    rewritten(tmp_path / "good.zip", tmp_path / "bad.zip", ATTACKS[attack])
    with pytest.raises(IntegrityError, match="is no export that can be trusted"):
        archive(there).load(tmp_path / "bad.zip")
    assert there.ids() == set()
    assert not list(tmp_path.rglob("evil"))


def test_an_unchanged_file_written_by_the_same_hand_is_taken(tmp_path, here, there):
    archive(here).export(["a"], tmp_path / "good.zip")
    rewritten(tmp_path / "good.zip", tmp_path / "same.zip", lambda _: None)
    assert archive(there).load(tmp_path / "same.zip").runs == ("a",)


@pytest.mark.parametrize("limit", ["MAX_MEMBERS", "MAX_MEMBER_BYTES", "MAX_BYTES"])
def test_what_would_unpack_to_too_much_is_refused(tmp_path, here, there, monkeypatch, limit):
    archive(here).export(["a"], tmp_path / "a.zip")
    monkeypatch.setattr(module, limit, 3)
    with pytest.raises(IntegrityError, match=r"too many members|more than is allowed"):
        archive(there).load(tmp_path / "a.zip")


def test_a_newer_format_is_left_to_a_newer_version(tmp_path, here, there):
    archive(here).export(["a"], tmp_path / "a.zip")

    def newer(members):
        index = {**json.loads(members["maestro-state.json"]), "format_version": 2}
        members["maestro-state.json"] = canonical(index)

    rewritten(tmp_path / "a.zip", tmp_path / "b.zip", newer)
    with pytest.raises(StateError, match="has format 2; this version reads up to 1"):
        archive(there).load(tmp_path / "b.zip")


def test_whatever_byte_is_changed_it_is_noticed_or_made_no_difference(tmp_path, here, there):
    archive(here).export(["a"], tmp_path / "a.zip")
    content, rand = (tmp_path / "a.zip").read_bytes(), random.Random(1)
    for _ in range(150):
        place = rand.randrange(len(content))
        cut = rand.random() < 0.2
        rest = b"" if cut else bytes([content[place] ^ rand.randint(1, 255)]) + content[place + 1 :]
        (tmp_path / "b.zip").write_bytes(content[:place] + rest)
        with suppress(MaestroError):
            archive(there).load(tmp_path / "b.zip")
            assert list(there.journal.events("a")) == list(here.journal.events("a"))
    assert there.journal.verify() == ()
