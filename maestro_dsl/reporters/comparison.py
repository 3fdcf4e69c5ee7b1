"""Changes of an interface as text, JSON, Markdown for pull requests, GitHub annotations, and SARIF."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.reporters import sarif
from maestro_dsl.reporters.github import as_message, as_parameter
from maestro_dsl.reporters.text import FORMAT_VERSION, PLAIN, Style, plural, safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from maestro_dsl.diagnostics import Span
    from maestro_dsl.interfaces.changes import Change, Comparison

_COLOURS: Final = {"breaking": "red", "dangerous": "yellow", "safe": "green"}
_GITHUB: Final = {"breaking": "error", "dangerous": "warning", "safe": "notice"}
_SARIF: Final = {"breaking": "error", "dangerous": "warning", "safe": "note"}
_MARKS: Final = {ord(char): f"&#{ord(char)};" for char in "\\`*_[]<>|#!~@&"}
_MOST_NAMED: Final = 3
_MOST_ROWS: Final = 200


def text(changes: Iterable[Change], style: Style = PLAIN) -> str:
    """Return one block a change; what several operations share is said once."""
    return "\n".join(_block(group, style) for group in grouped(changes))


def grouped(changes: Iterable[Change]) -> list[list[Change]]:
    """Return changes together that are the same one in several operations: one place, one sentence."""
    groups: dict[tuple[object, ...], list[Change]] = {}
    for item in changes:
        groups.setdefault((item.id, item.message, item.old, item.new), []).append(item)
    return list(groups.values())


def _block(group: list[Change], style: Style) -> str:
    item = group[0]
    colour = _COLOURS[item.level.value]
    label = style(colour, f"{item.level.value}[{item.id}]")
    about = ": ".join(part for part in (_about(item), item.message) if part)
    lines = [f"{_place(item.new)}: {label}: {style('bold', safe(about))}"]
    if item.old is not None:
        lines.append(f"  was at {_place(item.old)}")
    others = list(dict.fromkeys(other.operation for other in group if other.operation != item.operation))
    if others:
        named = ", ".join(map(safe, others[:_MOST_NAMED]))
        more = len(others) - _MOST_NAMED
        lines.append(f"  also in {named}" + (f" and {more} more" if more > 0 else ""))
    if item.hint:
        lines.append(f"  help: {safe(item.hint)}")
    return "\n".join(lines) + "\n"


def _about(item: Change) -> str:
    words = [item.operation, item.where, f"at {item.path}" if item.path else ""]
    return ", ".join(word for word in words if word)


def _place(span: Span | None) -> str:
    return "" if span is None else f"{safe(span.file)}:{span.line}:{span.column}"


def summary(found: Comparison, needed: str, style: Style = PLAIN) -> str:
    """Return the closing line, e.g. "2 breaking and 1 safe change: needs a major version"."""
    counts = _counts(found)
    if not any(counts.values()):
        return style("green", "no changes")
    named = [style(_COLOURS[level], f"{count} {level}") for level, count in counts.items() if count]
    total = sum(counts.values())
    listed = ", ".join(named[:-1]) + (" and " if len(named) > 1 else "") + named[-1]
    return f"{listed} {'change' if total == 1 else 'changes'}: needs a {needed} version"


def _counts(found: Comparison) -> dict[str, int]:
    counts = dict.fromkeys(_COLOURS, 0)
    for item in found.changes:
        counts[item.level.value] += 1
    return counts


def json_document(
    found: Comparison, names: tuple[str, str], *, needed: str, is_bumped: bool | None
) -> dict[str, Any]:
    """Return everything as one JSON document."""
    worst = found.worst
    return {
        "format_version": FORMAT_VERSION,
        "old": names[0],
        "new": names[1],
        "worst": None if worst is None else worst.value,
        "summary": _counts(found),
        "versions": {
            "old": found.old_version,
            "new": found.new_version,
            "needed_bump": needed,
            "is_major_bump": is_bumped,
        },
        "changes": [_json_item(item) for item in found.changes],
    }


def _json_item(item: Change) -> dict[str, Any]:
    return {
        "id": item.id,
        "level": item.level.value,
        "operation": item.operation,
        "operation_id": item.operation_id,
        "where": item.where,
        "path": item.path,
        "message": item.message,
        "hint": item.hint,
        "old": _json_place(item.old),
        "new": _json_place(item.new),
    }


def _json_place(span: Span | None) -> dict[str, Any] | None:
    if span is None:
        return None
    return {
        "file": span.file,
        "range": {
            "start": {"line": span.line, "column": span.column},
            "end": {"line": span.end_line, "column": span.end_column},
        },
    }


def markdown(found: Comparison, names: tuple[str, str], needed: str) -> str:
    """Return a comment for a pull request: what breaks first, what is safe folded away."""
    lines = [f"### Interface: {_code(names[0])} → {_code(names[1])}", ""]
    if not found.changes:
        return "\n".join([*lines, "No changes.", ""])
    lines += [f"{safe(summary(found, needed))}.", ""]
    groups = grouped(found.changes)
    for level in _COLOURS:
        own = [group for group in groups if group[0].level.value == level]
        if not own:
            continue
        rows = _rows(own)
        title = f"{level.capitalize()} ({len(own)})"
        if level == "safe":
            lines += [f"<details><summary>{title}</summary>", "", *rows, "", "</details>", ""]
        else:
            lines += [f"#### {title}", "", *rows, ""]
    return "\n".join(lines)


def _rows(groups: Sequence[list[Change]]) -> list[str]:
    rows = ["| Where | Change | Rule | Place |", "|---|---|---|---|"]
    for group in groups[:_MOST_ROWS]:
        item = group[0]
        more = len({other.operation for other in group}) - 1
        about = _cell(_about(item)) + (f" and {plural(more, 'more operation')}" if more else "")
        place = _code(_place(item.new)) if item.new is not None else ""
        rows.append(f"| {about} | {_cell(item.message)} | {_code(item.id)} | {place} |")
    left = len(groups) - _MOST_ROWS
    return [*rows, *([f"| … | {left} more | | |"] if left > 0 else [])]


def _cell(value: str) -> str:
    """Return text that stays text in a table of Markdown."""
    return safe(value).translate(_MARKS)


def _code(value: str) -> str:
    return "`" + safe(value).replace("`", "'").replace("|", "\\|") + "`"


def github(changes: Iterable[Change]) -> str:
    """Return workflow commands that GitHub shows beside the lines of a pull request."""
    out = []
    for group in grouped(changes):
        item = group[0]
        span = item.new
        place = "" if span is None else f"file={as_parameter(span.file)},line={span.line},col={span.column},"
        about = ": ".join(part for part in (_about(item), item.message) if part)
        hint = f" ({item.hint})" if item.hint else ""
        kind = _GITHUB[item.level.value]
        out.append(f"::{kind} {place}title={as_parameter(item.id)}::{as_message(about + hint)}\n")
    return "".join(out)


def sarif_document(changes: Iterable[Change], tool_version: str) -> dict[str, Any]:
    """Return a SARIF log: each change at its new place, the old one beside it."""
    listed = list(changes)
    rules = {
        item.id: sarif.SarifRule(
            id=item.id, summary=item.id.replace("-", " "), help=item.hint, level=_SARIF[item.level.value]
        )
        for item in listed
    }
    return sarif.document(map(_sarif_result, listed), rules.values(), tool_version=tool_version)


def _sarif_result(item: Change) -> sarif.SarifResult:
    about = ": ".join(part for part in (_about(item), item.message) if part)
    stable = f"{item.id}\0{item.operation}\0{item.where}\0{item.path}\0{item.message}"
    return sarif.SarifResult(
        rule_id=item.id,
        level=_SARIF[item.level.value],
        message=about,
        spans=() if item.new is None else (item.new,),
        related=() if item.old is None else ((item.old, "the old version"),),
        logical=item.operation,
        fingerprint=hashlib.sha256(stable.encode("utf-8", "surrogatepass")).hexdigest()[:32],
    )
