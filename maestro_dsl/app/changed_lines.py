"""`lint --since REV`: the lines that changed since a git revision, and the findings that stand in them.

Compared is the working tree with the point where the present branch left REV. New files that git does not
know yet count whole; where lines were only taken out, the two lines around the gap count as changed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from maestro_dsl.app.git import GitRefusal, ask
from maestro_dsl.diagnostics import Diagnostic, Diagnostics, Span
from maestro_dsl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from maestro_dsl.app.lint_result import LintResult

_PURPOSE: Final = "--since compares with a revision of a repository"
_DIFF: Final = (
    *("-c", "core.quotePath=false", "diff", "--unified=0", "--no-color", "--no-ext-diff", "--no-textconv"),
    *("--find-renames", "--src-prefix=a/", "--dst-prefix=b/", "--ignore-submodules"),
)
_HUNK: Final = re.compile(rb"@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@")
_ESCAPE: Final = re.compile(rb"\\([0-7]{3}|.)")
_LETTERS: Final = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}


@dataclass(frozen=True, slots=True)
class ChangedLines:
    """Ranges of changed lines by real path; a whole file where there are none (`None`)."""

    ranges: dict[Path, list[tuple[int, int]] | None] = field(default_factory=dict)

    def touches(self, path: Path, span: Span) -> bool:
        """Return whether a line of `span` in the file at `path` has changed."""
        if path not in self.ranges:
            return False
        ranges = self.ranges[path]
        return ranges is None or any(first <= span.end_line and span.line <= last for first, last in ranges)


def changed_since(revision: str) -> ChangedLines:
    """Return what changed in the repository around this folder since `revision`.

    Raises:
        UsageError: this is no repository, or it has no such revision.
        EnvironmentFailure: git is not installed, or does not answer.
    """
    try:
        top = Path(_text(_ask("rev-parse", "--show-toplevel"))).resolve()
    except GitRefusal as refusal:
        raise UsageError(f"--since needs a git repository: {refusal}", hint="work in a repository") from None
    base = _base(revision, top)
    changed = ChangedLines()
    for path, ranges in _hunks(_ask(*_DIFF, base, "--", folder=top)):
        changed.ranges[(top / path).resolve()] = ranges
    for name in _ask("ls-files", "--others", "--exclude-standard", "-z", folder=top).split(b"\0"):
        if name:
            changed.ranges[(top / _decoded(name)).resolve()] = None
    return changed


def only_changed(result: LintResult, changed: ChangedLines) -> tuple[LintResult, int]:
    """Return `result` with the findings of changed lines, and how many others there are.

    A finding counts where a place that it points to as well has changed.
    """

    def counts(item: Diagnostic) -> bool:
        if item.is_more:  # whatever it stands for may have changed
            return result.path_of(item.span.file) in changed.ranges
        spans = (item.span, *(related.span for related in item.related))
        return any(changed.touches(result.path_of(span.file), span) for span in spans)

    found = list(result.diagnostics)
    kept = [item for item in found if counts(item)]
    hidden = [item for item in result.suppressed if counts(item)]
    left = replace(result, diagnostics=Diagnostics(kept), suppressed=Diagnostics(hidden))
    return left, len(found) - len(kept)


def _base(revision: str, top: Path) -> str:
    """Return the commit to compare with: where the present branch left `revision`."""
    try:
        commit = _text(
            _ask("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}", folder=top)
        )
    except GitRefusal:
        hint = "name a branch, a tag or a commit; in CI, fetch it first"
        raise UsageError(f"git has no revision {revision}", hint=hint) from None
    try:
        return _text(_ask("merge-base", commit, "HEAD", folder=top)) or commit
    except GitRefusal:
        return commit  # no common beginning, or nothing committed here yet


def _ask(*arguments: str, folder: Path | None = None) -> bytes:
    return ask(arguments, purpose=_PURPOSE, folder=folder)


def _hunks(diff: bytes) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """Yield each file of a diff under its new name, with its changed lines."""
    name: str | None = None
    ranges: list[tuple[int, int]] = []
    left = 0
    for line in diff.split(b"\n"):
        if left > 0 and line[:1] in {b"+", b"-", b"\\"}:
            left -= line[:1] != b"\\"
            continue  # the text of a change, whatever it looks like
        if line.startswith(b"diff --git "):
            if name is not None:
                yield name, ranges
            name, ranges = None, []
        elif line.startswith(b"+++ "):
            name = _name(line[4:])
        elif match := _HUNK.match(line):
            start, count = int(match[1]), int(match[2] or 1)
            left = count + _removed(line)
            ranges.append((start, start + count - 1) if count else (start, start + 1))
    if name is not None:
        yield name, ranges


def _removed(hunk: bytes) -> int:
    count = hunk.split(b" ")[1].partition(b",")[2]
    return int(count) if count else 1


def _name(stated: bytes) -> str | None:
    """Return the path in "b/path", which git puts into quotes where it has odd characters."""
    stated = stated.rstrip(b"\t")
    if stated.startswith(b'"'):
        stated = _ESCAPE.sub(_character, stated[1:-1])
    return _decoded(stated[2:]) if stated.startswith(b"b/") else None


def _character(match: re.Match[bytes]) -> bytes:
    body = match[1]
    return bytes([int(body, 8)]) if len(body) > 1 else _LETTERS.get(body, body)


def _decoded(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _text(answer: bytes) -> str:
    return _decoded(answer).strip()
