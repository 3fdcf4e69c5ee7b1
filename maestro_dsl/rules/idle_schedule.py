"""RUN008 idle-schedule: part of a retry schedule that no attempt ever reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Related, Severity
from maestro_dsl.lang.units import UnitError, parse_duration
from maestro_dsl.rules.base import Facts, Rule, Scope
from maestro_dsl.rules.walk import retries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import DocumentValue, Json
    from maestro_dsl.lang.sourcemap import Pointer


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return steps behind the last attempt, and a first wait that the longest wait cuts off."""
    for document in facts.documents:
        for pointer, retry in retries(document):
            yield from _surplus(document, pointer, retry)
            yield from _cut_off(document, pointer, retry)


def _surplus(
    document: Document[DocumentValue], pointer: Pointer, retry: Mapping[str, Json]
) -> Iterator[Diagnostic]:
    attempts = retry.get("max_attempts")
    if not isinstance(attempts, int) or isinstance(attempts, bool) or attempts < 1:
        return
    for key in ("temperatures", "efforts"):
        steps = retry.get(key)
        if isinstance(steps, list) and len(steps) > attempts:
            where = document.map.value_span((*pointer, "max_attempts"))
            tries = "1 attempt" if attempts == 1 else f"{attempts} attempts"
            yield RULE.finding(
                document.map.value_span((*pointer, key, attempts)),
                f"{key} has {len(steps)} steps for {tries}: from here on they are never used",
                f"raise max_attempts to {len(steps)}, or shorten {key}",
                related=(Related(span=where, message="the attempts"),),
            )


def _cut_off(
    document: Document[DocumentValue], pointer: Pointer, retry: Mapping[str, Json]
) -> Iterator[Diagnostic]:
    try:
        is_cut = parse_duration(retry.get("delay")) > parse_duration(retry.get("max_delay"))
    except UnitError:
        return
    if is_cut:
        where = document.map.value_span((*pointer, "max_delay"))
        yield RULE.finding(
            document.map.value_span((*pointer, "delay")),
            f"delay is {retry['delay']}, but no wait is longer than max_delay, {retry['max_delay']}",
            "lower delay, or raise max_delay",
            related=(Related(span=where, message="the longest wait"),),
        )


RULE = Rule(
    code="RUN008",
    name="idle-schedule",
    severity=Severity.WARNING,
    scope=Scope.DOCUMENT,
    summary="part of a retry schedule is never used",
    check=check,
)
