"""SEC003 secret-leak: a secret flows into a prompt, a file, a report, a question or a command.

All of these are stored with the run and shown to people. A name tells a secret, or `format: password` in the
schema of an input.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.rules.base import Facts, Rule, Scope
from maestro_dsl.rules.secrets import is_secret_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from maestro_dsl.lang.expression_reads import Read
    from maestro_dsl.lang.model import Blueprint

_WHERE: Final = {
    "approve": "a question that is stored and shown",
    "command": "a command line, which is logged",
    "fulfil": "a prompt",
    "render": "a file of the result",
    "report": "a report",
}


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every secret that a node lets out."""
    for alike in facts.texts:
        from maestro_dsl.lang.expression_reads import reads_of  # loads jinja2

        into = _WHERE.get(alike.action, "what is stored with the run")
        for text in alike.texts:
            for read in reads_of(text.expression):
                if not (read.is_text and _is_secret(read, alike.document.value)):
                    continue
                for span in alike.spans(text, read.start, read.end):
                    yield RULE.finding(
                        span,
                        f"the secret {read.path[-1]} flows into {into}",
                        "let the program read it from its own environment or from a file",
                    )


def _is_secret(read: Read, blueprint: Blueprint) -> bool:
    name = read.path[-1]
    if read.path[:-1] == ("project", "vars"):
        return is_secret_name(name)
    if read.path[:-1] != ("inputs",):
        return False
    schema = blueprint.inputs.get(name)
    return is_secret_name(name) or (isinstance(schema, dict) and schema.get("format") == "password")


RULE = Rule(
    code="SEC003",
    name="secret-leak",
    severity=Severity.ERROR,
    scope=Scope.DOCUMENT,
    summary="a secret flows into what is stored or shown",
    check=check,
)
