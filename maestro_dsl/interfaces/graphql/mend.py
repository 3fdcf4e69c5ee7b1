"""Makes definitions of dirty SDL into ones that build a schema: one definition a name, every name declared.

What is changed is told through `warn`; what a federation leaves out on purpose is added silently. Whether the
result can be served is for `parse`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from graphql import (
    DirectiveDefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    EnumValueDefinitionNode,
    ExecutableDefinitionNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    NamedTypeNode,
    NameNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    TypeDefinitionNode,
    TypeExtensionNode,
    UnionTypeDefinitionNode,
    specified_directives,
    specified_scalar_types,
)

from maestro_dsl.interfaces.graphql import federation
from maestro_dsl.interfaces.graphql.directives import declared_for
from maestro_dsl.interfaces.graphql.warn import Warn, guess

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PARTS: Final = ("fields", "values", "types", "interfaces", "directives")
_MADE: Final[dict[str, type[Any]]] = {
    "ObjectType": ObjectTypeDefinitionNode,
    "InterfaceType": InterfaceTypeDefinitionNode,
    "UnionType": UnionTypeDefinitionNode,
    "EnumType": EnumTypeDefinitionNode,
    "InputObjectType": InputObjectTypeDefinitionNode,
    "ScalarType": ScalarTypeDefinitionNode,
}
_OUTPUT_ONLY: Final = (ObjectTypeDefinitionNode, InterfaceTypeDefinitionNode, UnionTypeDefinitionNode)
_HOLDERS: Final = (ObjectTypeDefinitionNode, InterfaceTypeDefinitionNode)
_SCALARS: Final = frozenset(item.name for item in specified_scalar_types.values())
_DIRECTIVES: Final = frozenset(item.name for item in specified_directives)
_ROOTS: Final = ("query", "mutation", "subscription")


@dataclass(slots=True)
class Mended:
    """Definitions by name in the order of the file, and the root types by kind of operation."""

    types: dict[str, Any] = field(default_factory=dict)
    directives: dict[str, DirectiveDefinitionNode] = field(default_factory=dict)
    roots: dict[str, str] = field(default_factory=dict)
    lost_roots: list[NamedTypeNode] = field(default_factory=list)
    is_federated: bool = False

    def document(self) -> DocumentNode:
        """Return the definitions as one document."""
        return DocumentNode(definitions=(*self.directives.values(), *self.types.values()))


def mend(document: DocumentNode, warn: Warn) -> Mended:
    """Return the definitions of `document` such that a schema can be built of them."""
    found = Mended()
    schemas: list[Any] = []
    extensions: list[Any] = []
    for item in document.definitions:
        if isinstance(item, ExecutableDefinitionNode):
            warn("an operation or a fragment is no part of a schema and is left out", item)
        elif isinstance(item, (SchemaDefinitionNode, SchemaExtensionNode)):
            schemas.append(item)
        elif isinstance(item, DirectiveDefinitionNode):
            _directive(found, item, warn)
        elif isinstance(item, TypeExtensionNode):
            extensions.append(item)
        elif isinstance(item, TypeDefinitionNode):
            _definition(found, item, warn)
    used = {node.name.value: node for node in _applied([*schemas, *extensions, *found.types.values()])}
    found.is_federated = federation.is_federated(used, found.directives) or _is_linked(schemas)
    for item in extensions:
        _extension(found, item, warn)
    _roots(found, schemas, warn)
    _support(found, used, warn)
    _References(found, warn).mend()
    _inhabit(found, warn)
    for item in found.types.values():
        _fill(item, warn)
    return found


def _directive(found: Mended, item: DirectiveDefinitionNode, warn: Warn) -> None:
    name = item.name.value
    if name in found.directives:
        warn(f"the directive @{name} is declared twice; the first one counts", item)
    elif name not in _DIRECTIVES:
        found.directives[name] = item


def _definition(found: Mended, item: Any, warn: Warn) -> None:
    name = item.name.value
    if name in _SCALARS:
        return
    if name.startswith("__"):
        warn(f'"{name}" starts with two underscores, which GraphQL keeps for itself; it is left out', item)
    elif name not in found.types:
        found.types[name] = item
        _unique(item, warn)
    elif found.types[name].kind != item.kind:
        warn(f'"{name}" is defined twice in different kinds; the first one counts', item)
    else:
        warn(f'"{name}" is defined twice; both are read as one', item)
        _join(found.types[name], item, warn)


def _extension(found: Mended, item: Any, warn: Warn) -> None:
    name = item.name.value
    base = found.types.get(name)
    if base is not None and base.kind.replace("_definition", "") == item.kind.replace("_extension", ""):
        _join(base, item, warn)
    elif base is not None:
        warn(f'"{name}" is extended in another kind than it has; the extension is left out', item)
    elif name not in _SCALARS and not name.startswith("__"):
        if not found.is_federated and name not in {"Query", "Mutation", "Subscription"}:
            warn(f'"{name}" is extended but defined nowhere; the extension is read as its definition', item)
        kind = type(item).__name__.removesuffix("ExtensionNode")
        parts = {key: getattr(item, key) for key in ("name", "loc", *_PARTS) if hasattr(item, key)}
        found.types[name] = _MADE[kind](**parts)
        _unique(found.types[name], warn)


def _join(base: Any, other: Any, warn: Warn) -> None:
    for part in _PARTS:
        if hasattr(base, part):
            _put(base, part, (*(getattr(base, part) or ()), *(getattr(other, part, None) or ())))
    _unique(base, warn)


def _unique(item: Any, warn: Warn) -> None:
    """Leave out what one definition states twice."""
    for part in ("fields", "values", "types", "interfaces"):
        entries = getattr(item, part, None) or ()
        kept: dict[str, Any] = {}
        for entry in entries:
            name = entry.name.value
            if name in kept and part in {"fields", "values"}:
                warn(f'"{item.name.value}.{name}" is stated twice; the first one counts', entry)
            kept.setdefault(name, entry)
        if len(kept) != len(entries):
            _put(item, part, tuple(kept.values()))


def _applied(nodes: Iterable[Any]) -> Iterator[Any]:
    """Yield every directive that is applied somewhere in `nodes`."""
    for node in nodes:
        yield from getattr(node, "directives", None) or ()
        for part in ("fields", "values", "arguments"):
            if entries := getattr(node, part, None):
                yield from _applied(entries)


def _is_linked(schemas: list[Any]) -> bool:
    links = [item for schema in schemas for item in schema.directives or () if item.name.value == "link"]
    values = [getattr(argument.value, "value", "") for item in links for argument in item.arguments]
    return any("/federation/" in str(value) for value in values)


def _roots(found: Mended, schemas: list[Any], warn: Warn) -> None:
    stated = [item for schema in schemas for item in schema.operation_types or ()]
    for item in stated:
        kind, name = item.operation.value, item.type.name.value
        if isinstance(found.types.get(name), ObjectTypeDefinitionNode):
            found.roots.setdefault(kind, name)
        else:
            found.lost_roots.append(item.type)
            warn(f'the schema takes its {kind} from "{name}", which is no object type that is defined', item)
    for kind in _ROOTS:
        name = kind.capitalize()
        by_name = kind == "query" or not any(isinstance(item, SchemaDefinitionNode) for item in schemas)
        if by_name and isinstance(found.types.get(name), ObjectTypeDefinitionNode):
            found.roots.setdefault(kind, name)


def _support(found: Mended, used: dict[str, Any], warn: Warn) -> None:
    """Declare directives that are used and not declared, and what a subgraph has beside its own types."""
    missing = [name for name in used if name not in found.directives and name not in _DIRECTIVES]
    if found.is_federated:
        made = federation.support(missing)
        for item in made:
            if isinstance(item, DirectiveDefinitionNode):
                found.directives[item.name.value] = item
            elif isinstance(item, TypeDefinitionNode):
                found.types.setdefault(item.name.value, item)
        missing = [name for name in missing if name.rpartition("__")[2] not in found.directives]
        _service(found)
    for name in missing:
        warn(f"the directive @{name} is declared nowhere; it is taken as one", used[name])
        places = [node for node in _places(found.types.values()) if _has(node, name)]
        found.directives[name] = declared_for(name, places)


def _places(nodes: Iterable[Any]) -> Iterator[Any]:
    for node in nodes:
        yield node
        for part in ("fields", "values", "arguments"):
            yield from _places(getattr(node, part, None) or ())


def _has(node: Any, directive: str) -> bool:
    return any(item.name.value == directive for item in node.directives or ())


def _service(found: Mended) -> None:
    keyed = tuple(
        name
        for name, item in found.types.items()
        if isinstance(item, ObjectTypeDefinitionNode)
        and any(applied.name.value.rpartition("__")[2] == "key" for applied in item.directives or ())
    )
    types, fields = federation.service_parts(keyed)
    for item in types:
        if isinstance(item, TypeDefinitionNode):
            found.types.setdefault(item.name.value, item)
    query = found.roots.setdefault("query", "Query")
    if query not in found.types:
        found.types[query] = ObjectTypeDefinitionNode(
            name=NameNode(value=query), fields=(), interfaces=(), directives=()
        )
    own = {item.name.value for item in found.types[query].fields or ()}
    more = tuple(item for item in fields if item.name.value not in own)
    _put(found.types[query], "fields", (*(found.types[query].fields or ()), *more))


class _References:
    """Sees to it that every name that types use stands for a type that may stand there."""

    def __init__(self, found: Mended, warn: Warn) -> None:
        self._found = found
        self._warn = warn

    def mend(self) -> None:
        """Walk all types and directives once."""
        for item in [*self._found.types.values(), *self._found.directives.values()]:
            if isinstance(item, UnionTypeDefinitionNode):
                kept = tuple(node for node in item.types or () if self._is_member(item, node))
                _put(item, "types", kept)
            if isinstance(item, _HOLDERS):
                kept = tuple(node for node in item.interfaces or () if self._is_interface(item, node))
                _put(item, "interfaces", kept)
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
            self._found.types[name] = _object_with_id(name)
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
        named = _named(entry.type)
        if isinstance(self._known(named), InputObjectTypeDefinitionNode):
            self._replace(named, "an input type, and no field can have it")
        for argument in entry.arguments or ():
            self._input(argument)

    def _input(self, entry: InputValueDefinitionNode) -> None:
        named = _named(entry.type)
        if isinstance(self._known(named), _OUTPUT_ONLY):
            self._replace(named, "no input type, and no argument can have it")

    def _known(self, node: NamedTypeNode) -> Any:
        name = node.name.value
        if name in _SCALARS:
            return None
        if name not in self._found.types:
            likely = partial(guess, name, self._found.types, _SCALARS)
            self._warn(f'"{name}" is defined nowhere; it is taken as a scalar', node, likely)
            self._found.types[name] = _scalar(name)
        return self._found.types[name]

    def _replace(self, node: NamedTypeNode, reason: str) -> None:
        self._warn(f'"{node.name.value}" is {reason}; any value is taken there', node)
        free = self._found.types.setdefault("JSON", _scalar("JSON"))
        name = "JSON" if isinstance(free, ScalarTypeDefinitionNode) else "String"
        _put(node, "name", NameNode(value=name))

    def _complete(self, item: Any) -> None:
        """Add fields that an interface promises and the type does not state."""
        own = {entry.name.value for entry in item.fields or ()}
        for node in item.interfaces:
            for entry in self._found.types[node.name.value].fields or ():
                name = entry.name.value
                if name not in own:
                    own.add(name)
                    _put(item, "fields", (*(item.fields or ()), entry))
                    text = f'{item.name.value} lacks "{name}" of the interface {node.name.value}; it is added'
                    self._warn(text, node)


def _inhabit(found: Mended, warn: Warn) -> None:
    """Give every union and interface that a field has at least one type that its values can be of."""
    types = [item for item in found.types.values() if isinstance(item, ObjectTypeDefinitionNode)]
    implemented = {node.name.value for item in types for node in item.interfaces or ()}
    used = {
        _named(entry.type).name.value
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
            found.types[made] = _object_with_id(made)
            _put(item, "types", (named,))
        elif isinstance(item, InterfaceTypeDefinitionNode) and name not in implemented:
            warn(f"no type implements the interface {name}; {made} is added", item)
            own = NamedTypeNode(name=NameNode(value=name))
            found.types[made] = ObjectTypeDefinitionNode(
                name=NameNode(value=made),
                fields=item.fields,
                interfaces=(*(item.interfaces or ()), own),
                directives=(),
            )


def _fill(item: Any, warn: Warn) -> None:
    """Give a type that is empty something to ask for, since GraphQL has no empty types."""
    name = item.name.value
    empty: Any = NamedTypeNode(name=NameNode(value="Boolean"))
    if isinstance(item, _HOLDERS) and not item.fields:
        warn(f"{name} has no fields; _empty is added", item)
        made = FieldDefinitionNode(name=NameNode(value="_empty"), arguments=(), type=empty, directives=())
        _put(item, "fields", (made,))
    elif isinstance(item, InputObjectTypeDefinitionNode) and not item.fields:
        warn(f"{name} has no fields; _empty is added", item)
        value = InputValueDefinitionNode(name=NameNode(value="_empty"), type=empty, directives=())
        _put(item, "fields", (value,))
    elif isinstance(item, EnumTypeDefinitionNode) and not item.values:
        warn(f"{name} has no values; _EMPTY is added", item)
        _put(item, "values", (EnumValueDefinitionNode(name=NameNode(value="_EMPTY"), directives=()),))


def _put(node: Any, part: str, value: object) -> None:
    """Change a node in place: nodes are frozen, but this tree was parsed a moment ago and is ours alone."""
    object.__setattr__(node, part, value)


def _named(node: Any) -> NamedTypeNode:
    while not isinstance(node, NamedTypeNode):
        node = node.type
    return node


def _scalar(name: str) -> ScalarTypeDefinitionNode:
    return ScalarTypeDefinitionNode(name=NameNode(value=name), directives=())


def _object_with_id(name: str) -> ObjectTypeDefinitionNode:
    identity = NonNullTypeNode(type=NamedTypeNode(name=NameNode(value="ID")))
    entry = FieldDefinitionNode(name=NameNode(value="id"), arguments=(), type=identity, directives=())
    return ObjectTypeDefinitionNode(name=NameNode(value=name), fields=(entry,), interfaces=(), directives=())
