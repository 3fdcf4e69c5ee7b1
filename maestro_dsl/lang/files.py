"""Where documents lie: the project folder, the core library, and paths that may not leave either.

Looks at names, folders and the beginnings of files; reading is done in `maestro_dsl.lang.read`. What is asked
of the disk is noted (see `maestro_dsl.lang.disk`), and can be asked again.
"""

from __future__ import annotations

import os
from contextlib import suppress
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from maestro_dsl.lang.disk import has_file, has_folder, has_link, is_file, note, noted, read, real, size
from maestro_dsl.lang.folder import FolderProblem, read_folder
from maestro_dsl.lang.model import Kind
from maestro_dsl.lang.sniffing import HEAD, SUFFIXES, is_ours, sniffed
from maestro_dsl.lang.suggest import closest
from maestro_dsl.records import dataclass
from maestro_dsl.resources import data_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from maestro_dsl.lang.disk import Question

PATH_SIGNS: Final = ("./", "../")
"""How a reference begins that is a path, relative to the file that states it, and no name."""
PROJECT_FILE: Final = "maestro.yaml"
LIBRARY_FILE: Final = "library.yaml"
_PATTERNS: Final[tuple[tuple[str, Kind], ...]] = (
    (PROJECT_FILE, Kind.PROJECT),
    ("plan.yaml", Kind.PLAN),
    ("*.plan.yaml", Kind.PLAN),
    ("*.blueprint.yaml", Kind.BLUEPRINT),
    ("*.persona.yaml", Kind.PERSONA),
    ("*.contract.yaml", Kind.CONTRACT),
    ("*.policy.yaml", Kind.POLICY),
    (LIBRARY_FILE, Kind.LIBRARY),
)
_NOT_SEARCHED: Final = frozenset({"node_modules", "__pycache__", "venv"})
_MOST_FOLDERS: Final = 20_000
_MOST_NAMES: Final = 1000
_GLOB: Final = frozenset("*?[")
DID_YOU_MEAN: Final = "; did you mean "
"""Stands in a `PathProblem` before a guess."""


FoundFile: TypeAlias = "tuple[Path, Kind | None]"
"""A document and its kind, which is None where the file states one that there is not."""


@dataclass(frozen=True, slots=True)
class Searched:
    """What was found below a folder: documents, and folders that cannot be looked into with the reason."""

    folder: Path
    files: tuple[FoundFile, ...]
    barred: tuple[tuple[Path, str], ...]

    def noted(self) -> None:
        """Take note of question and answer."""
        names = (*(path for path, _ in self.files), *(path / reason for path, reason in self.barred))
        note(("search", str(self.folder)), lambda: "\n".join(map(_and_target, names)))


class PathProblem(Exception):  # noqa: N818 - becomes a finding at once
    """A path cannot be used; the text completes the sentence `"x" …`."""


@dataclass(frozen=True, slots=True)
class Area:
    """A folder that paths may not leave, symbolic links included."""

    root: Path

    def locate(self, stated_in: Path, text: str) -> Path:
        """Return the real file that `text`, written in the file `stated_in`, points at.

        Raises:
            PathProblem: it is absolute, leaves the folder, or is no regular file.
        """
        question = ("locate", str(self.root), str(stated_in), text)
        return _noted(question, lambda: (self._locate(stated_in, text),))[0]

    def expand(self, stated_in: Path, text: str) -> tuple[Path, ...]:
        """Return the real files that the path or glob `text` means, sorted.

        Raises:
            PathProblem: it means none, or leaves the folder.
        """
        question = ("expand", str(self.root), str(stated_in), text)
        return _noted(question, lambda: self._expand(stated_in, text))

    def _locate(self, stated_in: Path, text: str) -> Path:
        path = self._inside(stated_in.parent, text)
        if not has_file(path):
            is_folder = has_folder(path)
            raise PathProblem(
                "is a folder, not a file" if is_folder else f"does not exist{_near(path, text)}"
            )
        return path

    def _expand(self, stated_in: Path, text: str) -> tuple[Path, ...]:
        if not _GLOB.intersection(text):
            return (self._locate(stated_in, text),)
        first = next(at for at, part in enumerate(Path(text).parts) if _GLOB.intersection(part))
        parts = Path(text).parts
        if ".." in parts[first:]:
            raise PathProblem('has ".." after a wildcard')
        base = self._inside(stated_in.parent, str(Path(*parts[:first])) if first else ".")
        try:
            found = sorted(base.glob(str(Path(*parts[first:]))))
            files = [path.resolve() for path in found if path.is_file()]
        except (OSError, ValueError, RuntimeError, NotImplementedError) as error:
            raise PathProblem(f"is not a usable glob: {error}") from error
        if not files:
            guess = _near_folder(base, text) if first and not has_folder(base) else ""
            raise PathProblem(f"matches no file{guess}")
        for path in files:
            if not path.is_relative_to(self.root):
                raise PathProblem(f'matches "{path.name}", which lies outside {self._name()}')
        return tuple(dict.fromkeys(files))

    def _inside(self, folder: Path, text: str) -> Path:
        if "://" in text:
            raise PathProblem("is an address; only files of the project are read")
        if Path(text).is_absolute() or "\\" in text or text[1:2] == ":":
            raise PathProblem("must be a relative path with / between its parts")
        try:
            path = (folder / text).resolve()
        except (OSError, ValueError, RuntimeError) as error:
            raise PathProblem("is not a usable path") from error
        if not path.is_relative_to(self.root):
            raise PathProblem(f"lies outside {self._name()}")
        return path

    def _name(self) -> str:
        """Return what the folder is to the user."""
        if has_file(self.root / PROJECT_FILE):
            return "the project folder"
        return "the folder of the library" if has_file(self.root / LIBRARY_FILE) else "the document's folder"


def _near_folder(base: Path, text: str) -> str:
    """Return a question about the folder beside `base` that the glob `text` probably means, or nothing."""
    near = closest(base.name, _names_in(base.parent, os.DirEntry.is_dir))
    return f'{DID_YOU_MEAN}"{text.replace(base.name, near, 1)}"?' if near is not None else ""


def _near(path: Path, text: str) -> str:
    """Return a question about the file beside `path` that was probably meant by `text`, or nothing."""
    near = closest(path.name, _names_in(path.parent, os.DirEntry.is_file))
    if near is None or not text.endswith(path.name):
        return ""
    return f'{DID_YOU_MEAN}"{text.removesuffix(path.name)}{near}"?'


def _names_in(folder: Path, is_meant: Callable[[os.DirEntry[str]], bool]) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in islice(entries, _MOST_NAMES) if is_meant(entry))
    except OSError:
        return []


def _noted(question: Question, find: Callable[[], tuple[Path, ...]]) -> tuple[Path, ...]:
    """Return what `find` finds, after noting it or the problem that it meets."""
    try:
        found = find()
    except PathProblem as problem:
        reason = str(problem)
        note(question, lambda: reason)
        raise
    note(question, lambda: "\n".join(map(str, found)))
    return found


@cache
def core_area() -> Area:
    """Return the folder of the core library.

    Raises:
        EnvironmentFailure: the installation is incomplete.
    """
    return Area(data_dir("blueprints").resolve())


def project_root(file: Path) -> Path:
    """Return the nearest folder upwards that holds `maestro.yaml`, else the file's own folder."""
    return root_above(file.resolve().parent)


def root_above(folder: Path) -> Path:
    """Return the nearest folder from `folder` upwards that holds `maestro.yaml`, else `folder`."""
    found = _above(folder, PROJECT_FILE)
    note(("root", str(folder)), lambda: str(found))
    return found


def _above(folder: Path, *marks: str) -> Path:
    """Return the nearest folder from `folder` upwards that holds a file called as one of `marks`, else it."""
    for here in (folder, *folder.parents):
        for mark in marks:
            if has_file(os.path.join(here, mark)):  # noqa: PTH118 - four times as quick as a path
                return here
    return folder


def area_of(file: Path) -> Area:
    """Return what the paths in the document at `file` may not leave: its library, else its project."""
    core = core_area()
    return core if file.is_relative_to(core.root) else Area(_area_above(file.resolve().parent))


def _area_above(folder: Path) -> Path:
    found = _above(folder, LIBRARY_FILE, PROJECT_FILE)
    note(("area", str(folder)), lambda: str(found))
    return found


def is_document(path: Path, content: bytes | None = None) -> bool:
    """Return whether the file at `path`, which holds `content`, is ours by its name or its first lines."""
    if kind_of_name(path.name) is not None:
        return True
    if not path.name.endswith(SUFFIXES):
        return False
    return sniffed(path)[0] if content is None else is_ours(content[:HEAD])


@lru_cache(maxsize=16_384)
def kind_of_name(name: str) -> Kind | None:
    """Return the kind of document that a file name promises, or None where it is none of ours."""
    return next((kind for pattern, kind in _PATTERNS if fnmatchcase(name, pattern)), None)


def patterns_of(kind: Kind) -> tuple[str, ...]:
    """Return the file names that promise a document of `kind`."""
    return tuple(pattern for pattern, promised in _PATTERNS if promised is kind)


def search(folder: Path) -> tuple[FoundFile, ...]:
    """Return every document below `folder` with its kind, sorted; hidden folders are not searched.

    That is every file with one of our names, and all other YAML that states our `apiVersion` in its first
    lines; the kind is what the name promises, else what stands there.
    """
    return searched(folder).files


def searched(folder: Path) -> Searched:
    """Return what `search` returns, and the folders that cannot be looked into with the reason."""
    barred: list[tuple[Path, str]] = []

    def missed(error: OSError) -> None:
        barred.append((Path(str(error.filename)), error.strerror or type(error).__name__))

    found = Searched(folder, tuple(_walk(folder, missed)), tuple(barred))
    found.noted()
    return found


def _and_target(path: Path) -> str:
    return f"{path} -> {real(path)}" if has_link(path) else str(path)


def _walk(folder: Path, missed: Callable[[OSError], None]) -> Iterator[FoundFile]:
    for visited, (here, folders, names) in enumerate(os.walk(folder, onerror=missed)):
        if visited > _MOST_FOLDERS:
            return
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and name not in _NOT_SEARCHED
        )
        for name in sorted(names):
            kind = kind_of_name(name)
            if kind is not None:
                yield Path(here, name), kind
            elif name.endswith(SUFFIXES):
                is_one, kind = sniffed(path := Path(here, name))
                if is_one:
                    yield path, kind


def still_holds(answers: Mapping[Question, str]) -> bool:
    """Return whether the disk gives the same answers as before to all questions that were noted."""
    with noted() as now:
        for question, answer in answers.items():
            kind, *about = question
            if kind not in _ASK:
                return False
            with suppress(OSError, PathProblem, FolderProblem):
                _ASK[kind](*about)
            if now.answers.get(question) != answer:
                return False
    return True


_ASK: Final[Mapping[str, Callable[..., object]]] = {
    "read": lambda path: read(Path(path)),
    "is_file": lambda path: is_file(Path(path)),
    "size": lambda path: size(Path(path)),
    "root": lambda folder: root_above(Path(folder)),
    "area": lambda folder: _area_above(Path(folder)),
    "folder": lambda folder, how: read_folder(Path(folder), is_strict=how == "strict"),
    "search": lambda folder: search(Path(folder)),
    "locate": lambda root, stated_in, text: Area(Path(root)).locate(Path(stated_in), text),
    "expand": lambda root, stated_in, text: Area(Path(root)).expand(Path(stated_in), text),
}


class Names:
    """What files are called in messages: as the user typed them, `core/…`, or relative to where they work."""

    def __init__(self) -> None:
        self._here = Path.cwd().resolve()
        self._core = core_area().root
        self._typed: dict[Path, Path] = {}
        self._found: dict[Path, str] = {}
        self._folders: dict[Path, str] = {}

    def typed(self, path: Path) -> Path:
        """Return the real file or folder that a user typed, whose spelling counts from now on."""
        found = real(path)
        folder, spelling = (found, path) if has_folder(found) else (found.parent, path.parent)
        if folder not in self._typed:
            self._typed[folder] = spelling
            self.forget()
        return found

    def forget(self) -> None:
        """Find out anew what files are called: the disk has changed, or a spelling has come."""
        self._found.clear()
        self._folders.clear()

    def __call__(self, path: Path) -> str:
        """Return what the file at `path` is called."""
        known = self._found.get(path)
        if known is None:
            known = self._found[path] = self._find(path)
        return known

    def _find(self, path: Path) -> str:
        if has_link(path) or path.name in {"", ".."}:
            return self._shown(real(path))
        folder = path.parent  # which many files share
        shown = self._folders.get(folder)
        if shown is None:
            shown = self._folders[folder] = self._shown(real(folder))
        return path.name if shown == "." else f"{shown.removesuffix('/')}/{path.name}"

    def _shown(self, found: Path) -> str:
        """Return what a file or folder without symbolic links is called."""
        if found.is_relative_to(self._core) and not self._here.is_relative_to(self._core.parent):
            return (Path("core") / found.relative_to(self._core)).as_posix()
        if found.is_relative_to(self._here):
            return found.relative_to(self._here).as_posix()
        for folder in (found, *found.parents):
            if folder in self._typed:
                return (self._typed[folder] / found.relative_to(folder)).as_posix()
        return found.as_posix()
