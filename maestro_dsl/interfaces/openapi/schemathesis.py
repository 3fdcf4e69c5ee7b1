"""The property layer: how Schemathesis is called, and its report as a verification. Starts nothing itself.

Schemathesis makes requests of its own from the description, valid and invalid ones, for as long as its time
lasts. It is a program of its own, not a library of ours; where it is absent the layer could not verify.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from maestro_dsl.interfaces.openapi.probe import label
from maestro_dsl.interfaces.verification import Finding, Sheet, VerificationResult, unreachable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maestro_dsl.interfaces.openapi.model import Api

PART: Final = "property"
PROGRAMS: Final = ("st", "schemathesis")
FOUND_SOMETHING: Final = 1
_MOST_WORDS: Final = 600
_MOST_FINDINGS: Final = 200
_FINDING: Final = re.compile(
    r"^- (ST\d+) ([^\n]*)\n(.*?)(?=^- ST\d+ |^\[\d{3}\]|^Reproduce with:|\Z)", re.MULTILINE | re.DOTALL
)
_CURL: Final = re.compile(r"Reproduce with:\s*\n+((?:[ \t]+curl [^\n]*\n?)+)")
_LABEL: Final = re.compile(r"`([A-Z]+ /[^`]*)`")


def arguments(
    program: str, spec_file: str, url: str, *, seed: int, max_time_s: float, report_file: str
) -> tuple[str, ...]:
    """Return the command line of one run that ends within about `max_time_s` and writes a JUnit report."""
    return (
        program,
        "run",
        spec_file,
        "--url",
        url,
        "--seed",
        str(seed),
        "--max-time",
        str(max(1, round(max_time_s))),
        "--report",
        "junit",
        "--report-junit-path",
        report_file,
        "--continue-on-failure",
        "--no-color",
    )


def read_report(api: Api, report: str, *, contract_id: str) -> VerificationResult:
    """Return what a JUnit report of Schemathesis says about the operations of `api`.

    Each operation that was tested is one check; each different finding is an issue with a way to repeat it.
    """
    try:
        root = ET.fromstring(report)  # noqa: S314 - our own child wrote it a moment ago
    except ET.ParseError:
        return unreachable(contract_id, "Schemathesis left no report that can be read")
    sheet = Sheet()
    by_place = {f"{item.method} {item.path}": item for item in api.operations}
    for case in root.iter("testcase"):
        name = case.get("name", "")
        if case.find("skipped") is not None:
            continue
        text = "\n".join((part.text or "") for part in (*case.findall("failure"), *case.findall("error")))
        failed = case.find("failure") is not None or case.find("error") is not None
        operation = by_place.get(name)
        sheet.total[PART] = sheet.total.get(PART, 0) + 1
        sheet.passed[PART] = sheet.passed.get(PART, 0) + int(not failed)
        sheet.operations.setdefault(name if operation is None else operation.id, []).append(not failed)
        if failed and len(sheet.findings) < _MOST_FINDINGS:
            for message, told in _findings(text):
                known = operation or by_place.get(told or "")
                shown = label(known) if known is not None else name
                sheet.add(
                    Finding(
                        severity="error",
                        message=f"{shown}: {message}",
                        check=PART,
                        operation=None if known is None else known.id,
                    )
                )
    return sheet.result(contract_id, [label(item) for item in api.operations])


def _findings(text: str) -> Sequence[tuple[str, str | None]]:
    """Return each finding of one test, in words and with its reproduction, and the operation it names."""
    found: list[tuple[str, str | None]] = []
    for block in re.split(r"^\d+\. Test Case ID: \S+\n", text, flags=re.MULTILINE):
        curl = _CURL.search(block)
        lines = [] if curl is None else [line.strip() for line in curl[1].splitlines() if line.strip()]
        repeat = "".join(f"\n{line}" for line in lines)
        for hit in _FINDING.finditer(block):
            reason = " ".join(hit[3].split())
            told = _LABEL.search(hit[3])
            words = f"{hit[1]} {hit[2].strip()}" + (f": {reason}" if reason else "")
            found.append((words[:_MOST_WORDS] + repeat[:_MOST_WORDS], None if told is None else told[1]))
    if not found and text.strip():
        found.append((" ".join(text.split())[:_MOST_WORDS], None))
    return found


def absent(contract_id: str) -> VerificationResult:
    """Return the verdict of a layer whose program is not installed: nothing was verified."""
    result = unreachable(contract_id, "Schemathesis is not installed, so the property layer could not verify")
    return _advised(
        result, 'pip install "maestro-dsl[property]", or name the program in MAESTRO_SCHEMATHESIS'
    )


def broke(contract_id: str, reason: str) -> VerificationResult:
    """Return the verdict of a layer whose program ended without a result."""
    result = unreachable(contract_id, f"the property layer could not verify: {reason}")
    return _advised(result, "run the same command by hand to see what is wrong")


def _advised(result: VerificationResult, advice: str) -> VerificationResult:
    from dataclasses import replace

    issues = tuple(replace(item, check=PART) for item in result.issues)
    return replace(result, issues=issues, recommendations=(advice,))
