"""The protocol: messages of an editor to what the other modules find, over standard input and output."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from maestro_dsl import __version__
from maestro_dsl.app.editing import root_of
from maestro_dsl.app.formatting import format_documents
from maestro_dsl.errors import MaestroError
from maestro_dsl.lang.files import is_document
from maestro_dsl.lsp.completion import complete, documented
from maestro_dsl.lsp.findings import Shown
from maestro_dsl.lsp.hovers import hover
from maestro_dsl.lsp.navigation import Navigator
from maestro_dsl.lsp.outline import outline
from maestro_dsl.lsp.places import Place, place_of
from maestro_dsl.lsp.positions import Positions
from maestro_dsl.lsp.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from maestro_dsl.diagnostics import Diagnostic

DEBOUNCE_S: Final = 0.06
"""How long typing has to pause before documents are checked."""
IDLE_S: Final = 0.5
SLICE_S: Final = 0.02
"""After how long without a change names are looked up that somebody may ask for, and for how long at once."""


class MaestroServer(LanguageServer):
    """The server with its session; checks wait until typing pauses."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__("maestro", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Full)
        self.session = Session(environ=environ)
        self._published: dict[Path, dict[Path, tuple[Diagnostic, ...]]] = {}
        self._waiting: asyncio.TimerHandle | None = None

    @property
    def encoding(self) -> str:
        """How the client counts columns."""
        return str(self.server_capabilities.position_encoding or types.PositionEncodingKind.Utf16.value)

    @property
    def navigator(self) -> Navigator:
        """Finds names as the documents are now."""
        return Navigator(self.session, self.encoding)

    def changed(self) -> None:
        """Check all open projects once nobody has typed for a moment."""
        self._later(DEBOUNCE_S, self.publish)

    def _later(self, seconds: float, work: Callable[[], None]) -> None:
        """Do `work` in place of what was to be done, which the last change has made useless."""
        if self._waiting is not None:
            self._waiting.cancel()
        self._waiting = asyncio.get_running_loop().call_later(seconds, work)

    def publish(self) -> None:
        """Check all open projects and send what is found; files that are mended get an empty list.

        A file that nobody has open is spoken of when its findings change.
        """
        roots = self.session.roots()
        for root in {*self._published, *roots}:
            try:
                checked = self.session.checked(root) if root in roots else None
            except MaestroError as error:  # such as an environment variable that cannot be used
                self.window_log_message(
                    types.LogMessageParams(type=types.MessageType.Error, message=error.message)
                )
                continue
            findings = checked.findings if checked is not None else {}
            shown = Shown(self.session, checked, self.encoding) if checked is not None else None
            mine = {path for path in self.session.texts if root_of(path) == root} if shown else set()
            before = self._published.get(root, {})
            now = {path: findings.get(path, ()) for path in {*findings, *mine}}
            for path in sorted({*before, *now}):
                is_known = path not in mine and path in before and before[path] == now.get(path)
                if not is_known or (shown is not None and shown.speaks_of_open(path)):
                    self._send(path, shown.diagnostics(path) if shown is not None else [])
            self._published[root] = now
        self._later(IDLE_S, partial(self._prepare, self.session.preparing()))

    def _prepare(self, steps: Iterator[None]) -> None:
        """Find out a little of what may be asked for, and let others have their turn."""
        until = time.monotonic() + SLICE_S
        for _ in steps:
            if time.monotonic() > until:
                self._later(0, partial(self._prepare, steps))
                return

    def _send(self, path: Path, diagnostics: list[types.Diagnostic]) -> None:
        uri = path.as_uri()
        known = self.workspace.text_documents.get(uri)
        version = known.version if known is not None else None
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri=uri, diagnostics=diagnostics, version=version)
        )

    def shown(self, path: Path) -> Shown:
        """Return the findings of the project of `path`."""
        return Shown(self.session, self.session.checked(root_of(path)), self.encoding)

    def place(self, uri: str, position: types.Position) -> tuple[Place, Positions]:
        """Return where in its document a position stands."""
        path = path_of(uri)
        text = self.session.text(path)
        positions = Positions(text, self.encoding)
        return place_of(path, text, position.line, positions.column(position)), positions


def path_of(uri: str) -> Path:
    """Return the real path of a document; an unsaved one has a name that no file has."""
    stated = to_fs_path(uri)
    return Path(stated).resolve() if stated else Path.cwd().resolve() / uri.replace("/", "_")


class _NoRefusals(logging.Filter):
    """Keeps answers such as "there is a node of this name already" out of the log: they are no faults."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record tells of a fault."""
        return not (record.exc_info and isinstance(record.exc_info[1], JsonRpcInvalidParams))


def serve(environ: Mapping[str, str]) -> None:
    """Talk to one editor over standard input and output until it says goodbye."""
    logging.getLogger("pygls.protocol.json_rpc").addFilter(_NoRefusals())
    make_server(environ).start_io()


def make_server(environ: Mapping[str, str]) -> MaestroServer:
    """Return a server that knows all its messages."""
    server = MaestroServer(environ)
    _texts(server)
    _questions(server)
    _changes(server)
    return server


def _texts(server: MaestroServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        server.session.put(path_of(params.text_document.uri), params.text_document.text)
        server.changed()

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: types.DidChangeTextDocumentParams) -> None:
        document = server.workspace.get_text_document(params.text_document.uri)
        server.session.put(path_of(params.text_document.uri), document.source)
        server.changed()

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(_: types.DidSaveTextDocumentParams) -> None:
        server.session.look_again()
        server.changed()

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseTextDocumentParams) -> None:
        server.session.close(path_of(params.text_document.uri))
        server.changed()

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def did_change_on_disk(_: types.DidChangeWatchedFilesParams) -> None:
        server.session.look_again()
        server.changed()


def _questions(server: MaestroServer) -> None:
    @server.feature(
        types.TEXT_DOCUMENT_COMPLETION,
        types.CompletionOptions(trigger_characters=list(".{[| :/"), resolve_provider=True),
    )
    def completion(params: types.CompletionParams) -> list[types.CompletionItem]:
        place, positions = server.place(params.text_document.uri, params.position)
        return complete(place, server.session.scene(place.path), positions)

    @server.feature(types.COMPLETION_ITEM_RESOLVE)
    def completion_resolve(item: types.CompletionItem) -> types.CompletionItem:
        return documented(item)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def show_hover(params: types.HoverParams) -> types.Hover | None:
        place, positions = server.place(params.text_document.uri, params.position)
        named = server.navigator.named(place.path, params.position)
        checked = server.session.checked(root_of(place.path))
        here = [
            item
            for item in checked.findings.get(place.path, ())
            if _holds(positions.range(item.span), params.position)
        ]
        return hover(place, server.session.scene(place.path), named, here)

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def definition(params: types.DefinitionParams) -> list[types.Location]:
        return server.navigator.definition(path_of(params.text_document.uri), params.position)

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def references(params: types.ReferenceParams) -> list[types.Location]:
        return server.navigator.references(
            path_of(params.text_document.uri),
            params.position,
            with_definition=params.context.include_declaration,
        )

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def symbols(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        path = path_of(params.text_document.uri)
        document = server.session.scene(path).documents.get(path)
        return [] if document is None else outline(document, Positions(document.text, server.encoding))


def _changes(server: MaestroServer) -> None:
    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix, "source.fixAll.maestro"]),
    )
    def actions(params: types.CodeActionParams) -> list[types.CodeAction]:
        path = path_of(params.text_document.uri)
        return server.shown(path).actions(path, params.range, params.context.only or ())

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    def formatting(params: types.DocumentFormattingParams) -> list[types.TextEdit]:
        path = path_of(params.text_document.uri)
        text = server.session.text(path)
        made = format_documents((), stdin=text.encode("utf-8", "surrogatepass")).content
        after = text if made is None else made.decode("utf-8")
        if after == text or not is_document(path, text.encode("utf-8", "surrogatepass")):
            return []
        return [types.TextEdit(range=Positions(text, server.encoding).whole(), new_text=after)]

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    def prepare_rename(params: types.PrepareRenameParams) -> types.Range | None:
        try:
            return server.navigator.prepare(path_of(params.text_document.uri), params.position)
        except MaestroError as error:
            raise JsonRpcInvalidParams(error.message) from error

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    def rename(params: types.RenameParams) -> types.WorkspaceEdit | None:
        try:
            path = path_of(params.text_document.uri)
            return server.navigator.rename(path, params.position, params.new_name)
        except MaestroError as error:
            raise JsonRpcInvalidParams(error.message) from error


def _holds(area: types.Range, position: types.Position) -> bool:
    return area.start <= position <= area.end
