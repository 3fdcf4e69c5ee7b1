"""SCH004 bad-enum: a value is none of those allowed; here, a word of a project's `lint:` names no rule.

Values that the grammar lists, and model providers, are found where documents are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Fix, Severity, limited
from maestro_dsl.lang.edits import respell
from maestro_dsl.lang.model import Kind, LintSettings, Project
from maestro_dsl.lang.suggest import guessed
from maestro_dsl.rules.base import Facts, Mends, Rule, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import DocumentValue
    from maestro_dsl.lang.sourcemap import Pointer


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every word of a `lint:` section that is no code, beginning of a code, or name of a rule."""
    for document in facts.of(Kind.PROJECT):
        if isinstance(document.value, Project):
            yield from limited(_unknown(document, document.value.lint))


def _unknown(document: Document[DocumentValue], settings: LintSettings) -> Iterator[Diagnostic]:
    from maestro_dsl.rules import names_a_rule, nearest_rule  # the whole table, which holds this rule too

    for pointer, word, is_key in words_of(settings):
        if names_a_rule(word) or document.is_hole(pointer):
            continue
        span = document.map.key_span(pointer) if is_key else document.map.value_span(pointer)
        near = nearest_rule(word)
        guess = guessed(near)
        fix = None
        if near is not None:
            edits = (respell(document.text, span, near),)
            fix = Fix(title=f'change to "{near}"', edits=edits, safe=False)
        message = f'there is no rule "{word}"'
        yield RULE.finding(span, message, f"{guess}maestro rule --all lists them", fix=fix)


def words_of(settings: LintSettings) -> Iterator[tuple[Pointer, str, bool]]:
    """Yield each word with its place, and whether it is a key."""
    for name, words in (("select", settings.select), ("ignore", settings.ignore)):
        yield from ((("lint", name, place), word, False) for place, word in enumerate(words))
    for glob, words in settings.per_path.items():
        yield from ((("lint", "per_path", glob, place), word, False) for place, word in enumerate(words))
    yield from ((("lint", "severity", word), word, True) for word in settings.severity)


RULE = Rule(
    code="SCH004",
    name="bad-enum",
    severity=Severity.ERROR,
    scope=Scope.DOCUMENT,
    summary="a value is none of those allowed",
    fix=Mends.LOOK,
    check=check,
)
