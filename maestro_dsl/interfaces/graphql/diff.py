"""Two GraphQL schemas compared: graphql-core's own judgement, and what it leaves out.

Added to it: operations that are no longer offered, inputs of which exactly one field may be given, and
deprecations. A built-in scalar that nothing uses any more is no change.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from graphql import GraphQLSchema, is_input_object_type
from graphql.utilities import BreakingChange, DangerousChange, SchemaChange, find_schema_changes

from maestro_dsl.diagnostics import Span
from maestro_dsl.interfaces.changes import Change, Comparison, Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from maestro_dsl.interfaces.graphql.model import GraphApi

_COORDINATE: Final = re.compile(r"@?\b[A-Za-z_]\w*(?:\.\w+)?(?:\(\w+:?\))?")
_PARTS: Final = re.compile(r"(@?)(\w+)(?:\.(\w+))?(?:\((\w+):?\))?")
_LAST: Final = frozenset({"TYPE_ADDED_TO_UNION", "TYPE_REMOVED_FROM_UNION", "IMPLEMENTED_INTERFACE_ADDED"})
"""Changes whose sentence names what changed at its end."""
_HINTS: Final = {
    Level.BREAKING: "keep the old form and mark it @deprecated, or raise the major version",
    Level.DANGEROUS: "tell consumers to expect what they do not know",
    Level.SAFE: None,
}


def compare_schemas(old: GraphApi, new: GraphApi, files: tuple[str, str]) -> Comparison:
    """Return the changes from `old` to `new`, which are shown as the two `files`."""
    sides = (_Side(old, files[0]), _Side(new, files[1]))
    changes = [
        _change(item, sides)
        for item in find_schema_changes(old.schema, new.schema)
        if not item.description.startswith("Standard scalar ")
        and not (item.type.name == "TYPE_ADDED" and _is_builtin(item.description))
    ]
    changes += _roots(sides)
    changes += _inputs(sides)
    changes += _deprecations(sides)
    return Comparison(changes=tuple(sorted(changes, key=lambda item: item.sort_key)))


def _is_builtin(sentence: str) -> bool:
    return sentence.partition(" ")[0] in {"Int", "Float", "String", "Boolean", "ID"}


class _Side:
    """One of the two schemas, and where its parts stand."""

    def __init__(self, api: GraphApi, file: str) -> None:
        self.schema: GraphQLSchema = api.schema
        self._text = api.text
        self._file = file

    def span(self, coordinate: str) -> Span:
        """Return the place of "Type.field(arg:)", or of the nearest thing around it that is there."""
        node = self._node(coordinate)
        name = getattr(node, "name", None) or node
        loc = getattr(name, "loc", None)
        if loc is None:
            return Span(self._file)
        line, column = self._position(loc.start)
        return Span(self._file, line, column, line, column + max(loc.end - loc.start, 1))

    def _position(self, offset: int) -> tuple[int, int]:
        before = self._text[:offset]
        return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1

    def _node(self, coordinate: str) -> Any:
        match = _PARTS.fullmatch(coordinate)
        if match is None:
            return None
        at, name, member, argument = match.groups()
        if at:
            found: Any = next((item for item in self.schema.directives if item.name == name), None)
            return _argument(found, argument)
        found = self.schema.type_map.get(name)
        node = getattr(found, "ast_node", None)
        for key in ("fields", "values"):
            inner = (getattr(found, key, None) or {}).get(member) if member else None
            if inner is not None:
                return _argument(inner, argument) or node
        return node

    def is_known(self, coordinate: str) -> bool:
        """Return whether a word of a sentence is a type or a directive of this schema."""
        match = _PARTS.fullmatch(coordinate)
        if match is None:
            return False
        at, name = match.group(1), match.group(2)
        return (
            any(item.name == name for item in self.schema.directives) if at else name in self.schema.type_map
        )


def _argument(owner: Any, name: str | None) -> Any:
    node = getattr(owner, "ast_node", None)
    if name is None:
        return node
    argument = (getattr(owner, "args", None) or {}).get(name)
    return getattr(argument, "ast_node", None) or node


def _change(item: SchemaChange, sides: tuple[_Side, _Side]) -> Change:
    level = Level.SAFE
    if isinstance(item, BreakingChange):
        level = Level.BREAKING
    elif isinstance(item, DangerousChange):
        level = Level.DANGEROUS
    coordinate = _coordinate(item, sides)
    name = "graphql-" + item.type.name.lower().replace("_", "-")
    return _made(name, level, coordinate, item.description.removesuffix("."), sides)


def _coordinate(item: SchemaChange, sides: tuple[_Side, _Side]) -> str:
    sentence = item.description.partition(" has changed to ")[0]
    known: list[str] = [
        word for word in _COORDINATE.findall(sentence) if any(side.is_known(word) for side in sides)
    ]
    dotted = next((word for word in known if "." in word or "@" in word), None)
    if dotted is not None or not known:
        return dotted or ""
    return known[-1] if item.type.name in _LAST else known[0]


def _made(name: str, level: Level, coordinate: str, message: str, sides: tuple[_Side, _Side]) -> Change:
    match = _PARTS.fullmatch(coordinate)
    argument = match.group(4) if match is not None else None
    return Change(
        id=name,
        level=level,
        operation=coordinate.partition("(")[0],
        where=f'argument "{argument}"' if argument else "",
        path="",
        message=message,
        hint=_HINTS[level],
        old=sides[0].span(coordinate),
        new=sides[1].span(coordinate),
    )


def _roots(sides: tuple[_Side, _Side]) -> Iterator[Change]:
    """Yield operations that are offered no longer, or by another type."""
    for kind in ("query", "mutation", "subscription"):
        was, now = (getattr(side.schema, f"{kind}_type") for side in sides)
        if was is not None and now is None:
            message = f"no {kind} is offered any more"
            yield _made("graphql-root-removed", Level.BREAKING, was.name, message, sides)
        elif was is None and now is not None:
            yield _made("graphql-root-added", Level.SAFE, now.name, f"a {kind} is offered now", sides)
        elif was is not None and now is not None and was.name != now.name:
            message = f"the {kind} type is {now.name} now, was {was.name}"
            yield _made("graphql-root-changed", Level.BREAKING, now.name, message, sides)


def _inputs(sides: tuple[_Side, _Side]) -> Iterator[Change]:
    for name, was in sides[0].schema.type_map.items():
        now = sides[1].schema.type_map.get(name)
        if is_input_object_type(was) and is_input_object_type(now) and was.is_one_of != now.is_one_of:
            level = Level.BREAKING if now.is_one_of else Level.SAFE
            said = "exactly one field of" if now.is_one_of else "any fields of"
            yield _made("graphql-one-of-changed", level, name, f"{said} {name} must be given now", sides)


def _deprecations(sides: tuple[_Side, _Side]) -> Iterator[Change]:
    before, after = (dict(_members(side.schema)) for side in sides)
    for coordinate, reason in after.items():
        if coordinate in before and (before[coordinate] is None) != (reason is None):
            word = "deprecated" if reason is not None else "reactivated"
            message = f"{coordinate} is {word}" + (f": {reason}" if reason else "")
            yield _made(f"graphql-{word}", Level.SAFE, coordinate, message, sides)


def _members(schema: GraphQLSchema) -> Iterator[tuple[str, str | None]]:
    """Yield every field, argument and enum value with the reason of its deprecation."""
    for name, kind in schema.type_map.items():
        members = getattr(kind, "fields", None) or getattr(kind, "values", None) or {}
        for member, value in members.items() if not name.startswith("__") else ():
            yield f"{name}.{member}", value.deprecation_reason
            for argument, inner in (getattr(value, "args", None) or {}).items():
                yield f"{name}.{member}({argument}:)", inner.deprecation_reason
