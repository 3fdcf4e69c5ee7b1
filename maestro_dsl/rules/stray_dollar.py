"""EXP007 stray-dollar: `${{ … }}`, of which the `$` stays in the value.

Where the value is a number, an amount of money may be meant; `$$` is how other programs read a dollar.
Conditions and ids take no `$`, which is told there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Edit, Fix, Severity, limited
from maestro_dsl.lang.model import Kind
from maestro_dsl.lang.quoting import written
from maestro_dsl.rules.base import Facts, Mends, Rule, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.expression_types import Type
    from maestro_dsl.lang.model import Blueprint
    from maestro_dsl.lang.sourcemap import Pointer
    from maestro_dsl.lang.workspace import Workspace

_SIGN: Final = "${{"
_AS_YAML: Final = frozenset("'\"|>")
"""What a text begins with that is not plain."""


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every dollar sign that stays in front of a value."""
    suspects = {item.path for item in facts.of(Kind.BLUEPRINT) if _is_suspect(item.text)}
    for document, workspace in facts.blueprints if suspects else ():
        if document.path in suspects:
            suspects.discard(document.path)  # several plans may use it
            yield from limited(_in_nodes(document, workspace))


def _is_suspect(text: str) -> bool:
    """Return whether a sign may stand there; one character is found quicker than three."""
    return ("$" in text and _SIGN in text) or "\\" in text


def _in_nodes(document: Document[Blueprint], workspace: Workspace | None) -> Iterator[Diagnostic]:
    from maestro_dsl.lang.expressions import Problem, parse_text  # loads jinja2

    known: Mapping[str, Type] | None = None
    for pointer, text in _texts(document):
        parsed = parse_text(text)
        for offset, expression in () if isinstance(parsed, Problem) else parsed.expressions:
            start = offset - len(_SIGN)
            is_doubled = start > 0 and text[start - 1] == "$"
            if start < 0 or is_doubled or not text.startswith(_SIGN, start):
                continue
            from maestro_dsl.compiler.context import types_in_nodes
            from maestro_dsl.lang.expression_check import check as type_of
            from maestro_dsl.lang.expression_types import NUMERIC

            known = known or types_in_nodes(document, workspace)
            if type_of(expression, known)[0].kind not in NUMERIC:
                end = offset + len(expression.text) + len("}}")
                yield _finding(document, pointer, text, (start, end))


def _texts(document: Document[Blueprint]) -> Iterator[tuple[Pointer, str]]:
    from maestro_dsl.compiler.check import strings_of  # loads jinja2

    for node in document.value.nodes.values():
        place = ("nodes", node.id)
        found = strings_of(dict(node.params), (*place, "with"))
        if node.idempotency_key is not None:
            found.append(((*place, "idempotency_key"), node.idempotency_key))
        yield from (item for item in found if _SIGN in item[1])


def _finding(
    document: Document[Blueprint], pointer: Pointer, text: str, place: tuple[int, int]
) -> Diagnostic:
    offsets, start = document.map.scalar_offsets(pointer), place[0]
    edit = Edit(span=offsets.span(start), replacement="")
    if start == 0 and document.map.raw(pointer)[:1] not in _AS_YAML:  # a plain text cannot begin with a brace
        edit = Edit(span=document.map.value_span(pointer), replacement=written(text[1:]))
    return RULE.finding(
        offsets.span(*place),
        "the $ stays in front of the value: an expression is written {{ … }}",
        "leave the $ out; where one is meant, write {{ '$' ~ … }}",
        fix=Fix(title="remove the $", edits=(edit,), safe=False),
    )


RULE = Rule(
    code="EXP007",
    name="stray-dollar",
    severity=Severity.WARNING,
    scope=Scope.DOCUMENT,
    summary="the $ of ${{ … }} stays in the value",
    fix=Mends.LOOK,
    check=check,
)
