"""Makes definitions of SDL hold: every name means a type that may stand there, and no type is empty."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from graphql import (
    EnumTypeDefinitionNode,
    EnumValueDefinitionNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    NamedTypeNode,
    NameNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    UnionTypeDefinitionNode,
    specified_scalar_types,
)

from maestro_dsl.interfaces.graphql.mended import named_type, object_with_id, put, scalar
from maestro_dsl.interfaces.graphql.warn import guess

if TYPE_CHECKING:
    from maestro_dsl.interfaces.graphql.mended import Mended
    from maestro_dsl.interfaces.graphql.warn import Warn

_OUTPUT_ONLY: Final = (ObjectTypeDefinitionNode, InterfaceTypeDefinitionNode, UnionTypeDefinitionNode)
_HOLDERS: Final = (ObjectTypeDefinitionNode, InterfaceTypeDefinitionNode)
_SCALARS: Final = frozenset(item.name for item in specified_scalar_types.values())


class References:
    """Sees to it that every name that types use stands for a type that may stand there."""

    def __init__(self, found: Mended, warn: Warn) -> None:
        self._found = found
        self._warn = warn

    def mend(self) -> None:
        """Walk all types and directives once."""
        for item in [*self._found.types.values(), *self._found.directives.values()]:
            if isinstance(item, UnionTypeDefinitionNode):
                kept = tuple(node for node in item.types or () if self._is_member(item, node))
                put(item, "types", kept)
            if isinstance(item, _HOLDERS):
                kept = tuple(node for node in item.interfaces or () if self._is_interface(item, node))
                put(item, "interfaces", kept)
            for argument in getattr(item, "arguments", None) or ():
                self._input(argument)
            for entry in getattr(item, "fields", None) or ():
                if isinstance(entry, InputValueDefinitionNode):
                    self._input(entry)
                else:
                    self._output(entry)
        for item in self._found.types.values():
            if isinstance(item, _HOLDERS):
                self._complete(item)

    def _is_member(self, union: Any, node: NamedTypeNode) -> bool:
        name = node.name.value
        if name not in self._found.types and name not in _SCALARS:
            likely = partial(guess, name, self._found.types)
            self._warn(f'"{name}" is defined nowhere; it is taken as a type that has an id', node, likely)
            self._found.types[name] = object_with_id(name)
        if isinstance(self._found.types.get(name), ObjectTypeDefinitionNode):
            return True
        self._warn(f'the union {union.name.value} may hold object types only; "{name}" is left out', node)
        return False

    def _is_interface(self, item: Any, node: NamedTypeNode) -> bool:
        name = node.name.value
        other = self._found.types.get(name)
        if isinstance(other, InterfaceTypeDefinitionNode) and other is not item:
            return True
        self._warn(f'{item.name.value} implements "{name}", which is no interface; this is left out', node)
        return False

    def _output(self, entry: FieldDefinitionNode) -> None:
        named = named_type(entry.type)
        if isinstance(self._known(named), InputObjectTypeDefinitionNode):
            self._replace(named, "an input type, and no field can have it")
        for argument in entry.arguments or ():
            self._input(argument)

    def _input(self, entry: InputValueDefinitionNode) -> None:
        named = named_type(entry.type)
        if isinstance(self._known(named), _OUTPUT_ONLY):
            self._replace(named, "no input type, and no argument can have it")

    def _known(self, node: NamedTypeNode) -> Any:
        name = node.name.value
        if name in _SCALARS:
            return None
        if name not in self._found.types:
            likely = partial(guess, name, self._found.types, _SCALARS)
            self._warn(f'"{name}" is defined nowhere; it is taken as a scalar', node, likely)
            self._found.types[name] = scalar(name)
        return self._found.types[name]

    def _replace(self, node: NamedTypeNode, reason: str) -> None:
        self._warn(f'"{node.name.value}" is {reason}; any value is taken there', node)
        free = self._found.types.setdefault("JSON", scalar("JSON"))
        name = "JSON" if isinstance(free, ScalarTypeDefinitionNode) else "String"
        put(node, "name", NameNode(value=name))

    def _complete(self, item: Any) -> None:
        """Add fields that an interface promises and the type does not state."""
        own = {entry.name.value for entry in item.fields or ()}
        for node in item.interfaces:
            for entry in self._found.types[node.name.value].fields or ():
                name = entry.name.value
                if name not in own:
                    own.add(name)
                    put(item, "fields", (*(item.fields or ()), entry))
                    text = f'{item.name.value} lacks "{name}" of the interface {node.name.value}; it is added'
                    self._warn(text, node)


def inhabit(found: Mended, warn: Warn) -> None:
    """Give every union and interface that a field has at least one type that its values can be of."""
    types = [item for item in found.types.values() if isinstance(item, ObjectTypeDefinitionNode)]
    implemented = {node.name.value for item in types for node in item.interfaces or ()}
    used = {
        named_type(entry.type).name.value
        for item in found.types.values()
        if isinstance(item, _HOLDERS)
        for entry in item.fields or ()
    }
    for name, item in list(found.types.items()):
        made = f"{name}Value"
        while made in found.types:
            made += "_"
        named = NamedTypeNode(name=NameNode(value=made))
        if name not in used:
            continue
        if isinstance(item, UnionTypeDefinitionNode) and not item.types:
            warn(f"the union {name} has no types; {made} is added", item)
            found.types[made] = object_with_id(made)
            put(item, "types", (named,))
        elif isinstance(item, InterfaceTypeDefinitionNode) and name not in implemented:
            warn(f"no type implements the interface {name}; {made} is added", item)
            own = NamedTypeNode(name=NameNode(value=name))
            found.types[made] = ObjectTypeDefinitionNode(
                name=NameNode(value=made),
                fields=item.fields,
                interfaces=(*(item.interfaces or ()), own),
                directives=(),
            )


def fill(item: Any, warn: Warn) -> None:
    """Give a type that is empty something to ask for, since GraphQL has no empty types."""
    name = item.name.value
    empty: Any = NamedTypeNode(name=NameNode(value="Boolean"))
    if isinstance(item, _HOLDERS) and not item.fields:
        warn(f"{name} has no fields; _empty is added", item)
        made = FieldDefinitionNode(name=NameNode(value="_empty"), arguments=(), type=empty, directives=())
        put(item, "fields", (made,))
    elif isinstance(item, InputObjectTypeDefinitionNode) and not item.fields:
        warn(f"{name} has no fields; _empty is added", item)
        value = InputValueDefinitionNode(name=NameNode(value="_empty"), type=empty, directives=())
        put(item, "fields", (value,))
    elif isinstance(item, EnumTypeDefinitionNode) and not item.values:
        warn(f"{name} has no values; _EMPTY is added", item)
        put(item, "values", (EnumValueDefinitionNode(name=NameNode(value="_EMPTY"), directives=()),))
