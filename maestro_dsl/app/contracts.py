"""`contract diff`, `show` and `search`: interfaces as documents. Starts nothing."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.app.revisions import content_of, tree_of
from maestro_dsl.diagnostics import Diagnostics, Span
from maestro_dsl.errors import CompileError, UsageError
from maestro_dsl.interfaces.bump import is_bumped, needed_bump
from maestro_dsl.interfaces.changes import Change, Comparison
from maestro_dsl.interfaces.comparison import COMPARERS, Version
from maestro_dsl.interfaces.obligations import compare_obligations
from maestro_dsl.lang.bundle import bundle
from maestro_dsl.lang.contracts import resolve_contract
from maestro_dsl.lang.document import Document
from maestro_dsl.lang.files import Area, project_root
from maestro_dsl.lang.model import Contract
from maestro_dsl.lang.read import read_content
from maestro_dsl.lang.source import Profile, load

if TYPE_CHECKING:
    from datetime import date

_REF_OUT: Final = re.compile(rb"""\$ref["']?\s*:\s*["']?[^#"'\s]""")
_SDL_STARTS: Final = ("type ", "schema ", "extend ", "interface ", "enum ", "scalar ", "union ", "input ")
_SDL_SUFFIXES: Final = frozenset({".graphql", ".graphqls", ".gql"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractDiff:
    """Two versions of an interface and what is between them."""

    old: str
    new: str
    comparison: Comparison
    needed_bump: str
    """"major", "minor" or "none"."""
    is_bumped: bool | None
    """Whether the new version's number announces a breaking change; None where there are no numbers."""
    warnings: Diagnostics = field(default_factory=Diagnostics)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """One side as it was read: a contract, a spec, or both."""

    name: str
    kind: str | None
    version: Version | None
    contract: Document[Contract] | None = None
    root: Path | None = None
    """Where its revision was put, for as long as it was read."""


def contract_diff(old: str, new: str, *, today: date) -> ContractDiff:
    """Return the changes from `old` to `new`: files, or REVISION:FILE of the git repository around here.

    Raises:
        UsageError: a file does not exist, or the two are different kinds of document.
        CompileError: one of them has mistakes that leave nothing to compare.
        EnvironmentFailure: a git revision is named and git is missing.
    """
    with ExitStack() as stack:
        before, after = _read(old, stack), _read(new, stack)
    if (before.contract is None) != (after.contract is None):
        raise UsageError(
            f"{old} and {new} are different kinds of document",
            hint="compare a contract with a contract, or a spec with a spec",
        )
    if before.contract is None and before.kind != after.kind:
        raise UsageError(f"{old} is {before.kind}, {new} is {after.kind}", hint="compare two of one kind")
    interface, problems = _interfaces(before, after, today)
    changes = interface.changes
    versions = (interface.old_version, interface.new_version)
    if before.contract is not None and after.contract is not None:
        changes = (*compare_obligations(before.contract, after.contract), *changes)
        versions = (before.contract.value.version, after.contract.value.version)
    found = Comparison(
        changes=tuple(
            sorted((_named(item, before, after) for item in changes), key=lambda item: item.sort_key)
        ),
        old_version=versions[0],
        new_version=versions[1],
    )
    return ContractDiff(
        old=old,
        new=new,
        comparison=found,
        needed_bump=needed_bump(found),
        is_bumped=is_bumped(*versions),
        warnings=problems,
    )


def _named(item: Change, before: _Read, after: _Read) -> Change:
    """Return a change whose places name the revision and not where it was put."""
    return replace(item, old=_shown(item.old, before), new=_shown(item.new, after))


def _shown(span: Span | None, side: _Read) -> Span | None:
    if span is None or side.root is None or not Path(span.file).is_relative_to(side.root):
        return span
    file = Path(span.file).relative_to(side.root).as_posix()
    return replace(span, file=f"{side.name.partition(':')[0]}:{file}")


def _interfaces(before: _Read, after: _Read, today: date) -> tuple[Comparison, Diagnostics]:
    if before.version is None or after.version is None or before.kind != after.kind:
        return Comparison(changes=()), Diagnostics()  # said by the obligations
    comparer = COMPARERS.get(before.kind or "")
    if comparer is None:
        raise UsageError(f"{before.name}: this version cannot compare {before.kind}")
    found, problems = comparer(before.version, after.version, today)
    if found is None:
        raise CompileError(
            f"{before.name} and {after.name} cannot be compared",
            problems,
            sources={
                item.file: item.content.decode("utf-8", "replace") for item in (before.version, after.version)
            },
        )
    return found, problems


def _read(name: str, stack: ExitStack) -> _Read:
    content, path = content_of(name)
    if path.suffix.lower() in _SDL_SUFFIXES:
        return _Read(name=name, kind="graphql", version=Version(file=name, content=content))
    loaded = load(content, name, profile=Profile.INTERFACE)
    if loaded.diagnostics.has_errors:
        if _looks_like_sdl(loaded.text):
            return _Read(name=name, kind="graphql", version=Version(file=name, content=content))
        raise CompileError(f"{name} cannot be read", loaded.diagnostics, sources={name: loaded.text})
    data = loaded.data
    if isinstance(data, dict) and "apiVersion" in data and "kind" in data:
        return _contract(name, content, *_placed(name, path, stack))
    is_described = isinstance(data, dict) and {"openapi", "swagger"} & data.keys()
    is_introspection = isinstance(data, dict) and {"__schema", "data"} & data.keys()
    if not is_described and (is_introspection or _looks_like_sdl(loaded.text)):
        return _Read(name=name, kind="graphql", version=Version(file=name, content=content))
    root: Path | None = None
    if _REF_OUT.search(content):
        path, root = _placed(name, path, stack)
        whole = bundle(data, path, Area(project_root(path)))
        loaded = loaded if whole is None else replace(loaded, data=whole.data)
    version = Version(file=name, content=content, loaded=loaded)
    return _Read(name=name, kind="openapi", version=version, root=root)


def _placed(name: str, path: Path, stack: ExitStack) -> tuple[Path, Path | None]:
    """Return where a document stands among the files it refers to, and the folder of a git revision."""
    return (path, None) if path.is_file() else stack.enter_context(tree_of(name))


def _looks_like_sdl(text: str) -> bool:
    return any(line.startswith(_SDL_STARTS) for line in text.splitlines())


def _contract(name: str, content: bytes, path: Path, root: Path | None) -> _Read:
    read = read_content(content, path, name)
    document = read.document
    if document is None or read.diagnostics.has_errors:
        raise CompileError(
            f"{name} has mistakes", read.diagnostics, sources={name: content.decode("utf-8", "replace")}
        )
    if not isinstance(document.value, Contract):
        raise UsageError(f"{name} is a {document.kind.value}", hint="name a contract or a spec")
    contract: Any = document
    interface = document.value.interface_spec
    if interface is None:
        return _Read(name=name, kind=None, version=None, contract=contract, root=root)
    resolved, problems = resolve_contract(contract)
    if problems.has_errors or resolved.spec_bytes is None:
        raise CompileError(f"{name}: its interface cannot be read", problems, sources={})
    shown = resolved.spec.map.file if resolved.spec is not None else str(path.parent / interface.spec_file)
    version = Version(file=shown, content=resolved.spec_bytes, loaded=resolved.spec)
    return _Read(name=name, kind=interface.type, version=version, contract=contract, root=root)
