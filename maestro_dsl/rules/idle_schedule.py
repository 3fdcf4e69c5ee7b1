"""RUN008 idle-schedule: part of a retry schedule that no attempt ever reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Related, Severity
from maestro_dsl.lang.layers import BUILT_IN
from maestro_dsl.lang.settings import for_node
from maestro_dsl.lang.units import UnitError, duration_text, parse_duration
from maestro_dsl.rules.base import Facts, Rule, Scope
from maestro_dsl.rules.walk import retries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import DocumentValue, Json
    from maestro_dsl.lang.settings import EffectiveSettings, NodeSettings
    from maestro_dsl.lang.sourcemap import Pointer

DELAY: Final = "policies.retry.delay"
LONGEST: Final = "policies.retry.max_delay"


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return steps behind the last attempt, and a first wait that the longest wait cuts off."""
    for document in facts.documents:
        for pointer, retry in retries(document):
            yield from _surplus(document, pointer, retry)
            yield from _cut_off(document, pointer, retry)
            if "delay" in retry and "max_delay" not in retry:
                yield from _cut_off_elsewhere(facts, document, pointer)


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


def _cut_off_elsewhere(
    facts: Facts, document: Document[DocumentValue], pointer: Pointer
) -> Iterator[Diagnostic]:
    """Yield a first wait that the longest wait of another document, or the built-in one, cuts off."""
    span = document.map.value_span((*pointer, "delay"))
    for workspace in facts.workspaces:
        settings: EffectiveSettings | NodeSettings = workspace.settings
        if document.path == workspace.blueprint.path:
            node = workspace.blueprint.value.nodes.get(str(pointer[1]))
            settings = for_node(workspace.settings, node=node, blueprint=workspace.blueprint)
        delay, longest = settings.retry.delay_s or 0.0, settings.retry.max_delay_s or 0.0
        is_in_force = settings.origins.get(DELAY) == f"{document.file}:{span.line}"
        if is_in_force and delay > longest and LONGEST not in workspace.settings.pinned:
            yield RULE.finding(
                span,
                f"delay is {duration_text(delay)}, but no wait is longer than max_delay,"
                f" {duration_text(longest)} ({settings.origins.get(LONGEST, BUILT_IN)})",
                "lower delay, or state a longer max_delay too",
            )
            return


RULE = Rule(
    code="RUN008",
    name="idle-schedule",
    severity=Severity.WARNING,
    scope=Scope.WORKSPACE,
    summary="part of a retry schedule is never used",
    check=check,
)
