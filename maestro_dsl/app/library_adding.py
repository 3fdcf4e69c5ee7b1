"""`maestro lib add`: an entry in `maestro.yaml`, which keeps its comments and form; then lock and install."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from maestro_dsl.app.libraries import LockResult, lock_libraries, online, project_of
from maestro_dsl.app.rewriting import Change, write_changes
from maestro_dsl.diagnostics import Edit
from maestro_dsl.errors import EnvironmentFailure, UsageError
from maestro_dsl.lang.edits import apply_edits, decode, respell
from maestro_dsl.lang.files import LIBRARY_FILE, PROJECT_FILE
from maestro_dsl.lang.quoting import written
from maestro_dsl.lang.read import read_content
from maestro_dsl.lang.units import is_in_range
from maestro_dsl.libraries.candidates import Online, tagged
from maestro_dsl.libraries.manifest import ManifestProblem, manifest_of
from maestro_dsl.libraries.sources import GitSource, LocalSource, SourceProblem, Stated, parse_stated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.diagnostics import Span
    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import DocumentValue

_HINT: Final = f"name the folder that holds its {LIBRARY_FILE}"


def add_library(text: str, folder: Path, *, environ: Mapping[str, str]) -> tuple[str, LockResult]:
    """Add the library at `text` (a source with or without a range); return its name and the new lock.

    Without a range the newest version of a repository is taken, and what is compatible with it.

    Raises:
        UsageError: it is no source, there is no project, or nothing that can be used is there.
        CompileError, IntegrityError, EnvironmentFailure: as `lock_libraries`; `maestro.yaml` is as it was.
    """
    root, document, project = project_of(folder)
    stated = _stated(text, folder.resolve(), root)
    name, entry = _entry(stated, online(root, None, environ, None))
    before = (root / PROJECT_FILE).read_bytes()
    encoded = decode(before)
    edit = _edit(document, name, entry, known=name in project.libraries)
    after = encoded.encode(apply_edits(encoded.text, [edit]))
    read = read_content(after, root / PROJECT_FILE, PROJECT_FILE)
    value = None if read.document is None else read.document.value
    if getattr(value, "libraries", None) != {**project.libraries, name: entry}:
        raise UsageError(
            f"{PROJECT_FILE} is written in a way that cannot be added to",
            hint=f"write it yourself, below libraries: {name}: {written(entry)}",
        )
    own = Change(file=PROJECT_FILE, path=root / PROJECT_FILE, before=before, after=after)
    write_changes([own])
    try:
        result = lock_libraries(root, environ=environ, with_install=True)
    except BaseException:
        write_changes([replace(own, before=after, after=before)])  # as if nothing had been asked
        raise
    if result.is_refused:
        write_changes([replace(own, before=after, after=before)])
    return name, result


def _stated(text: str, here: Path, root: Path) -> Stated:
    try:
        stated = parse_stated(text)
    except SourceProblem as problem:
        raise UsageError(f'"{text}" {problem}', hint="maestro lib add ./libs/team") from problem
    if not isinstance(stated.source, LocalSource):
        return stated
    place = Path(os.path.relpath(here / stated.source.path, root)).as_posix()
    return replace(stated, source=LocalSource(path=place if place.startswith("..") else f"./{place}"))


def _entry(stated: Stated, catalogue: Online) -> tuple[str, str]:
    """Return the name of the library, and the text that asks for it."""
    source = stated.source
    try:
        if isinstance(source, LocalSource):
            manifest = manifest_of(catalogue.folder(source).files.get(LIBRARY_FILE))
            return manifest.name, f"{source}@{stated.range}" if stated.range else str(source)
        if not isinstance(source, GitSource):
            raise UsageError("no source is named", hint="maestro lib add ./libs/team")
        repository = catalogue.mirror(source)
        if stated.commit is not None:
            repository.require(stated.commit)
            manifest = manifest_of(repository.file(stated.commit, LIBRARY_FILE))
            return manifest.name, _text(source, stated.commit)
        for _, _, commit in tagged(repository)[:1]:
            name = manifest_of(repository.file(commit, LIBRARY_FILE)).name
            for version, _, _ in tagged(repository, name):
                if not stated.range or is_in_range(version, stated.range):
                    return name, _text(source, stated.range or f"^{version}")
    except ManifestProblem as problem:
        raise UsageError(
            f"{source} {problem}", hint=_HINT if "has no " in str(problem) else None
        ) from problem
    raise UsageError(
        f"{source} has no version {stated.range or 'at all'}", hint="a version is a tag such as v1.2.3"
    )


def _text(source: GitSource, wanted: str) -> str:
    address, sign, fragment = str(source).partition("#")
    return f"{address}@{wanted}{sign}{fragment}"


def _edit(document: Document[DocumentValue], name: str, entry: str, *, known: bool) -> Edit:
    """Return the edit of `maestro.yaml` that states `entry`, in the form that `libraries` has there."""
    text, pointer = document.text, ("libraries",)
    data = document.data if isinstance(document.data, dict) else {}
    if known:
        return respell(text, document.map.value_span((*pointer, name)), entry)
    libraries = data.get("libraries")
    if "libraries" not in data:
        gap = "" if text.endswith("\n") else "\n"
        return _insert(
            document.map.span(len(text), len(text)), f"{gap}libraries:\n  {name}: {written(entry)}\n"
        )
    span = document.map.value_span(pointer)
    raw = document.map.raw(pointer)
    if raw.startswith("{"):
        more = ", " if libraries else ""
        first = replace(span, column=span.column + 1, end_line=span.line, end_column=span.column + 1)
        return _insert(first, f"{name}: {written(entry, in_flow=True)}{more}")
    if not isinstance(libraries, dict) or not libraries:
        raise EnvironmentFailure(f"libraries of {PROJECT_FILE} is no mapping", hint="write libraries: {}")
    key = document.map.key_span((*pointer, next(iter(libraries))))
    before = replace(key, end_line=key.line, end_column=key.column)
    return _insert(before, f"{name}: {written(entry)}\n{' ' * (key.column - 1)}")


def _insert(span: Span, text: str) -> Edit:
    return Edit(span=span, replacement=text)
