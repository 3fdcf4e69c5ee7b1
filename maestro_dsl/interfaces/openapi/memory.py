"""The memory of a mock: items of resources, made, read, changed and deleted; gone when the process ends.

Knows identities and items; which status and which body an operation answers with is for `decide`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from maestro_dsl.interfaces.openapi.identities import next_id
from maestro_dsl.interfaces.openapi.paging import PAGING, cut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from maestro_dsl.interfaces.openapi.paging import Page
    from maestro_dsl.interfaces.openapi.table import Behaviour, Table

_MAX_TRIES = 1000


@dataclass(slots=True)
class Shelf:
    """The items of one collection: by identity as text, in order of creation."""

    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    made: int = 0


class Memory:
    """Items of all resources of one `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._shelves: dict[tuple[int, tuple[str, ...]], Shelf] = {}
        self._singles: dict[str, dict[str, Any]] = {}

    def reset(self) -> None:
        """Forget everything; the items of the start are there again."""
        self._shelves.clear()
        self._singles.clear()

    def single(
        self, path: str, values: Mapping[str, str], role: str, sent: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return what was written to the document at `path`, after what `role` does to it."""
        kept = self._singles.setdefault(json.dumps([path, *values.values()]), {})
        if role in {"replace", "reset"}:
            kept.clear()
        if role in {"replace", "patch", "change"}:
            kept.update(sent)
        return kept

    def shelves(self) -> Iterator[tuple[Behaviour, tuple[str, ...], Shelf]]:
        """Yield every collection that was touched, with the values of its parents' parameters."""
        for (index, values), shelf in self._shelves.items():
            yield self._table.behaviour(index), values, shelf

    def fill(self, behaviour: Behaviour, values: Mapping[str, str], items: list[dict[str, Any]]) -> None:
        """Put `items` in place of everything in a collection."""
        shelf = Shelf(items={str(item[behaviour.id_property]): item for item in items})
        shelf.gone.update(self.shelf(behaviour, values).items.keys() - shelf.items.keys())
        self._shelves[self._key(behaviour, values)] = shelf

    @staticmethod
    def _key(behaviour: Behaviour, values: Mapping[str, str]) -> tuple[int, tuple[str, ...]]:
        return behaviour.index, tuple(values.get(name, "") for name in behaviour.resource.parents)

    def shelf(self, behaviour: Behaviour, values: Mapping[str, str]) -> Shelf:
        """Return the collection that the path `values` name."""
        key = self._key(behaviour, values)
        if key not in self._shelves:
            seeds = {str(item[behaviour.id_property]): item for item in behaviour.seeds}
            self._shelves[key] = Shelf(items=seeds)
        return self._shelves[key]

    def has_parent(self, behaviour: Behaviour, values: Mapping[str, str]) -> bool:
        """Return whether the item that the collection belongs to exists, as far as it has a memory."""
        if behaviour.parent is None or behaviour.parent_parameter is None:
            return True
        parent = self._table.behaviour(behaviour.parent)
        identity = values.get(behaviour.parent_parameter, "")
        return identity in self.shelf(parent, values).items and self.has_parent(parent, values)

    def create(
        self, behaviour: Behaviour, values: Mapping[str, str], sent: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Add an item made of what was sent and what the contract says is filled in; return it."""
        shelf = self.shelf(behaviour, values)
        base = behaviour.bases[shelf.made % len(behaviour.bases)]
        item = {**base, **{name: value for name, value in sent.items() if name not in behaviour.read_only}}
        key = behaviour.id_property
        if key in behaviour.read_only or key not in sent or isinstance(sent[key], (dict, list)):
            item[key] = self._fresh(behaviour, shelf)
        for parameter, name in behaviour.resource.parents.items():
            if name is not None and parameter in values:
                item[name] = _like(item.get(name), values[parameter])
        shelf.made += 1
        shelf.items[str(item[key])] = item
        shelf.gone.discard(str(item[key]))
        return item

    def put(
        self, behaviour: Behaviour, shelf: Shelf, identity: str, sent: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Add an item whose identity the caller chose; return it."""
        base, key = behaviour.bases[0], behaviour.id_property
        own = {name: value for name, value in sent.items() if name not in behaviour.read_only}
        item = {**base, **own, key: _like(base.get(key), identity)}
        shelf.items[identity] = item
        shelf.gone.discard(identity)
        return item

    def _fresh(self, behaviour: Behaviour, shelf: Shelf) -> int | str:
        name = f"{self._table.seed}|{behaviour.resource.item_path}"
        count = len(behaviour.seeds) + shelf.made
        for _ in range(_MAX_TRIES):
            count += 1
            identity = next_id(behaviour.id_kind, behaviour.ids, count, name)
            if str(identity) not in shelf.items and str(identity) not in shelf.gone:
                return identity
        return next_id(behaviour.id_kind, behaviour.ids, count, name)

    def replace(
        self, behaviour: Behaviour, shelf: Shelf, identity: str, sent: Mapping[str, Any], *, partly: bool
    ) -> dict[str, Any]:
        """Change an item that exists, `partly` or as a whole; identity and read-only parts stay."""
        old = shelf.items[identity]
        locked = {*behaviour.read_only, behaviour.id_property}
        stays = old if partly else {name: value for name, value in old.items() if name in behaviour.kept}
        if not partly:
            defaults = behaviour.bases[0]
            stays = {**{name: defaults[name] for name in defaults if name not in stays}, **stays}
        changes = {name: value for name, value in sent.items() if name not in locked}
        shelf.items[identity] = {**stays, **changes}
        return shelf.items[identity]

    @staticmethod
    def delete(shelf: Shelf, identity: str) -> dict[str, Any]:
        """Take an item away; return it."""
        shelf.gone.add(identity)
        return shelf.items.pop(identity)

    @staticmethod
    def page(shelf: Shelf, query: Mapping[str, Any]) -> Page:
        """Return the items that the query's filters let through, cut by its paging parameters."""
        passing = {name: item for name, item in shelf.items.items() if _passes(item, query)}
        return cut(passing, query)


def _passes(item: Mapping[str, Any], query: Mapping[str, Any]) -> bool:
    for name, wanted in query.items():
        if name in PAGING or name not in item or isinstance(item[name], (dict, list)):
            continue
        allowed = wanted if isinstance(wanted, list) else [wanted]
        if not any(_text(item[name]) == _text(option) for option in allowed):
            return False
    return True


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _like(old: Any, text: str) -> Any:
    is_number = isinstance(old, int) and not isinstance(old, bool)
    return int(text) if is_number and text.isdecimal() and text.isascii() else text


def overlay(base: Any, changes: Mapping[str, Any], is_valid: Callable[[Any], bool]) -> Any:
    """Return `base` with as many of the `changes` as keep it valid, all of them where possible."""
    if not isinstance(base, dict) or not changes:
        return base
    whole = {**base, **changes}
    if is_valid(whole):
        return whole
    result = base
    for name, value in changes.items():
        candidate = {**result, name: value}
        if is_valid(candidate):
            result = candidate
    return result
