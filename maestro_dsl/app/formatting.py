"""`fmt`: documents into their canonical form, in memory; writing is `maestro_dsl.app.rewriting`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from maestro_dsl.app.documents import STDIN
from maestro_dsl.app.rewriting import Change, areas_of, may_change
from maestro_dsl.diagnostics import Diagnostics, Span
from maestro_dsl.errors import UsageError
from maestro_dsl.lang.disk import read, real
from maestro_dsl.lang.edits import decode
from maestro_dsl.lang.files import Names, is_document, search
from maestro_dsl.lang.format import FormatBug, format_content
from maestro_dsl.lang.read import missing_file
from maestro_dsl.lang.source import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NOT_OURS: Final = "it is no document of maestro"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatResult:
    """What formatting comes to; nothing of it is written yet."""

    changes: tuple[Change, ...]
    unchanged: int
    skipped: tuple[tuple[str, str], ...]
    """Files that are left alone, and why."""
    diagnostics: Diagnostics
    """Why documents could not be formatted."""
    sources: dict[str, str] = field(default_factory=dict, repr=False)
    bug: FormatBug | None = None
    """Why a sound document was left as it is; others are formatted all the same."""
    content: bytes | None = field(default=None, repr=False)
    """Standard input in its canonical form, or as it came where that has mistakes."""


def format_documents(paths: Sequence[Path], *, stdin: bytes | None = None) -> FormatResult:
    """Return the canonical form of the documents among `paths` (files or folders; none = this folder).

    Raises:
        UsageError: a path does not exist.
    """
    if stdin is not None:
        return _Formatter(()).piped(stdin)
    missing = next((path for path in paths if not path.exists()), None)
    if missing is not None:
        raise UsageError(f"no such file or folder: {missing}", hint="name a file, or a folder to search")
    return _Formatter(paths).run()


def documents_among(paths: Sequence[Path], names: Names) -> Iterator[Path]:
    """Yield the real path of every file that `paths` name or hold, each once."""
    seen: set[Path] = set()
    for path in paths or (Path(),):
        place = names.typed(path)
        for file in (file for file, _ in search(place)) if place.is_dir() else (place,):
            found = real(file)
            if found not in seen:
                seen.add(found)
                yield found


class _Formatter:
    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._areas = areas_of(paths)
        self._changes: list[Change] = []
        self._skipped: list[tuple[str, str]] = []
        self._unchanged = 0
        self._diagnostics = Diagnostics()
        self._sources: dict[str, str] = {}
        self._bug: FormatBug | None = None

    def run(self) -> FormatResult:
        """Format every file."""
        names = Names()
        for path in documents_among(self._paths, names):
            file = names(path)
            if not may_change(path, self._areas):
                self._skipped.append((file, "it lies outside the project"))
                continue
            try:
                content = read(path)
            except OSError as error:
                self._diagnostics.add(missing_file(Span(file), file, error.strerror or type(error).__name__))
                continue
            if not is_document(path, content) and not _is_readable(content):
                self._skipped.append((file, _NOT_OURS))  # a template of another tool, which hooks pass too
                continue
            after = self._format(content, file)
            if after is not None and after != content:
                self._changes.append(Change(file=file, path=path, before=content, after=after))
            elif after is not None:
                self._unchanged += 1
        return self._result(None)

    def piped(self, content: bytes) -> FormatResult:
        """Format standard input."""
        after = self._format(content, STDIN)
        if after is not None and after != content:
            self._changes.append(Change(file=STDIN, path=Path(STDIN), before=content, after=after))
        self._unchanged += after == content
        return self._result(content if after is None else after)

    def _result(self, content: bytes | None) -> FormatResult:
        return FormatResult(
            changes=tuple(self._changes),
            unchanged=self._unchanged,
            skipped=tuple(self._skipped),
            diagnostics=self._diagnostics,
            sources=self._sources,
            bug=self._bug,
            content=content,
        )

    def _format(self, content: bytes, file: str) -> bytes | None:
        try:
            made = format_content(content, file)
        except FormatBug as bug:
            self._bug = bug
            return None
        if not made.is_ours:
            self._skipped.append((file, _NOT_OURS))
        if made.diagnostics:
            self._diagnostics.extend(made.diagnostics)
            self._sources[file] = _text_of(content)
        return None if made.text is None else made.text.encode()


def _is_readable(content: bytes) -> bool:
    return not load(content, "").diagnostics.has_errors


def _text_of(content: bytes) -> str:
    try:
        return decode(content).text
    except UnicodeDecodeError:
        return content.decode("utf-8", "replace")
