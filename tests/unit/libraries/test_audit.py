"""Manifest, lock and disk: whatever stands in them, the audit says what is wrong and never fails."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.files import write
from support.libraries import library, manifest, project, requires

from maestro_dsl.app import lint
from maestro_dsl.errors import IntegrityError
from maestro_dsl.lang.lockfile import LOCK_FILE, Lock, Locked, lock_text
from maestro_dsl.libraries.audit import audit, contents_of, require_sound
from maestro_dsl.libraries.candidates import Offline
from maestro_dsl.libraries.locking import make_lock, wanted_of

STATED = {"house": "./house@^1.0", "base": "./base"}


@pytest.fixture
def root(tmp_path):
    write(tmp_path / "house", library("house", "1.2.0", more=requires(base="^2.0", core="^0.1")))
    write(tmp_path / "base", library("base", "2.1.0"))
    project(tmp_path, **STATED)
    lock_again(tmp_path)
    return tmp_path


def lock_again(root):
    lock = make_lock(wanted_of(STATED), Offline(root, None), None)
    write(root, {LOCK_FILE: lock_text(lock)})


def told(root, stated=None):
    return [item.message for item in audit(root, stated or STATED).disagreements]


def test_what_agrees_is_silent_and_its_contents_are_known(root):
    found = audit(root, STATED)
    assert (found.disagreements, found.broken, found.missing) == ((), (), ())
    require_sound(found)
    assert contents_of(found)[(root / "base/reviewer.md.j2").resolve()].startswith(b"Review")


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"house": "./house"}, None),
        ({"house": "./house@^2"}, "maestro.yaml asks for house ^2, and maestro.lock pins 1.2.0"),
        ({"house": "./hut"}, "maestro.yaml asks for house from ./hut, and maestro.lock has it from ./house"),
        ({"base": "./base"}, "maestro.lock pins house, which nobody asks for"),
        ({"house": "./house", "more": "./more"}, "library more is not in maestro.lock"),
        ({"house": "./house", "core": "./core"}, 'the library "core" is built in: use another name'),
        ({"house": "./house", "x": "http://x.org/a@^1"}, 'library x: "http://x.org/a@^1" speaks "http"'),
        ({"house": f"git+https://x.org/a@{'1' * 40}"}, "from git+https://x.org/a, and maestro.lock has it"),
    ],
)
def test_what_the_project_asks_for_is_compared(root, stated, message):
    found = told(root, stated)
    if message is None:
        assert found == []
    else:
        assert any(item.startswith(message) or message in item for item in found), found


def test_what_a_library_requires_is_compared(root):
    text = (root / LOCK_FILE).read_text()
    (root / LOCK_FILE).write_text(text.replace('"^2.0"', '"^3.0"').replace('"^0.1"', '"^9"'))
    found = told(root)
    assert "house 1.2.0 asks for base ^3.0, and maestro.lock pins 2.1.0" in found
    assert any(item.startswith("house 1.2.0 asks for core ^9, and 0.1") for item in found)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reviewer.md.j2": "x"}, "library base has changed since it was locked"),
        (
            {"library.yaml": manifest("base", "2.2.0")},
            "library base is 2.2.0 now, and maestro.lock pins 2.1.0",
        ),
        ({"library.yaml": manifest("other", "2.1.0")}, 'library base calls itself "other"'),
        ({"library.yaml": "a: ["}, "library base has a mistake in library.yaml, line 1"),
        ({"run.sh": "x"}, 'library base cannot be used: "run.sh" is no kind of file'),
        ({"library.yaml": manifest("base", "2.1.0-one.two")}, "has a version that cannot be compared"),
    ],
)
def test_a_folder_that_changed_is_told(root, change, message):
    write(root / "base", change)
    (found,) = told(root)
    assert message in found
    with pytest.raises(IntegrityError, match=r"maestro\.lock is out of date"):
        require_sound(audit(root, STATED))


def test_a_folder_that_is_gone_is_told(root):
    (root / "base").rename(root / "away")
    (found,) = told(root)
    assert "there is no folder" in found


def test_without_a_lock_everything_is_not_locked(root):
    (root / LOCK_FILE).unlink()
    assert told(root) == [f"library {name} is not locked: there is no maestro.lock" for name in STATED]
    write(root, {LOCK_FILE: "{"})
    assert all("is damaged" in item for item in told(root))
    assert audit(root, {}).disagreements[0].in_lock


SOURCES = st.sampled_from(
    [
        "./house",
        "./base",
        "../x",
        "/etc",
        "git+https://x.org/a",
        "https://x.org/a",
        "--upload-pack=x",
        "x",
        "./a\0b",
    ]
)
RANGES = st.sampled_from(
    ["^1", "*", "main", "", "./base", "git+https://x.org/a@^1", ">=", "^1.2.3.4", "http://x"]
)
NAMES = st.sampled_from(["house", "base", "core", "more"])


@st.composite
def strange_locks(draw):
    found = {}
    for name in draw(st.sets(NAMES)):
        source = draw(SOURCES)
        found[name] = Locked(
            name=name,
            version=draw(st.sampled_from(["1.2.0", "2.1.0", "0.0.0-a.b", "1.0.0-rc.1"])),
            source=source,
            commit=None if source.startswith(".") else "1" * 40,
            digest="sha256:" + "1" * 64,
            requires=draw(st.dictionaries(NAMES, RANGES, max_size=2)),
        )
    return lock_text(Lock(libraries=found))


@settings(max_examples=25)
@given(
    text=strange_locks() | st.text(max_size=40) | st.binary(max_size=40),
    stated=st.dictionaries(
        NAMES, st.one_of(SOURCES, RANGES, SOURCES.map(lambda text: f"{text}@^1")), max_size=3
    ),
)
def test_any_lock_and_any_manifest_are_judged(tmp_path_factory, text, stated):
    root = tmp_path_factory.mktemp("any", numbered=True)
    write(root / "base", library("base", "2.1.0"))
    content = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    (root / LOCK_FILE).write_bytes(content)
    found = audit(root, stated)
    if stated and found.lock is None:
        assert found.disagreements
    quoted = {name: "'" + source.replace("\0", "") + "'" for name, source in stated.items()}
    project(root, **quoted)
    codes = {item.code for item in lint([root], environ={}).diagnostics}
    assert codes <= {"LIB001", "LIB002", "LIB003", "SCH003", "SYN001", "STY001", "RUN001"}
