"""Contents by media type: the same media type in another spelling is the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.interfaces.openapi.diff.graph import Context, Pair
from maestro_dsl.interfaces.openapi.diff.nodes import place_of
from maestro_dsl.interfaces.openapi.diff.rules import Flow
from maestro_dsl.interfaces.openapi.diff.values import canonical, show
from maestro_dsl.interfaces.openapi.model import is_json_media

if TYPE_CHECKING:
    from maestro_dsl.interfaces.openapi.diff.nodes import Conj, Node
    from maestro_dsl.interfaces.openapi.diff.report import Report, Subject

_DEFAULT_CHARSET: Final = "charset=utf-8"


def compare_content(report: Report, old: Node, new: Node, subject: Subject, flow: Flow) -> None:
    """Note what differs in the content of a body or an answer."""
    before = {_key(name): (name, node) for name, node in old.entries("content")}
    after = {_key(name): (name, node) for name, node in new.entries("content")}
    for key, (name, node) in before.items():
        found = key if key in after else next((item for item in after if _serves(item, key, flow)), None)
        where = f"{subject.where} {name}"
        if found is None:
            part = subject.part(where, node.pointer, None, flow)
            report.add("media-type-removed", part, "it is gone")
            continue
        other = after[found][1]
        part = subject.part(where, node.pointer, other.pointer, flow)
        context = Context(flow, is_text=not is_json_media(name))
        report.schemas(Pair(schema_of(node), schema_of(other), context), part)
        _encoding(report, node, other, part)
    for key, (name, node) in after.items():
        if key not in before and not any(_serves(key, item, flow) for item in before):
            part = subject.part(f"{subject.where} {name}", None, node.pointer, flow)
            report.add("media-type-added", part, "it is new")


def schema_of(node: Node) -> Conj:
    """Return the schema of a media type, a header or a parameter; of one written as a document, of that."""
    inner = node.child("schema")
    if inner is None:
        content = next(iter(node.entries("content")), None)
        inner = content[1].child("schema") if content is not None else None
    return () if inner is None else (inner,)


def _key(name: str) -> str:
    """Return a media type in lower case, its parameters in order and without the usual character set."""
    bare, *parameters = (part.strip().lower() for part in name.split(";"))
    kept = sorted({part.replace('"', "").replace(" ", "") for part in parameters if part})
    return ";".join([bare, *(part for part in kept if part != _DEFAULT_CHARSET)])


def _serves(new: str, old: str, flow: Flow) -> bool:
    """Return whether those who knew `old` get by with `new`: wider to send, narrower to read."""
    return _covers(old, new) if flow is Flow.RESPONSE else _covers(new, old)


def _covers(wide: str, key: str) -> bool:
    """Return whether a range such as "application/*", or a media type without parameters, holds another."""
    kind = key.partition("/")[0]
    return wide != key and wide in {"*/*", f"{kind}/*", key.partition(";")[0]}


def _encoding(report: Report, old: Node, new: Node, subject: Subject) -> None:
    before, after = dict(old.entries("encoding")), dict(new.entries("encoding"))
    for name in before.keys() | after.keys():
        was, now = before.get(name), after.get(name)
        if canonical(was.value if was else {}) != canonical(now.value if now else {}):
            message = f"the property {show(name)} is written in another way"
            report.add("encoding-changed", subject, message, place_of(was), place_of(now))
