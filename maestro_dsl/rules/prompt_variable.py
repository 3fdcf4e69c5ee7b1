"""PER003 prompt-variable: a prompt file reads a variable that no prompt has; checked without rendering."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.rules.base import Facts, Mends, Rule, Scope, with_code

if TYPE_CHECKING:
    from collections.abc import Iterable


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every variable and field of the prompt files that does not exist."""
    return with_code(facts.prompt_problems, "PER003")


RULE = Rule(
    code="PER003",
    name="prompt-variable",
    severity=Severity.ERROR,
    scope=Scope.DOCUMENT,
    summary="a prompt file reads a variable that does not exist",
    fix=Mends.LOOK,
    check=check,
)
