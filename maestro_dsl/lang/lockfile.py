"""`maestro.lock`: which version of each library a project uses, where it comes from, and its digest.

Text to value and back. The tool writes it, so it is strict: what it would not have written is damage. It is
made in `maestro_dsl.libraries`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Final

from maestro_dsl.lang.disk import is_file, read
from maestro_dsl.lang.files import PATH_SIGNS
from maestro_dsl.lang.quoting import quoted, written
from maestro_dsl.lang.source import load
from maestro_dsl.lang.sourcemap import Pointer, SourceMap
from maestro_dsl.lang.units import UnitError, is_in_range, parse_version
from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from maestro_dsl.lang.model import Json

LOCK_FILE: Final = "maestro.lock"
INSTALLED: Final = (".maestro", "libraries")
"""Folders of the project below which libraries are installed."""
FORMAT: Final = 1
_HEAD: Final = "# Made by maestro lib lock: commit it, and leave changing it to the tool.\n"
NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
"""Names of libraries."""
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
"""A commit in full, by SHA-1 or SHA-256."""
_KEYS: Final = frozenset({"version", "source", "tag", "commit", "digest", "requires"})
_ANY: Final = ">=0"
_NEEDED: Final = ("version", "source", "digest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """One library as it is pinned; `commit` is None where it lies in a folder beside the project's files."""

    name: str
    version: str
    source: str
    """Without a range: "./libs/team", "git+https://…", "git+https://…#subdirectory=team"."""
    digest: str
    commit: str | None = None
    tag: str | None = None
    requires: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_local(self) -> bool:
        """True where it is used from the folder that it stands in and never installed."""
        return self.source.startswith(PATH_SIGNS)

    def folder(self, root: Path) -> Path:
        """Return where it lies for the project at `root`."""
        return root / self.source if self.is_local else root.joinpath(*INSTALLED, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """All libraries of a project by name, sorted."""

    libraries: Mapping[str, Locked] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockRead:
    """What a lock file gave: the lock, or what is wrong with the file and at which of its keys."""

    lock: Lock | None
    map: SourceMap
    text: str = field(repr=False)
    problem: str | None = None
    at: Pointer = ()


class _Damage(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, problem: str, at: Pointer = ()) -> None:
        super().__init__(problem)
        self.at = at


def lock_of(root: Path, *, file: str = LOCK_FILE) -> LockRead | None:
    """Return the lock of the project at `root`, which is called `file`; None where it has none."""
    path = root / LOCK_FILE
    if not is_file(path):
        return None
    try:
        return parse_lock(read(path), file)
    except OSError as error:
        unread = load(b"", file)
        return LockRead(lock=None, map=unread.map, text="", problem=f"cannot be read: {error.strerror}")


def parse_lock(content: bytes, file: str = LOCK_FILE) -> LockRead:
    """Return the lock that `content` holds."""
    loaded = load(content, file)
    wrong = next(iter(loaded.diagnostics), None)
    if wrong is not None:
        problem = f"is damaged: line {wrong.span.line}: {wrong.message}"
        return LockRead(lock=None, map=loaded.map, text=loaded.text, problem=problem)
    try:
        lock = _lock(loaded.data)
    except _Damage as damage:
        return LockRead(lock=None, map=loaded.map, text=loaded.text, problem=str(damage), at=damage.at)
    return LockRead(lock=lock, map=loaded.map, text=loaded.text)


def lock_text(lock: Lock) -> str:
    """Return a lock as text: equal locks give equal bytes, and one change touches few lines."""
    lines = [_HEAD, f"format_version: {FORMAT}\n"]
    lines.append("libraries:\n" if lock.libraries else "libraries: {}\n")
    for name, item in sorted(lock.libraries.items()):
        lines.append(f"  {written(name)}:\n")
        stated = {"version": item.version, "source": item.source, "tag": item.tag, "commit": item.commit}
        lines += [f"    {key}: {_scalar(value)}\n" for key, value in stated.items() if value is not None]
        lines.append(f"    digest: {_scalar(item.digest)}\n")
        if item.requires:
            lines.append("    requires:\n")
            lines += [
                f"      {written(key)}: {quoted(item.requires[key])}\n" for key in sorted(item.requires)
            ]
    return "".join(lines)


def _scalar(value: str) -> str:
    return quoted(value) if value[:1].isdigit() else written(value)  # a commit may look like a number


def _lock(data: Json | None) -> Lock:
    if not isinstance(data, dict) or "format_version" not in data:
        raise _Damage("is damaged: it is no lock")
    stated = data["format_version"]
    if not isinstance(stated, int) or isinstance(stated, bool) or stated < 1:
        raise _Damage("is damaged: its format_version is no number", ("format_version",))
    if stated > FORMAT:
        raise _Damage(
            f"was made by a newer maestro: its format is {stated}, this one knows {FORMAT}",
            ("format_version",),
        )
    libraries = data.get("libraries")
    if not isinstance(libraries, dict) or data.keys() != {"format_version", "libraries"}:
        raise _Damage("is damaged: it holds format_version and libraries, nothing else")
    return Lock(libraries={name: _locked(name, libraries[name]) for name in sorted(libraries)})


def _locked(name: str, data: Json) -> Locked:
    at: Pointer = ("libraries", name)
    if not NAME.fullmatch(name) or not isinstance(data, dict):
        raise _Damage(f'is damaged: "{name}" is no library', at)
    strange = next(iter(data.keys() - _KEYS), None)
    if strange is not None:
        raise _Damage(f'is damaged: unknown key "{strange}"', (*at, strange))
    missing = next((key for key in _NEEDED if key not in data), None)
    if missing is not None:
        raise _Damage(f'is damaged: "{missing}" of {name} is absent', at)
    requires = data.get("requires", {})
    if not isinstance(requires, dict):
        raise _Damage("is damaged: requires is no mapping", (*at, "requires"))
    found = Locked(
        name=name,
        version=_text(data, "version", at),
        source=_text(data, "source", at),
        tag=_text(data, "tag", at) if "tag" in data else None,
        commit=_text(data, "commit", at) if "commit" in data else None,
        digest=_text(data, "digest", at),
        requires={key: _text(requires, key, (*at, "requires")) for key in sorted(requires)},
    )
    _require_form(found, at)
    return found


def _require_form(found: Locked, at: Pointer) -> None:
    try:
        parse_version(found.version)
        is_in_range(found.version, _ANY)  # one that can be compared
    except UnitError as error:
        raise _Damage(f"is damaged: {error}", (*at, "version")) from error
    if not _DIGEST.fullmatch(found.digest):
        raise _Damage("is damaged: no digest", (*at, "digest"))
    if found.is_local and found.commit is not None:
        raise _Damage("is damaged: a folder has no commit", (*at, "commit"))
    if not found.is_local and not COMMIT.fullmatch(found.commit or ""):
        raise _Damage(f"is damaged: {found.name} has no full commit", (*at, "commit"))
    strange = next((key for key in found.requires if not NAME.fullmatch(key)), None)
    if strange is not None:
        raise _Damage(f'is damaged: "{strange}" is no library', (*at, "requires", strange))


def _text(data: Mapping[str, Json], key: str, at: Pointer) -> str:
    value = data[key]
    if not isinstance(value, str) or not value:
        raise _Damage(f'is damaged: "{key}" is no text', (*at, key))
    return value
