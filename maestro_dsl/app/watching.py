"""`lint --watch`: looks at times of files, and lints again when one that findings depend on changed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn, Protocol, TypeAlias

from maestro_dsl.lang.disk import Notes, noted
from maestro_dsl.lang.files import LIBRARY_FILE, PROJECT_FILE, Area, PathProblem, search

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from maestro_dsl.app.lint_result import LintResult

INTERVAL_S: Final = 0.3
_MARKS: Final = {"root": (PROJECT_FILE,), "area": (PROJECT_FILE, LIBRARY_FILE)}
"""What decides where a project, or the area of a document, begins."""

Stamps: TypeAlias = dict[str, tuple[int, int] | None]
"""Path → time of its last change and size; None where nothing stands."""


class Wait(Protocol):
    """Lets time pass; what stops the watch raises KeyboardInterrupt here."""

    def __call__(self, seconds: float, /) -> None:
        """Return after so many seconds."""


def watch(
    lint: Callable[[], LintResult], show: Callable[[LintResult, tuple[str, ...]], None], *, wait: Wait
) -> NoReturn:
    """Lint, show, and do so again after each change, until `wait` raises KeyboardInterrupt.

    `show` gets the files that changed, none the first time. A change is waited out: files count as changed
    when they have stayed as they are for one interval.
    """
    changed: tuple[str, ...] = ()
    before: Stamps = {}
    while True:
        with noted() as notes:
            result = lint()
        paths = _paths(notes)
        seen = _stamps(paths)
        missed = tuple(path for path, stamp in seen.items() if path in before and before[path] != stamp)
        show(result, changed)
        if not missed:
            before, changed = _changed(notes, seen, wait)
        else:
            before, changed = seen, missed  # it changed while we looked


def _changed(notes: Notes, seen: Stamps, wait: Wait) -> tuple[Stamps, tuple[str, ...]]:
    """Return the stamps once something has changed and stayed so, and what it was."""
    last = seen
    while True:
        wait(INTERVAL_S)
        now = _stamps(_paths(notes))
        if now != seen and now == last:
            return now, tuple(sorted(path for path in {*now, *seen} if now.get(path) != seen.get(path)))
        last = now


def _paths(notes: Notes) -> set[str]:
    """Return the files that the answers depend on, also those that could come."""
    paths: set[str] = set()
    for kind, *about in notes.answers:
        if kind == "search":
            paths |= {str(path) for path, _ in search(Path(about[0]))}
        elif kind in _MARKS:
            upwards = (Path(about[0]), *Path(about[0]).parents)
            paths |= {str(folder / mark) for folder in upwards for mark in _MARKS[kind]}
        elif kind == "folder":
            paths |= {str(path) for path in Path(about[0]).rglob("*")}
        elif kind == "locate":
            paths.add(str(Path(about[1]).parent / about[2]))
        elif kind == "expand":
            with suppress(PathProblem):
                paths |= {str(path) for path in Area(Path(about[0])).expand(Path(about[1]), about[2])}
        else:
            paths.add(about[0])
    return paths


def _stamps(paths: Iterable[str]) -> Stamps:
    stamps: Stamps = {}
    for path in paths:
        try:
            stat = Path(path).stat()
        except (OSError, ValueError):
            stamps[path] = None
        else:
            stamps[path] = (stat.st_mtime_ns, stat.st_size)
    return stamps
