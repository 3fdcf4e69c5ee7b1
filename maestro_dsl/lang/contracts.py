"""A contract with its spec file, and files that documents state by a path: read, never outside their area."""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, Final, cast

from maestro_dsl.diagnostics import Diagnostic, Diagnostics, Related, Severity, Span
from maestro_dsl.lang.bundle import bundle
from maestro_dsl.lang.disk import read
from maestro_dsl.lang.document import Document
from maestro_dsl.lang.files import Area, Names, PathProblem, area_of, project_root
from maestro_dsl.lang.finder import Finder, Reader, not_found
from maestro_dsl.lang.limits import LARGEST_PROMPT, MOST_IN_PROMPT
from maestro_dsl.lang.model import Contract, Kind
from maestro_dsl.lang.sdl import load_sdl
from maestro_dsl.lang.source import Loaded, Profile, load
from maestro_dsl.lang.sourcemap import SourceMap
from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from pathlib import Path

_DATA_TYPES: Final = frozenset({"openapi", "asyncapi", "json_schema"})
_CODE_TYPES: Final = frozenset({"python", "typescript"})
_DATA_SUFFIXES: Final = frozenset({".yaml", ".yml", ".json"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedContract:
    """One contract with its spec file; all None where it states none or the file cannot be read."""

    document: Document[Contract]
    spec_path: str | None = None
    """Relative to the project, posix."""
    spec_bytes: bytes | None = field(default=None, repr=False)
    """Of the whole interface: what the file takes from other files of the project is in it."""
    spec: Loaded | None = field(default=None, repr=False)
    is_bundled: bool = False
    """True where `spec_bytes` are not the bytes of the file, so that places in them say nothing."""


def resolve_contract(
    document: Document[Contract], area: Area | None = None, names: Names | None = None
) -> tuple[ResolvedContract, Diagnostics]:
    """Return a contract with its spec file, read inside `area` (default: what it lies in)."""
    interface = document.value.interface_spec
    if interface is None or not interface.spec_file:
        return ResolvedContract(document=document), Diagnostics()
    span = document.map.value_span(("interface_spec", "spec_file"))
    found = _resolve(document, interface.spec_file, span, area, names)
    return (ResolvedContract(document=document), found[1]) if found[0] is None else (found[0], found[1])


def stated_twice(contract: Document[Contract], first: Document[Contract]) -> Diagnostic:
    """Return the finding for a contract whose id another file has too."""
    where = Related(span=first.map.value_span(("id",)), message="first stated here")
    return Diagnostic(
        code="REF009",
        name="duplicate-id",
        severity=Severity.ERROR,
        span=contract.map.value_span(("id",)),
        message=f'two contracts of this plan have the id "{contract.value.id}"',
        help="give each contract its own id",
        related=(where,),
    )


def read_released(document: Document[Contract]) -> tuple[ResolvedContract | None, Diagnostics]:
    """Return the contract with the spec file of the released version that it names; None where it cannot.

    Where a contract of a library is named, that is returned with its own document.
    """
    interface = document.value.interface_spec
    released = interface.compatible_with if interface is not None else None
    if released is None:
        return None, Diagnostics()
    if released.contract is not None:
        return _published(document, released.contract)
    if not released.version or not released.spec_file:
        return None, Diagnostics()  # SCH002
    span = document.map.value_span(("interface_spec", "compatible_with", "spec_file"))
    found, diagnostics = _resolve(document, released.spec_file, span, None, None)
    return found, Diagnostics([item for item in diagnostics.items if item.severity is Severity.ERROR])


def _published(document: Document[Contract], reference: str) -> tuple[ResolvedContract | None, Diagnostics]:
    """Return the contract of a library that `document` says it is compatible with."""
    span = document.map.value_span(("interface_spec", "compatible_with"))
    finder = Finder(Reader(), Area(project_root(document.path)))
    found = finder.find(Kind.CONTRACT, reference, document.path, span)
    if found is None:
        return None, finder.reader.diagnostics
    resolved, problems = resolve_contract(cast("Document[Contract]", found), None, finder.reader.names)
    own, other = document.value.interface_spec, resolved.document.value.interface_spec
    kinds = [item.type if item is not None else "nothing" for item in (other, own)]
    if kinds[0] != kinds[1]:
        message = f'"{reference}" describes {kinds[0]}, and this {kinds[1]}'
        problem = Diagnostic(
            code="REF003",
            name="undefined-contract",
            severity=Severity.ERROR,
            span=span,
            message=message,
            help="name a contract of the same kind",
        )
        return None, Diagnostics([problem])
    errors = [item for item in problems.items if item.severity is Severity.ERROR]
    return (resolved if resolved.spec_bytes is not None else None), Diagnostics(errors)


def _resolve(
    document: Document[Contract], text: str, span: Span, area: Area | None, names: Names | None
) -> tuple[ResolvedContract | None, Diagnostics]:
    """Return a contract with the spec file `text`, which is stated at `span`."""
    names = names or Names()
    area = area or area_of(document.path)
    diagnostics = Diagnostics()
    content, problem = read_stated(area, document.path, text, span)
    if content is None:
        diagnostics.extend([problem] if problem is not None else [])
        return None, diagnostics
    path, raw = content
    interface = document.value.interface_spec
    kind = interface.type if interface is not None else ""
    is_data = kind in _DATA_TYPES or path.suffix in _DATA_SUFFIXES  # others have own readers
    spec = load(raw, names(path), profile=Profile.INTERFACE) if is_data else None
    if kind == "graphql" and not is_data:
        spec = load_sdl(raw, names(path))
    if kind in _CODE_TYPES and not is_data:
        text_of = raw.decode("utf-8-sig", "replace")
        spec = Loaded(
            data=text_of, map=SourceMap(names(path), text_of, None), diagnostics=Diagnostics(), text=text_of
        )
    is_usable = kind == "openapi" and spec is not None and not spec.diagnostics.has_errors
    whole = bundle(spec.data, path, area) if spec is not None and is_usable else None
    if spec is not None and whole is not None:
        raw, spec = whole.content, replace(spec, data=whole.data)
        spec.diagnostics.extend(_lost(spec, ref, problem) for ref, problem in whole.problems)
    diagnostics.extend(spec.diagnostics.items if spec is not None else ())
    resolved = ResolvedContract(
        document=document,
        spec_path=path.relative_to(area.root).as_posix(),
        spec_bytes=raw,
        spec=spec,
        is_bundled=whole is not None,
    )
    return resolved, diagnostics


def _lost(spec: Loaded, ref: str, problem: str) -> Diagnostic:
    """Return REF008 for a reference of a spec file, on its first place where that can be told."""
    at = spec.text.find(ref)
    span = Span(spec.map.file) if at < 0 else spec.map.span(at, at + len(ref))
    return not_found(span, ref, problem)


def read_prompt(
    area: Area, stated_in: Path, text: str, span: Span
) -> tuple[tuple[Path, bytes] | None, Diagnostic | None]:
    """Return the prompt template that `text` in `stated_in` points at, as `read_stated`, within limits."""
    found, problem = read_stated(area, stated_in, text, span)
    if found is None:
        return found, problem
    content = found[1]
    if len(content) > LARGEST_PROMPT:
        return None, not_found(span, text, f"is larger than {LARGEST_PROMPT // 1024} KiB")
    if content.count(b"{{") + content.count(b"{%") > MOST_IN_PROMPT:
        return None, not_found(span, text, f"has more than {MOST_IN_PROMPT:,} expressions and statements")
    return found, None


def read_stated(
    area: Area, stated_in: Path, text: str, span: Span
) -> tuple[tuple[Path, bytes] | None, Diagnostic | None]:
    """Return the file that `text` in `stated_in` points at with its content, or REF008 at `span`."""
    try:
        path = area.locate(stated_in, text)
        return (path, read(path)), None
    except PathProblem as problem:
        return None, not_found(span, text, str(problem))
    except OSError as error:
        return None, not_found(span, text, f"cannot be read: {error.strerror}")
