"""Makes many frozen values that differ in a few fields, as quickly as changeable ones.

The `__init__` that `dataclasses` writes for a frozen class sets each field through `object.__setattr__`, a
call a field. A copier fills a changeable object with the same slots and hands it out as one of the frozen
class, so that nobody sees it before. For values of which a command makes tens of thousands.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

T = TypeVar("T")
_TEXT: Final = """\
def write(kind__, draft__{kept}):
    def copy({names}):
        made__ = draft__()
{stores}
        made__.__class__ = kind__
        return made__
    return copy
"""


def copier(value: T, *names: str) -> Callable[..., T]:
    """Return a function that takes the fields `names` in this order, and returns `value` with them in it.

    What it makes equals what `dataclasses.replace` makes.

    Raises:
        TypeError: `value` is of no frozen dataclass with slots, without a base, that only sets its fields.
        ValueError: the class has no field of one of the `names`.
    """
    write, draft, kept = _written(cast("Hashable", type(value)), names)
    copy: Callable[..., T] = write(type(value), draft, *(getattr(value, name) for name in kept))
    return copy


@cache
def _written(kind: Any, names: tuple[str, ...]) -> tuple[Callable[..., Any], type, tuple[str, ...]]:
    """Return a function that makes copiers, the changeable class, and the names of the fields to keep."""
    if not _only_sets_fields(kind):
        raise TypeError(f"{kind.__name__} is no frozen dataclass with slots that only sets its fields")
    known = tuple(item.name for item in fields(kind))
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"{kind.__name__} has no field {unknown[0]}")
    kept = tuple(name for name in known if name not in names)
    text = _TEXT.format(
        kept="".join(f", {name}" for name in kept),
        names=", ".join(names),
        stores="\n".join(f"        made__.{name} = {name}" for name in known),
    )
    space: dict[str, Any] = {}
    exec(text, {"__name__": kind.__module__}, space)  # noqa: S102 - names of fields, as `dataclasses` does
    draft = type(kind.__name__, (), {"__slots__": vars(kind)["__slots__"]})
    return space["write"], draft, kept


def _only_sets_fields(kind: type) -> bool:
    if not is_dataclass(kind) or kind.__bases__ != (object,) or "__slots__" not in vars(kind):
        return False
    is_frozen: bool = vars(kind)["__dataclass_params__"].frozen
    return is_frozen and all(item.init for item in fields(kind)) and not hasattr(kind, "__post_init__")
