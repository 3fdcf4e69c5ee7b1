"""`schema migrate`: old documents in today's spelling, in memory; writing is `maestro_dsl.app.rewriting`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from maestro_dsl.app.formatting import documents_among
from maestro_dsl.app.rewriting import Change, areas_of, may_change
from maestro_dsl.diagnostics import Diagnostic, Diagnostics, Severity, Span
from maestro_dsl.errors import UsageError
from maestro_dsl.lang.edits import Encoded, apply_edits, decode
from maestro_dsl.lang.files import Names
from maestro_dsl.lang.migration import modernise, old_version
from maestro_dsl.lang.model import API_VERSION, Kind
from maestro_dsl.lang.read import missing_file, read_content
from maestro_dsl.lang.respellings import OLD_VERSIONS
from maestro_dsl.lang.source import load


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationResult:
    """What migrating comes to; nothing of it is written yet."""

    changes: tuple[Change, ...]
    unchanged: int
    diagnostics: Diagnostics
    """Errors that migrated documents still have, and files that cannot be read."""
    sources: Mapping[str, str] = field(default_factory=dict, repr=False)


def migrate_documents(paths: Sequence[Path]) -> MigrationResult:
    """Return the documents among `paths` (files or folders; none = this folder) in today's language.

    Raises:
        UsageError: a path does not exist.
    """
    missing = next((path for path in paths if not path.exists()), None)
    if missing is not None:
        raise UsageError(f"no such file or folder: {missing}", hint="name a file, or a folder to search")
    names, areas = Names(), areas_of(paths)
    changes: list[Change] = []
    found, sources, unchanged = Diagnostics(), dict[str, str](), 0
    for path in documents_among(paths, names):
        file = names(path)
        try:
            content = path.read_bytes()
        except OSError as error:
            found.add(missing_file(Span(file), file, error.strerror or type(error).__name__))
            continue
        migrated, problems = migrated_content(content, file)
        if migrated is None or migrated == content or not may_change(path, areas):
            unchanged += 1
        else:
            changes.append(Change(file=file, path=path, before=content, after=migrated))
        if problems:
            found.extend(problems)
            sources[file] = _text_of(content if migrated is None else migrated)
    return MigrationResult(changes=tuple(changes), unchanged=unchanged, diagnostics=found, sources=sources)


def migrated_content(content: bytes, file: str) -> tuple[bytes | None, list[Diagnostic]]:
    """Return a document in today's language and the errors it still has; None where it cannot be read."""
    loaded = load(content, file)
    errors = [item for item in loaded.diagnostics if item.severity is Severity.ERROR]
    data = loaded.data
    if errors or not isinstance(data, dict):
        return None, errors
    if data.get("apiVersion") not in {API_VERSION, *OLD_VERSIONS} or data.get("kind") not in [*Kind]:
        return None, []
    header = old_version(data, loaded.map)
    old = modernise(Kind(str(data["kind"])), data, loaded.map)
    edits = [edit for item in old if item.fix is not None for edit in item.fix.edits]
    if header is not None:
        edits.append(header)
    if not edits:
        return content, []
    encoded: Encoded = decode(content)
    migrated = encoded.encode(apply_edits(encoded.text, edits))
    left = [
        item
        for item in read_content(migrated, Path(file), file).diagnostics
        if item.severity is Severity.ERROR
    ]
    return migrated, left


def _text_of(content: bytes) -> str:
    return content.decode("utf-8", "replace")
