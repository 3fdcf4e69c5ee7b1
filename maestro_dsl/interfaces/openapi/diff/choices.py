"""Alternatives of two schemas (`oneOf`, `anyOf`): which stay, which are new, which are gone.

Alternatives belong together by equal meaning first, then by name, then where one of each side is left over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maestro_dsl.interfaces.openapi.diff.graph import Graph, Local, Pair
from maestro_dsl.interfaces.openapi.diff.values import show

if TYPE_CHECKING:
    from maestro_dsl.interfaces.openapi.diff.nodes import Conj, Node
    from maestro_dsl.interfaces.openapi.diff.shape import Choice, Shape
    from maestro_dsl.lang.sourcemap import Pointer


def unwrapped(graph: Graph, pair: Pair, shapes: tuple[Shape, Shape], local: Local) -> bool:
    """Compare a schema with alternatives of which it is one; return whether this is such a pair."""
    old, new = shapes
    if pair.old and not old.choices and new.is_bare_choice and not _is_any(old):
        choice = new.choices[0]
        for own in choice.alternatives:
            if graph.is_equal(Pair(pair.old, own, pair.context)) or _same_name(pair.old, own):
                others = [item for item in choice.alternatives if item is not own]
                is_new = choice.kind == "oneOf" and not old.is_single_choice
                if is_new and any(_may_overlap(graph, own, item) for item in others):
                    message = "it is one of several now, and a value that fits two of them is refused"
                    local.add("wrapped-in-one-of", message, old.pointer, choice.pointer)
                _note(others, "alternative-added", "is new", old.pointer, local, is_new=True)
                local.follow("", pair.old, own, keep=True)
                return True
    if pair.new and not new.choices and old.is_bare_choice and not _is_any(new):
        choice = old.choices[0]
        for own in choice.alternatives:
            if graph.is_equal(Pair(own, pair.new, pair.context)) or _same_name(own, pair.new):
                others = [item for item in choice.alternatives if item is not own]
                _note(others, "alternative-removed", "is gone", new.pointer, local, is_new=False)
                local.follow("", own, pair.new, keep=True)
                return True
    return False


def _may_overlap(graph: Graph, one: Conj, other: Conj) -> bool:
    """Return whether a value may fit both schemas, as far as their types tell."""
    first, second = graph.shape(one).types, graph.shape(other).types
    return first is None or second is None or bool(first & second)


def _is_any(shape: Shape) -> bool:
    return shape.types is None and shape.values is None and not shape.facts


def _same_name(one: Conj, other: Conj) -> bool:
    first, second = _ref_name(one), _ref_name(other)
    return first is not None and first == second


def compare_choices(graph: Graph, old: Shape, new: Shape, local: Local) -> None:
    """Note what differs in the alternatives of two schemas."""
    groups = _paired(old.choices, new.choices)
    for was, now in groups:
        if was is None and now is not None:
            local.add("alternatives-stated", f'"{now.kind}" is new', old.pointer, now.pointer)
        elif now is None and was is not None:
            local.add("alternatives-lifted", f'"{was.kind}" is gone', was.pointer, new.pointer)
        elif was is not None and now is not None:
            _group(graph, was, now, local)
    _discriminator(graph, old, new, local)


def _paired(old: tuple[Choice, ...], new: tuple[Choice, ...]) -> list[tuple[Choice | None, Choice | None]]:
    """Return the groups that belong together: by what they name where there are several, else in order."""
    left = list(new)
    found: list[tuple[Choice | None, Choice | None]] = []
    for choice in old:
        names = set(map(_ref_name, choice.alternatives))
        best = max(left, key=lambda item: len(names & set(map(_ref_name, item.alternatives))), default=None)
        if best is not None:
            left.remove(best)
        found.append((choice, best))
    return [*found, *((None, choice) for choice in left)]


def _group(graph: Graph, was: Choice, now: Choice, local: Local) -> None:
    if was.kind != now.kind:
        message = f'"{now.kind}" instead of "{was.kind}"'
        local.add("alternatives-joined", message, was.pointer, now.pointer)
    gone, fresh = list(was.alternatives), list(now.alternatives)
    for fits in (_equal_by_name, _equal, _named_alike, _titled_alike):
        _match(graph, gone, fresh, local, fits)
    if len(gone) == 1 and len(fresh) == 1 and graph.shape(gone[0]).types == graph.shape(fresh[0]).types:
        local.follow(_step(fresh[0]), gone.pop(), fresh.pop(), keep=True)
    _note(gone, "alternative-removed", "is gone", now.pointer, local, is_new=False)
    _note(fresh, "alternative-added", "is new", was.pointer, local, is_new=True)


def _match(graph: Graph, gone: list[Conj], fresh: list[Conj], local: Local, fits: Any) -> None:
    """Take out the alternatives that belong together and note them as inner pairs."""
    for own in list(gone):
        other = next((item for item in fresh if fits(graph, own, item, local)), None)
        if other is not None:
            gone.remove(own)
            fresh.remove(other)
            local.follow(_step(other), own, other, keep=True)


def _equal_by_name(graph: Graph, one: Conj, other: Conj, local: Local) -> bool:
    return _same_name(one, other) and _equal(graph, one, other, local)


def _equal(graph: Graph, one: Conj, other: Conj, local: Local) -> bool:
    first, second = graph.shape(one), graph.shape(other)
    if first.types != second.types or first.properties.keys() != second.properties.keys():
        return False
    return graph.is_equal(Pair(one, other, local.context))


def _named_alike(_graph: Graph, one: Conj, other: Conj, _local: Local) -> bool:
    return _same_name(one, other)


def _titled_alike(_graph: Graph, one: Conj, other: Conj, _local: Local) -> bool:
    first, second = one[0].text("title"), other[0].text("title")
    return first is not None and first == second


def _ref_name(conj: Conj) -> str | None:
    ref = conj[0].text("$ref") if conj else None
    if ref is not None:
        return ref.rpartition("/")[2]
    pointer = conj[0].pointer if conj else ()
    is_component = pointer[:2] == ("components", "schemas") and len(pointer) == 3  # noqa: PLR2004 - their depth
    return str(pointer[2]) if is_component else None


def _step(conj: Conj) -> str:
    name = _ref_name(conj) or conj[0].text("title")
    return f"({name})" if name else ""


def _note(
    found: list[Conj], rule: str, said: str, place: Pointer | None, local: Local, *, is_new: bool
) -> None:
    for conj in found:
        node: Node = conj[0]
        name = _ref_name(conj) or node.text("title") or node.text("type")
        message = f"the alternative {show(name)} {said}" if name else f"an alternative {said}"
        places = (place, node.pointer) if is_new else (node.pointer, place)
        local.add(rule, message, *places)


def _discriminator(graph: Graph, old: Shape, new: Shape, local: Local) -> None:
    was, now = (shape.facts.get("discriminator") for shape in (old, new))
    places = (old.place("discriminator"), new.place("discriminator"))
    if was is None or now is None:
        if now is not None:
            local.add("discriminator-added", "a discriminator is new", *places)
        elif was is not None:
            local.add("discriminator-removed", "the discriminator is gone", *places)
        return
    names = [fact.value.text("propertyName") or "" for fact in (was, now)]
    if names[0] != names[1]:
        message = f"the discriminator is {show(names[1])} now, was {show(names[0])}"
        local.add("discriminator-changed", message, *places)
    before, after = (_mapping(fact.value) for fact in (was, now))
    for key in dict.fromkeys([*before, *after]):
        if key not in after:
            local.add("mapping-removed", f"the discriminator's value {show(key)} is gone", *places)
        elif key not in before:
            local.add("mapping-added", f"the discriminator's value {show(key)} is new", *places)
        elif not _means_same(graph, before[key], after[key], local):
            local.add(
                "mapping-changed", f"the discriminator's value {show(key)} means another schema", *places
            )


def _mapping(discriminator: Node) -> dict[str, Node | str]:
    """Return value → the schema it stands for, or the text of the reference where that leads nowhere."""
    mapping = discriminator.value.get("mapping")
    found: dict[str, Node | str] = {}
    for key, ref in mapping.items() if isinstance(mapping, dict) else ():
        text = str(ref)
        full = text if "#" in text else f"#/components/schemas/{text}"
        found[str(key)] = discriminator.side.target(full) or text
    return found


def _means_same(graph: Graph, one: Node | str, other: Node | str, local: Local) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    same_name = one.pointer == other.pointer
    return same_name or graph.is_equal(Pair((one,), (other,), local.context))
