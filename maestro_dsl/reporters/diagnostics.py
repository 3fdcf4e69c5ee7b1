"""Findings as text with the line and a caret, concise lines, JSON, JSON lines, and GitHub annotations.

The reports of GitLab and JUnit are in modules of their own.

Sources are given by the caller; a file whose text is unknown is reported without its line.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

from maestro_dsl.codec import to_json
from maestro_dsl.diagnostics import Diagnostic, Severity, Span
from maestro_dsl.reporters.fingerprints import SourceLines
from maestro_dsl.reporters.github import as_message, as_parameter
from maestro_dsl.reporters.text import FORMAT_VERSION, PLAIN, Style, cells, clipped, plural, safe

Sources: TypeAlias = Mapping[str, str]
"""File as shown in a span → its text."""

_COLOURS: Final = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}
_MAX_LINE: Final = 160
_LEAD: Final = 60


def text(findings: Iterable[Diagnostic], sources: Sources, style: Style = PLAIN) -> str:
    """Return one block a finding: position, code, message, the line with a caret, help, related places."""
    lines = SourceLines(sources)
    return "\n".join(_block(finding, lines, style) for finding in findings)


def _block(finding: Diagnostic, lines: SourceLines, style: Style) -> str:
    colour = _COLOURS[finding.severity]
    label = style(colour, f"{finding.severity.value}[{finding.code}]")
    parts = [
        f"{style('bold', _place(finding.span))}: {label}: {style('bold', safe(clipped(finding.message)))}"
    ]
    shown = _excerpt(finding.span, lines, finding.help, style, colour)
    parts += shown
    if finding.help and not shown:
        parts.append(f"  help: {safe(clipped(finding.help))}")
    for related in finding.related:
        parts.append(f"{_place(related.span)}: {style('blue', 'note')}: {safe(clipped(related.message))}")
        parts += _excerpt(related.span, lines, None, style, "blue")
    if finding.fix is not None:
        kind = "fix (--fix)" if finding.fix.safe else "unsafe fix (--unsafe-fixes)"
        parts.append(f"  {kind}: {safe(clipped(finding.fix.title))}")
    return "\n".join(parts) + "\n"


def _place(span: Span) -> str:
    return f"{safe(span.file)}:{span.line}:{span.column}"


def _excerpt(span: Span, lines: SourceLines, note: str | None, style: Style, colour: str) -> list[str]:
    source = lines.line(span.file, span.line)
    if source is None:
        return []
    start = min(span.column - 1, len(source))
    end = span.end_column - 1 if span.end_line == span.line else len(source)
    end = max(min(end, len(source)), start)
    source, start, end = _window(source, start, end)
    before, token = _shown(source[:start]), _shown(source[start:end])
    after = _shown(source[end:])
    caret = style(colour, "^" * max(cells(token), 1))
    margin = " " * len(str(span.line))
    gutter, number = style("dim", "|"), style("dim", str(span.line))
    marked = f"{margin} {gutter} {' ' * cells(before)}{caret}" + (f" {safe(clipped(note))}" if note else "")
    return [
        f"{margin} {gutter}",
        f"{number} {gutter} {before}{token}{after}".rstrip(),
        marked,
    ]


def _window(source: str, start: int, end: int) -> tuple[str, int, int]:
    """Cut a very long line to the part around the token."""
    if len(source) <= _MAX_LINE:
        return source, start, end
    left = max(0, start - _LEAD)
    right = min(len(source), left + _MAX_LINE)
    head, tail = "…" if left else "", "…" if right < len(source) else ""
    return head + source[left:right] + tail, start - left + len(head), min(end, right) - left + len(head)


def _shown(part: str) -> str:
    return safe(part.replace("\t", "    "))


def summary(
    findings: Iterable[Diagnostic], files_checked: int, style: Style = PLAIN, *, notes: Iterable[str] = ()
) -> str:
    """Return the closing line, e.g. "3 errors and 1 warning in 4 files (2 suppressed)"."""
    counts = dict.fromkeys(Severity, 0)
    are_more = False
    for finding in findings:
        counts[finding.severity] += not finding.is_more
        are_more |= finding.is_more
    named = [
        style(_COLOURS[severity], plural(count, "note" if severity is Severity.INFO else severity.value))
        for severity, count in counts.items()
        if count
    ]
    told = ", ".join(notes)
    files = plural(files_checked, "file") + (f" ({told})" if told else "")
    if not named:
        return f"{style('green', 'no mistakes')} in {files}"
    listed = ", ".join(named[:-1]) + (" and " if len(named) > 1 else "") + named[-1]
    return f"{'at least ' if are_more else ''}{listed} in {files}"


def concise(findings: Iterable[Diagnostic], _sources: Sources, _style: Style = PLAIN) -> str:
    """Return one line a finding."""
    return "".join(
        f"{_place(item.span)}: {item.severity.value}[{item.code}]: {safe(clipped(item.message))}"
        + (f" ({safe(clipped(item.help))})" if item.help else "")
        + "\n"
        for item in findings
    )


def json_item(finding: Diagnostic) -> dict[str, Any]:
    """Return one finding in the JSON shape of the manual; the last has "more" where others are left out."""
    shown = {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity.value,
        "message": finding.message,
        **_json_place(finding.span),
        "help": finding.help,
        "related": [{**_json_place(item.span), "message": item.message} for item in finding.related],
        "fix": to_json(finding.fix) if finding.fix is not None else None,
    }
    return {**shown, "more": True} if finding.is_more else shown


def _json_place(span: Span) -> dict[str, Any]:
    return {
        "file": span.file,
        "range": {
            "start": {"line": span.line, "column": span.column},
            "end": {"line": span.end_line, "column": span.end_column},
        },
    }


def json_document(
    findings: Iterable[Diagnostic],
    files_checked: int | None = None,
    suppressed: Iterable[Diagnostic] = (),
) -> dict[str, Any]:
    """Return all findings as one JSON document; what comments hide stands apart, where it is given."""
    document: dict[str, Any] = {"format_version": FORMAT_VERSION}
    if files_checked is not None:
        document["files_checked"] = files_checked
    document["diagnostics"] = [json_item(finding) for finding in findings]
    hidden = [json_item(finding) for finding in suppressed]
    return {**document, "suppressed": hidden} if hidden else document


def json_lines(findings: Iterable[Diagnostic], _sources: Sources, _style: Style = PLAIN) -> str:
    """Return one JSON object a line."""
    return "".join(
        json.dumps({"format_version": FORMAT_VERSION, **json_item(item)}, ensure_ascii=True) + "\n"
        for item in findings
    )


def github(findings: Iterable[Diagnostic], _sources: Sources, _style: Style = PLAIN) -> str:
    """Return workflow commands that GitHub shows beside the lines of a change."""
    kinds = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
    out = []
    for item in findings:
        span = item.span
        place = (
            f"file={as_parameter(span.file)},line={span.line},endLine={span.end_line},"
            f"col={span.column},endColumn={span.end_column},title={as_parameter(item.code)}"
        )
        message = clipped(item.message) + (f" ({clipped(item.help)})" if item.help else "")
        out.append(f"::{kinds[item.severity]} {place}::{as_message(message)}\n")
    return "".join(out)


def gitlab(findings: Iterable[Diagnostic], sources: Sources, style: Style = PLAIN) -> str:
    """Return the report of `maestro_dsl.reporters.gitlab`."""
    from maestro_dsl.reporters.gitlab import gitlab as report  # hashes; most runs print text

    return report(findings, sources, style)


def junit(findings: Iterable[Diagnostic], sources: Sources, style: Style = PLAIN) -> str:
    """Return the report of `maestro_dsl.reporters.junit`."""
    from maestro_dsl.reporters.junit import junit as report  # XML loads an HTTP client: 20 ms of any start

    return report(findings, sources, style)


Renderer: TypeAlias = Callable[[Iterable[Diagnostic], Sources, Style], str]

FORMATS: Final[Mapping[str, Renderer]] = {
    "text": text,
    "concise": concise,
    "jsonl": json_lines,
    "github": github,
    "gitlab": gitlab,
    "junit": junit,
}
"""Formats that are plain text; "json" is `json_document`, SARIF is `maestro_dsl.reporters.lint_sarif`."""
