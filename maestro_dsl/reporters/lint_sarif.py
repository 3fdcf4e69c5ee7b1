"""Findings of `lint` as SARIF: rules with their pages, fixes, related places, and what comments hide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.reporters import sarif
from maestro_dsl.reporters.fingerprints import fingerprints
from maestro_dsl.reporters.text import clipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def document(
    findings: Iterable[Diagnostic],
    suppressed: Iterable[Diagnostic],
    sources: Mapping[str, str],
    rules: Iterable[sarif.SarifRule],
    *,
    tool_version: str,
) -> dict[str, Any]:
    """Return one SARIF log; `suppressed` are findings that comments in the source hide."""
    shown, hidden = list(findings), list(suppressed)
    marks = fingerprints([*shown, *hidden], sources)
    results = [
        _result(item, mark, is_suppressed=place >= len(shown))
        for place, (item, mark) in enumerate(zip([*shown, *hidden], marks, strict=True))
    ]
    return sarif.document(results, rules, tool_version=tool_version)


def _result(item: Diagnostic, mark: str, *, is_suppressed: bool) -> sarif.SarifResult:
    return sarif.SarifResult(
        rule_id=item.code,
        level=LEVELS[item.severity],
        message=clipped(item.message) + (f" ({clipped(item.help)})" if item.help else ""),
        spans=(item.span,),
        related=tuple((related.span, clipped(related.message)) for related in item.related),
        fingerprint=mark,
        fixes=() if item.fix is None else (item.fix,),
        is_suppressed=is_suppressed,
        is_more=item.is_more,
    )
