"""Git repositories as sources: nothing of them runs, is followed, or grows without bound."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from support.libraries import ENVIRON, Repository, library, needs_git

from maestro_dsl.errors import EnvironmentFailure, IntegrityError
from maestro_dsl.lang.folder import folder_of
from maestro_dsl.libraries import git as module
from maestro_dsl.libraries.git import mirror
from maestro_dsl.libraries.process import ProgramRefusal, run
from maestro_dsl.libraries.sources import parse_source

pytestmark = needs_git
FILES = library("team")


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "repository")


@pytest.fixture
def opened(repository, tmp_path):
    def again(fragment="", **environ):
        source = parse_source(repository.source + fragment)
        return mirror(source, tmp_path / "cache", {**ENVIRON, **environ})

    return again


def test_tags_and_files_are_read_from_objects(repository, opened, tmp_path):
    commit = repository.commit(FILES, "v1.0.0")
    repository.git("tag", "--annotate", "--message=x", "v1.0.1")
    repository.git("tag", "tree-tag", "HEAD^{tree}")
    found = opened()
    assert {(tag.name, tag.commit) for tag in found.tags()} == {("v1.0.0", commit), ("v1.0.1", commit)}
    assert found.read(commit) == folder_of({name: text.encode() for name, text in FILES.items()})
    assert found.file(commit, "library.yaml") == FILES["library.yaml"].encode()
    assert found.file(commit, "absent.yaml") is None
    cached = [path.name for path in (tmp_path / "cache").rglob("*.yaml")]
    assert cached == []


def test_a_folder_of_a_repository_is_a_library(repository, opened):
    files = {f"libs/team/{name}": text for name, text in FILES.items()}
    commit = repository.commit({**files, "run.sh": "#!/bin/sh"}, "team-v1.0.0")
    found = opened("#subdirectory=libs/team")
    found.tags()
    assert sorted(found.read(commit).files) == sorted(FILES)
    absent = opened("#subdirectory=libs/none")
    with pytest.raises(EnvironmentFailure, match="cannot be read"):
        absent.read(commit)


def test_a_commit_that_no_tag_names_is_fetched(repository, opened):
    first = repository.commit(FILES)
    middle = repository.commit({"reviewer.md.j2": "two"})
    repository.commit({"reviewer.md.j2": "three"}, "v1.0.0")
    found = opened()
    found.tags()
    found.require(middle)
    found.require(first)
    assert found.read(middle).files["reviewer.md.j2"] == b"two"
    with pytest.raises(EnvironmentFailure, match="has no commit"):
        found.require("1" * 40)


def test_new_tags_are_seen_by_the_next_command_and_removed_ones_are_gone(repository, opened):
    repository.commit(FILES, "v1.0.0")
    assert len(opened().tags()) == 1
    repository.commit({"reviewer.md.j2": "two"}, "v1.1.0")
    assert {tag.name for tag in opened().tags()} == {"v1.0.0", "v1.1.0"}
    repository.git("tag", "--delete", "v1.0.0")
    assert {tag.name for tag in opened().tags()} == {"v1.1.0"}


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (("120000", "link.md", "/etc/passwd"), '"link.md" is a symbolic link'),
        (("120000", "link.md", "../../outside"), '"link.md" is a symbolic link'),
        (("160000", "module", "1" * 40), '"module" is a submodule'),
        (("100755", "x.md", "x"), '"x.md" is executable'),
        (("100644", "run.sh", "x"), "no kind of file"),
        (("100644", "hook.py", "x"), "no kind of file"),
        (("100644", "-x.md", "x"), "no name for a file"),
        (("100644", "a\\b.md", "x"), "no name that every machine can hold"),
        (("100644", "CON.md", "x"), "no name that every machine can hold"),
    ],
)
def test_what_cannot_be_shared_is_refused_before_it_is_read(repository, opened, entry, told):
    good = ("100644", "library.yaml", FILES["library.yaml"])
    commit = repository.plant([good, entry], "v1.0.0")
    found = opened()
    found.tags()
    with pytest.raises(IntegrityError) as caught:
        found.read(commit)
    assert told in caught.value.message
    assert caught.value.exit_code == 7


def test_a_manifest_that_is_a_link_is_refused(repository, opened):
    commit = repository.plant([("120000", "library.yaml", "/etc/passwd")], "v1.0.0")
    found = opened()
    found.tags()
    with pytest.raises(IntegrityError, match="symbolic link"):
        found.file(commit, "library.yaml")


def test_a_tree_that_is_too_large_is_refused_by_its_list(repository, opened, monkeypatch):
    commit = repository.commit(FILES, "v1.0.0")
    found = opened()
    found.tags()
    monkeypatch.setattr(module, "MOST_FILES", 2)
    with pytest.raises(IntegrityError, match="larger than 2 files"):
        found.read(commit)
    monkeypatch.undo()
    monkeypatch.setattr(module, "MOST_BYTES", 10)
    with pytest.raises(IntegrityError, match="larger than"):
        found.read(commit)


def test_a_tree_that_unfolds_to_a_million_files_is_refused(repository, opened, monkeypatch):
    """A few levels of ten equal folders are a few hundred bytes on the wire and a million files on a disk."""
    blob = repository.git("hash-object", "-w", "--stdin", given=b"x")
    tree = repository.git("mktree", given=f"100644 blob {blob}\tx.md\n".encode())
    for _ in range(5):
        lines = "".join(f"040000 tree {tree}\td{number}\n" for number in range(10))
        tree = repository.git("mktree", given=lines.encode())
    commit = repository.git("commit-tree", tree, "-m", "x")
    repository.git("tag", "v1.0.0", commit)
    monkeypatch.setattr(module, "_MOST_LISTED", 1 << 18)  # the real bound takes two seconds
    found = opened()
    found.tags()
    with pytest.raises((IntegrityError, EnvironmentFailure), match=r"larger than|answers with more"):
        found.read(commit)


def test_hooks_and_filters_of_a_repository_do_not_run(repository, opened, tmp_path):
    trap = tmp_path / "trap"
    for hook in ("post-checkout", "reference-transaction", "post-upload-pack", "pre-auto-gc"):
        path = repository.folder / ".git" / "hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\ntouch {trap}\n")
        path.chmod(0o755)
    template = tmp_path / "template"
    (template / "hooks").mkdir(parents=True)
    (template / "hooks" / "reference-transaction").write_text(f"#!/bin/sh\ntouch {trap}\n")
    (template / "hooks" / "reference-transaction").chmod(0o755)
    repository.git("config", "filter.evil.smudge", f"touch {trap}")
    commit = repository.commit({**FILES, ".gitattributes": "* filter=evil\n"}, "v1.0.0")
    trap.unlink(missing_ok=True)
    found = opened("", GIT_TEMPLATE_DIR=str(template))
    found.tags()
    found.read(commit)
    assert not trap.exists()


def test_the_environment_cannot_point_git_elsewhere(repository, opened, tmp_path):
    repository.commit(FILES, "v1.0.0")
    other = Repository(tmp_path / "other")
    other.commit(FILES, "v9.9.9")
    found = opened(
        "",
        GIT_DIR=str(other.folder / ".git"),
        GIT_OBJECT_DIRECTORY=str(other.folder / ".git" / "objects"),
        GIT_CONFIG_COUNT="1",
        GIT_CONFIG_KEY_0="protocol.ext.allow",
        GIT_CONFIG_VALUE_0="always",
    )
    assert [tag.name for tag in found.tags()] == ["v1.0.0"]


def test_only_the_protocol_of_the_source_is_allowed(repository, tmp_path):
    """The user's own settings, or a server, may lead to a protocol that was not asked for."""
    repository.commit(FILES, "v1.0.0")
    settings = tmp_path / "gitconfig"
    address = repository.source.removeprefix("git+")
    settings.write_text(f'[url "{address}"]\n  insteadOf = https://x.invalid/a\n')
    source = parse_source("git+https://x.invalid/a")
    found = mirror(source, tmp_path / "cache", {**ENVIRON, "GIT_CONFIG_GLOBAL": str(settings)})
    with pytest.raises(EnvironmentFailure, match=r"cannot be reached.*file.*not allowed"):
        found.tags()


def test_an_address_is_never_an_option(tmp_path, opened):
    """Even where a source got past its own checks, git takes it for an address."""
    trap = tmp_path / "trap"
    source = replace(opened().source, url=f"--upload-pack=touch {trap}")
    found = mirror(source, tmp_path / "cache", ENVIRON)
    with pytest.raises(EnvironmentFailure):
        found.tags()
    assert not trap.exists()


def test_a_repository_that_is_not_there_is_told(tmp_path):
    found = mirror(parse_source(f"git+file://{tmp_path}/none"), tmp_path / "cache", ENVIRON)
    with pytest.raises(EnvironmentFailure, match="cannot be reached") as caught:
        found.tags()
    assert caught.value.exit_code == 8


def test_git_that_is_missing_is_told(tmp_path):
    found = mirror(parse_source("git+https://x.invalid/a"), tmp_path / "cache", {"PATH": str(tmp_path)})
    with pytest.raises(EnvironmentFailure, match="git is not installed"):
        found.tags()


def test_a_cache_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "cache").write_text("")
    found = mirror(parse_source("git+https://x.invalid/a"), tmp_path / "cache" / "x", ENVIRON)
    with pytest.raises(EnvironmentFailure, match="cannot write"):
        found.tags()


def _python(code, tmp_path, **bounds):
    return run([sys.executable, "-c", code], given=b"hello", environ=os.environ, watched=tmp_path, **bounds)


def test_a_program_gets_what_is_given_and_answers(tmp_path):
    assert _python("import sys; print(sys.stdin.read() * 2, end='')", tmp_path) == b"hellohello"


def test_what_it_says_when_it_fails_is_told(tmp_path):
    with pytest.raises(ProgramRefusal, match=r"^no such thing$"):
        _python("import sys; sys.exit('warning: x\\nfatal: no such thing')", tmp_path)
    with pytest.raises(ProgramRefusal, match="exit code 3"):
        _python("raise SystemExit(3)", tmp_path)


@pytest.mark.parametrize(
    ("code", "bounds", "told"),
    [
        ("print('x' * 5_000_000)", {"most_answer": 1 << 20}, "answers with more than 1 MiB"),
        ("open('FILE', 'w').write('x' * 5_000_000)", {"most_fetched": 1 << 20}, "larger than 1 MiB"),
        ("import time; time.sleep(60)", {"timeout_s": 0.1}, "did not end in time"),
    ],
)
def test_a_program_is_bounded(tmp_path, code, bounds, told):
    code = code.replace("FILE", str(Path(tmp_path, "file")))
    with pytest.raises(EnvironmentFailure, match=told):
        _python(code, tmp_path, **bounds)
