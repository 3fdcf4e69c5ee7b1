"""The commands around the state directory, on one that holds runs which cost nothing to make."""

from __future__ import annotations

import json
from contextlib import closing

import pytest
from support.states import ME, Place

from maestro_dsl.cli.main import execute
from maestro_dsl.codec import digest_bytes
from maestro_dsl.storage.lease import run_lock

HELP = [
    ("tokens",),
    ("costs",),
    ("cache",),
    ("cache", "ls"),
    ("cache", "rm"),
    ("cache", "stats"),
    ("state",),
    ("state", "verify"),
    ("state", "gc"),
    ("state", "unlock"),
    ("state", "export"),
    ("state", "import"),
]


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path / "state")
    for number, name in enumerate("abc", 1):
        place.run(name, 1.0e9 + number)
    place.run("waits", 1.0e9 + 9, ends="paused")
    with closing(place.journal):
        yield place


@pytest.fixture
def maestro(place, capsys):
    """Return a function that runs one command line on the state directory and returns code, JSON or text."""

    def run(*arguments):
        capsys.readouterr()
        code = execute(["--no-input", *map(str, arguments), "--state-dir", str(place.folder)])
        said = capsys.readouterr()
        return code, json.loads(said.out) if "json" in arguments else said.out + said.err

    return run


def test_help_of_the_commands_around_the_state(capsys, golden):
    for names in HELP:
        assert execute([*names, "--help"]) == 0
    golden("cli/help_state.txt", capsys.readouterr().out)


def test_verify_ends_with_7_and_names_damage_and_the_way_out(maestro, place):
    code, text = maestro("state", "verify", "--read-data", "100%")
    assert (code, "everything is whole" in text) == (0, True)
    place.artifacts._path(digest_bytes(b"shared")).write_bytes(b"other")
    code, text = maestro("state", "verify", "--read-data", "100%")
    assert code == 7
    assert "differs from its digest; n of run" in text
    assert "way out: remove objects/" in text
    code, document = maestro("state", "verify", "--read-data", "100%", "--format", "json")
    assert (code, document["whole"], len(document["damages"])) == (7, False, 1)


@pytest.mark.parametrize("share", ["half", "101%", "-1%", "nan%"])
def test_a_share_is_a_share(maestro, share):
    assert maestro("state", "verify", "--read-data", share)[0] == 2


def test_gc_says_first_what_it_does_then(maestro, place):
    options = ("state", "gc", "--keep-runs", 1, "--format", "json")
    _, said = maestro(*options, "--dry-run")
    assert (said["runs"], said["kept_runs"], said["dry_run"]) == (["b", "a"], 2, True)
    assert len(place.ids()) == 4
    _, done = maestro(*options)
    assert done["runs"] == ["b", "a"]
    assert place.ids() == {"c", "waits"}
    assert maestro("state", "gc", "--keep-age", "old")[0] == 2


def test_unlock_takes_nothing_from_a_living_process(maestro, place):
    epoch = place.journal.next_epoch("waits")
    code, text = maestro("state", "unlock", "waits")
    assert (code, "would: give the run a new epoch" in text) == (0, True)
    with run_lock(place.folder, "waits").acquire(ME):
        code, text = maestro("state", "unlock", "waits", "--yes")
        assert (code, "run waits is held by process 1 on h since now (c)" in text) == (5, True)
        assert "end process 1 (c); its lock is free at once" in text
    assert "did: give" in maestro("state", "unlock", "waits", "--yes")[1]
    assert place.journal.next_epoch("waits") == epoch + 2
    assert "nothing: the run has ended" in maestro("state", "unlock", "a")[1]


def test_export_and_import_meet(maestro, place, tmp_path, capsys):
    file = tmp_path / "x.zip"
    with run_lock(place.folder, "waits").acquire(ME):
        code, text = maestro("state", "export", "--all", file)
        assert (code, "3 runs" in text, "left out: run waits is live" in text) == (0, True, True)
        assert maestro("state", "export", "waits", tmp_path / "y.zip")[0] == 5
    assert maestro("state", "export", "a", file)[0] == 5  # it exists
    assert maestro("state", "export", "a")[0] == 2
    capsys.readouterr()
    assert execute(["state", "import", str(file), "--state-dir", str(tmp_path / "other")]) == 0
    assert "3 runs taken over, 0 known already" in capsys.readouterr().out
    file.write_bytes(b"no zip")
    assert maestro("state", "import", file)[0] == 7


def test_cache_lists_and_removes_what_is_asked_for(maestro, place):
    _, listed = maestro("cache", "ls", "--format", "json")
    keys = [item["key"] for item in listed["results"]]
    assert len(keys) == 4
    assert maestro("cache", "rm")[0] == 2
    assert maestro("cache", "rm", keys[0], "--all")[0] == 2
    assert maestro("cache", "rm", "nope", "--yes")[0] == 5
    code, text = maestro("cache", "rm", keys[0])
    assert (code, "nobody can be asked; --yes is missing" in text) == (2, True)
    assert maestro("cache", "rm", keys[0][:16], "--yes")[0] == 0
    assert place.journal.result(keys[0]) is None
    assert maestro("cache", "rm", "--older-than", "1d", "--yes")[0] == 0
    assert maestro("cache", "ls", "--format", "json")[1]["results"] == []
    assert place.journal.verify() == ()


@pytest.mark.parametrize("command", ["tokens", "costs"])
def test_a_time_is_a_date_or_a_duration(maestro, command):
    code, text = maestro(command, "--since", "yesterday")
    assert (code, "is neither a date nor a duration" in text) == (2, True)


def test_where_nothing_was_used_that_is_said(tmp_path, capsys):
    assert execute(["tokens", "--since", "2001-01-01", "--state-dir", str(tmp_path)]) == 0
    assert "nothing was used in" in capsys.readouterr().err


def test_a_misspelt_folder_is_not_whole(tmp_path, capsys):
    missing = tmp_path / "sate"
    assert execute(["state", "verify", "--state-dir", str(missing)]) == 5
    assert f"there is no state in {missing}" in capsys.readouterr().err
    assert not missing.exists()


def test_no_result_of_a_contract_is_not_no_result_at_all(place, capsys):
    assert execute(["cache", "ls", "--contract", "nosuch", "--state-dir", str(place.folder)]) == 0
    said = capsys.readouterr().err
    assert "no stored results of these in " in said
    assert "next: maestro cache ls" in said
