"""Findings of earlier runs, reused while everything that they depend on is the same.

An entry is found by what was asked (paths, settings, working folder) and by the tool itself. It holds every
question that the run asked of the disk with its answer, contents by digest; it counts only while the disk
gives the same answers. An entry that is damaged, or that cannot be written, is as good as none.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from maestro_dsl import __version__
from maestro_dsl.app.lint_result import LintResult
from maestro_dsl.codec import digest, from_json, to_json
from maestro_dsl.diagnostics import Diagnostic, Diagnostics, limit
from maestro_dsl.lang.disk import noted
from maestro_dsl.lang.files import still_holds
from maestro_dsl.lang.model import LintSettings
from maestro_dsl.records import dataclass
from maestro_dsl.resources import data_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from maestro_dsl.lang.settings import Overrides

MOST_ENTRIES: Final = 200
_VARIABLE: Final = "MAESTRO_CACHE_DIR"
_LIBRARIES: Final = ("graphql", "jinja2", "jsonschema", "jsonschema_rs", "packaging", "referencing", "yaml")
"""Packages whose version can change what a finding says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LintCache:
    """The entries in `folder`, which is made when the first one is written."""

    folder: Path

    def reuse(self, asked: str, lint: Callable[[], LintResult]) -> LintResult:
        """Return the findings of an earlier run of what was `asked`, else those of `lint`, which are kept."""
        file = self.folder / f"{asked}.json"
        known = _load(file)
        if known is not None:
            with suppress(OSError):
                os.utime(file)  # the entries that are used stay
            return known
        with noted() as notes:
            result = lint()
        if notes.is_steady:
            answers = [[*question, answer] for question, answer in notes.answers.items()]
            self._store(file, {"answers": answers, **_to_json(result)})
        return result

    def _store(self, file: Path, entry: dict[str, Any]) -> None:
        import tempfile  # loads compression; an answer that is reused needs none of it

        body = json.dumps(entry, ensure_ascii=True, separators=(",", ":")).encode()
        with suppress(OSError):  # a cache that cannot be written is no reason to fail
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._make_room()
            descriptor, name = tempfile.mkstemp(dir=self.folder, suffix=".new")
            try:
                with os.fdopen(descriptor, "wb") as out:
                    out.write(_seal(body) + b"\n" + body)
                Path(name).replace(file)
            except OSError:
                Path(name).unlink(missing_ok=True)
                raise

    def _make_room(self) -> None:
        """Remove the older half once there are too many entries."""
        entries = list(self.folder.iterdir())
        if len(entries) >= MOST_ENTRIES:
            entries.sort(key=lambda path: path.stat().st_mtime_ns)
            for path in entries[: MOST_ENTRIES // 2]:
                path.unlink(missing_ok=True)


def cache_of(environ: Mapping[str, str]) -> LintCache | None:
    """Return the user's cache: `MAESTRO_CACHE_DIR`, else the XDG folder; None where there is no home."""
    stated = environ.get(_VARIABLE) or environ.get("XDG_CACHE_HOME")
    if environ.get(_VARIABLE):
        base = Path(str(stated)).expanduser()
    elif stated and Path(stated).is_absolute():
        base = Path(stated) / "maestro"
    else:
        home = environ.get("HOME") or environ.get("USERPROFILE")
        if not home:
            return None
        base = Path(home) / ".cache" / "maestro"
    return LintCache(folder=base / "lint")


def question_of(paths: Sequence[Path], environ: Mapping[str, str], overrides: Overrides | None) -> str:
    """Return the digest of what a run is asked, of where, and of the tool that answers."""
    ours = {name: value for name, value in environ.items() if name.startswith("MAESTRO_")}
    ours.pop(_VARIABLE, None)
    places = [(str(path), str(path.resolve())) for path in paths]
    return digest([_tool(), str(Path.cwd()), places, sorted(ours.items()), to_json(overrides), limit()])


@cache
def _tool() -> str:
    """Return a digest that changes with the program, its rules, its data and what it reads with."""
    files = [*Path(__file__).parents[1].rglob("*.py"), *data_dir("schemas").rglob("*.json")]
    files += [path for path in data_dir("blueprints").rglob("*") if path.is_file()]
    for name in _LIBRARIES:
        found = find_spec(name)
        files += [Path(found.origin)] if found is not None and found.origin is not None else []
    stamps = [(str(file), stat.st_size, stat.st_mtime_ns) for file in files for stat in [file.stat()]]
    return digest([__version__, sys.version, sorted(stamps)])


def _load(file: Path) -> LintResult | None:
    """Return the findings in `file` where they are whole and still hold."""
    try:
        seal, _, body = file.read_bytes().partition(b"\n")
        if seal != _seal(body):
            return None
        entry = json.loads(body)
        answers = {tuple(question): answer for *question, answer in entry["answers"]}
        return _from_json(entry) if still_holds(answers) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _seal(body: bytes) -> bytes:
    return sha256(body).hexdigest().encode()


def _to_json(result: LintResult) -> dict[str, Any]:
    """Return a result with the texts that its findings point into; others need no text."""
    findings = [*result.diagnostics, *result.suppressed]
    named = {item.span.file for item in findings}
    named |= {related.span.file for item in findings for related in item.related}
    return {
        "diagnostics": to_json(list(result.diagnostics)),
        "sources": {file: text for file, text in result.sources.items() if file in named},
        "suppressed": to_json(list(result.suppressed)),
        "plans": list(result.plans),
        "projects": {str(folder): to_json(settings) for folder, settings in result.projects.items()},
        "files_checked": result.files_checked,
        "files": {file: str(path) for file, path in result.files.items()},
    }


def _from_json(entry: dict[str, Any]) -> LintResult:
    return LintResult(
        diagnostics=Diagnostics([from_json(Diagnostic, item) for item in entry["diagnostics"]]),
        sources=entry["sources"],
        suppressed=Diagnostics([from_json(Diagnostic, item) for item in entry["suppressed"]]),
        plans=tuple(entry["plans"]),
        projects={
            Path(folder): from_json(LintSettings, settings) for folder, settings in entry["projects"].items()
        },
        files_checked=entry["files_checked"],
        files={file: Path(path) for file, path in entry["files"].items()},
    )
