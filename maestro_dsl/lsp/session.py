"""What the server knows between two messages: unsaved texts, and per project what follows from them.

Knows no protocol. Everything is found out on first use after a change, and once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from maestro_dsl.app.documents import lint
from maestro_dsl.app.editing import Scene, is_readable, paths_around, root_of, scene
from maestro_dsl.app.fixing import fix, refusal
from maestro_dsl.app.lint_result import FixOptions, LintResult
from maestro_dsl.app.occurrences import Occurrence, named_in, occurrences
from maestro_dsl.diagnostics import Diagnostic
from maestro_dsl.lang.edits import decode
from maestro_dsl.lang.files import PROJECT_FILE, is_document
from maestro_dsl.lang.memory import Memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Findings by real path, and the real path of each file that a finding speaks of."""

    findings: Mapping[Path, tuple[Diagnostic, ...]]
    paths: Mapping[str, Path]
    result: LintResult | None = None
    """What both were taken from; None where nothing is read."""


@dataclass(slots=True)
class _Known:
    """What follows from the texts of one project, as far as somebody asked."""

    checked: Checked | None = None
    scene: Scene | None = None
    names: tuple[Occurrence, ...] | None = None
    fixed: dict[Path, str | None] = field(default_factory=dict)
    harmless: dict[Diagnostic, bool] = field(default_factory=dict)


@dataclass(slots=True)
class Session:
    """The open documents of one editor."""

    environ: Mapping[str, str]
    texts: dict[Path, str] = field(default_factory=dict)
    """Unsaved or saved, as the editor has them."""
    _readable: dict[Path, str] = field(default_factory=dict)
    _memory: Memory = field(default_factory=Memory)
    _known: dict[Path, _Known] = field(default_factory=dict)

    def put(self, path: Path, text: str) -> None:
        """Take the text of an open document."""
        self.texts[path] = text
        if not is_document(path, _bytes(text)) or is_readable(_bytes(text), path):
            self._readable[path] = text
        self.forget()

    def close(self, path: Path) -> None:
        """Go back to what is on disk."""
        self.texts.pop(path, None)
        self._readable.pop(path, None)
        self.forget()

    def forget(self) -> None:
        """Forget what follows from texts: one of them has changed."""
        self._known.clear()

    def look_again(self) -> None:
        """Forget what follows from texts and from the disk, on which a file has changed."""
        self._memory.look_again()
        self.forget()

    def text(self, path: Path) -> str:
        """Return the text of a document, open or not; "" where there is none."""
        if path in self.texts:
            return self.texts[path]
        try:
            return path.read_bytes().decode("utf-8-sig", "replace")
        except OSError:
            return ""

    def roots(self) -> tuple[Path, ...]:
        """Return the projects that documents are open of."""
        return tuple(dict.fromkeys(root_of(path) for path in self.texts))

    def paths(self, root: Path) -> list[Path]:
        """Return what is read for the open documents of a project."""
        return paths_around(
            root, {path: _bytes(text) for path, text in self.texts.items() if root_of(path) == root}
        )

    def overlay(self) -> dict[Path, bytes]:
        """Return the contents that count in place of what is on disk."""
        return {path: _bytes(text) for path, text in self.texts.items()}

    def checked(self, root: Path) -> Checked:
        """Return the findings of a project, open documents as they are typed."""
        known = self._known.setdefault(root, _Known())
        if known.checked is None:
            known.checked = self._check(root)
        return known.checked

    def scene(self, path: Path) -> Scene:
        """Return the documents around `path`; one that is broken is as it was when it could be read."""
        root = root_of(path)
        known = self._known.setdefault(root, _Known())
        if known.scene is None:
            overlay = {at: _bytes(text) for at, text in self._readable.items()}
            known.scene = scene(
                root, self.paths(root), overlay=overlay, environ=self.environ, memory=self._memory
            )
        return known.scene

    def names_in(self, path: Path) -> tuple[Occurrence, ...]:
        """Return everything that is named in the document at `path`."""
        found = self.scene(path)
        document = found.documents.get(path)
        return () if document is None else named_in(found, document)

    def names(self, path: Path) -> tuple[Occurrence, ...]:
        """Return everything that is named in the project of `path`."""
        found = self.scene(path)
        known = self._known[root_of(path)]
        if known.names is None:
            known.names = occurrences(found)
        return known.names

    def preparing(self) -> Iterator[None]:
        """Look up the names of the open projects, those of one document for each step that is asked for."""
        for root in self.roots():
            around = self.scene(root / PROJECT_FILE)
            for document in around.documents.values():
                named_in(around, document)
                yield

    def fixed(self, path: Path) -> str | None:
        """Return the text of a document with all that is safe to fix, or None where nothing is."""
        root = root_of(path)
        checked = self.checked(root)
        if not any(item.fix is not None and item.fix.safe for item in checked.findings.get(path, ())):
            return None
        known = self._known[root].fixed
        if path not in known:
            options = FixOptions(
                paths=self.paths(root), environ=self.environ, overlay=self.overlay(), only=path
            )
            changes = fix(options, memory=self._memory).changes
            known[path] = next((decode(item.after).text for item in changes if item.path == path), None)
        return known[path]

    def is_harmless(self, path: Path, finding: Diagnostic) -> bool:
        """Return whether the fix of a finding in `path` leaves the project no worse."""
        root = root_of(path)
        result = self.checked(root).result
        if result is None or finding.fix is None:
            return False
        known = self._known[root].harmless
        if finding not in known:
            options = FixOptions(paths=self.paths(root), environ=self.environ, overlay=self.overlay())
            known[finding] = refusal(finding, result, options, memory=self._memory) is None
        return known[finding]

    def _check(self, root: Path) -> Checked:
        paths = self.paths(root)
        if not paths:
            return Checked(findings={}, paths={})
        result = lint(paths, environ=self.environ, overlay=self.overlay(), memory=self._memory)
        findings: dict[Path, list[Diagnostic]] = {}
        places: dict[str, Path] = {}
        for item in result.diagnostics:
            files = [item.span.file, *(other.span.file for other in item.related)]
            places |= {file: result.path_of(file) for file in files}
            findings.setdefault(places[item.span.file], []).append(item)
        grouped = {path: tuple(found) for path, found in findings.items()}
        return Checked(findings=grouped, paths=places, result=result)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
