"""CTR004 bad-example: an example in an interface that its own schema refuses.

A mock answers with examples, and a consumer believes them. An example is judged as request and as response;
one that fits either is let pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Severity, Span
from maestro_dsl.rules.base import Facts, Rule, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every example of the interfaces that does not match its schema."""
    for resolved, model, _ in facts.interfaces:
        if model is None or resolved.spec is None:
            continue
        from maestro_dsl.interfaces.openapi.examples import bad_examples  # loads the value generator
        from maestro_dsl.interfaces.openapi.model import Api

        if not isinstance(model, Api):
            continue
        source = resolved.spec.map
        for found in bad_examples(model):
            span = Span(source.file) if resolved.is_bundled else source.value_span(found.pointer)
            yield RULE.finding(span, f"{found.what} does not match its schema: {found.message}")


RULE = Rule(
    code="CTR004",
    name="bad-example",
    severity=Severity.ERROR,
    scope=Scope.INTERFACE,
    summary="an example does not match its schema",
    check=check,
)
