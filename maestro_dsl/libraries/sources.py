"""Where a library comes from, as people write it: `./libs/team`, `git+https://host/team.git@^1.2`.

Text to value and back; asks neither disk nor network. A text that could be taken for an option by a program,
or that carries a password, is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final, TypeAlias
from urllib.parse import SplitResult, unquote, urlsplit

from maestro_dsl.lang.files import PATH_SIGNS
from maestro_dsl.lang.folder import problem_of
from maestro_dsl.lang.lockfile import COMMIT
from maestro_dsl.lang.units import UnitError, is_in_range

FORMS: Final = "write ./folder, or git+https://host/team.git@^1.2, or git+ssh://git@host/team.git@^1.2"
_SHORT: Final = re.compile(r"[0-9a-f]{7,63}")
_SCP: Final = re.compile(r"(?P<user>[A-Za-z][\w.-]*)@(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*):(?P<path>[^/:].*)")
_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_USER: Final = re.compile(r"[A-Za-z0-9_][\w.-]*")
_PATH: Final = re.compile(r"/(?!-)[\w.~+%/@ -]*")
_SUBDIRECTORY: Final = "subdirectory="
_SCHEMES: Final = {"https": "https", "ssh": "ssh", "file": "file"}


class SourceProblem(ValueError):  # noqa: N818 - becomes a finding or an error of its own at once
    """A text is no source of a library; the message completes the sentence `"x" …`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSource:
    """A folder, relative to the file that states it."""

    path: str

    def __str__(self) -> str:
        return self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class GitSource:
    """A git repository, or a folder in it."""

    url: str
    """As git reads it: "https://host/team.git"."""
    subdirectory: str = ""

    def __str__(self) -> str:
        return f"git+{self.url}" + (f"#{_SUBDIRECTORY}{self.subdirectory}" if self.subdirectory else "")

    @property
    def scheme(self) -> str:
        """The protocol, the only one that git may speak for it."""
        return self.url.partition(":")[0]


Source: TypeAlias = LocalSource | GitSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What is asked for: a source (None = whoever else names it says where), and a range or a commit."""

    source: Source | None
    range: str = ""
    """ "" = any version."""
    commit: str | None = None

    @property
    def wanted(self) -> str:
        """The range or the commit, for people."""
        return self.commit or self.range or "any version"


def parse_stated(text: str) -> Stated:
    """Return what an entry of `libraries` states.

    Raises:
        SourceProblem: it is no source.
    """
    rest, hash_sign, fragment = text.strip().partition("#")
    found = _with_range(rest)
    if not hash_sign:
        return found
    if not isinstance(found.source, GitSource) or not fragment.startswith(_SUBDIRECTORY):
        raise SourceProblem(f'has an unknown part "#{fragment}": #subdirectory=folder is known, with git')
    subdirectory = fragment.removeprefix(_SUBDIRECTORY).strip("/")
    if not subdirectory or problem_of(f"{subdirectory}/library.yaml") is not None:
        raise SourceProblem(f'has no usable folder in "#{fragment}"')
    source = GitSource(url=found.source.url, subdirectory=subdirectory)
    return Stated(source=source, range=found.range, commit=found.commit)


def parse_required(text: str) -> Stated:
    """Return what an entry of `requires` states: a range, or a source with one.

    Raises:
        SourceProblem: it is neither.
    """
    if text.startswith(PATH_SIGNS) or ":" in text:
        return parse_stated(text)
    return Stated(source=None, range=_range(text))


def parse_source(text: str) -> Source:
    """Return the source that a lock holds.

    Raises:
        SourceProblem: it is none.
    """
    found = parse_stated(text)
    if found.source is None or found.range or found.commit or str(found.source) != text:
        raise SourceProblem("is no source as a lock holds it")
    return found.source


def _with_range(text: str) -> Stated:
    source, at, wanted = text.rpartition("@")
    if not at or "/" in wanted or ":" in wanted:
        return Stated(source=_source(text))
    wanted = wanted.strip()
    if COMMIT.fullmatch(wanted):
        return Stated(source=_remote(source), commit=wanted)
    if _SHORT.fullmatch(wanted) and not wanted.isdigit():
        raise SourceProblem(f'has the short commit "{wanted}": write all 40 characters')
    return Stated(source=_source(source), range=_range(wanted))


def _range(text: str) -> str:
    wanted = text.strip()
    if wanted in {"", "*", "latest", "x"}:
        return ""
    wanted = wanted.removeprefix("v")
    try:
        is_in_range("1.0.0", wanted)
    except UnitError as error:
        raise SourceProblem(f"asks for a version that cannot be found: {error}") from error
    return wanted


def _remote(text: str) -> Source:
    if text.startswith(PATH_SIGNS):
        raise SourceProblem("is a folder, which has no commits: write a range, or nothing, behind it")
    return _source(text)


def _source(text: str) -> Source:
    if text in {".", ".."} or text.startswith(PATH_SIGNS):
        return _local(text)
    scp = _SCP.fullmatch(text)
    if scp is not None:
        text = f"ssh://{scp['user']}@{scp['host']}/{scp['path']}"
    url = text.removeprefix("git+")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SourceProblem(f"is no address: {error}") from error
    if not parts.scheme:
        raise SourceProblem(f"is no source: {FORMS}")
    if parts.scheme not in _SCHEMES:
        raise SourceProblem(f'speaks "{parts.scheme}", which is not allowed: {FORMS}')
    return GitSource(url=_address(parts, port))


def _local(text: str) -> LocalSource:
    if "\\" in text or any(ord(letter) < ord(" ") for letter in text):
        raise SourceProblem("is no relative path with / between its parts")
    path = PurePosixPath(text).as_posix()
    return LocalSource(path=path if path.startswith("..") else f"./{path}")


def _address(parts: SplitResult, port: int | None) -> str:
    """Return an address in the one form that it has in a lock."""
    if parts.password is not None or (parts.username is not None and parts.scheme != "ssh"):
        raise SourceProblem("carries a name or a password: leave it to git's credential helper")
    if parts.query or parts.fragment:
        raise SourceProblem("has a query, which no repository needs")
    path = unquote(parts.path)
    if not _PATH.fullmatch(path) or ".." in path.split("/") or "//" in path or "/-" in path:
        raise SourceProblem("has a path that git could misunderstand")
    host = parts.hostname or ""
    if parts.scheme == "file":
        if host not in {"", "localhost"}:
            raise SourceProblem("names a file on another machine")
        return f"file://{path}"
    if not _HOST.fullmatch(host):
        raise SourceProblem("names no host")
    if parts.username is not None and not _USER.fullmatch(parts.username):
        raise SourceProblem("has a user name that git could misunderstand")
    user = f"{parts.username}@" if parts.username else ""
    return f"{parts.scheme}://{user}{host}{f':{port}' if port else ''}{path.rstrip('/')}"
