"""The values of a mock as its interpreter handles them: records, and leaf values that fit a type."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from graphql import get_named_type, is_leaf_type

from maestro_dsl.interfaces.graphql.shape import is_required, page_info

if TYPE_CHECKING:
    from collections.abc import Mapping

SINGLE: Final = "="
"""The key of a type's one value, where a type has no identity."""


@dataclass(slots=True, eq=False)
class Rec:
    """A value of an object type: `key` tells it apart, `fixed` holds what is given, `final` ones stay."""

    type: str
    key: str = ""
    fixed: dict[str, Any] = field(default_factory=dict)
    final: bool = False


@lru_cache(maxsize=4096)
def decoded(key: str) -> str:
    """Return what a base64 key says, empty where it is none."""
    try:
        return b64decode(key, validate=True).decode("ascii")
    except ValueError:
        return ""


def cursor(rec: Rec) -> str:
    """Return the cursor of a value in any list."""
    return b64encode(f"{rec.type}:{rec.key}".encode()).decode()


def text(value: Any) -> str:
    """Return a leaf value as text, numbers alike in both languages."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def text_of_args(args: Mapping[str, Any]) -> str:
    """Return arguments of plain values as text, the same in both languages."""
    pairs = [
        f"{name}={text(value)}"
        for name, value in args.items()
        if isinstance(value, (str, bool, int)) or (isinstance(value, float) and value.is_integer())
    ]
    return f"({','.join(pairs)})" if pairs else ""


def fits(value: Any, leaf: Any) -> bool:
    """Return whether a JSON value can be a value of a leaf type."""
    if value is None or not is_leaf_type(leaf):
        return False
    if hasattr(leaf, "values"):
        return isinstance(value, str) and value in leaf.values
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    is_whole = is_whole or (isinstance(value, float) and value.is_integer())
    if leaf.name == "Int":
        return is_whole and abs(value) < 2**31
    if leaf.name == "Float":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if leaf.name == "Boolean":
        return isinstance(value, bool)
    if leaf.name == "ID":
        return isinstance(value, str) or is_whole
    return isinstance(value, str) if leaf.name == "String" else True


def plain_value(value: Any, leaf: Any) -> Any:
    """Return a value that `fits` as its type writes it."""
    if leaf.name == "ID":
        return text(value)
    return int(value) if leaf.name == "Int" else value


def page_facts(fields: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known of a page, as those of `fields` that say it and can hold it."""
    found = {}
    for name, fact in page_info(fields).items():
        value, leaf = facts[fact], fields[name].type
        if (value is None and not is_required(leaf)) or fits(value, get_named_type(leaf)):
            found[name] = value
        elif value is None and fits("", get_named_type(leaf)):
            found[name] = ""
    return found
