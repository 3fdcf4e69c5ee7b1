"""The half of `maestro lint` that changes files: --fix, --unsafe-fixes, --diff."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from maestro_dsl.cli.context import print_document, print_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from maestro_dsl.app.fixing import FixResult
    from maestro_dsl.app.rewriting import Change
    from maestro_dsl.cli.context import Session

_MOST_REFUSED: Final = 200


def print_diff(own: Session, changes: Iterable[Change]) -> bool:
    """Write what `changes` would change to stdout; return whether there is anything."""
    from maestro_dsl.app.rewriting import texts_of
    from maestro_dsl.reporters.changes import unified_diff

    shown = [unified_diff(item.file, *texts_of(item), own.style(sys.stdout)) for item in changes]
    if any(shown):
        print_text("".join(shown))
    return any(shown)


def show_diff(own: Session, mended: FixResult, output_format: str, *, unsafe: bool) -> int:
    """Print what fixing would change, and return the exit code."""
    from maestro_dsl.app.rewriting import texts_of
    from maestro_dsl.reporters.changes import fix_json, fixed_summary, unified_diff

    if output_format == "json":
        refused = ((item.finding, item.reason) for item in mended.refused)
        changes = [
            {"file": item.file, "diff": unified_diff(item.file, *texts_of(item))} for item in mended.changes
        ]
        made = fix_json(mended.fixed, refused)
        print_document({"changes": changes, **made})
        return int(bool(changes))
    _say_refused(own, mended)
    if not print_diff(own, mended.changes):
        own.say("nothing to fix")
        return 0
    own.say(f"would have {fixed_summary(mended.fixed)}")
    own.next(f"maestro lint {'--unsafe-fixes' if unsafe else '--fix'}")
    return 1


def write_fixes(own: Session, mended: FixResult) -> None:
    """Write what was fixed, standard input to stdout, and say what it was."""
    from maestro_dsl.app import write_changes
    from maestro_dsl.reporters.changes import fixed_summary

    write_changes(mended.changes)
    if mended.content is not None:
        sys.stdout.buffer.write(mended.content)
        sys.stdout.buffer.flush()
    _say_refused(own, mended)
    own.say(fixed_summary(mended.fixed))


def _say_refused(own: Session, mended: FixResult) -> None:
    from maestro_dsl.reporters.changes import refused_line
    from maestro_dsl.reporters.text import plural

    for item in mended.refused[:_MOST_REFUSED]:
        own.say(refused_line(item.finding, item.reason))
    if len(mended.refused) > _MOST_REFUSED:
        own.say(f"and {len(mended.refused) - _MOST_REFUSED} more were not fixed")
    if mended.waiting:
        own.say(f"{plural(mended.waiting, 'finding')} can still be fixed: run the command again")
