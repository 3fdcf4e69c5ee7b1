"""Git by its command line: tags and files of a repository, read from its objects and never checked out.

No working tree means no hooks, filters or submodules. Each call is an argument list; what comes from a
document stands behind `--` or is a commit that was checked to be one. Only the protocol of the source is
allowed, git asks nobody for a password, and what it says and fetches is bounded.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from maestro_dsl.codec import digest_bytes
from maestro_dsl.errors import EnvironmentFailure, IntegrityError
from maestro_dsl.lang.folder import (
    MOST_BYTES,
    MOST_FILES,
    FolderProblem,
    folder_of,
    is_left_out,
    problem_of,
    require_size,
)
from maestro_dsl.libraries.process import ProgramRefusal, alone, run
from maestro_dsl.libraries.sources import GitSource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maestro_dsl.lang.folder import Folder

_MOST_TAGS: Final = 20_000
_MOST_LISTED: Final = 4 * 1024 * 1024
"""Of names; a few levels of a tree that repeats itself are millions of them."""
_MOST_ANSWER: Final = 2 * MOST_BYTES
_KEPT: Final = frozenset({
    "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "GIT_ASKPASS",
    "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM",
})  # fmt: skip
"""What of the user's own settings for git counts here as well."""
_SAFE: Final = (
    "core.hooksPath=/dev/null", "core.fsmonitor=false", "fetch.recurseSubmodules=false", "gc.auto=0",
    "maintenance.auto=false", "fetch.writeCommitGraph=false", "advice.detachedHead=false",
)  # fmt: skip
_ENTRY: Final = re.compile(
    rb"(?P<mode>\d{6}) (?P<type>\w+) (?P<id>[0-9a-f]+) +(?P<size>\d+|-)\t(?P<path>.+)", re.DOTALL
)
_FILE: Final = b"100644"
_SPECIAL: Final = {
    b"120000": "a symbolic link",
    b"160000": "a submodule",
    b"100755": "executable",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A tag and the commit that it means."""

    name: str
    commit: str


@dataclass(slots=True, kw_only=True)
class Mirror:
    """A copy of a repository's objects in the user's cache; it is fetched into once a command."""

    source: GitSource
    folder: Path
    environ: Mapping[str, str] = field(repr=False)
    _is_fresh: bool = False

    def tags(self) -> tuple[Tag, ...]:
        """Return the tags of the repository as they are there now.

        Raises:
            EnvironmentFailure: git is missing, or the repository cannot be reached.
        """
        if not self._is_fresh:
            self._fetch("+refs/tags/*:refs/tags/*", "--prune")
            self._is_fresh = True
        form = "%(refname:strip=2)%00%(objecttype)%00%(objectname)%00%(*objecttype)%00%(*objectname)"
        found = []
        for line in self._ask("for-each-ref", f"--format={form}", "refs/tags").splitlines()[:_MOST_TAGS]:
            name, kind, own, peeled_kind, peeled = line.split(b"\0")
            commit = own if kind == b"commit" else peeled if peeled_kind == b"commit" else b""
            if commit:
                found.append(Tag(name=name.decode("utf-8", "replace"), commit=commit.decode()))
        return tuple(found)

    def require(self, commit: str) -> None:
        """Make sure that `commit` (all of its characters) is here.

        Raises:
            EnvironmentFailure: the repository has no such commit, or cannot be reached.
        """
        if self._has(commit):
            return
        with suppress(EnvironmentFailure):  # many servers give tips of branches and tags only
            self._fetch(commit)
        for refs in ("+refs/tags/*:refs/tags/*", "+refs/heads/*:refs/heads/*"):
            if self._has(commit):
                return
            self._fetch(refs, is_deep=True)
        if not self._has(commit):
            raise EnvironmentFailure(
                f"{self.source} has no commit {commit}", hint="it may have been removed; maestro lib update"
            )

    def file(self, commit: str, name: str) -> bytes | None:
        """Return one file of the library at `commit`, or None where it has none.

        Raises:
            IntegrityError: it is no plain file.
        """
        try:
            entries = self._entries(commit, name)
        except FolderProblem as problem:
            raise self._refused(commit, problem) from problem
        entry = next((item for item in entries if item[0] == name), None)
        return None if entry is None else self._contents([entry])[name]

    def read(self, commit: str) -> Folder:
        """Return the library at `commit` as a folder.

        Raises:
            IntegrityError: it holds what cannot be shared, or is too large.
        """
        try:
            return folder_of(self._contents(self._entries(commit)))
        except FolderProblem as problem:
            raise self._refused(commit, problem) from problem

    def _entries(self, commit: str, name: str = "") -> list[tuple[str, str]]:
        """Return path and id of each file of the library, after a look at what they are."""
        tree = f"{commit}:{self.source.subdirectory}" if self.source.subdirectory else f"{commit}^{{tree}}"
        try:
            asked = ("ls-tree", "-r", "-z", "-l", "--full-tree", tree, *([name] if name else []))
            listed = self._ask(*asked, most=_MOST_LISTED)
        except ProgramRefusal as refusal:
            raise EnvironmentFailure(
                f"{self.source} cannot be read at {commit[:12]}: {refusal}",
                hint="look at the folder that it names",
            ) from refusal
        found: list[tuple[str, str]] = []
        total = 0
        for raw in listed.split(b"\0")[:-1]:
            entry = _ENTRY.fullmatch(raw)
            path = _path(entry)
            if entry is None or is_left_out(path):
                continue
            _require_plain(entry, path)
            total += int(entry["size"])
            if total > MOST_BYTES or len(found) >= MOST_FILES:
                raise FolderProblem(f"it is larger than {MOST_FILES} files or {MOST_BYTES >> 20} MiB")
            found.append((path, entry["id"].decode()))
        return found

    def _refused(self, commit: str, problem: FolderProblem) -> IntegrityError:
        return IntegrityError(
            f"{self.source} at {commit[:12]} cannot be used: {problem}",
            hint="a library holds documents, prompts and interfaces; #subdirectory= names their folder",
        )

    def _contents(self, entries: Sequence[tuple[str, str]]) -> dict[str, bytes]:
        asked = "".join(f"{name}\n" for _, name in entries).encode()
        answer = self._ask("cat-file", "--batch", given=asked)
        found, at = {}, 0
        for path, name in entries:
            end = answer.index(b"\n", at)
            told, kind, size = answer[at:end].split(b" ")
            if told.decode() != name or kind != b"blob":
                raise ProgramRefusal(f"{name} is no file")
            at = end + 1
            found[path] = answer[at : at + int(size)]
            at += int(size) + 1
        return found

    def _has(self, commit: str) -> bool:
        self._make()
        try:
            self._ask("cat-file", "-e", f"{commit}^{{tree}}")
        except ProgramRefusal:
            return False
        return True

    def _fetch(self, refs: str, *options: str, is_deep: bool = False) -> None:
        self._make()
        is_shallow = (self.folder / "shallow").is_file()
        depth = ("--depth=1",) if not is_deep else ("--unshallow",) if is_shallow else ()
        fixed = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--force")
        try:
            with alone(self.folder.with_suffix(".lock")):
                self._ask("fetch", *fixed, *depth, *options, "--", self.source.url, refs)
        except ProgramRefusal as refusal:
            raise EnvironmentFailure(
                f"{self.source} cannot be reached: {refusal}",
                hint="look at the address, and at your rights there",
            ) from refusal

    def _make(self) -> None:
        if (self.folder / "HEAD").is_file():
            return
        try:
            self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise EnvironmentFailure(
                f"cannot write {self.folder.parent}: {error.strerror}",
                hint="set MAESTRO_CACHE_DIR to a folder of yours",
            ) from error
        fresh = self.folder.with_suffix(f".{os.getpid()}.new")
        try:
            self._ask("init", "--quiet", "--bare", "--template=", "--", str(fresh), inside=False)
            fresh.rename(self.folder)  # whole or not at all
        except (OSError, ProgramRefusal) as error:
            if not (self.folder / "HEAD").is_file():  # or another process was first
                raise EnvironmentFailure(f"cannot make {self.folder}: {error}") from error
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def _ask(
        self, *arguments: str, given: bytes = b"", inside: bool = True, most: int = _MOST_ANSWER
    ) -> bytes:
        place = (f"--git-dir={self.folder}",) if inside else ()
        config = [part for item in _SAFE for part in ("-c", item)]
        return run(
            ["git", *place, *config, *arguments],
            given=given,
            environ=_environ(self.environ, self.source.scheme),
            watched=self.folder,
            most_answer=most,
        )


def mirror(source: GitSource, cache: Path, environ: Mapping[str, str]) -> Mirror:
    """Return the mirror of a repository in the folder `cache`."""
    folder = cache / f"{digest_bytes(source.url.encode())[:32]}.git"
    return Mirror(source=source, folder=folder, environ=environ)


def _environ(environ: Mapping[str, str], protocol: str) -> dict[str, str]:
    """Return the environment of git: none of what would point it at another repository."""
    kept = {key: value for key, value in environ.items() if not key.startswith("GIT_") or key in _KEPT}
    fixed = {
        "GIT_ALLOW_PROTOCOL": protocol,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "LC_ALL": "C",
    }
    return {**kept, **fixed}


def _path(entry: re.Match[bytes] | None) -> str:
    if entry is None:
        raise IntegrityError("git listed a file in a form that is not known")
    return entry["path"].decode("utf-8", "surrogateescape")


def _require_plain(entry: re.Match[bytes], path: str) -> None:
    shown = path.encode("utf-8", "backslashreplace").decode()
    special = _SPECIAL.get(entry["mode"])
    if special is not None or entry["mode"] != _FILE or entry["type"] != b"blob":
        raise FolderProblem(f'"{shown}" is {special or "no plain file"}')
    problem = problem_of(path)
    if problem is not None:
        raise FolderProblem(problem)
    require_size(path, int(entry["size"]))
