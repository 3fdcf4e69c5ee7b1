"""Makes definitions of dirty SDL into ones that build a schema: one definition a name, every name declared.

What is changed is told through `warn`; what a federation leaves out on purpose is added silently. Whether the
result can be served is for `parse`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from graphql import (
    DirectiveDefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    ExecutableDefinitionNode,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    NameNode,
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
from maestro_dsl.interfaces.graphql.mended import Mended, put
from maestro_dsl.interfaces.graphql.references import References, fill, inhabit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from maestro_dsl.interfaces.graphql.warn import Warn

_PARTS: Final = ("fields", "values", "types", "interfaces", "directives")
_MADE: Final[dict[str, type[Any]]] = {
    "ObjectType": ObjectTypeDefinitionNode,
    "InterfaceType": InterfaceTypeDefinitionNode,
    "UnionType": UnionTypeDefinitionNode,
    "EnumType": EnumTypeDefinitionNode,
    "InputObjectType": InputObjectTypeDefinitionNode,
    "ScalarType": ScalarTypeDefinitionNode,
}
_SCALARS: Final = frozenset(item.name for item in specified_scalar_types.values())
_DIRECTIVES: Final = frozenset(item.name for item in specified_directives)
_ROOTS: Final = ("query", "mutation", "subscription")


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
    References(found, warn).mend()
    inhabit(found, warn)
    for item in found.types.values():
        fill(item, warn)
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
            put(base, part, (*(getattr(base, part) or ()), *(getattr(other, part, None) or ())))
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
            put(item, part, tuple(kept.values()))


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
    put(found.types[query], "fields", (*(found.types[query].fields or ()), *more))
