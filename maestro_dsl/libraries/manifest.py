"""`library.yaml` as the resolver needs it: name, version, what it requires, and which maestro reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from maestro_dsl import __version__
from maestro_dsl.diagnostics import Severity
from maestro_dsl.lang.files import LIBRARY_FILE
from maestro_dsl.lang.model import Library
from maestro_dsl.lang.read import read_content
from maestro_dsl.lang.units import UnitError, is_in_range
from maestro_dsl.libraries.sources import SourceProblem, Stated, parse_required
from maestro_dsl.resources import data_dir

CORE: Final = "core"
_ANY: Final = ">=0"


class ManifestProblem(Exception):  # noqa: N818 - becomes a reason or an error of its own at once
    """A library cannot be used; the text completes the sentence `team 1.2.0 …`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a library says about itself."""

    name: str
    version: str
    requires: Mapping[str, str] = field(default_factory=dict)
    """As they are written."""


def manifest_of(content: bytes | None, *, name: str | None = None, version: str | None = None) -> Manifest:
    """Return the manifest that `content` holds; it must be of the `name` and `version` that are expected.

    Raises:
        ManifestProblem: there is none, it has mistakes, or it is of another library or tool.
    """
    if content is None:
        raise ManifestProblem(f"has no {LIBRARY_FILE}")
    read = read_content(content, Path(LIBRARY_FILE), LIBRARY_FILE)
    wrong = next((item for item in read.diagnostics if item.severity is Severity.ERROR), None)
    if wrong is not None:
        raise ManifestProblem(f"has a mistake in {LIBRARY_FILE}, line {wrong.span.line}: {wrong.message}")
    library = None if read.document is None else read.document.value
    if not isinstance(library, Library):
        raise ManifestProblem(f"has a {LIBRARY_FILE} that is no Library")
    if name is not None and library.id != name:
        raise ManifestProblem(f'calls itself "{library.id}": that is the name to use for it')
    if library.id == CORE:
        raise ManifestProblem(f'calls itself "{CORE}", which is the library that is built in')
    if version is not None and library.version != version:
        raise ManifestProblem(f"has the version {library.version} in its {LIBRARY_FILE}")
    try:
        is_in_range(library.version, _ANY)
    except UnitError as error:
        raise ManifestProblem(f"has a version that cannot be compared: {library.version}") from error
    _require_tool(library)
    for wanted, text in library.requires.items():
        required(wanted, text)
    return Manifest(name=library.id, version=library.version, requires=dict(library.requires))


def required(name: str, text: str) -> Stated:
    """Return what an entry of `requires` states.

    Raises:
        ManifestProblem: it states nothing that can be found.
    """
    try:
        return parse_required(text)
    except SourceProblem as problem:
        raise ManifestProblem(f'requires {name}, where "{text}" {problem}') from problem


@cache
def core_version() -> str:
    """Return the version of the library that is built in."""
    content = (data_dir("blueprints") / LIBRARY_FILE).read_bytes()
    document = read_content(content, Path(LIBRARY_FILE), LIBRARY_FILE).document
    library = None if document is None else document.value
    return library.version if isinstance(library, Library) else "0.0.0"


def _require_tool(library: Library) -> None:
    if library.maestro is None:
        return
    try:
        is_fit = is_in_range(__version__, library.maestro)
    except UnitError as error:
        raise ManifestProblem(f"states maestro: {error}") from error
    if not is_fit:
        raise ManifestProblem(f"needs maestro {library.maestro}, and this is {__version__}")
