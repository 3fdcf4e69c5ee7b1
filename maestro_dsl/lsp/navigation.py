"""Where a name is defined and used, and the edits that rename it, as an editor takes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types

from maestro_dsl.app.editing import root_of
from maestro_dsl.app.occurrences import Occurrence, Sort, at
from maestro_dsl.app.renaming import rename, require_renamable
from maestro_dsl.lsp.positions import Positions

if TYPE_CHECKING:
    from maestro_dsl.diagnostics import Span
    from maestro_dsl.lsp.session import Session


class Navigator:
    """Answers questions about the names of the open projects."""

    def __init__(self, session: Session, encoding: str) -> None:
        self._session = session
        self._encoding = encoding

    def named(self, path: Path, position: types.Position) -> Occurrence | None:
        """Return what is named at a place."""
        column = Positions(self._session.text(path), self._encoding).column(position)
        return at(self._session.names_in(path), path, position.line + 1, column + 1)

    def definition(self, path: Path, position: types.Position) -> list[types.Location]:
        """Return where the thing at a place is defined; a file is its own definition."""
        item = self.named(path, position)
        if item is None:
            return []
        if item.sort is Sort.FILE:
            start = types.Position(line=0, character=0)
            return [types.Location(uri=Path(item.home).as_uri(), range=types.Range(start=start, end=start))]
        same = [other for other in self._session.names(path) if other.key == item.key]
        return [self._location(other.path, other.span) for other in same if other.is_definition]

    def references(
        self, path: Path, position: types.Position, *, with_definition: bool
    ) -> list[types.Location]:
        """Return every place that names the thing at a place."""
        item = self.named(path, position)
        if item is None:
            return []
        same = dict.fromkeys(other for other in self._session.names(path) if other.key == item.key)
        return [
            self._location(other.path, other.span)
            for other in same
            if with_definition or not other.is_definition
        ]

    def prepare(self, path: Path, position: types.Position) -> types.Range | None:
        """Return the place of the name that would be changed; None where nothing is named.

        Raises:
            UsageError: it may not get another name.
        """
        item = self.named(path, position)
        if item is None:
            return None
        require_renamable(self._session.scene(path), self._session.names(path), item)
        return self._location(item.path, item.span).range

    def rename(self, path: Path, position: types.Position, name: str) -> types.WorkspaceEdit | None:
        """Return the edits of all files that give the thing at a place another name.

        Raises:
            UsageError: that is not safe.
        """
        item = self.named(path, position)
        if item is None:
            return None
        made = rename(
            self._session.scene(path),
            item,
            name,
            paths=self._session.paths(root_of(path)),
            overlay=self._session.overlay(),
            environ=self._session.environ,
        )
        changes = {
            file.as_uri(): [
                types.TextEdit(range=self._location(file, edit.span).range, new_text=edit.replacement)
                for edit in edits
            ]
            for file, edits in made.edits.items()
        }
        return types.WorkspaceEdit(changes=changes)

    def _location(self, path: Path, span: Span) -> types.Location:
        places = Positions(self._session.text(path), self._encoding)
        return types.Location(uri=path.as_uri(), range=places.range(span))
