"""Which part of a list is asked for: cursors (first, after, last, before), offsets, or numbered pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from graphql import GraphQLError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

T = TypeVar("T")

LIMITS: Final = ("first", "limit", "take", "pageSize", "page_size", "perPage", "per_page", "size", "top")
OFFSETS: Final = ("offset", "skip", "start")
PAGES: Final = ("page", "pageNumber", "page_number")
NAMES: Final = frozenset({*LIMITS, *OFFSETS, *PAGES, "last", "after", "before", "cursor", "count"})
_PAGE_SIZE: Final = 2


def window(cursors: Sequence[str], args: Mapping[str, Any]) -> tuple[int, int]:
    """Return start and end of the part that `args` ask for; `args` may hold them in an object.

    Raises:
        GraphQLError: a number is negative.
    """
    inner = [
        value for value in args.values() if isinstance(value, dict) and any(key in NAMES for key in value)
    ]
    asked = {**{key: value for item in inner for key, value in item.items()}, **args}
    start, end = 0, len(cursors)
    after = asked.get("after", asked.get("cursor"))
    if after in cursors:
        start = cursors.index(after) + 1
    before = asked.get("before")
    if before in cursors:
        end = max(start, cursors.index(before))
    limit, offset, page = _number(asked, LIMITS), _number(asked, OFFSETS), _number(asked, PAGES)
    if page is not None:
        limit = _PAGE_SIZE if limit is None else limit
        offset = max(0, page - 1) * limit
    if offset is not None:
        start = min(end, start + offset)
    if limit is not None:
        end = min(end, start + limit)
    last = _number(asked, ("last",))
    if last is not None:
        start = max(start, end - last)
    return start, end


def cut(items: list[T], args: Mapping[str, Any]) -> list[T]:
    """Return the part of a plain list that `args` ask for."""
    start, end = window(
        [""] * len(items), {k: v for k, v in args.items() if k not in {"after", "before", "cursor"}}
    )
    return items[start:end]


def _number(args: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    for name in names:
        value = args.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            if value < 0:
                raise GraphQLError(f'"{name}" must not be negative', extensions={"code": "BAD_USER_INPUT"})
            return value
    return None
