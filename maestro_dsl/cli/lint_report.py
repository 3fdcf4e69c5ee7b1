"""What `maestro lint` says: the report on stdout, and on stderr what it comes to and what to do next."""

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING, Any

from maestro_dsl.cli.context import print_text
from maestro_dsl.diagnostics import Severity
from maestro_dsl.records import dataclass
from maestro_dsl.reporters.text import plural, safe

if TYPE_CHECKING:
    from maestro_dsl.app.fixing import FixResult  # noqa: TC004 - never decoded, and light for every start
    from maestro_dsl.app.lint_result import LintResult  # noqa: TC004 - never decoded, and light for every start
    from maestro_dsl.cli.context import Session

_MOST_STALE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """A result without what a baseline knows and what has not changed, and how much that was."""

    result: LintResult
    known: int = 0
    stale: tuple[tuple[str, str], ...] = ()
    unchanged: int = 0
    mended: FixResult | None = None


def show(
    own: Session, found: Narrowed, output_format: str, *, unsafe: bool = False, show_suppressed: bool = False
) -> None:
    """Write the findings: to stdout, or to stderr where a fixed document stands there."""
    from maestro_dsl.app import render

    to_stderr = found.mended is not None and found.mended.content is not None
    style = own.style(sys.stderr if to_stderr else sys.stdout)
    shown = render(output_format, found.result, style, show_suppressed=show_suppressed)
    if output_format == "json":
        shown = json.dumps({**json.loads(shown), **_more(found)}, ensure_ascii=True, indent=2)
    if shown:
        print_text(shown, err=to_stderr)
    if output_format != "text":
        return
    if not found.result.files_checked:
        own.say("nothing was checked: there is no document of maestro here")
        own.next("maestro init DIR")
        return
    _say_sum(own, found, unsafe=unsafe)


def _say_sum(own: Session, found: Narrowed, *, unsafe: bool) -> None:
    from maestro_dsl.reporters import diagnostics

    findings, result = tuple(found.result.diagnostics), found.result
    notes = [
        f"{count} {word}"
        for count, word in (
            (len(result.suppressed), "suppressed"),
            (found.known, "in the baseline"),
            (found.unchanged, "in unchanged lines"),
        )
        if count
    ]
    own.say(diagnostics.summary(findings, result.files_checked, own.style(sys.stderr), notes=notes))
    if found.stale:
        verb = "matches" if len(found.stale) == 1 else "match"
        own.say(f"info: {plural(len(found.stale), 'entry')} of the baseline {verb} nothing any more:")
        for file, code in found.stale[:_MOST_STALE]:
            own.say(f"  {safe(file)}: {safe(code)}")
    if not findings:
        own.next(f"maestro plan {shlex.quote(safe(result.plans[0])) if result.plans else 'FILE'}")
        return
    from maestro_dsl.reporters.changes import fixes_left

    left = fixes_left(findings, unsafe=unsafe)
    if left is not None:
        own.say(left)
    worst = min(findings, key=lambda item: list(Severity).index(item.severity))
    own.next(f"maestro rule {worst.code}")


def _more(found: Narrowed) -> dict[str, Any]:
    """Return what only JSON says beside the findings."""
    more: dict[str, Any] = {
        "hidden": {
            "suppressed": len(found.result.suppressed),
            "baseline": found.known,
            "unchanged": found.unchanged,
        }
    }
    if found.stale:
        more["stale"] = [{"file": file, "code": code} for file, code in found.stale]
    if found.mended is not None:
        from maestro_dsl.reporters.changes import fix_json

        refused = ((item.finding, item.reason) for item in found.mended.refused)
        more |= fix_json(found.mended.fixed, refused)
    return more
