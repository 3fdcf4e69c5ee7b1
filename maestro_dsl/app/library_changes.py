"""What a new version of a library does to those who were built on the contracts of the old one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from maestro_dsl.app.contracts import contract_diff
from maestro_dsl.errors import CompileError, UsageError
from maestro_dsl.interfaces.bump import is_bumped
from maestro_dsl.interfaces.changes import Level
from maestro_dsl.lang.files import LIBRARY_FILE
from maestro_dsl.lang.finder import Reader
from maestro_dsl.lang.model import Contract, Kind, Library
from maestro_dsl.lang.shelves import Shelf
from maestro_dsl.scratch import ScratchFolder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from maestro_dsl.lang.folder import Folder


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractBreak:
    """A contract of a library that breaks without a new major version."""

    library: str
    contract: str
    before: str
    after: str
    """Versions of the library."""
    changes: tuple[str, ...]
    """One sentence a change."""


def contract_breaks(name: str, old: tuple[str, Folder], new: tuple[str, Folder]) -> tuple[ContractBreak, ...]:
    """Return the exported contracts that break between two versions, each with its files.

    None where the number of the library, or of the contract itself, announces it.
    """
    if is_bumped(old[0], new[0]):
        return ()
    with ScratchFolder() as scratch:
        sides = tuple(
            _written(scratch.path / side, files) for side, files in (("old", old[1]), ("new", new[1]))
        )
        before, after = (_contracts(name, side) for side in sides)
        return tuple(
            ContractBreak(
                library=name, contract=contract, before=old[0], after=new[0], changes=tuple(changes)
            )
            for contract, path in sorted(before.items())
            if (changes := list(_between(contract, path, after.get(contract))))
        )


def _between(contract: str, old: Path, new: Path | None) -> Iterator[str]:
    if new is None:
        yield f"{contract} is not exported any more"
        return
    try:
        found = contract_diff(str(old), str(new), today=date.min)
    except (CompileError, UsageError) as error:
        yield f"{contract} cannot be compared: {error.message}"
        return
    if found.is_bumped:
        return
    for change in found.comparison.changes:
        if change.level is Level.BREAKING:
            words = (
                change.operation,
                change.where,
                f"at {change.path}" if change.path else "",
                change.message,
            )
            yield ": ".join(word for word in words if word)


def _contracts(name: str, root: Path) -> dict[str, Path]:
    """Return the exported contracts that can be read, by id."""
    reader = Reader()
    document = reader.look(root / LIBRARY_FILE)
    if document is None or not isinstance(document.value, Library):
        return {}
    shelf = Shelf(name=name, root=root, library=document.value, requires=frozenset())
    exported = shelf.exported(Kind.CONTRACT, reader)
    documents = {contract: reader.look(path) for contract, path in exported.items()}
    return {
        contract: exported[contract]
        for contract, found in documents.items()
        if found is not None and isinstance(found.value, Contract)
    }


def _written(folder: Path, files: Folder) -> Path:
    for name, content in files.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder
