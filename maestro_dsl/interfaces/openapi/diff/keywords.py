"""What differs in the own level of two schemas: values, limits, flags, lists, and what is compared whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.interfaces.openapi.diff.choices import compare_choices, unwrapped
from maestro_dsl.interfaces.openapi.diff.graph import Graph, Local, Pair
from maestro_dsl.interfaces.openapi.diff.kinds import compare_types
from maestro_dsl.interfaces.openapi.diff.objects import compare_objects
from maestro_dsl.interfaces.openapi.diff.values import (
    LIMITS,
    OPAQUE,
    Fact,
    canonical,
    is_tighter,
    show,
    whole,
)

if TYPE_CHECKING:
    from maestro_dsl.interfaces.openapi.diff.nodes import Node
    from maestro_dsl.interfaces.openapi.diff.shape import Shape

_FORMATS: Final = {"int32": ("int64",), "float": ("double",)}
"""Format → formats that include it."""
_FLAGS: Final = {
    "readOnly": ("became-read-only", "became-writable", "is read-only now", "is no longer read-only"),
    "writeOnly": ("became-write-only", "became-readable", "is write-only now", "is no longer write-only"),
    "deprecated": ("became-deprecated", "became-current", "is deprecated now", "is no longer deprecated"),
    "uniqueItems": ("items-must-differ", "items-may-repeat", "must be unique now", "may repeat now"),
}


def compare(graph: Graph, pair: Pair) -> Local:
    """Return what differs between two schemas themselves, and the pairs of schemas in them."""
    local = Local(pair.context)
    old, new = _views(graph.shape(pair.old), graph.shape(pair.new))
    if pair.old == pair.new or unwrapped(graph, pair, (old, new), local):
        return local
    _references(old, new, local)
    _flags(old, new, local)
    if not compare_types(pair, old, new, local):
        return local
    _values(old, new, local)
    _open_values(old, new, local)
    _limits(old, new, local)
    _format(old, new, local)
    _pattern(old, new, local)
    _default(old, new, local)
    compare_objects(graph, old, new, local)
    _lists(old, new, local)
    compare_choices(graph, old, new, local)
    _whole(graph, old, new, local)
    return local


def _views(old: Shape, new: Shape) -> tuple[Shape, Shape]:
    """Return both schemas as lists of types or values where both can be read so, else as they are written."""
    before, after = old.folded or old, new.folded or new
    is_list = not before.choices and not after.choices
    return (before, after) if is_list else (old, new)


def _references(old: Shape, new: Shape, local: Local) -> None:
    if old.lost.keys() == new.lost.keys():
        return
    for ref in sorted(old.lost.keys() ^ new.lost.keys()):
        message = f"the reference {show(ref)} leads nowhere, so what it allows is not known"
        local.add(
            "reference-changed", message, old.lost.get(ref, old.pointer), new.lost.get(ref, new.pointer)
        )


def _flags(old: Shape, new: Shape, local: Local) -> None:
    for key, (on, off, said_on, said_off) in _FLAGS.items():
        is_on, was_on = key in new.facts, key in old.facts
        if is_on != was_on:
            local.add(
                on if is_on else off,
                f"the value {said_on if is_on else said_off}"
                if key != "uniqueItems"
                else f"items {said_on}"
                if is_on
                else f"items {said_off}",
                old.place(key),
                new.place(key),
            )


def _values(old: Shape, new: Shape, local: Local) -> None:
    if old.values is None and new.values is None:
        return
    if old.values is None:
        rule = "const-added" if new.is_const else "became-enum"
        local.add(rule, f"only {_listed(new.values)} now", old.pointer, _first(new))
    elif new.values is None:
        rule = "const-removed" if old.is_const else "enum-lifted"
        local.add(rule, f"no longer only {_listed(old.values)}", _first(old), new.pointer)
    elif old.values.keys() != new.values.keys():
        if not old.values.keys() & new.values.keys() and old.values and new.values:
            rule = "const-changed" if old.is_const and new.is_const else "enum-replaced"
            message = f"was {_listed(old.values)}, is {_listed(new.values)} now"
            local.add(rule, message, _first(old), _first(new))
            return
        for text, fact in old.values.items():
            if text not in new.values:
                message = f"the value {show(fact.value)} is gone"
                local.add("enum-value-removed", message, fact.pointer, _first(new) or new.pointer)
        for text, fact in new.values.items():
            if text not in old.values:
                message = f"the value {show(fact.value)} is new"
                local.add("enum-value-added", message, _first(old) or old.pointer, fact.pointer)


def _open_values(old: Shape, new: Shape, local: Local) -> None:
    """Compare lists of values that say themselves that they may grow."""
    key = "x-extensible-enum"
    if key not in old.facts or key not in new.facts:
        return
    was, now = ({canonical(value) for value in shape.facts[key].value} for shape in (old, new))
    places = (old.place(key), new.place(key))
    for text in sorted(was - now):
        local.add("open-enum-value-removed", f"the value {text} is gone", *places)
    for text in sorted(now - was):
        local.add("open-enum-value-added", f"the value {text} is new", *places)


def _first(shape: Shape) -> Any:
    first = next(iter((shape.values or {}).values()), None)
    if first is None:
        return shape.pointer
    return first.pointer[:-1] if isinstance(first.pointer[-1], int) else first.pointer


def _listed(values: dict[str, Fact] | None) -> str:
    shown = [show(fact.value) for fact in (values or {}).values()]
    most = 4
    return ", ".join(shown[:most]) + (f" and {len(shown) - most} more" if len(shown) > most else "")


def _limits(old: Shape, new: Shape, local: Local) -> None:
    for key, direction in LIMITS.items():
        if key not in old.facts and key not in new.facts:
            continue
        was, now = _limit(old, key), _limit(new, key)
        if was == now:
            continue
        verb = {"lower": "at least", "upper": "at most", "step": "a multiple of"}[direction]
        places = (old.place(key), new.place(key))
        if now is None:
            local.add("limit-lifted", f"{key}: no longer {verb} {_bound(was)}", *places)
        elif was is None:
            local.add("limit-set", f"{key}: must be {verb} {_bound(now)} now", *places)
        else:
            is_less, is_more = is_tighter(key, was, now), is_tighter(key, now, was)
            message = f"{key}: must be {verb} {_bound(now)}, was {_bound(was)}"
            local.add("limit-tightened" if is_less else "limit-loosened", message, *places)
            if direction == "step" and is_less and is_more:
                local.add("limit-loosened", message, *places)


def _limit(shape: Shape, key: str) -> tuple[float, bool] | None:
    fact = shape.facts.get(key)
    if fact is None:
        return None
    is_whole = shape.types == frozenset({"integer"}) and key in {"minimum", "maximum"}
    limit: tuple[float, bool] = whole(key, fact.value) if is_whole else fact.value
    return limit


def _bound(limit: tuple[float, bool] | None) -> str:
    if limit is None:
        return "unlimited"
    return f"{canonical(limit[0])}{' (excluded)' if limit[1] else ''}"


def _format(old: Shape, new: Shape, local: Local) -> None:
    if old.types != new.types:
        return
    was, now = (shape.facts["format"].value if "format" in shape.facts else None for shape in (old, new))
    if was == now:
        return
    places = (old.place("format"), new.place("format"))
    if was is None or (now in _FORMATS and was in _FORMATS.get(now, ())):
        local.add(
            "format-narrowed", f"the format is {show(now)} now, was {show(was or 'not stated')}", *places
        )
    elif now is None or now in _FORMATS.get(was, ()):
        local.add(
            "format-widened", f"the format is {show(now or 'not stated')} now, was {show(was)}", *places
        )
    else:
        local.add("format-changed", f"the format is {show(now)} now, was {show(was)}", *places)


def _pattern(old: Shape, new: Shape, local: Local) -> None:
    was, now = (shape.facts["pattern"].value if "pattern" in shape.facts else () for shape in (old, new))
    if was == now:
        return
    places = (old.place("pattern"), new.place("pattern"))
    shown = [" and ".join(map(show, patterns)) for patterns in (was, now)]
    if set(was) < set(now) and was == ():
        local.add("pattern-added", f"must match {shown[1]} now", *places)
    elif set(now) < set(was):
        local.add("pattern-removed", f"no longer has to match {shown[0]}", *places)
    else:
        local.add("pattern-changed", f"must match {shown[1]}, was {shown[0]}", *places)


def _default(old: Shape, new: Shape, local: Local) -> None:
    was, now = old.facts.get("default"), new.facts.get("default")
    places = (old.place("default"), new.place("default"))
    if was is None and now is not None:
        local.add("default-added", f"the default is {show(now.value)} now, none was stated", *places)
    elif was is not None and now is None:
        local.add("default-removed", f"the default {show(was.value)} is no longer stated", *places)
    elif was is not None and now is not None and canonical(was.value) != canonical(now.value):
        message = f"the default is {show(now.value)} now, was {show(was.value)}"
        local.add("default-changed", message, *places)


def _lists(old: Shape, new: Shape, local: Local) -> None:
    local.follow("[]", old.items, new.items)
    for number in range(max(len(old.prefix), len(new.prefix))):
        was = old.prefix[number] if number < len(old.prefix) else old.items
        now = new.prefix[number] if number < len(new.prefix) else new.items
        local.follow(f"[{number}]", was, now)


def _whole(graph: Graph, old: Shape, new: Shape, local: Local) -> None:
    """Compare constraints whose parts cannot be weighed: equal or not."""
    for key in OPAQUE:
        was, now = _facts(old, key), _facts(new, key)
        if not was and not now:
            continue
        places = (was[0].pointer if was else old.pointer, now[0].pointer if now else new.pointer)
        if not was:
            local.add("constraint-added", f'"{key}" is new', *places)
        elif not now:
            local.add("constraint-removed", f'"{key}" is gone', *places)
        elif len(was) != len(now) or not all(
            _same(graph, one.value, other.value, local) for one, other in zip(was, now, strict=True)
        ):
            local.add("constraint-changed", f'"{key}" is another', *places)


def _facts(shape: Shape, key: str) -> list[Fact]:
    return [fact for name, fact in shape.facts.items() if name.rstrip("+") == key]


def _same(graph: Graph, one: Node | None, other: Node | None, local: Local) -> bool:
    if one is None or other is None:
        return one is other
    is_schema = one.pointer[-1] not in {"dependentSchemas", "dependentRequired"}
    if is_schema and isinstance(one.value, dict) and isinstance(other.value, dict):
        return graph.is_equal(Pair((one,), (other,), local.context))
    return _canonical_set(one.value) == _canonical_set(other.value)


def _canonical_set(value: Any) -> str:
    """Return a canonical text; lists of names (`dependentRequired`) have no order."""
    if isinstance(value, dict):
        value = {
            name: sorted(item, key=canonical) if isinstance(item, list) else item
            for name, item in value.items()
        }
    return canonical(value)
