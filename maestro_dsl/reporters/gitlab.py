"""Findings as a Code Quality report, which GitLab shows beside a change.

The keys are those that the manual of GitLab requires (CI/CD, Code Quality, "Code Quality report format"):
description, check_name, fingerprint, severity, location with path and lines.begin.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.reporters.fingerprints import fingerprints
from maestro_dsl.reporters.text import PLAIN, Style, clipped, safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SEVERITY: Final = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.INFO: "info"}


def gitlab(findings: Iterable[Diagnostic], sources: Mapping[str, str], _style: Style = PLAIN) -> str:
    """Return one JSON array; paths are relative to where the command is given, as GitLab wants them."""
    listed = list(findings)
    items = [_item(item, mark) for item, mark in zip(listed, fingerprints(listed, sources), strict=True)]
    return json.dumps(items, ensure_ascii=True, indent=2) + "\n"


def _item(finding: Diagnostic, fingerprint: str) -> dict[str, object]:
    said = finding.message + (f" ({finding.help})" if finding.help else "")
    return {
        "description": f"{finding.code}: {safe(clipped(said))}",
        "check_name": finding.code,
        "fingerprint": fingerprint,
        "severity": _SEVERITY[finding.severity],
        "location": {
            "path": os.path.normpath(finding.span.file).replace(os.sep, "/"),
            "lines": {"begin": max(finding.span.line, 1)},
        },
    }
