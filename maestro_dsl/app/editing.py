"""What an editor shows of a project: its documents as they are typed, and the plans that they make up.

Reads only; findings are `maestro_dsl.app.documents`' business. A document that is broken while somebody types
stands here as it was when it could last be read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from maestro_dsl.lang.disk import overlaid
from maestro_dsl.lang.document import Document
from maestro_dsl.lang.files import PROJECT_FILE, Area, core_area, is_document, root_above
from maestro_dsl.lang.finder import Finder, Reader
from maestro_dsl.lang.memory import Memory
from maestro_dsl.lang.model import DocumentValue, Kind, Project
from maestro_dsl.lang.read import read_content
from maestro_dsl.lang.settings import Overrides
from maestro_dsl.lang.shelves import is_installed
from maestro_dsl.lang.workspace import Workspace, load_documents, load_workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The documents of a project, the plans with all they refer to, and a finder for the rest."""

    root: Path
    documents: Mapping[Path, Document[DocumentValue]]
    """By real path, those of the core library that are used among them."""
    workspaces: Sequence[Workspace]
    finder: Finder = field(repr=False)
    memory: Memory = field(repr=False)

    def of(self, kind: Kind) -> tuple[Document[DocumentValue], ...]:
        """Return the documents of one kind."""
        return tuple(item for item in self.documents.values() if item.kind is kind)

    @property
    def project(self) -> Project | None:
        """The project's own document."""
        document = self.documents.get(self.root / PROJECT_FILE)
        return document.value if document is not None and isinstance(document.value, Project) else None

    def workspaces_with(self, path: Path) -> tuple[Workspace, ...]:
        """Return the plans that use the document at `path`."""
        return tuple(item for item in self.workspaces if any(used.path == path for used in item.documents))


def root_of(path: Path) -> Path:
    """Return the folder of the project that a file belongs to; its own folder where there is none."""
    return root_above(path.parent)


def paths_around(root: Path, opened: Mapping[Path, bytes]) -> list[Path]:
    """Return what to read for the files that are open in `root`, each with its content.

    That is the whole project; without a project file only the documents right in the folder, which may be
    somebody's home.
    """
    mine = [path for path, content in opened.items() if is_document(path, content)]
    if (root / PROJECT_FILE).is_file():
        return [root, *(path for path in mine if not path.is_file())]
    try:
        beside = [path for path in sorted(root.iterdir()) if path.is_file() and is_document(path)]
    except OSError:
        beside = []
    return list(dict.fromkeys([*(path.resolve() for path in beside), *mine]))


def is_readable(content: bytes, path: Path) -> bool:
    """Return whether `content` can be read as a document, with or without mistakes in it."""
    found = read_content(content, path, path.name)
    return found.document is not None and not any(item.code == "SYN001" for item in found.diagnostics.items)


def scene(
    root: Path,
    paths: Sequence[Path],
    *,
    overlay: Mapping[Path, bytes],
    environ: Mapping[str, str],
    memory: Memory,
) -> Scene:
    """Return the documents among `paths`; `overlay` holds contents that count in place of the disk's."""
    reader = Reader(overlay=overlay, memory=memory, names=memory.names)
    workspaces = []
    with overlaid(overlay):
        documents, _ = load_documents(paths, reader=reader)
        known = {item.path: item for item in documents}
        for plan in (item for item in documents if item.kind is Kind.PLAN):
            workspace, _ = load_workspace(plan.path, overrides=Overrides(), environ=environ, reader=reader)
            if workspace is not None:
                workspaces.append(workspace)
                known |= {item.path: item for item in workspace.documents}
    finder = Finder(reader.another(), Area(root))
    return Scene(root=root, documents=known, workspaces=tuple(workspaces), finder=finder, memory=memory)


def is_of_core(path: Path) -> bool:
    """Return whether a file belongs to the core library or an installed one, which nobody changes."""
    return path.is_relative_to(core_area().root) or is_installed(path)
