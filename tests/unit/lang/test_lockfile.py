"""`maestro.lock`: equal locks give equal bytes, and what the tool would not have written is damage."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_dsl.lang.lockfile import Lock, Locked, lock_of, lock_text, parse_lock

DIGEST = "sha256:" + "a" * 64
COMMIT = "1234567890" * 4
NAME = st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,3})?", fullmatch=True)
NUMBER = st.integers(0, 99).map(str)
VERSION = st.tuples(NUMBER, NUMBER, NUMBER).map(".".join)
RANGE = st.sampled_from(["^1.2", ">=1,<2", "1.4.0", "*", "git+https://x.org/a.git@^1", "./b@^1"])
DIGESTS = st.binary(min_size=32, max_size=32).map(lambda raw: f"sha256:{raw.hex()}")
COMMITS = st.binary(min_size=20, max_size=20).map(bytes.hex)


@st.composite
def locks(draw):
    found = {}
    for name in sorted(draw(st.sets(NAME, max_size=4))):
        is_local = draw(st.booleans())
        found[name] = Locked(
            name=name,
            version=draw(VERSION),
            source=f"./libs/{name}" if is_local else f"git+https://x.org/{name}.git#subdirectory=a",
            commit=None if is_local else draw(COMMITS),
            tag=None if is_local else draw(st.none() | st.sampled_from(["v1.0.0", "1.0.0", "team-v1.0.0"])),
            digest=draw(DIGESTS),
            requires=dict(sorted(draw(st.dictionaries(NAME, RANGE, max_size=3)).items())),
        )
    return Lock(libraries=found)


@settings(max_examples=30)
@given(locks())
def test_a_lock_comes_back_from_its_text(lock):
    text = lock_text(lock)
    read = parse_lock(text.encode())
    assert read.problem is None
    assert read.lock == lock
    assert lock_text(read.lock) == text


GOOD = f"""format_version: 1
libraries:
  team:
    version: 1.2.0
    source: git+https://x.org/team.git
    commit: '{COMMIT}'
    digest: {DIGEST}
    requires: {{base: ^1}}
"""


def test_the_sound_one_is_read():
    assert parse_lock(GOOD.encode()).problem is None


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (GOOD, "", "is no lock"),
        (GOOD, "[1, 2]", "is no lock"),
        (GOOD, "a: [", "is damaged: line 1"),
        ("format_version: 1", "format_version: 2", "was made by a newer maestro"),
        ("format_version: 1", "format_version: one", "is no number"),
        ("format_version: 1", "format_version: 0", "is no number"),
        ("format_version: 1", "format_version: 1\nmore: 1", "nothing else"),
        (GOOD[17:], "\nlibraries: []\n", "nothing else"),
        ("  team:", "  ../team:", '"../team" is no library'),
        ("  team:", "  Team:", '"Team" is no library'),
        ("    version: 1.2.0\n", "", '"version" of team is absent'),
        ("version: 1.2.0", "version: 1.2", '"version" is no text'),
        ("version: 1.2.0", "version: new", "is not a version"),
        (f"digest: {DIGEST}", "digest: md5:1", "no digest"),
        (f"digest: {DIGEST}", f"digest: {DIGEST}0", "no digest"),
        (COMMIT, "abc", "no full commit"),
        (f"    commit: '{COMMIT}'\n", "", "no full commit"),
        (COMMIT, "--upload-pack=x", "no full commit"),
        ("source: git+https://x.org/team.git", "source: ./team", "a folder has no commit"),
        ("requires: {base: ^1}", "requires: [base]", "no mapping"),
        ("requires: {base: ^1}", "requires: {Base: ^1}", '"Base" is no library'),
        ("requires: {base: ^1}", "requires: {base: 1}", "no text"),
        ("requires: {base: ^1}", "hooks: {post: rm}", 'unknown key "hooks"'),
        ("  team:", "  team:\n    tag: [x]", "no text"),
        ("format_version: 1", "format_version: 1\nformat_version: 1", "is damaged: line 2"),
    ],
)
def test_what_the_tool_would_not_have_written_is_damage(old, new, told):
    read = parse_lock(GOOD.replace(old, new, 1).encode())
    assert read.lock is None
    assert told in read.problem


def test_a_folder_without_a_lock_has_none(tmp_path):
    assert lock_of(tmp_path) is None
    (tmp_path / "maestro.lock").write_bytes(b"\xff\xfe\x00")
    assert "is damaged" in lock_of(tmp_path).problem
