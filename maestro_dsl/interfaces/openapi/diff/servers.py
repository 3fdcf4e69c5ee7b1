"""Addresses at which an interface is served: hosts differ between places, the path below them should not."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from maestro_dsl.interfaces.openapi.diff.values import show

if TYPE_CHECKING:
    from maestro_dsl.interfaces.openapi.diff.nodes import Node
    from maestro_dsl.interfaces.openapi.diff.operations import Call
    from maestro_dsl.interfaces.openapi.diff.report import Report, Subject


def base_path(root: Node) -> str | None:
    """Return the one path below which a document is served; None where there are several."""
    paths = set(_servers(root).values())
    return paths.pop() if len(paths) == 1 else None


def stating(call: Call) -> Node:
    """Return the node whose `servers` hold for an operation."""
    for node in (call.node, call.item):
        if "servers" in node.value:
            return node
    return call.node.side.root


def compare_servers(report: Report, old: Node, new: Node, subject: Subject) -> None:
    """Note base paths that came or went, or else that addresses are others."""
    before, after = _servers(old), _servers(new)
    places = ((*old.pointer, "servers"), (*new.pointer, "servers"))
    part = subject.part("servers", *places)
    was, now = set(before.values()), set(after.values())
    for path in sorted(was - now):
        report.add("base-path-removed", part, f"nothing is served below {show(path or '/')} any more")
    for path in sorted(now - was):
        report.add("base-path-added", part, f"the base path {show(path or '/')} is new")
    if was == now and before.keys() != after.keys():
        report.add("server-changed", part, "the addresses are others")


def _servers(node: Node) -> dict[str, str]:
    """Return address → path below its host; variables stand at their defaults."""
    found: dict[str, str] = {}
    for server in node.listed("servers"):
        url = server.text("url")
        if url is None:
            continue
        for name, variable in server.entries("variables"):
            default = variable.value.get("default") if isinstance(variable.value, dict) else None
            url = url.replace("{" + name + "}", str(default or ""))
        found[url] = _path(url)
    return found or {"/": ""}


def _path(url: str) -> str:
    try:
        return urlsplit(url).path.rstrip("/")
    except ValueError:
        return url
