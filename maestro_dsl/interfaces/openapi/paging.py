"""Pages of a list, by the names that public APIs use: which items a query wants, what a list says of itself.

A cursor is the identity of the last item that was seen, so that a caller who goes on comes to an end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LIMITS: Final = ("limit", "per_page", "page_size", "pageSize", "perPage", "size", "first", "$top")
_OFFSETS: Final = ("offset", "skip", "$skip")
_PAGES: Final = ("page", "page_number", "pageNumber")
_CURSORS: Final = (
    *("cursor", "after", "starting_after", "startingAfter", "page_token", "pageToken", "next_token"),
    *("nextToken", "marker", "continuation_token", "continuationToken", "next_cursor", "nextCursor"),
)
PAGING: Final = frozenset({*_LIMITS, *_OFFSETS, *_PAGES, *_CURSORS})
"""Parameters that choose a page, and are no filters."""
_TOTALS: Final = ("total", "total_count", "totalCount", "count")
_MORE: Final = ("has_more", "hasMore", "has_next", "hasNext", "has_next_page", "hasNextPage")
_NEXT: Final = (
    *("next_cursor", "nextCursor", "next_page_token", "nextPageToken", "next_token", "nextToken"),
    *("next_marker", "nextMarker", "continuation_token", "continuationToken"),
)
_NEXT_ADDRESS: Final = ("next", "next_page", "nextPage", "next_url", "nextUrl")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a collection, and how many items it has in all."""

    items: list[dict[str, Any]]
    total: int
    limit: int | None
    offset: int
    last: str | None
    """Identity of the last item where more come after it."""


def cut(items: Mapping[str, dict[str, Any]], query: Mapping[str, Any]) -> Page:
    """Return the page of `items`, by identity, that the paging parameters of a query want."""
    limit = _first_number(query, _LIMITS)
    offset = _first_number(query, _OFFSETS) or 0
    page = _first_number(query, _PAGES)
    if page is not None and limit is not None:
        offset = max(0, page - 1) * limit
    names = list(items)
    seen = next((str(query[name]) for name in _CURSORS if name in query), None)
    if seen is not None and seen in items:
        offset = names.index(seen) + 1
    chosen = names[offset:] if limit is None else names[offset : offset + limit]
    has_more = bool(chosen) and offset + len(chosen) < len(names)
    return Page(
        items=[items[name] for name in chosen],
        total=len(names),
        limit=limit,
        offset=offset,
        last=chosen[-1] if has_more else None,
    )


def told(base: Mapping[str, Any], key: str, page: Page) -> dict[str, Any]:
    """Return what the body `base` of a list, with its items at `key`, has to say about `page`."""
    numbers = {**dict.fromkeys(_TOTALS, page.total), "limit": page.limit, "offset": page.offset}
    changes: dict[str, Any] = {
        name: value
        for name, value in numbers.items()
        if name != key and isinstance(base.get(name), int) and value is not None
    }
    changes |= {name: page.last is not None for name in _MORE if isinstance(base.get(name), bool)}
    if page.last is not None:
        changes |= {name: page.last for name in _NEXT if name in base and name != key}
    return changes


def ended(base: Mapping[str, Any], page: Page, is_valid: Callable[[Any], bool]) -> dict[str, Any]:
    """Return `base` without a way on where `page` is the last: null, left out or empty, as is allowed."""
    result = dict(base)
    if page.last is not None:
        return result
    for name in (*_NEXT, *_NEXT_ADDRESS):
        if not isinstance(result.get(name), str):
            continue
        rest = {other: value for other, value in result.items() if other != name}
        options = ({**result, name: None}, rest, {**result, name: ""})
        result = next((option for option in options if is_valid(option)), result)
    return result


def _first_number(query: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    for name in names:
        value = query.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return max(0, value)
    return None
