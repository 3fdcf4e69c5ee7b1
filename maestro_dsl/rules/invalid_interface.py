"""CTR001 invalid-interface: a contract's interface file is itself invalid."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Related, Severity, Span, limit
from maestro_dsl.rules.base import Facts, Rule, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from maestro_dsl.interfaces.openapi.templates import Mistake
    from maestro_dsl.lang.contracts import ResolvedContract
    from maestro_dsl.lang.sourcemap import SourceMap


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every place where a contract's interface file is itself invalid."""
    for _, found in facts.contracts:
        yield from found
    for resolved, model, wrong in facts.interfaces:
        spec = resolved.spec
        mistakes = () if spec is None else tuple(islice(_mistakes(resolved, model), limit() + 1))
        if spec is None or not mistakes:
            yield from wrong.items
            continue
        exact = [_finding(item, spec.map, is_bundled=resolved.is_bundled) for item in mistakes]
        places = {spec.map.key_span(item.pointer) for item in mistakes}
        yield from (item for item in wrong.items if not _is_told(item, exact, places))
        yield from exact


def _mistakes(resolved: ResolvedContract, model: object | None) -> Iterator[Mistake]:
    """Yield what an OpenAPI document gets wrong although it is used."""
    described = resolved.document.value.interface_spec
    if described is None or described.type != "openapi" or resolved.spec is None:
        return
    document = getattr(model, "document", resolved.spec.data)
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3."):
        return
    from maestro_dsl.interfaces.openapi.mistakes import mistakes  # only documents of this kind need it

    yield from mistakes(document)


def _finding(found: Mistake, source: SourceMap, *, is_bundled: bool) -> Diagnostic:
    if is_bundled and not source.has(found.pointer):  # it stands in another file
        where = "/".join(map(str, found.pointer))
        span = Span(source.file)
        return RULE.finding(span, f"{where}: {found.message}", found.help, severity=Severity.WARNING)
    related: tuple[Related, ...] = ()
    if found.first is not None:
        look = source.key_span if found.is_key else source.value_span
        related = (Related(span=look(found.first), message=found.first_message),)
    span = source.key_span(found.pointer) if found.is_key else source.value_span(found.pointer)
    if found.part is not None:
        span = _part(span, str(found.pointer[-1]), found.part)
    return RULE.finding(span, found.message, found.help, related=related, severity=Severity.WARNING)


def _part(span: Span, key: str, part: tuple[int, int]) -> Span:
    """Return the place of a part of a key; of all of it where it is not written letter by letter."""
    quotes = span.end_column - span.column - len(key)
    if span.line != span.end_line or quotes not in _QUOTES:
        return span
    start, end = (span.column + quotes // 2 + at for at in part)
    return Span(span.file, span.line, start, span.end_line, end)


def _is_told(warning: Diagnostic, exact: list[Diagnostic], places: set[Span]) -> bool:
    """Return whether a warning of the reader is one that is told here, more exactly."""
    from maestro_dsl.interfaces.openapi.operations import LEFT_OUT, TOLD_ELSEWHERE

    start = warning.message.partition(";")[0]
    return (
        start.endswith(TOLD_ELSEWHERE)
        or (start.endswith(LEFT_OUT) and warning.span in places)
        or any(start in item.message for item in exact)
    )


_QUOTES: Final = (0, 2)
"""How much longer a key is as it is written."""


RULE = Rule(
    code="CTR001",
    name="invalid-interface",
    severity=Severity.ERROR,
    scope=Scope.INTERFACE,
    summary="a contract's interface file is itself invalid",
    check=check,
)
