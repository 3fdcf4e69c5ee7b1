"""The rules whose findings are made while documents are read; `maestro_dsl.lang` says them on the token.

They stand here so that one catalogue names every code there is. A code is never used a second time.
"""

from __future__ import annotations

from typing import Final

from maestro_dsl.diagnostics import Severity
from maestro_dsl.rules.base import Mends, Rule, Scope


def _read(code: str, name: str, severity: Severity, summary: str, fix: Mends = Mends.NEVER) -> Rule:
    return Rule(code=code, name=name, severity=severity, scope=Scope.DOCUMENT, summary=summary, fix=fix)


def _used(code: str, name: str, summary: str, fix: Mends = Mends.NEVER) -> Rule:
    return Rule(
        code=code, name=name, severity=Severity.ERROR, scope=Scope.WORKSPACE, summary=summary, fix=fix
    )


EARLIER: Final[tuple[Rule, ...]] = (
    _read("SYN001", "yaml-syntax", Severity.ERROR, "a file is not valid YAML"),
    _read("SYN002", "duplicate-key", Severity.ERROR, "a key stands twice in the same mapping"),
    _read("SYN003", "ambiguous-scalar", Severity.WARNING, "readers disagree on a value", Mends.SAFE),
    _read("SYN004", "multi-document", Severity.WARNING, "a file holds more than one document"),
    _read("SYN005", "alias-limit", Severity.ERROR, "a merge key, an endless alias, or a limit is passed"),
    _read("SCH001", "unknown-key", Severity.ERROR, "a key is none of this mapping's", Mends.LOOK),
    _read("SCH002", "missing-key", Severity.ERROR, "a required key is absent"),
    _read("SCH005", "unknown-kind", Severity.ERROR, "apiVersion or kind is missing or unknown", Mends.LOOK),
    _read("SCH006", "deprecated-key", Severity.WARNING, "a key or value is in an old spelling", Mends.SAFE),
    _used("REF004", "undefined-blueprint", "there is no blueprint of this name", Mends.LOOK),
    _used("REF005", "unknown-input", "the blueprint does not declare this input", Mends.LOOK),
    _used("REF006", "missing-input", "an input without a default is not given"),
)

SUPPRESSION: Final = Rule(
    code="SUP001",
    name="unused-suppression",
    severity=Severity.WARNING,
    scope=Scope.DOCUMENT,
    summary="a suppression hides nothing, names no rule, or gives no reason",
    fix=Mends.SAFE,
)
"""Found when all other findings are known, by `maestro_dsl.rules.suppress`."""
