"""Types of two schemas: the same, fewer, more, or others; null is told apart from the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from maestro_dsl.interfaces.openapi.diff.graph import Local, Pair
    from maestro_dsl.interfaces.openapi.diff.shape import Shape

_SCALARS: Final = frozenset({"string", "number", "integer", "boolean"})
_ORDER: Final = ("object", "array", "string", "number", "integer", "boolean", "null")
_LIMITING: Final = frozenset({"pattern", "format", "minLength", "maxLength"})


def compare_types(pair: Pair, old: Shape, new: Shape, local: Local) -> bool:
    """Note what differs in the types; return whether comparing what they say of a common type makes sense."""
    places = (old.place("type") or old.pointer, new.place("type") or new.pointer)
    if old.is_never != new.is_never:
        rule = "type-narrowed" if new.is_never else "type-widened"
        local.add(rule, f"{'nothing' if new.is_never else 'something'} is allowed here now", *places)
        return False
    was, now = old.types, new.types
    is_same = was == now
    if is_same:
        _null(old, new, local)
        return True
    message = f"the type is {_shown(new)} now, was {_shown(old)}"
    if (was is None and old.choices) or (now is None and new.choices):
        local.add("type-changed", message, *places)  # not to be told apart from narrower or wider here
        return False
    if now is None or (was is not None and was < now):
        local.add("type-widened", message, *places)
    elif was is None or was > now:
        local.add("type-narrowed", message, *places)
    elif local.context.repeats and now == frozenset({"array"}) and was <= _SCALARS:
        local.add("type-widened", f"{message}; one value is a list of one", *places)
        local.follow("[]", pair.old, new.items)
        return False
    elif local.context.is_text and _is_plain_text(new) and _is_written(was, local):
        local.add("type-widened", f"{message}; both are written as text", *places)
        return False
    elif local.context.is_text and _is_plain_text(old) and _is_written(now, local):
        local.add("type-narrowed", f"{message}; both are written as text", *places)
        return False
    else:
        local.add("type-changed", message, *places)
        return False
    if was is None or now is None:
        return False
    _null(old, new, local)
    return True


def _null(old: Shape, new: Shape, local: Local) -> None:
    if old.is_nullable != new.is_nullable:
        rule = "became-nullable" if new.is_nullable else "became-not-nullable"
        local.add(
            rule,
            f"null is {'allowed now' if new.is_nullable else 'no longer allowed'}",
            old.pointer,
            new.pointer,
        )


def _is_plain_text(shape: Shape) -> bool:
    is_limited = shape.values is not None or _LIMITING & shape.facts.keys()
    return shape.types == frozenset({"string"}) and not is_limited


def _is_written(types: frozenset[str], local: Local) -> bool:
    """Return whether values of these types are written as one text: scalars everywhere, objects in XML."""
    return types <= (_SCALARS if local.context.flow.value == "parameter" else _SCALARS | {"object"})


def _shown(shape: Shape) -> str:
    types = shape.types
    if types is None:
        return "one of several" if shape.choices else "any"
    listed = [name for name in _ORDER if name in types and not (name == "integer" and "number" in types)]
    return " or ".join(listed) or "none"
