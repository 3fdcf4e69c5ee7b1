"""Whether a library holds what it says, before it is pinned: its manifest, and what that exports.

Exported documents are held against the rules of a project, with the interfaces and prompts that they name.
A library may have no place on the disk yet, so that its files are written to a folder for the while.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from maestro_dsl.app.documents import lint
from maestro_dsl.diagnostics import Diagnostics, Severity, Span
from maestro_dsl.errors import CompileError
from maestro_dsl.lang.files import LIBRARY_FILE
from maestro_dsl.lang.finder import not_found
from maestro_dsl.lang.model import Library
from maestro_dsl.lang.patterns import glob_match
from maestro_dsl.lang.read import read_content
from maestro_dsl.lang.shelves import EXPORTS
from maestro_dsl.reporters.text import plural

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from maestro_dsl.diagnostics import Diagnostic
    from maestro_dsl.lang.folder import Folder


def require_contents(title: str, place: str, folder: Folder) -> None:
    """Refuse the library `title` whose exports find nothing, or have errors; its files are shown in `place`.

    Raises:
        CompileError: that is so; it holds every mistake with its place.
    """
    found = Diagnostics()
    found.extend(item for item in _mistakes(place, folder) if item.severity is Severity.ERROR)
    if not found:
        return
    named = {item.span.file for item in found}
    texts = {_shown(place, name): content for name, content in folder.files.items()}
    sources = {file: texts[file].decode(errors="replace") for file in named if file in texts}
    raise CompileError(
        f"{title} has {plural(len(found), 'mistake')} in what it exports; nothing was changed",
        found,
        hint=f"maestro lint, in the folder of that {LIBRARY_FILE}, shows them too",
        sources=sources,
    )


def _mistakes(place: str, folder: Folder) -> Iterator[Diagnostic]:
    read = read_content(folder.files[LIBRARY_FILE], Path(LIBRARY_FILE), _shown(place, LIBRARY_FILE))
    yield from read.diagnostics
    if read.document is None or not isinstance(read.document.value, Library):
        return
    exported: dict[str, None] = {}
    kinds = {key: kind for kind, key in EXPORTS.items()}
    for key, globs in read.document.value.exports.items():
        for at, glob in enumerate(globs):
            span = read.document.map.value_span(("exports", key, at))
            pattern = str(PurePosixPath(glob))
            names = [name for name in folder.files if glob_match(pattern, name)]
            exported |= dict.fromkeys(names)
            if not names:
                yield not_found(span, glob, "matches no file of the library")
            for name in names:
                document = read_content(folder.files[name], Path(name), _shown(place, name)).document
                if document is None or (key in kinds and document.kind is not kinds[key]):
                    yield not_found(span, glob, f'matches "{name}", which is none of its {key}')
    yield from _linted(place, folder, exported)


_OF_OTHERS: Final = ("LIB", "REF002", "REF003", "REF004", "CTR003")
"""What cannot be judged before the libraries that this one requires are there."""


def _linted(place: str, folder: Folder, names: Collection[str]) -> Iterator[Diagnostic]:
    """Yield what `lint` says about documents of a library and the interfaces and prompts that they name."""
    with TemporaryDirectory() as made:
        root = Path(made).resolve()
        for name, content in folder.files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
        found = lint([root / name for name in names], environ={}).diagnostics if names else ()
        for item in found:
            if not item.code.startswith(_OF_OTHERS):
                related = tuple(
                    replace(other, span=_placed(other.span, root, place)) for other in item.related
                )
                yield replace(item, span=_placed(item.span, root, place), related=related, fix=None)


def _placed(span: Span, root: Path, place: str) -> Span:
    file = Path(span.file)
    inside = file.relative_to(root).as_posix() if file.is_relative_to(root) else span.file
    return replace(span, file=_shown(place, inside))


def _shown(place: str, name: str) -> str:
    return f"{place}/{name}"
