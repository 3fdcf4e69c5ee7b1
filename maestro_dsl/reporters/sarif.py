"""Findings as SARIF 2.1.0 (OASIS), the form that code hosts show beside a change.

Knows rules, levels, sentences and places only, so that every command with findings can write it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from maestro_dsl.diagnostics import Fix, Span
from maestro_dsl.reporters.text import safe

if TYPE_CHECKING:
    from collections.abc import Iterable


SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS: Final = ("error", "warning", "note", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class SarifRule:
    """One rule by its stable id; `help` says how to mend what it finds."""

    id: str
    name: str = ""
    summary: str = ""
    help: str | None = None
    level: str = "warning"
    markdown: str | None = None
    """The same help for viewers that show Markdown."""
    uri: str | None = None
    """Where the page of the rule stands in the web."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SarifResult:
    """One finding; `level` is one of LEVELS, `related` are other places, each with a sentence."""

    rule_id: str
    level: str
    message: str
    spans: tuple[Span, ...] = ()
    related: tuple[tuple[Span, str], ...] = ()
    logical: str = ""
    """What it is about where that is no file, e.g. "GET /pets"."""
    fingerprint: str = ""
    """The same for the same finding after lines have moved."""
    fixes: tuple[Fix, ...] = ()
    is_suppressed: bool = False
    """True where a comment in the source hides it."""
    is_more: bool = False
    """True where it says that there are more than are listed."""


def document(
    results: Iterable[SarifResult], rules: Iterable[SarifRule], *, tool_version: str, tool: str = "maestro"
) -> dict[str, Any]:
    """Return one SARIF log with one run; rules without a result are left out."""
    found = list(results)
    used = {item.rule_id for item in found}
    listed = [rule for rule in rules if rule.id in used]
    index = {rule.id: number for number, rule in enumerate(listed)}
    driver = {"name": tool, "version": tool_version, "rules": [_rule(rule) for rule in listed]}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_result(item, index) for item in found],
            }
        ],
    }


def _rule(rule: SarifRule) -> dict[str, Any]:
    made: dict[str, Any] = {"id": rule.id, "defaultConfiguration": {"level": rule.level}}
    if rule.name:
        made["name"] = rule.name
    if rule.summary:
        made["shortDescription"] = {"text": safe(rule.summary)}
    if rule.help:
        made["help"] = {"text": safe(rule.help, multiline=True)}
        if rule.markdown:
            made["help"]["markdown"] = safe(rule.markdown, multiline=True)
    if rule.uri:
        made["helpUri"] = rule.uri
    return made


def _result(item: SarifResult, index: dict[str, int]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "ruleId": item.rule_id,
        "level": item.level,
        "message": {"text": safe(item.message)},
    }
    if item.rule_id in index:
        made["ruleIndex"] = index[item.rule_id]
    locations: list[dict[str, Any]] = [{"physicalLocation": _physical(span)} for span in item.spans]
    if item.logical:
        logical = [{"fullyQualifiedName": safe(item.logical)}]
        locations = [{**place, "logicalLocations": logical} for place in locations or [{}]]
    if locations:
        made["locations"] = locations
    if item.related:
        made["relatedLocations"] = [
            {"id": number, "physicalLocation": _physical(span), "message": {"text": safe(text)}}
            for number, (span, text) in enumerate(item.related)
        ]
    if item.fingerprint:
        made["partialFingerprints"] = {"maestro/v1": item.fingerprint}
    if item.fixes:
        made["fixes"] = [_fix(fix) for fix in item.fixes]
    if item.is_suppressed:
        made["suppressions"] = [{"kind": "inSource"}]
    if item.is_more:
        made["properties"] = {"more": True}
    return made


def _fix(fix: Fix) -> dict[str, Any]:
    changes: dict[str, list[dict[str, Any]]] = {}
    for edit in fix.edits:
        region = _physical(edit.span)["region"]
        replacement = {"deletedRegion": region, "insertedContent": {"text": edit.replacement}}
        changes.setdefault(edit.span.file, []).append(replacement)
    return {
        "description": {"text": safe(fix.title)},
        "artifactChanges": [
            {"artifactLocation": {"uri": _uri(file)}, "replacements": replacements}
            for file, replacements in changes.items()
        ],
    }


def _physical(span: Span) -> dict[str, Any]:
    region = {
        "startLine": max(span.line, 1),
        "startColumn": max(span.column, 1),
        "endLine": max(span.end_line, 1),
        "endColumn": max(span.end_column, 1),
    }
    return {"artifactLocation": {"uri": _uri(span.file)}, "region": region}


def _uri(file: str) -> str:
    """Return a file as a URI reference: relative to the checkout where the file is."""
    path = PurePath(file)
    text = quote(path.as_posix(), safe="/~", errors="surrogateescape")  # a name is bytes, not always text
    return f"file://{text}" if path.is_absolute() else text
