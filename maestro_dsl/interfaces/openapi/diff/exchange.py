"""What travels with an operation: parameters, bodies, answers with their headers and links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.interfaces.openapi.diff.graph import Context, Pair
from maestro_dsl.interfaces.openapi.diff.media import compare_content, schema_of
from maestro_dsl.interfaces.openapi.diff.nodes import place_of
from maestro_dsl.interfaces.openapi.diff.rules import Flow
from maestro_dsl.interfaces.openapi.diff.values import canonical, show

if TYPE_CHECKING:
    from maestro_dsl.interfaces.openapi.diff.nodes import Node
    from maestro_dsl.interfaces.openapi.diff.operations import Call
    from maestro_dsl.interfaces.openapi.diff.report import Report, Subject
    from maestro_dsl.lang.sourcemap import Pointer

_STYLES: Final = {"path": "simple", "header": "simple", "query": "form", "cookie": "form"}
_SUCCESS: Final = "2"


def compare_parameters(report: Report, old: Call, new: Call, subject: Subject, flow: Flow) -> None:
    """Note what differs in the parameters of an operation, those of its path included."""
    before, after = _parameters(old), _parameters(new)
    gone = {key: node for key, node in before.items() if key not in after}
    fresh = {key: node for key, node in after.items() if key not in before}
    for (location, name), node in list(gone.items()):
        moved = next((key for key in fresh if key[1].lower() == name.lower()), None)
        if moved is not None:
            part = subject.part(_label(location, node), node.pointer, fresh[moved].pointer)
            report.add("parameter-location-changed", part, f"it is in the {moved[0]} now")
            del gone[location, name], fresh[moved]
    for (location, _), node in gone.items():
        part = subject.part(_label(location, node), node.pointer, None)
        if flow is Flow.RESPONSE:
            kind = "required" if node.flag("required") else "optional"
            report.add(f"{kind}-header-removed", part, "it is no longer sent")
        else:
            report.add("parameter-removed", part, "it is gone")
    for (location, _), node in fresh.items():
        kind = "required" if node.flag("required") or location == "path" else "optional"
        rule = "header-added" if flow is Flow.RESPONSE else f"{kind}-parameter-added"
        part = subject.part(_label(location, node), None, node.pointer)
        report.add(rule, part, f"it is new and {kind}")
    for key, node in before.items():
        if key in after:
            other = after[key]
            part = subject.part(_label(key[0], other), node.pointer, other.pointer, flow)
            _parameter(report, key[0], (node, other), part, flow)


def _parameters(call: Call) -> dict[tuple[str, str], Node]:
    """Return parameters by place and name; in the path by number, in headers without regard to case."""
    found: dict[tuple[str, str], Node] = {}
    for source in (call.item, call.node):
        for node in source.listed("parameters"):
            name, location = node.text("name"), node.text("in")
            if name is None or location not in _STYLES:
                continue
            if location == "path":
                name = str(call.names.index(name)) if name in call.names else name
            found[location, name.lower() if location == "header" else name] = node
    return found


def _at(node: Node, key: str) -> Pointer:
    """Return the place of a key, or of the whole where it is left out."""
    return (*node.pointer, key) if node.raw(key) is not None else node.pointer


def _label(location: str, node: Node) -> str:
    return f"{location} parameter {show(node.text('name') or '')}"


def _parameter(report: Report, location: str, nodes: tuple[Node, Node], subject: Subject, flow: Flow) -> None:
    old, new = nodes
    was, now = (node.flag("required") or location == "path" for node in nodes)
    if was != now:
        kinds = ("header-became-required", "header-became-optional")
        rules = kinds if flow is Flow.RESPONSE else ("parameter-became-required", "parameter-became-optional")
        word = "required" if now else "optional"
        places = (_at(old, "required"), _at(new, "required"))
        report.add(rules[0] if now else rules[1], subject, f"it is {word} now", *places)
    if old.flag("deprecated") != new.flag("deprecated"):
        rule = "parameter-deprecated" if new.flag("deprecated") else "parameter-reactivated"
        report.add(rule, subject, f"it is {rule.removeprefix('parameter-')}")
    if old.flag("allowEmptyValue") != new.flag("allowEmptyValue"):
        word = "allowed" if new.flag("allowEmptyValue") else "refused"
        report.add(f"parameter-empty-{word}", subject, f"an empty value is {word} now")
    pair = Pair(schema_of(old), schema_of(new), Context(flow))
    kinds_of = [report.graph.shape(conj).types for conj in pair[:2]]
    is_scalar = all(types is not None and not types & {"array", "object"} for types in kinds_of)
    styles = [_style(node, location) for node in nodes]
    if styles[0] != styles[1] and (not is_scalar or styles[0][2] != styles[1][2]):
        report.add("parameter-style-changed", subject, "it is written in another way")
    is_text = styles[1][2] is None
    repeats = is_text and location == "query" and styles[1][:2] == ("form", True)
    report.schemas(pair._replace(context=Context(flow, is_text=is_text, repeats=repeats)), subject)


def _style(node: Node, location: str) -> tuple[str, bool, str | None]:
    """Return style, explode, and the media type where the value is a document of its own."""
    content = next(iter(node.entries("content")), None)
    style = node.text("style") or _STYLES[location]
    stated = node.raw("explode")
    explode = stated if isinstance(stated, bool) else style == "form"
    return style, explode, None if content is None else content[0].lower()


def compare_bodies(report: Report, old: Call, new: Call, subject: Subject, flow: Flow) -> None:
    """Note what differs in the request body of an operation."""
    was, now = old.node.get("requestBody"), new.node.get("requestBody")
    was, now = (node if node is not None and isinstance(node.value, dict) else None for node in (was, now))
    part = subject.part("request body", place_of(was), place_of(now), flow)
    is_ours = flow is Flow.RESPONSE  # a webhook's body is what the provider sends
    if was is None and now is not None:
        word = "required" if now.flag("required") and not is_ours else "optional"
        report.add(f"{word}-body-added", part, f"it is new and {word}")
    elif was is not None and now is None:
        report.add("body-removed", part, "it is gone")
    elif was is not None and now is not None:
        if was.flag("required") != now.flag("required") and not is_ours:
            word = "required" if now.flag("required") else "optional"
            report.add(
                f"body-became-{word}", part, f"it is {word} now", _at(was, "required"), _at(now, "required")
            )
        compare_content(report, was, now, part, flow)


def compare_responses(report: Report, old: Call, new: Call, subject: Subject, flow: Flow) -> None:
    """Note what differs in the answers of an operation."""
    before = {str(status).upper(): node for status, node in old.node.entries("responses")}
    after = {str(status).upper(): node for status, node in new.node.entries("responses")}
    for status, node in before.items():
        key = next((key for key in (status, status[:1] + "XX") if key in after), None)
        if key is not None:
            part = subject.part(f"response {status.lower()}", node.pointer, after[key].pointer, flow)
            _response(report, node, after[key], part, flow)
            continue
        part = subject.part(f"response {status.lower()}", node.pointer, None)
        is_only = status == "DEFAULT" and not any(item[:1] == _SUCCESS for item in after)
        if status[:1] == _SUCCESS or is_only:
            report.add("success-status-removed", part, "it is gone")
        elif status == "DEFAULT":
            report.add("default-response-removed", part, "it is gone")
        else:
            report.add("error-status-removed", part, "it is gone")
    for status, node in after.items():
        if status not in before and not (status.endswith("XX") and _covers(status, before)):
            part = subject.part(f"response {status.lower()}", None, node.pointer)
            report.add("status-added", part, "it is new")


def _covers(status: str, others: dict[str, Node]) -> bool:
    return any(other[:1] == status[:1] for other in others)


def _response(report: Report, old: Node, new: Node, subject: Subject, flow: Flow) -> None:
    compare_content(report, old, new, subject, flow)
    _headers(report, old, new, subject, flow)
    before, after = dict(old.entries("links")), dict(new.entries("links"))
    for name in dict.fromkeys([*before, *after]):
        was, now = before.get(name), after.get(name)
        part = subject.part(f"{subject.where} link {show(name)}", place_of(was), place_of(now))
        if now is None:
            report.add("link-removed", part, "it is gone")
        elif was is None:
            report.add("link-added", part, "it is new")
        elif _said(was) != _said(now):
            report.add("link-changed", part, "it leads elsewhere")


def _said(link: Node) -> str:
    if not isinstance(link.value, dict):
        return canonical(link.value)
    return canonical({key: value for key, value in link.value.items() if key != "description"})


def _headers(report: Report, old: Node, new: Node, subject: Subject, flow: Flow) -> None:
    before = {name.lower(): (name, node) for name, node in old.entries("headers")}
    after = {name.lower(): (name, node) for name, node in new.entries("headers")}
    is_theirs = flow is not Flow.RESPONSE  # the consumer's answer to a webhook
    for key in dict.fromkeys([*before, *after]):
        name = (before.get(key) or after[key])[0]
        was, now = before.get(key, (name, None))[1], after.get(key, (name, None))[1]
        where = f"{subject.where} header {show(name)}"
        part = subject.part(where, place_of(was), place_of(now), flow)
        if now is None and was is not None:
            kind = "required" if was.flag("required") else "optional"
            report.add("parameter-removed" if is_theirs else f"{kind}-header-removed", part, "it is gone")
        elif was is None and now is not None:
            kind = "required" if now.flag("required") else "optional"
            report.add(f"{kind}-parameter-added" if is_theirs else "header-added", part, "it is new")
        elif was is not None and now is not None:
            _parameter(report, "header", (was, now), part, flow)
