"""`contract show` and `contract search`: the operations of interfaces, in one file or in many."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from maestro_dsl.app.mocks import subjects
from maestro_dsl.errors import MaestroError, UsageError
from maestro_dsl.interfaces.openapi.model import Api, Operation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from maestro_dsl.app.mocks import Subject

_SUFFIXES: Final = frozenset({".yaml", ".yml", ".json", ".graphql", ".graphqls", ".gql"})
_SDL: Final = frozenset({".graphql", ".graphqls", ".gql"})
_NOT_SEARCHED: Final = frozenset({"node_modules", "__pycache__", "venv"})
_SNIFFED: Final = 65_536
_MOST_FILES: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationInfo:
    """One operation for people: how it is called, what it answers, what it needs."""

    method: str
    path: str
    operation_id: str | None
    summary: str = ""
    statuses: tuple[str, ...] = ()
    security: tuple[str, ...] = ()
    """Alternatives, each the schemes that are needed together; empty where anybody may call."""
    deprecated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownInterface:
    """One interface and its operations."""

    name: str
    file: str
    kind: str
    title: str
    version: str
    operations: tuple[OperationInfo, ...]


def show_interface(file: Path, *, environ: Mapping[str, str]) -> tuple[ShownInterface, ...]:
    """Return the interfaces behind a spec, a contract or a plan.

    Raises:
        UsageError: it has none.
        CompileError: it has mistakes.
    """
    found, skipped = subjects([file], environ)
    if not found:
        reasons = "; ".join(f"{name}: {why}" for name, why in skipped)
        raise UsageError(f"{file} has no interface", hint=reasons or None)
    return tuple(map(_shown, found))


def _shown(subject: Subject) -> ShownInterface:
    api = subject.api
    if isinstance(api, Api):
        return ShownInterface(
            name=subject.name,
            file=subject.file,
            kind="openapi",
            title=api.title,
            version=api.version,
            operations=tuple(map(_operation, api.operations)),
        )
    names = (name.partition(" ") for name in subject.interface.operations(api))
    return ShownInterface(
        name=subject.name,
        file=subject.file,
        kind="graphql",
        title=subject.name,
        version="",
        operations=tuple(OperationInfo(method=kind, path=name, operation_id=None) for kind, _, name in names),
    )


def _operation(operation: Operation) -> OperationInfo:
    return OperationInfo(
        method=operation.method,
        path=operation.path,
        operation_id=operation.operation_id,
        summary=operation.summary,
        statuses=tuple(operation.responses),
        security=tuple(
            " and ".join(scheme.name for scheme in need.schemes) or "none" for need in operation.security
        ),
        deprecated=operation.deprecated,
    )


def search_interfaces(
    text: str, paths: Sequence[Path], *, environ: Mapping[str, str]
) -> tuple[ShownInterface, ...]:
    """Return the interfaces among `paths` with the operations whose text holds all words of `text`.

    Files that cannot be read as an interface are passed over.

    Raises:
        UsageError: a path does not exist.
    """
    missing = next((path for path in paths if not path.exists()), None)
    if missing is not None:
        raise UsageError(f"no such file or folder: {missing}", hint="name a file, or a folder to search")
    words = text.lower().split()
    found: list[ShownInterface] = []
    for file in _files(paths):
        try:
            shown = show_interface(file, environ=environ)
        except MaestroError:
            continue
        for item in shown:
            kept = tuple(each for each in item.operations if _holds(item, each, words))
            if kept:
                found.append(replace(item, operations=kept))
    return tuple(found)


def _holds(item: ShownInterface, operation: OperationInfo, words: list[str]) -> bool:
    parts = (operation.method, operation.path, operation.operation_id or "", operation.summary, item.title)
    text = " ".join(parts).lower()
    return all(word in text for word in words)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield the files that look like an interface, sorted."""
    seen = 0
    for path in paths:
        if path.is_file():
            yield path
            continue
        for here, folders, names in os.walk(path):
            folders[:] = sorted(
                name for name in folders if not name.startswith(".") and name not in _NOT_SEARCHED
            )
            for name in sorted(names):
                seen += 1
                if seen > _MOST_FILES:
                    return
                file = Path(here, name)
                if file.suffix.lower() in _SUFFIXES and _looks_like_one(file):
                    yield file


def _looks_like_one(file: Path) -> bool:
    if file.suffix.lower() in _SDL:
        return True
    try:
        with file.open("rb") as stream:
            start = stream.read(_SNIFFED)
    except OSError:
        return False
    return b"openapi" in start or b"kind: Contract" in start
