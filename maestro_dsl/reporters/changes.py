"""What a command would change in files, as a unified diff; what `lint --fix` did, in words and as JSON."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.reporters.text import PLAIN, Style, plural, safe

if TYPE_CHECKING:
    from collections.abc import Iterable

    from maestro_dsl.diagnostics import Diagnostic

_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")
_COLOURS: Final = {"+": "green", "-": "red", "@": "cyan"}


def unified_diff(file: str, before: str, after: str, style: Style = PLAIN) -> str:
    """Return the unified diff from `before` to `after` as `patch -p1` reads it, "" where they are equal.

    Only characters that could steer a terminal are written as escapes.
    """
    lines = difflib.unified_diff(_lines(before), _lines(after), f"a/{file}", f"b/{file}")
    return "".join(_line(line, style) for line in lines)


def _lines(text: str) -> list[str]:
    return _LINE.findall(text)


def _line(line: str, style: Style) -> str:
    body = line.rstrip("\r\n")
    end = line[len(body) :] if line.endswith("\n") else f"{line[len(body) :]}\n\\ No newline at end of file\n"
    text = safe(body, multiline=True)
    return (style(_COLOURS[line[0]], text) if line[0] in _COLOURS else text) + end


def fixed_summary(fixed: Iterable[Diagnostic]) -> str:
    """Return what was mended, e.g. "fixed 3 (SCH001 2, SYN003 1)"."""
    counts = Counter(item.code for item in fixed)
    named = ", ".join(f"{code} {count}" for code, count in sorted(counts.items()))
    return f"fixed {counts.total()}" + (f" ({named})" if named else "")


def refused_line(finding: Diagnostic, reason: str) -> str:
    """Return one line about a fix that was not made."""
    title = finding.fix.title if finding.fix is not None else finding.message
    place = f"{finding.span.file}:{finding.span.line}:{finding.span.column}"
    return safe(f"{place}: not fixed [{finding.code}] {title}: {reason}")


def fixes_left(findings: Iterable[Diagnostic], *, unsafe: bool) -> str | None:
    """Return how many findings could be fixed with the flag that was not given, or None."""
    safe_count = unsafe_count = 0
    for item in findings:
        if item.fix is not None:
            safe_count += item.fix.safe
            unsafe_count += not item.fix.safe
    if unsafe or not unsafe_count:
        return (
            f"{plural(safe_count, 'finding')} can be fixed with --fix" if safe_count and not unsafe else None
        )
    total = plural(safe_count + unsafe_count, "finding")
    if not safe_count:
        return f"{total} can be fixed with --unsafe-fixes"
    return f"{total} can be fixed: {safe_count} with --fix, {unsafe_count} more with --unsafe-fixes"


def fix_json(fixed: Iterable[Diagnostic], refused: Iterable[tuple[Diagnostic, str]]) -> dict[str, Any]:
    """Return what was mended and what was not, for the JSON document of `lint --fix`."""

    def entry(finding: Diagnostic) -> dict[str, Any]:
        title = finding.fix.title if finding.fix is not None else ""
        return {
            "code": finding.code,
            "file": finding.span.file,
            "message": finding.message,
            "title": title,
            "safe": finding.fix is not None and finding.fix.safe,
        }

    return {
        "fixed": [entry(item) for item in fixed],
        "not_fixed": [{**entry(item), "reason": reason} for item, reason in refused],
    }
