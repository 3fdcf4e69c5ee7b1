"""Mocks for people: served until they are stopped, or written as files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from maestro_dsl.app.documents import compile_plan
from maestro_dsl.app.values import EmitResult
from maestro_dsl.errors import CompileError, EnvironmentFailure, UsageError
from maestro_dsl.interfaces.options import options_of
from maestro_dsl.interfaces.registry import FILES_ONLY, KINDS, InterfaceKind, kind_of
from maestro_dsl.lang.bundle import whole_spec
from maestro_dsl.lang.contracts import resolve_contract
from maestro_dsl.lang.model import Contract, ContractType, Kind, MockOptions
from maestro_dsl.lang.read import read_document
from maestro_dsl.lang.settings import Overrides

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable, Mapping, Sequence

    from maestro_dsl.app.serving import Listeners, ServeSettings
    from maestro_dsl.interfaces.openapi.drift import DriftReport
    from maestro_dsl.lang.document import Document
    from maestro_dsl.ports import Clock

_OWN_KINDS = ("apiVersion:", "kind:")
_CODE_SUFFIXES = frozenset({".py", ".ts", ".mts", ".cts"})
_SDL_SUFFIXES = frozenset({".graphql", ".graphqls", ".gql"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One interface to mock: where it came from, and what it is."""

    name: str
    file: str
    content: bytes
    interface: InterfaceKind
    api: object
    options: MockOptions | None = None
    """What the contract says of its mock; None of a bare specification."""


def subjects(
    files: Sequence[Path], environ: Mapping[str, str]
) -> tuple[list[Subject], list[tuple[str, str]]]:
    """Return the interfaces behind `files` (specs, contracts, plans), and what has none and why.

    Raises:
        UsageError: a file does not exist, or is no document that has an interface.
        CompileError: a plan or a contract has mistakes.
    """
    found: list[Subject] = []
    skipped: list[tuple[str, str]] = []
    for file in files:
        if not file.is_file():
            hint = "name an OpenAPI document, a GraphQL schema, a contract or a plan"
            raise UsageError(f"no such file: {file}", hint=hint)
        if _is_graphql(file):
            found.append(_subject(file.stem, str(file), file.read_bytes(), ContractType.GRAPHQL))
        elif _is_code_or_schema(file):
            found.append(_subject(file.stem, str(file), file.read_bytes(), ContractType.INTERFACE))
        elif _is_ours(file):
            _from_document(file, environ, found, skipped)
        else:
            found.append(_subject(file.stem, str(file), whole_spec(file), ContractType.REST_API))
    return found, skipped


def _is_graphql(file: Path) -> bool:
    """Return whether a file holds a GraphQL schema, as SDL or as the JSON of an introspection."""
    if file.suffix.lower() in _SDL_SUFFIXES:
        return True
    start = _start_of(file)
    return start.lstrip().startswith("{") and '"__schema"' in start[:2000]


def _is_code_or_schema(file: Path) -> bool:
    """Return whether a file holds a Python protocol, a TypeScript declaration or a JSON Schema."""
    start = _start_of(file)[:2000]
    is_schema = "json-schema.org/" in start and "openapi" not in start
    return file.suffix.lower() in _CODE_SUFFIXES or is_schema


def _start_of(file: Path) -> str:
    with file.open("rb") as stream:
        return stream.read(65_536).decode("utf-8", "replace")


def _is_ours(file: Path) -> bool:
    lines = _start_of(file).splitlines()
    return any(line.startswith(_OWN_KINDS[0]) for line in lines) and any(
        line.startswith(_OWN_KINDS[1]) for line in lines
    )


def _from_document(
    file: Path, environ: Mapping[str, str], found: list[Subject], skipped: list[tuple[str, str]]
) -> None:
    read = read_document(file, str(file))
    if read.document is None or read.diagnostics.has_errors:
        raise CompileError(f"{file} has mistakes", read.diagnostics, sources={})
    if read.document.kind is Kind.PLAN:
        compiled = compile_plan(file, overrides=Overrides(), environ=environ)
        if compiled.plan is None:
            raise CompileError(f"{file} does not compile", compiled.diagnostics, sources=compiled.sources)
        for item in compiled.plan.contracts:
            if item.spec_digest is None:
                skipped.append((item.id, "it has no interface"))
            else:
                content = compiled.plan.blobs[item.spec_digest]
                made = _subject(item.id, item.spec_path or item.id, content, item.contract.type)
                found.append(replace(made, options=item.contract.mock_options))
        return
    contract = read.document.value
    if not isinstance(contract, Contract):
        raise UsageError(f"{file} is a {read.document.kind.value}", hint="name a contract, a plan or a spec")
    if contract.interface_spec is None:
        skipped.append((contract.id, "it has no interface"))
        return
    resolved, problems = resolve_contract(cast("Document[Contract]", read.document))
    if resolved.spec_bytes is None or problems.has_errors:
        sources = {read.document.file: read.document.text}
        raise CompileError(f"{file}: its interface cannot be read", problems, sources=sources)
    spec = file.parent / contract.interface_spec.spec_file
    made = _subject(contract.id, str(spec), resolved.spec_bytes, contract.type)
    found.append(replace(made, options=contract.mock_options))


def _subject(name: str, file: str, content: bytes, kind: ContractType) -> Subject:
    interface = kind_of(kind)
    if interface is None:
        raise UsageError(f"{file}: this version cannot mock {kind.value}")
    api, problems = interface.parse(content, file)
    if api is None:
        raise CompileError(f"{file} is no interface that can be served", problems, sources={})
    return Subject(name=name, file=file, content=content, interface=interface, api=api)


def mock_emit(
    files: Sequence[Path], *, output: Path, environ: Mapping[str, str], force: bool = False
) -> EmitResult:
    """Write server, spec and README of each interface below `output`.

    Raises:
        UsageError: a file would be written over with other content and `force` is not set.
        EnvironmentFailure: the folder cannot be written.
    """
    found, skipped = subjects(files, environ)
    made: dict[str, bytes] = {}
    for item in found:
        for path, text in item.interface.emit(
            item.api, item.name, item.content, Path(item.file).name, options=options_of(item.options)
        ).items():
            made[path] = text.encode() if isinstance(text, str) else text
    different = [path for path in _existing(output, made) if not force]
    if different:
        raise UsageError(
            f"{output / different[0]} exists and differs",
            hint="choose another --output, or write over it with --force",
        )
    try:
        for path, content in made.items():
            target = output / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot write {error.filename or output}: {error.strerror}",
            hint="choose a folder that you may write to with --output",
        ) from error
    return EmitResult(folder=output, files=tuple(made), skipped=tuple(skipped))


def _existing(output: Path, made: Mapping[str, bytes]) -> Iterable[str]:
    for path, content in made.items():
        target = output / path
        if target.exists() and (not target.is_file() or target.read_bytes() != content):
            yield path


async def mock_serve(
    files: Sequence[Path],
    settings: ServeSettings,
    listeners: Listeners,
    *,
    environ: Mapping[str, str],
    stop: asyncio.Event,
    clock: Clock | None = None,
) -> tuple[DriftReport, ...]:
    """Serve mocks, or a proxy of the real thing, until `stop` is set; return what drifted from the contract.

    Raises:
        UsageError: nothing to serve, or the settings do not fit.
        EnvironmentFailure: a port is in use, or the log cannot be written.
    """
    from maestro_dsl.app.serving import serve_all
    from maestro_dsl.app.system import SystemClock

    every, skipped = subjects(files, environ)
    unserved_kinds = [KINDS[kind] for kind in FILES_ONLY]
    found = [item for item in every if item.interface not in unserved_kinds]
    unserved = "it is an interface of code or data: write its stubs with maestro mock emit"
    skipped += [(item.name, unserved) for item in every if item not in found]
    if not found:
        raise UsageError(
            "nothing to serve", hint="; ".join(f"{name}: {why}" for name, why in skipped) or None
        )
    return await serve_all(found, settings, listeners, stop=stop, clock=clock or SystemClock())
