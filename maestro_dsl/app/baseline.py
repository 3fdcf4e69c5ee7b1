"""Findings that are known and stay for now: `lint --write-baseline FILE`, then `--baseline FILE`.

An entry is a file, a code, a digest of the words of the line, and how often: it survives lines that move, and
holds no text of the documents. Entries that match nothing any more are told, so that the file can be renewed.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from maestro_dsl.app.lint_result import LintResult
from maestro_dsl.app.rewriting import write_whole
from maestro_dsl.diagnostics import Diagnostics
from maestro_dsl.errors import EnvironmentFailure, UsageError
from maestro_dsl.reporters.fingerprints import SourceLines, content_of

if TYPE_CHECKING:
    from pathlib import Path

    from maestro_dsl.diagnostics import Diagnostic

_VERSION: Final = 1
_Key: TypeAlias = tuple[str, str, str]
"""File relative to the baseline, code, digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baselined:
    """What is left of a result; `known` were expected, `stale` (file, code) match nothing."""

    result: LintResult
    known: int
    stale: tuple[tuple[str, str], ...]


def write_baseline(file: Path, result: LintResult) -> int:
    """Write all findings of `result` into `file`, whole or not at all, and return how many there are.

    What only says that there are more is not written: it says so again when the baseline is used.

    Raises:
        EnvironmentFailure: it cannot be written.
    """
    counts = Counter(_keys(file, result).values())
    files: dict[str, dict[str, int]] = {}
    for (name, code, content), count in sorted(counts.items()):
        files.setdefault(name, {})[f"{code} {content}"] = count
    text = json.dumps({"format_version": _VERSION, "files": files}, ensure_ascii=True, indent=2) + "\n"
    try:
        write_whole(file, text.encode())
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot write {file}: {error.strerror}", hint="name another file"
        ) from error
    return counts.total()


def without_known(file: Path, result: LintResult) -> Baselined:
    """Return `result` without the findings that the baseline `file` expects.

    Raises:
        UsageError: there is no such file, or it is no baseline.
    """
    expected = _read(file)
    left, kept, keys = Counter(expected), [], _keys(file, result)
    for finding in result.diagnostics:
        key = keys.get(finding)
        if key is not None and left[key] > 0:
            left[key] -= 1
        else:
            kept.append(finding)
    known = len(result.diagnostics) - len(kept)
    checked = {_relative(file, result, name) for name in (*result.files, *result.sources)}
    stale = sorted(
        {
            (name, code)
            for (name, code, _), count in left.items()
            if count > 0 and (name in checked or not (file.resolve().parent / name).exists())
        }
    )
    return Baselined(result=replace(result, diagnostics=Diagnostics(kept)), known=known, stale=tuple(stale))


def _keys(file: Path, result: LintResult) -> dict[Diagnostic, _Key]:
    lines = SourceLines(result.sources)
    return {
        item: (_relative(file, result, item.span.file), item.code, content_of(item, lines))
        for item in result.diagnostics
        if not item.is_more
    }


def _relative(file: Path, result: LintResult, name: str) -> str:
    path, folder = result.path_of(name), file.resolve().parent
    return os.path.relpath(path, folder).replace(os.sep, "/")


def _read(file: Path) -> Counter[_Key]:
    try:
        data: Any = json.loads(file.read_bytes())
        if data["format_version"] != _VERSION:
            raise UsageError(f"{file} is a baseline of another version", hint=_hint(file))
        found: Counter[_Key] = Counter()
        for name, entries in data["files"].items():
            for entry, count in entries.items():
                code, _, content = entry.partition(" ")
                found[name, code, content] += int(count)
    except OSError as error:
        raise UsageError(f"cannot read the baseline {file}: {error.strerror}", hint=_hint(file)) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(f"{file} is no baseline of lint", hint=_hint(file)) from error
    return found


def _hint(file: Path) -> str:
    return f"make it with: maestro lint --write-baseline {file}"
