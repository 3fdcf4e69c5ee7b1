"""Properties of two object schemas: which are there, which must be, and what else may be.

A property that does not travel in the direction of the value (`readOnly` in a request, `writeOnly` in a
response) is as good as absent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.interfaces.openapi.diff.rules import Flow
from maestro_dsl.interfaces.openapi.diff.values import show

if TYPE_CHECKING:
    from maestro_dsl.interfaces.openapi.diff.graph import Graph, Local
    from maestro_dsl.interfaces.openapi.diff.nodes import Conj
    from maestro_dsl.interfaces.openapi.diff.shape import Shape


def compare_objects(graph: Graph, old: Shape, new: Shape, local: Local) -> None:
    """Note what differs in properties by name, by pattern, and in the rest."""
    if not (_may_be_object(old) and _may_be_object(new)):
        return
    names = dict.fromkeys([*old.properties, *new.properties, *old.required, *new.required])
    for name in names:
        _property(graph, name, (old, new), local)
    if old.is_closed != new.is_closed:
        rule = "object-closed" if new.is_closed else "object-opened"
        message = f"other properties are {'no longer' if new.is_closed else 'now'} allowed"
        local.add(rule, message, old.place("closed"), new.place("closed"))
    elif not old.is_closed:
        local.follow("*", old.rest, new.rest)
    for pattern in dict.fromkeys([*old.patterns, *new.patterns]):
        was, now = old.patterns.get(pattern), new.patterns.get(pattern)
        if was is not None and now is not None:
            local.follow(f"/{pattern}/", was, now)
        elif was is not None:
            message = f"properties that match {show(pattern)} are no longer described"
            local.add("constraint-removed", message, was[0].pointer, new.pointer)
        elif now is not None:
            message = f"properties that match {show(pattern)} are limited now"
            local.add("constraint-added", message, old.pointer, now[0].pointer)


def _may_be_object(shape: Shape) -> bool:
    return shape.types is None or "object" in shape.types


def _property(graph: Graph, name: str, shapes: tuple[Shape, Shape], local: Local) -> None:
    old, new = shapes
    was, now = old.properties.get(name), new.properties.get(name)
    was_hidden, is_hidden = (_is_hidden(graph, conj, local.context.flow) for conj in (was, now))
    was_needed = name in old.required and not was_hidden
    is_needed = name in new.required and not is_hidden
    if was is None and name not in old.required:
        if now is not None and not is_hidden:
            kind = "required" if is_needed else "optional"
            local.add(
                f"{kind}-property-added",
                f"the {kind} property {show(name)} is new",
                old.pointer,
                now[0].pointer,
            )
        elif is_needed:
            _required(name, shapes, local, is_needed=True)
        return
    if now is None and name not in new.required:
        if was is not None and not was_hidden:
            _removed(name, was, shapes, local, was_needed=was_needed)
        elif was_needed:
            _required(name, shapes, local, is_needed=False)
        return
    if was_needed != is_needed:
        _required(name, shapes, local, is_needed=is_needed)
    if not (was_hidden and is_hidden):
        local.follow(name, was or (), now or ())


def _is_hidden(graph: Graph, conj: Conj | None, flow: Flow) -> bool:
    if conj is None:
        return False
    return ("writeOnly" if flow is Flow.RESPONSE else "readOnly") in graph.shape(conj).facts


def _required(name: str, shapes: tuple[Shape, Shape], local: Local, *, is_needed: bool) -> None:
    old, new = shapes
    rule = "property-became-required" if is_needed else "property-became-optional"
    message = f"the property {show(name)} is {'required' if is_needed else 'optional'} now"
    places = [
        shape.required.get(name)
        or (shape.properties[name][0].pointer if name in shape.properties else shape.pointer)
        for shape in (old, new)
    ]
    local.add(rule, message, *places)


def _removed(name: str, was: Conj, shapes: tuple[Shape, Shape], local: Local, *, was_needed: bool) -> None:
    new = shapes[1]
    if new.is_closed and not shapes[0].patterns and local.context.flow is not Flow.RESPONSE:
        message = f"the property {show(name)} is no longer allowed"
        local.add("property-refused", message, was[0].pointer, new.pointer)
        return
    kind = "required" if was_needed else "optional"
    message = f"the {kind} property {show(name)} is gone"
    local.add(f"{kind}-property-removed", message, was[0].pointer, new.pointer)
    if new.rest:
        local.follow(name, was, new.rest)
