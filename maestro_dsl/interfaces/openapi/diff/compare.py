"""Two OpenAPI documents to the changes between them.

Reads the raw data of both; judges by the table in `rules`. The network is never asked; a reference that leads
out of a document is equal to the same reference only.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.interfaces.changes import Comparison
from maestro_dsl.interfaces.openapi.diff import servers
from maestro_dsl.interfaces.openapi.diff.exchange import (
    compare_bodies,
    compare_parameters,
    compare_responses,
)
from maestro_dsl.interfaces.openapi.diff.graph import Graph
from maestro_dsl.interfaces.openapi.diff.keywords import compare as compare_schemas
from maestro_dsl.interfaces.openapi.diff.nodes import Side
from maestro_dsl.interfaces.openapi.diff.operations import Call, below, callbacks, calls, paired
from maestro_dsl.interfaces.openapi.diff.report import Report, Subject
from maestro_dsl.interfaces.openapi.diff.rules import Flow
from maestro_dsl.interfaces.openapi.diff.security import compare_schemes, compare_security
from maestro_dsl.interfaces.openapi.diff.values import canonical, show

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.lang.sourcemap import SourceMap

_STABILITY: Final = "x-stability-level"
_LEVELS: Final = ("draft", "alpha", "beta", "stable")


def compare(
    old: Mapping[str, Any], new: Mapping[str, Any], maps: tuple[SourceMap, SourceMap], *, today: date
) -> Comparison:
    """Return the changes from `old` to `new`; `today` decides whether a sunset date has passed."""
    before, after = Side(old), Side(new)
    report = Report(Graph(compare_schemas))
    whole = Subject()
    old_calls, new_calls, is_moved = _calls(before, after)
    if not is_moved:
        servers.compare_servers(report, before.root, after.root, whole)
    compare_schemes(report, before, after, whole)
    for was, now in paired(old_calls, new_calls):
        _call(report, was, now, today)
    return Comparison(
        changes=report.changes(*maps), old_version=_version(before), new_version=_version(after)
    )


def _calls(before: Side, after: Side) -> tuple[dict[str, Call], dict[str, Call], bool]:
    """Return the operations of both sides, and whether a base path moved from the servers into the paths."""
    old, new = calls(before), calls(after)
    bases = (servers.base_path(before.root), servers.base_path(after.root))
    if bases[0] is None or bases[1] is None or bases[0] == bases[1]:
        return old, new, False
    old_whole, new_whole = below(old, bases[0]), below(new, bases[1])
    if len(old_whole.keys() & new_whole.keys()) <= len(old.keys() & new.keys()):
        return old, new, False
    return old_whole, new_whole, True


def _version(side: Side) -> str | None:
    info = side.root.get("info")
    return info.text("version") if info is not None else None


def _call(report: Report, old: Call | None, new: Call | None, today: date) -> None:
    if old is not None and new is not None:
        _operation(report, old, new, today)
    elif old is not None:
        subject = Subject(
            operation=old.label, operation_id=old.operation_id, old=old.node.pointer, new=old.item.pointer
        )
        rule, message = _removal(old, today)
        report.add(rule, subject, message)
    elif new is not None:
        subject = Subject(
            operation=new.label, operation_id=new.operation_id, old=new.item.pointer, new=new.node.pointer
        )
        report.add(f"{new.kind}-added", subject, f"the {new.kind} is new")


def _removal(call: Call, today: date) -> tuple[str, str]:
    if call.kind != "operation" or not call.node.flag("deprecated"):
        return f"{call.kind}-removed", f"the {call.kind} is gone"
    stated = call.node.text("x-sunset")
    sunset = _date(stated)
    if sunset is None:
        is_unknown = stated is not None
        rule = "operation-removed" if is_unknown else "deprecated-operation-removed"
        return rule, f"the deprecated operation is gone; its sunset date is {show(stated or 'not stated')}"
    if sunset > today:
        return "operation-removed", f"the operation is gone before its sunset date {sunset.isoformat()}"
    return "operation-removed-after-sunset", f"the operation is gone since {sunset.isoformat()}, as announced"


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat((text or "")[:10])
    except ValueError:
        return None


def _operation(report: Report, old: Call, new: Call, today: date) -> None:
    subject = Subject(
        operation=new.label,
        operation_id=new.operation_id or old.operation_id,
        old=old.node.pointer,
        new=new.node.pointer,
    )
    is_theirs = old.kind == "operation"
    _about(report, old, new, subject)
    if "servers" in {*_keys(old), *_keys(new)}:
        servers.compare_servers(report, servers.stating(old), servers.stating(new), subject)
    sends = Flow.PARAMETER if is_theirs else Flow.RESPONSE
    compare_parameters(report, old, new, subject, sends)
    compare_bodies(report, old, new, subject, Flow.REQUEST if is_theirs else Flow.RESPONSE)
    compare_responses(report, old, new, subject, Flow.RESPONSE if is_theirs else Flow.REQUEST)
    if is_theirs:
        compare_security(report, old, new, subject)
        for was, now in paired(callbacks(old), callbacks(new)):
            _call(report, was, now, today)


def _keys(call: Call) -> list[str]:
    return [str(key) for node in (call.node, call.item) for key in node.value]


def _about(report: Report, old: Call, new: Call, subject: Subject) -> None:
    """Note what is said about the operation as a whole."""
    was, now = old.node, new.node
    if was.flag("deprecated") != now.flag("deprecated"):
        word = "deprecated" if now.flag("deprecated") else "reactivated"
        report.add(f"operation-{word}", subject, f"the operation is {word}")
    elif was.flag("deprecated"):
        _sunset(report, old, new, subject)
    _stability(report, old, new, subject)
    if old.operation_id != new.operation_id:
        message = f"the operationId is {show(new.operation_id or '')} now, was {show(old.operation_id or '')}"
        places = ((*was.pointer, "operationId"), (*now.pointer, "operationId"))
        report.add("operation-id-changed", subject, message, *places)
    tags = [{canonical(tag.value) for tag in node.listed("tags")} for node in (was, now)]
    if tags[0] != tags[1]:
        report.add("tags-changed", subject, "the tags are others")
    for key in sorted({key for node in (was, now) for key in node.value if str(key).startswith("x-")}):
        if key not in {"x-sunset", _STABILITY} and canonical(was.value.get(key)) != canonical(
            now.value.get(key)
        ):
            places = ((*was.pointer, key), (*now.pointer, key))
            report.add("extension-changed", subject, f"{show(str(key))} is another", *places)


def _stability(report: Report, old: Call, new: Call, subject: Subject) -> None:
    """Note a promise about stability that changed; without one, an operation is stable."""
    was, now = (call.node.text(_STABILITY) or _LEVELS[-1] for call in (old, new))
    if was == now or was not in _LEVELS or now not in _LEVELS:
        return
    rule = "stability-increased" if _LEVELS.index(now) > _LEVELS.index(was) else "stability-decreased"
    places = ((*old.node.pointer, _STABILITY), (*new.node.pointer, _STABILITY))
    report.add(rule, subject, f"the operation is {now} now, was {was}", *places)


def _sunset(report: Report, old: Call, new: Call, subject: Subject) -> None:
    was, now = old.node.text("x-sunset"), new.node.text("x-sunset")
    places = ((*old.node.pointer, "x-sunset"), (*new.node.pointer, "x-sunset"))
    if was is not None and now is None:
        report.add("sunset-removed", subject, f"the sunset date {show(was)} is gone", *places)
    elif was is not None and now is not None and was != now:
        before, after = _date(was), _date(now)
        if before is None or after is None or after < before:
            report.add(
                "sunset-earlier", subject, f"the sunset date is {show(now)} now, was {show(was)}", *places
            )
