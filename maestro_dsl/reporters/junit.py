"""Findings as a JUnit report, which CI servers read as test results: a case a finding, a suite a file.

A report without findings holds one case that passes, since several readers take an empty report for a fault.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

from maestro_dsl.reporters.text import PLAIN, Style, clipped, safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from maestro_dsl.diagnostics import Diagnostic

_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAME: Final = "maestro lint"


def junit(findings: Iterable[Diagnostic], _sources: Mapping[str, str], _style: Style = PLAIN) -> str:
    """Return one XML document; every finding is a failure, its severity is the type."""
    listed = sorted(findings, key=lambda item: item.sort_key)
    suites = [_suite(file, list(items)) for file, items in groupby(listed, key=lambda item: item.span.file)]
    total = max(len(listed), 1)
    body = "".join(suites) or _sound()
    counts = f'tests="{total}" failures="{len(listed)}" errors="0" time="0"'
    return f'{_HEAD}<testsuites name="{_NAME}" {counts}>\n{body}</testsuites>\n'


def _sound() -> str:
    case = f'<testcase name="no findings" classname="{_NAME}" time="0"/>'
    counts = 'tests="1" failures="0" errors="0" skipped="0" time="0"'
    return f'  <testsuite name="{_NAME}" {counts}>\n    {case}\n  </testsuite>\n'


def _suite(file: str, findings: list[Diagnostic]) -> str:
    name, count = quoteattr(safe(file)), len(findings)
    head = f'  <testsuite name={name} tests="{count}" failures="{count}" errors="0" skipped="0" time="0">\n'
    return head + "".join(_case(item) for item in findings) + "  </testsuite>\n"


def _case(finding: Diagnostic) -> str:
    span = finding.span
    name = quoteattr(f"{finding.code} {finding.name} at {span.line}:{span.column}")
    place = f"{safe(span.file)}:{span.line}:{span.column}"
    message = safe(clipped(finding.message))
    told = f"{place}: {finding.severity.value}[{finding.code}]: {message}"
    told += f"\n{safe(clipped(finding.help))}" if finding.help else ""
    kind = f"message={quoteattr(message)} type={quoteattr(finding.severity.value)}"
    return (
        f'    <testcase name={name} classname={quoteattr(safe(span.file))} time="0">\n'
        f"      <failure {kind}>{escape(told)}</failure>\n"
        f"    </testcase>\n"
    )
