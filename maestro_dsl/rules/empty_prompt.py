"""PER005 empty-prompt: a prompt file with nothing in it, so the persona is told nothing about itself.

Without `prompt_file` the packaged default is used; an empty file takes its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.rules.base import Facts, Rule, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every persona whose prompt file says nothing."""
    for prompt in facts.prompts:
        from maestro_dsl.lang.template_reads import has_text  # loads jinja2

        if not has_text(prompt.source.text):
            yield RULE.finding(
                prompt.stated,
                f"the prompt file {prompt.source.file} says nothing",
                "write the prompt, or leave prompt_file out to use the packaged one",
            )


RULE = Rule(
    code="PER005",
    name="empty-prompt",
    severity=Severity.WARNING,
    scope=Scope.DOCUMENT,
    summary="a prompt file says nothing",
    check=check,
)
