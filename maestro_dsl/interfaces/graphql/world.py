"""Follows the decision table: from a field of a value to its value, with what mutations have changed.

`emit_mock_server.js` follows the same table by the same rules; one suite of queries compares the two. Every
value is a function of seed, type, key and field, so nothing is stored but what was written.
"""

from __future__ import annotations

import re
from base64 import b64encode
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from graphql import (
    GraphQLObjectType,
    GraphQLType,
    get_named_type,
    is_leaf_type,
)

from maestro_dsl.interfaces.chance import hash32, uuid
from maestro_dsl.interfaces.graphql import paging
from maestro_dsl.interfaces.graphql.shape import is_required
from maestro_dsl.interfaces.graphql.table import is_listed
from maestro_dsl.interfaces.graphql.values import (
    SINGLE,
    Rec,
    cursor,
    decoded,
    fits,
    page_facts,
    plain_value,
    text,
    text_of_args,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.interfaces.graphql.table import Recipe, Table

_NUMBER: Final = re.compile(r"[1-9]\d{0,5}")
_WHOLE: Final = re.compile(r"\d{1,9}")
_MANY_TYPES, _OF_EACH = 6, 2
_KEYS: Final = 20_000
_mark = lru_cache(maxsize=_KEYS)(hash32)
_FILTERS: Final = frozenset({"filter", "filters", "where", "condition", "query", "input", "by"})
_EQUAL: Final = ("eq", "_eq", "equals", "is")
_IN: Final = ("in", "_in", "oneOf", "any")


class World:
    """The values of one mock, with its memory."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.kept: dict[tuple[str, str], dict[str, Any]] = {}
        self.made: dict[str, list[str]] = {}
        self.gone: set[tuple[str, str]] = set()
        self._types = table.api.schema.type_map
        self._initial: dict[str, list[str]] = {}
        self._marks: dict[tuple[str, str], int] = {}

    def reset(self) -> None:
        """Forget what was written."""
        self.kept.clear()
        self.made.clear()
        self.gone.clear()

    def export(self) -> dict[str, Any]:
        """Return what was written: by type what was made, changed and deleted."""
        changed = [{"type": t, "key": k, "fields": sorted(v)} for (t, k), v in sorted(self.kept.items())]
        gone = [{"type": t, "key": k} for t, k in sorted(self.gone)]
        return {
            "created": {t: list(k) for t, k in sorted(self.made.items())},
            "changed": changed,
            "deleted": gone,
        }

    # ---- identities --------------------------------------------------------------------------------------

    def initial_key(self, name: str, index: int) -> str:
        """Return the key of the value number `index`, from 0, of an entity."""
        entity = self.table.entity(name)
        kind = "text" if entity is None else entity.kind
        if kind == "uuid":
            return uuid(f"{self.table.seed}|{name}|{index}")
        if kind == "global":
            return b64encode(f"{name}:{index + 1}".encode()).decode()
        return str(index + 1)

    def living(self, name: str) -> list[str]:
        """Return the keys of all values of an entity that there are; not to be changed by the caller."""
        keys = self._initial.get(name)
        if keys is None:
            entity = self.table.entity(name)
            count = 0 if entity is None else entity.count
            keys = self._initial[name] = [self.initial_key(name, index) for index in range(count)]
        made = self.made.get(name)
        if made:
            keys = [*keys, *made]
        return [key for key in keys if (name, key) not in self.gone] if self.gone else keys

    def identity_value(self, name: str, key: str) -> Any:
        """Return a key as the identity field of its type has it."""
        entity = self.table.entity(name)
        if entity is not None and entity.kind == "number":
            return int(key) if _WHOLE.fullmatch(key) else hash32(key) % 1_000_000
        return key

    def ordinal(self, name: str, key: str) -> int:
        """Return a number for a key, such that values in a row get numbers in a row."""
        text = key
        entity = self.table.entity(name)
        if entity is not None and entity.kind == "global":
            text = decoded(key).rpartition(":")[2]
        return int(text) - 1 if _NUMBER.fullmatch(text) else _mark(key)

    def type_of_key(self, types: tuple[str, ...], key: str) -> str:
        """Return which of `types` a key belongs to."""
        if len(types) == 1:
            return types[0]
        told = decoded(key).partition(":")[0]
        return told if told in types else types[hash32(key) % len(types)]

    def identity_arg(self, names: tuple[str, ...], args: Mapping[str, Any]) -> str | None:
        """Return the identity that arguments, or the fields of an input object, carry."""
        for name in names:
            value = args.get(name)
            if isinstance(value, (str, int)) and not isinstance(value, bool):
                return str(value)
        for value in args.values():
            if isinstance(value, dict):
                found = self.identity_arg(names, value)
                if found is not None:
                    return found
        return None

    # ---- values ------------------------------------------------------------------------------------------

    def value(self, rec: Rec, name: str, args: Mapping[str, Any] | None = None) -> Any:
        """Return the value of the field `name` of `rec`."""
        if name in rec.fixed:
            return self.shown(rec.fixed[name], self._field_type(rec.type, name))
        kept = self.kept.get((rec.type, rec.key))
        if kept is not None and name in kept:
            return self.shown(kept[name], self._field_type(rec.type, name))
        return self.make(rec, name, args or {})

    def _field_type(self, owner: str, name: str) -> GraphQLType:
        found: GraphQLType = self.fields(owner)[name].type
        return found

    def fields(self, owner: str) -> Mapping[str, Any]:
        """Return the fields of an object type."""
        found = self._types[owner]
        return found.fields if isinstance(found, GraphQLObjectType) else {}

    def is_gone(self, rec: Rec) -> bool:
        """Return whether a value was deleted."""
        return not rec.final and (rec.type, rec.key) in self.gone

    def shown(self, value: Any, kind: GraphQLType) -> Any:
        """Return a stored value without what was deleted since."""
        if isinstance(value, list):
            return [item for item in value if not isinstance(item, Rec) or not self.is_gone(item)]
        if isinstance(value, Rec) and self.is_gone(value) and not is_required(kind):
            return None
        return value

    def make(self, rec: Rec, name: str, args: Mapping[str, Any]) -> Any:
        """Return what the table says of a field that nobody has written."""
        recipe = self.table.recipe(rec.type, name)
        if recipe.rule == "pool":
            return self._picked(rec, name, recipe)
        if recipe.rule == "key":
            return self.identity_value(rec.type, rec.key)
        if recipe.rule == "one":
            return self._one(rec, name, recipe, args)
        if recipe.rule == "list":
            items = paging.cut(self._listed(rec, name, recipe, args), args)
            return [items] if recipe.lists > 1 else items
        if recipe.rule == "page":
            return self._page(rec, name, recipe, args)
        if recipe.rule == "refkey":
            return self._refkey(rec, name, recipe)
        if recipe.rule == "root":
            return Rec(recipe.types[0])
        if recipe.rule == "entities":
            return [self._represented(item) for item in args.get("representations") or []]
        if recipe.rule == "sdl":
            return self.table.api.text
        return [] if recipe.rule == "empty" else None

    def _seeded(self, rec: Rec, name: str) -> int:
        mark = self._marks.get((rec.type, name))
        if mark is None:
            mark = self._marks[rec.type, name] = hash32(f"{self.table.seed}|{rec.type}.{name}")
        return mark + self.ordinal(rec.type, rec.key)

    def _picked(self, rec: Rec, name: str, recipe: Recipe) -> Any:
        values = self.table.pools[recipe.pool]
        at = self._seeded(rec, name)
        if not recipe.lists:
            found = values[at % len(values)]
            is_first = rec.key == SINGLE or self.ordinal(rec.type, rec.key) == 0
            return values[(at + 1) % len(values)] if found is None and is_first else found
        count = 1 + at % 3
        items = [values[(at + step) % len(values)] for step in range(min(count, len(values)))]
        for _ in range(recipe.lists - 1):
            items = [items]
        return items

    def _refkey(self, rec: Rec, name: str, recipe: Recipe) -> Any:
        if recipe.of is not None:
            found = self.value(rec, recipe.of)
            found = found if isinstance(found, Rec) else self.make(rec, recipe.of, {})
            kind, key = (found.type, found.key) if isinstance(found, Rec) else ("", "0")
        else:
            kind = recipe.types[0]
            keys = self.living(kind) or [self.initial_key(kind, 0)]
            key = keys[self._seeded(rec, name) % len(keys)]
        leaf = get_named_type(self._field_type(rec.type, name)).name
        if leaf == "Int":
            return int(key) if _WHOLE.fullmatch(key) else hash32(key) % 1_000_000
        return key

    # ---- one value ---------------------------------------------------------------------------------------

    def _one(self, rec: Rec, name: str, recipe: Recipe, args: Mapping[str, Any]) -> Rec | None:
        root = self.table.shapes.is_root(rec.type)
        if recipe.entity:
            key = self.identity_arg(recipe.ids, args)
            if key is not None:
                found = Rec(self.type_of_key(recipe.types, key), key)
                return None if self.is_gone(found) else found
            if len(recipe.types) == 1 and (equal := self._equal_args(recipe.types[0], args)):
                return self._with(recipe.types[0], equal)
        at = self._seeded(rec, name)
        kind = recipe.types[at % len(recipe.types)]
        if self.table.entity(kind) is not None:
            keys = self.living(kind)
            if not keys:
                return (
                    None if not is_required(self._field_type(rec.type, name)) else Rec(kind, "1", final=True)
                )
            return Rec(kind, keys[0 if root else at % len(keys)])
        told = text_of_args(args)
        key = f"{rec.type}:{rec.key}.{name}{told}"
        if root:
            key = name + told if told else SINGLE
        return Rec(kind, key, self._equal_args(kind, args))

    def _equal_args(self, kind: str, args: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments that are called like a field of `kind` and can be its value."""
        fields = self.fields(kind)
        found = {}
        for name, value in args.items():
            entry = fields.get(name)
            leaf = None if entry is None or is_listed(entry.type) else get_named_type(entry.type)
            if fits(value, leaf):
                found[name] = plain_value(value, leaf)
        return found

    def _with(self, kind: str, equal: dict[str, Any]) -> Rec:
        """Return the first value that has what was asked for, or one that is made to have it."""
        for key in self.living(kind):
            rec = Rec(kind, key)
            if all(text(self.value(rec, name)) == text(value) for name, value in equal.items()):
                return rec
        return Rec(kind, str(100_000 + hash32(text_of_args(equal)) % 900_000), equal)

    def _represented(self, given: Any) -> Rec | None:
        """Return the entity that a gateway asks for by its key."""
        kind = str(given.get("__typename")) if isinstance(given, dict) else ""
        if not isinstance(self._types.get(kind), GraphQLObjectType):
            return None
        own = self._equal_args(kind, given)
        entity = self.table.entity(kind)
        if entity is not None and entity.field in own:
            return Rec(kind, str(own[entity.field]), {k: v for k, v in own.items() if k != entity.field})
        return Rec(kind, text_of_args(own) or SINGLE, own)

    # ---- many values -------------------------------------------------------------------------------------

    def _listed(self, rec: Rec, name: str, recipe: Recipe, args: Mapping[str, Any]) -> list[Rec]:
        at = self._seeded(rec, name)
        root = self.table.shapes.is_root(rec.type)
        if not recipe.entity:
            start = name if root else f"{rec.type}:{rec.key}.{name}"
            told = text_of_args(args)
            return [
                self._part(recipe.types, at + index, f"{start}[{index}]{told}") for index in range(2 + at % 2)
            ]
        asked = next((args[item] for item in recipe.ids if isinstance(args.get(item), list)), None)
        if asked is not None:
            found = [
                Rec(self.type_of_key(recipe.types, str(item)), str(item))
                for item in asked
                if item is not None
            ]
            return [item for item in found if not self.is_gone(item)]
        if len(recipe.types) > 1:
            every = [
                Rec(kind, key) for kind in recipe.types[:_MANY_TYPES] for key in self.living(kind)[:_OF_EACH]
            ]
        else:
            every = [Rec(recipe.types[0], key) for key in self.living(recipe.types[0])]
        if not root and recipe.back is not None:
            every = [item for item in every if self._points(item, recipe.back, rec)]
        elif not root and every:
            count = min(1 + at % 3, len(every))
            every = [every[(at + step) % len(every)] for step in range(count)]
        return [item for item in every if self._passes(item, args)]

    def _part(self, types: tuple[str, ...], at: int, key: str) -> Rec:
        kind = types[at % len(types)]
        keys = self.living(kind)
        return Rec(kind, keys[at % len(keys)]) if keys else Rec(kind, key)

    def _points(self, item: Rec, back: str, rec: Rec) -> bool:
        found = self.value(item, back)
        return isinstance(found, Rec) and (found.type, found.key) == (rec.type, rec.key)

    def _passes(self, rec: Rec, args: Mapping[str, Any]) -> bool:
        for name, wanted in args.items():
            if wanted is None or name in paging.NAMES:
                continue
            if isinstance(wanted, dict):
                if name in _FILTERS and not self._passes(rec, wanted):
                    return False
                if name not in _FILTERS and not self._meets(rec, name, wanted):
                    return False
            elif not self._is(rec, name, wanted):
                return False
        return True

    def _meets(self, rec: Rec, name: str, wanted: Mapping[str, Any]) -> bool:
        options = [wanted[key] for key in _EQUAL if wanted.get(key) is not None]
        options += [wanted[key] for key in _IN if isinstance(wanted.get(key), list)]
        return all(self._is(rec, name, option) for option in options)

    def _is(self, rec: Rec, name: str, wanted: Any) -> bool:
        entry = self.fields(rec.type).get(name)
        if entry is None or not is_leaf_type(get_named_type(entry.type)):
            actual: Any = self._key_of(rec, name)
            if actual is None:
                return True
        else:
            actual = self.value(rec, name)
        options = wanted if isinstance(wanted, list) else [wanted]
        actuals = actual if isinstance(actual, list) else [actual]
        return any(text(one) == text(option) for one in actuals for option in options)

    def _key_of(self, rec: Rec, name: str) -> str | None:
        """Return the key of `author` for a filter `author` or `authorId`, None where there is none."""
        fields = self.fields(rec.type)
        base = next((name.removesuffix(end) for end in ("_id", "Id", "ID", "") if name.endswith(end)), name)
        if base not in fields or fields[base].args or is_leaf_type(get_named_type(fields[base].type)):
            return None
        found = self.value(rec, base)
        return found.key if isinstance(found, Rec) else None

    def _page(self, rec: Rec, name: str, recipe: Recipe, args: Mapping[str, Any]) -> Rec:
        kind = str(recipe.page)
        page = self.table.shapes.page(kind)
        every = self._listed(rec, name, recipe, args)
        cursors = [cursor(item) for item in every]
        start, end = paging.window(cursors, args)
        made = Rec(kind, f"{rec.type}:{rec.key}.{name}{text_of_args(args)}", self._equal_args(kind, args))
        facts = {
            "more": end < len(every),
            "back": start > 0,
            "start": cursors[start] if start < end else None,
            "end": cursors[end - 1] if start < end else None,
            "total": len(every),
        }
        fields = self.fields(kind)
        if page is not None:
            made.fixed |= dict.fromkeys(page.lists, every[start:end])
            if page.edges is not None:
                edge = get_named_type(fields[page.edges].type).name
                made.fixed[page.edges] = [self.edge(edge, made.key, item) for item in every[start:end]]
            if page.info is not None:
                info = get_named_type(fields[page.info].type).name
                made.fixed[page.info] = Rec(info, made.key, page_facts(self.fields(info), facts))
        made.fixed |= page_facts(self.fields(kind), facts)
        return made

    def edge(self, kind: str, holder: str, item: Rec) -> Rec:
        """Return the edge of a connection that leads to `item`."""
        fixed: dict[str, Any] = {"node": item}
        entry = self.fields(kind).get("cursor")
        if entry is not None and fits("text", get_named_type(entry.type)):
            fixed["cursor"] = cursor(item)
        return Rec(kind, f"{holder}>{item.type}:{item.key}", fixed)
