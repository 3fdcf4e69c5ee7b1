"""The life of one type against a provider: made, read, listed, changed, deleted, by names of mutations.

What a mutation is about is told by the same rules by which the mock decides what it does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from graphql import get_named_type, is_enum_type, is_specified_scalar_type

from maestro_dsl.interfaces.graphql.ask import Style
from maestro_dsl.interfaces.graphql.paging import LIMITS
from maestro_dsl.interfaces.graphql.shape import is_error_field, plain
from maestro_dsl.interfaces.graphql.table import is_listed
from maestro_dsl.interfaces.graphql.verbs import VERBS, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.interfaces.graphql.execute import GraphRequest
    from maestro_dsl.interfaces.graphql.probe import Prober, Reply
    from maestro_dsl.interfaces.graphql.verbs import Deed

_MANY: Final = 100
_PAGE_FULL: Final = 10
_CHANGING: Final = (
    "updated",
    "modified",
    "version",
    "revision",
    "changed",
    "count",
    "total",
    "status",
    "state",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """The operations of one type, each with its deed where it is a mutation."""

    type: str
    create: str | None
    update: str | None
    delete: str | None
    read: tuple[str, str] | None
    """The operation that gives one, and the argument that carries the identity."""
    listing: str | None


def lives(probe: Prober) -> list[Life]:
    """Return the types that the contract can make or find, in the order of the mutations."""
    mutation = probe.api.schema.mutation_type
    by_type: dict[str, dict[str, tuple[int, str]]] = {}
    for number, name in enumerate(mutation.fields if mutation is not None else ()):
        deed = probe.table.deed(mutation.name, name) if mutation is not None else None
        if deed is None or not deed.is_entity:
            continue
        verb = "create" if deed.verb == "upsert" else deed.verb
        if verb != "create" and not _takes_key(probe, f"mutation {name}", deed):
            continue
        is_exact = plain("".join(words(name))).replace(plain(deed.type), "", 1) in VERBS
        ranked = (number - (0 if not is_exact else 10_000), f"mutation {name}")
        known = by_type.setdefault(deed.type, {})
        known[verb] = min(ranked, known.get(verb, ranked))
    found = []
    for kind in dict.fromkeys([*by_type, *probe.known]):
        own = {verb: name for verb, (_, name) in by_type.get(kind, {}).items()}
        found.append(
            Life(
                type=kind,
                create=own.get("create"),
                update=own.get("update"),
                delete=own.get("delete"),
                read=_reader(probe, kind),
                listing=_listing(probe, kind),
            )
        )
    return found


def _takes_key(probe: Prober, operation: str, deed: Deed) -> bool:
    """Return whether a mutation can be told which one it is about."""
    entry = probe.api.root_field(operation)
    arguments = entry.args if entry is not None else {}
    inner = {
        name
        for item in arguments.values()
        for name in getattr(get_named_type(item.type), "fields", None) or ()
    }
    return any(name in arguments or name in inner for name in deed.ids)


def _reader(probe: Prober, kind: str) -> tuple[str, str] | None:
    query = probe.api.schema.query_type
    for name, entry in query.fields.items() if query is not None else ():
        recipe = probe.table.recipe(query.name, name) if query is not None else None
        if recipe is not None and recipe.rule == "one" and kind in recipe.types:
            argument = next(
                (item for item in recipe.ids if item in entry.args and not is_listed(entry.args[item].type)),
                None,
            )
            if argument is not None and (len(recipe.types) == 1 or name == "node"):
                return f"query {name}", argument
    return None


def _listing(probe: Prober, kind: str) -> str | None:
    query = probe.api.schema.query_type
    for name, entry in query.fields.items() if query is not None else ():
        recipe = probe.table.recipe(query.name, name) if query is not None else None
        needs = any(
            str(item.type).endswith("!") and item.default_value is None for item in entry.args.values()
        )
        if recipe is not None and recipe.rule in {"list", "page"} and recipe.types == (kind,) and not needs:
            return f"query {name}"
    return None


class Journey:
    """Walks one life; what is found is counted in the part "state"."""

    def __init__(self, probe: Prober, life: Life) -> None:
        self._probe = probe
        self._life = life

    async def walk(self) -> None:
        """Make one, then read, list, change and delete it, as far as the contract has operations for it."""
        self._probe.about = self._life.type
        try:
            key = await self.make()
            if key is None:
                return
            if self._life.update is not None:
                await self._change(key)
            if self._life.delete is not None:
                await self._delete(key)
        finally:
            self._probe.about = None

    async def make(self) -> str | None:
        """Make one and check that it is there; return its identity."""
        operation = self._life.create
        if operation is None:
            return None
        request = self._probe.asker.ask(operation, None, self._style(0))
        reply = await self._probe.judged(operation, request, strict=False)
        if reply is None or self._is_refused(operation, reply):
            return None
        made = self._made(operation, reply)
        if made is None:
            return None
        key, fields = made
        sent = self._sent(operation, request)
        self._compare(operation, fields, sent, "the answer")
        read = await self._read(operation, key)
        if read is not None:
            self._compare(operation, read, sent, "a later query")
        await self._is_listed(operation, key, there=True)
        return key

    def _style(self, number: int) -> Style:
        seed = f"{self._probe.seed}{'abc'[number]}"
        return Style(depth=3, seed=seed, rich=True, optional=self._wants)

    def _wants(self, name: str) -> bool:
        """Return whether an optional argument is a field of the type, so that it can be seen again."""
        entry = self._fields().get(name)
        return entry is not None and _is_plain(entry) and not self._is_identity(name)

    def _is_identity(self, name: str) -> bool:
        identity = self._probe.shapes.identity(self._life.type)
        return identity is not None and identity.field == name

    def _fields(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._probe.api.schema.type_map[self._life.type].fields  # type: ignore[attr-defined]
        return found

    def _is_refused(self, operation: str, reply: Reply) -> bool:
        answer = reply.data.get(operation.partition(" ")[2])
        for name, value in answer.items() if isinstance(answer, dict) else ():
            if is_error_field(name) and isinstance(value, list) and value:
                self._probe.sheet.note(
                    f"{operation} refuses what was made up: {value[0]}", operation=operation
                )
                return True
        return False

    def _made(self, operation: str, reply: Reply) -> tuple[str, dict[str, Any]] | None:
        for kind, key, fields in self._probe.objects(operation, reply.data):
            if kind == self._life.type:
                return key, fields
        value = reply.data.get(operation.partition(" ")[2])
        if isinstance(value, (str, int)) and not isinstance(value, bool):
            return str(value), {}
        deed = self._deed(operation)
        entry = self._probe.api.root_field(operation)
        shows = entry is not None and deed is not None and self._shows(get_named_type(entry.type))
        if shows:
            told = f"{operation} answers without the {self._life.type} that it should have made"
            self._probe.sheet.check("state", False, told, operation=operation)
        return None

    def _shows(self, named: Any) -> bool:
        options = self._probe.shapes.possible(named)
        held = {name for item in options for name in self._held(item)}
        return self._life.type in options or self._life.type in held

    def _held(self, name: str) -> list[str]:
        fields = getattr(self._probe.api.schema.type_map[name], "fields", {})
        return [get_named_type(item.type).name for item in fields.values()]

    def _deed(self, operation: str) -> Deed | None:
        mutation = self._probe.api.schema.mutation_type
        return (
            None if mutation is None else self._probe.table.deed(mutation.name, operation.partition(" ")[2])
        )

    def _sent(self, operation: str, request: GraphRequest) -> dict[str, Any]:
        """Return what was sent that should be seen again: plain values called like a field of the type."""
        entry = self._probe.api.root_field(operation)
        arguments = list(entry.args) if entry is not None else []
        flat: dict[str, Any] = {}
        given = dict(zip(_named_in(request.query), request.variables.values(), strict=False))
        for name in arguments:
            value = given.get(name)
            if isinstance(value, dict) and name not in self._fields():
                flat.update(value)
            elif value is not None:
                flat[name] = value
        fields = self._fields()
        return {
            name: value
            for name, value in flat.items()
            if name in fields and _can_show(fields[name], value) and not self._is_identity(name)
        }

    def _compare(
        self, operation: str, actual: Mapping[str, Any], sent: Mapping[str, Any], where: str
    ) -> None:
        for name, value in sent.items():
            if name in actual:
                told = f"{operation}: {name} was sent as {value!r}, and {where} says {actual[name]!r}"
                self._probe.sheet.check("state", _equal(value, actual[name]), told, operation=operation)

    async def _read(self, operation: str, key: str) -> dict[str, Any] | None:
        """Return one by its identity; where it is not there, this is an error of `operation`."""
        if self._life.read is None:
            return None
        reader, argument = self._life.read
        reply = await self._probe.ask(reader, {argument: self._as_argument(reader, argument, key)})
        if reply is None:
            return None
        found = next((item for item in self._probe.objects(reader, reply.data) if item[1] == key), None)
        told = f"{reader} does not find the {self._life.type} {key} after {operation}"
        self._probe.sheet.check("state", found is not None, told, operation=operation)
        return None if found is None else found[2]

    def _as_argument(self, operation: str, argument: str, key: str) -> Any:
        entry = self._probe.api.root_field(operation)
        kind = get_named_type(entry.args[argument].type).name if entry is not None else "ID"
        return int(key) if kind == "Int" and key.lstrip("-").isdecimal() else key

    async def _is_listed(self, operation: str, key: str, *, there: bool) -> None:
        listing = self._life.listing
        if listing is None:
            return
        entry = self._probe.api.root_field(listing)
        limit = next((item for item in LIMITS if entry is not None and item in entry.args), None)
        given: dict[str, Any] = {} if limit is None else {limit: _MANY}
        reply = await self._probe.ask(listing, given)
        if reply is None:
            return
        keys = [item[1] for item in self._probe.objects(listing, reply.data) if item[0] == self._life.type]
        if there and key not in keys and len(keys) >= _PAGE_FULL:
            return  # it may be on another page
        word = "lacks" if there else "still holds"
        told = f"{listing} {word} the {self._life.type} {key} after {operation}"
        self._probe.sheet.check("state", (key in keys) is there, told, operation=operation)

    async def _change(self, key: str) -> None:
        operation = str(self._life.update)
        before = await self._read(operation, key)
        request = self._with_key(operation, key, 1)
        reply = await self._probe.judged(operation, request, strict=True)
        if reply is None or self._is_refused(operation, reply):
            return
        sent = self._sent(operation, request)
        own = next((item for item in self._probe.objects(operation, reply.data) if item[1] == key), None)
        if own is not None:
            self._compare(operation, own[2], sent, "the answer")
        after = await self._read(operation, key)
        if after is None:
            return
        self._compare(operation, after, sent, "a later query")
        for name, value in (before or {}).items():
            stays = name in self._fields() and _is_plain(self._fields()[name]) and name not in sent
            if stays and name in after and not any(word in name.lower() for word in _CHANGING):
                told = f"{operation} also changes {name}, from {value!r} to {after[name]!r}"
                self._probe.sheet.check("state", _equal(value, after[name]), told, operation=operation)

    def _with_key(self, operation: str, key: str, number: int) -> GraphRequest:
        """Return a request of a mutation about the value `key`."""
        deed = self._deed(operation)
        names = deed.ids if deed is not None else ("id",)
        entry = self._probe.api.root_field(operation)
        arguments = entry.args if entry is not None else {}
        direct = next((item for item in names if item in arguments), None)
        given: dict[str, Any] = {}
        if direct is not None:
            value = self._as_argument(operation, direct, key)
            given[direct] = [value] if is_listed(arguments[direct].type) else value
            return self._probe.asker.ask(operation, given, self._style(number))
        for name, argument in arguments.items():
            inner = getattr(get_named_type(argument.type), "fields", {})
            own = next((item for item in names if item in inner), None)
            if own is not None:
                value = self._probe.asker.value(argument.type, name, self._style(number), holder=name)
                if isinstance(value, dict):
                    given[name] = {**value, own: [key] if is_listed(inner[own].type) else key}
        return self._probe.asker.ask(operation, given, self._style(number))

    async def _delete(self, key: str) -> None:
        operation = str(self._life.delete)
        reply = await self._probe.judged(operation, self._with_key(operation, key, 2), strict=True)
        if reply is None or self._is_refused(operation, reply):
            return
        known = self._probe.known.get(self._life.type, [])
        if key in known:
            known.remove(key)
        if self._life.read is not None:
            reader, argument = self._life.read
            given = {argument: self._as_argument(reader, argument, key)}
            later = await self._probe.send(self._probe.asker.ask(reader, given), reader)
            found = [] if later is None or later.data is None else self._probe.objects(reader, later.data)
            told = f"{reader} still finds the {self._life.type} {key} after {operation}"
            is_gone = all(item[1] != key for item in found)
            self._probe.sheet.check("state", is_gone, told, operation=operation)
        await self._is_listed(operation, key, there=False)


def _named_in(query: str) -> list[str]:
    """Return the names of the root field's arguments in the order of the variables that fill them."""
    import re

    return re.findall(r"(\w+): \$v\d+", query)


def _is_plain(entry: Any) -> bool:
    """Return whether a field holds one value that comes back as it was sent."""
    named = get_named_type(entry.type)
    is_leaf = is_specified_scalar_type(named) or is_enum_type(named)
    return is_leaf and not is_listed(entry.type) and not entry.args


def _can_show(entry: Any, value: Any) -> bool:
    """Return whether a field can hold a value that was sent; a text is often sent for one of a list."""
    named = get_named_type(entry.type)
    return _is_plain(entry) and (not is_enum_type(named) or value is None or value in named.values)


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, float) or isinstance(other, float):
        try:
            return abs(float(one) - float(other)) < 1e-6  # noqa: PLR2004 - more than any rounding of money
        except (TypeError, ValueError):
            return False
    return one == other or (
        not isinstance(one, bool) and not isinstance(other, bool) and str(one) == str(other)
    )
