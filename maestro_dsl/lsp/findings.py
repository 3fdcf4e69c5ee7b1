"""Findings as an editor shows them, and what can be done about them: fixes, all fixes, suppressions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lsprotocol import types

from maestro_dsl.app.rulebook import PAGES
from maestro_dsl.diagnostics import Severity
from maestro_dsl.lang.comments import TEMPLATE_SUFFIX
from maestro_dsl.lsp.cursor import Role, cursor_at
from maestro_dsl.lsp.positions import Positions, lines_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from maestro_dsl.diagnostics import Diagnostic, Edit
    from maestro_dsl.lsp.session import Checked, Session

SOURCE: Final = "maestro"
_SEVERITIES: Final = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.INFO: types.DiagnosticSeverity.Information,
}
_TAGS: Final[Mapping[str, types.DiagnosticTag]] = {
    "SCH006": types.DiagnosticTag.Deprecated,
    "SCH007": types.DiagnosticTag.Unnecessary,
    "REF007": types.DiagnosticTag.Unnecessary,
    "SUP001": types.DiagnosticTag.Unnecessary,
}


class Shown:
    """Shows the findings of one project, in the encoding that was agreed on."""

    def __init__(self, session: Session, checked: Checked, encoding: str) -> None:
        self._session = session
        self._checked = checked
        self._encoding = encoding
        self._positions: dict[Path, Positions] = {}

    def positions(self, path: Path) -> Positions:
        """Return the places of the document at `path`."""
        if path not in self._positions:
            self._positions[path] = Positions(self._session.text(path), self._encoding)
        return self._positions[path]

    def speaks_of_open(self, path: Path) -> bool:
        """Return whether a finding of the file shows a place of an open document, whose text moves."""
        related = (other for item in self._checked.findings.get(path, ()) for other in item.related)
        return any(self._checked.paths[other.span.file] in self._session.texts for other in related)

    def diagnostics(self, path: Path) -> list[types.Diagnostic]:
        """Return the findings of one file."""
        return [self._diagnostic(path, item) for item in self._checked.findings.get(path, ())]

    def _diagnostic(self, path: Path, item: Diagnostic) -> types.Diagnostic:
        help_text = f"\n{item.help}" if item.help else ""
        related = [
            types.DiagnosticRelatedInformation(
                location=types.Location(
                    uri=self._checked.paths[other.span.file].as_uri(),
                    range=self.positions(self._checked.paths[other.span.file]).range(other.span),
                ),
                message=other.message,
            )
            for other in item.related
        ]
        page = PAGES / f"{item.code}.md"
        return types.Diagnostic(
            range=self.positions(path).range(item.span),
            message=f"{item.message}{help_text}",
            severity=_SEVERITIES[item.severity],
            code=item.code,
            code_description=types.CodeDescription(href=page.as_uri()) if page.is_file() else None,
            source=SOURCE,
            related_information=related or None,
            tags=[_TAGS[item.code]] if item.code in _TAGS else None,
        )

    def actions(self, path: Path, wanted: types.Range, only: Iterable[str]) -> list[types.CodeAction]:
        """Return what can be done about the findings that touch a range."""
        kinds = [str(getattr(kind, "value", kind)) for kind in only]
        found: list[types.CodeAction] = []
        if not kinds or any("quickfix".startswith(kind) for kind in kinds):
            for item in self._checked.findings.get(path, ()):
                shown = self._diagnostic(path, item)
                if _touch(shown.range, wanted):
                    found += self._quick_fixes(path, item, shown)
        if not kinds or any("source.fixAll.maestro".startswith(kind) for kind in kinds):
            found += self._fix_all(path)
        return found

    def _quick_fixes(
        self, path: Path, item: Diagnostic, shown: types.Diagnostic
    ) -> Iterator[types.CodeAction]:
        if item.fix is not None and self._session.is_harmless(path, item):
            title = item.fix.title[:1].upper() + item.fix.title[1:]
            yield types.CodeAction(
                title=title,
                kind=types.CodeActionKind.QuickFix,
                diagnostics=[shown],
                is_preferred=item.fix.safe,
                edit=self._change(item.fix.edits),
            )
        comment = self._suppression(path, item)
        if comment is not None:
            yield types.CodeAction(
                title=f"Suppress {item.code} with a comment",
                kind=types.CodeActionKind.QuickFix,
                diagnostics=[shown],
                edit=types.WorkspaceEdit(changes={path.as_uri(): [comment]}),
            )

    def _change(self, edits: Iterable[Edit]) -> types.WorkspaceEdit:
        changes: dict[str, list[types.TextEdit]] = {}
        for edit in edits:
            path = self._checked.paths[edit.span.file]
            made = types.TextEdit(range=self.positions(path).range(edit.span), new_text=edit.replacement)
            changes.setdefault(path.as_uri(), []).append(made)
        return types.WorkspaceEdit(changes=dict(changes))

    def _fix_all(self, path: Path) -> Iterator[types.CodeAction]:
        """Yield one action with all that `lint --fix` makes of the file; what would harm it is left out."""
        after = self._session.fixed(path)
        if after is not None:
            yield types.CodeAction(
                title="Fix all that is safe to fix",
                kind="source.fixAll.maestro",
                edit=types.WorkspaceEdit(changes={path.as_uri(): self.positions(path).edits_to(after)}),
            )

    def _suppression(self, path: Path, item: Diagnostic) -> types.TextEdit | None:
        """Return the comment above a finding; None where a comment would be part of a text."""
        if item.code.startswith(("SUP", "SYN001")):
            return None
        lines = lines_in(self._session.text(path))
        number = item.span.line - 1
        line = lines[number] if number < len(lines) else ""
        indent = line[: len(line) - len(line.lstrip())]
        body = f"maestro: ignore[{item.code}] say here why it may stay"
        text = f"{indent}{{# {body} #}}\n" if path.name.endswith(TEMPLATE_SUFFIX) else f"{indent}# {body}\n"
        if not path.name.endswith(TEMPLATE_SUFFIX):
            here = cursor_at(lines, number, len(indent))
            if here.role is Role.TEXT:
                return None
        return types.TextEdit(range=self.positions(path).on_line(number, 0, 0), new_text=text)


def _touch(one: types.Range, other: types.Range) -> bool:
    return one.start <= other.end and other.start <= one.end
