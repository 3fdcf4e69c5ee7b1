"""One GraphQL request to one result: parse, limits, validation, execution against a `World`.

Knows nothing of HTTP. Error codes are those of Apollo Server, which the emitted mock runs on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)

from maestro_dsl.interfaces.graphql.deeds import Deeds
from maestro_dsl.interfaces.graphql.limits import MAX_TOKENS, too_much
from maestro_dsl.interfaces.graphql.values import Rec
from maestro_dsl.interfaces.graphql.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from graphql import GraphQLResolveInfo

    from maestro_dsl.interfaces.graphql.table import Table

_MAX_ERRORS: Final = 20
_KEPT_QUERIES: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphRequest:
    """What was asked: a document, and which of its operations with which variables."""

    query: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    operation_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A document that may be executed, or the errors that say why not."""

    document: DocumentNode | None = None
    operation: OperationDefinitionNode | None = None
    errors: tuple[GraphQLError, ...] = ()
    code: str = ""

    @property
    def kind(self) -> str:
        """The kind of operation: query, mutation or subscription; empty where there is none."""
        return "" if self.operation is None else self.operation.operation.value

    @property
    def asked(self) -> str | None:
        """What the operation asks, e.g. "query film, films"; None where it cannot be executed."""
        if self.operation is None:
            return None
        names = [
            item.name.value for item in self.operation.selection_set.selections if isinstance(item, FieldNode)
        ]
        return f"{self.kind} {', '.join(dict.fromkeys(names)) or '...'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, for subscriptions: what a mutation did, to which value."""

    verb: str
    rec: Rec


class Executor:
    """Answers requests for one table; holds the memory of one mock."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.world = World(table)
        self.listeners: set[Callable[[Event], None]] = set()
        self.deeds = Deeds(self.world, self._heard)
        self._schema = table.api.schema
        self._roots = {kind: root.name for kind, root in table.api.roots()}
        self._checked = lru_cache(maxsize=_KEPT_QUERIES)(self._check)

    def _heard(self, verb: str, rec: Rec) -> None:
        for listener in tuple(self.listeners):
            listener(Event(verb=verb, rec=rec))

    def prepare(self, request: GraphRequest) -> Prepared:
        """Return the request's operation, or why it cannot be executed."""
        document, errors, code = self._checked(request.query)
        if document is None or errors:
            return Prepared(errors=errors, code=code)
        operation = get_operation_ast(document, request.operation_name)
        if operation is None:
            told = f'Unknown operation named "{request.operation_name}".'
            if request.operation_name is None:
                told = "Must provide operation name if query contains multiple operations."
            return Prepared(errors=(GraphQLError(told),), code="OPERATION_RESOLUTION_FAILURE")
        return Prepared(document=document, operation=operation)

    def _check(self, query: str) -> tuple[DocumentNode | None, tuple[GraphQLError, ...], str]:
        try:
            document = parse(query, max_lexical_tokens=MAX_TOKENS, allow_empty_selection_sets=False)
        except GraphQLSyntaxError as error:
            return None, (error,), "GRAPHQL_PARSE_FAILED"
        except GraphQLError as error:
            return None, (error,), "GRAPHQL_PARSE_FAILED"
        except RecursionError:
            return None, (GraphQLError("the query is nested too deeply"),), "GRAPHQL_PARSE_FAILED"
        reason = too_much(self._schema, document)
        if reason is not None:
            return None, (GraphQLError(reason),), "GRAPHQL_VALIDATION_FAILED"
        errors = validate(self._schema, document, max_errors=_MAX_ERRORS)
        return document, tuple(errors), "GRAPHQL_VALIDATION_FAILED"

    def execute(
        self, prepared: Prepared, request: GraphRequest, event: Event | None = None
    ) -> dict[str, Any]:
        """Return the result of an operation as JSON; a mutation changes the memory."""
        if prepared.document is None or prepared.operation is None:
            return {"errors": [formatted(error, prepared.code) for error in prepared.errors]}
        result = execute_sync(
            self._schema,
            prepared.document,
            root_value=event,
            variable_values=dict(request.variables),
            operation_name=request.operation_name,
            field_resolver=self._field,
            type_resolver=self._type,
        )
        return _result(result)

    @staticmethod
    def _type(value: Any, *_: Any) -> str:
        return str(value.type)

    def _field(self, source: Any, info: GraphQLResolveInfo[Any], /, **args: Any) -> Any:
        if isinstance(source, Rec) and not self.table.shapes.is_root(source.type):
            return self.world.value(source, info.field_name, args)
        owner, name = info.parent_type.name, info.field_name
        if owner == self._roots.get("mutation"):
            return self.deeds.mutate(owner, name, info.return_type, args)
        if owner == self._roots.get("subscription"):
            return self._happened(owner, name, info, args, source)
        return self.world.make(Rec(owner), name, args)

    def _happened(
        self, owner: str, name: str, info: GraphQLResolveInfo[Any], args: Mapping[str, Any], event: Any
    ) -> Any:
        if isinstance(event, Event):
            return self.deeds.answer(name, event.rec.type, info.return_type, [event.rec], args)
        deed = self.table.deed(owner, name)
        if deed is not None and deed.is_entity:
            key = self.world.identity_arg(deed.ids, args) or next(iter(self.world.living(deed.type)), "1")
            return self.deeds.answer(name, deed.type, info.return_type, [Rec(deed.type, key)], args)
        return self.world.make(Rec(owner), name, args)

    def listens_to(self, prepared: Prepared) -> Callable[[Event], bool]:
        """Return which events an operation, a subscription, wants to be told of."""
        root = self._roots.get("subscription", "")
        wanted: list[tuple[str | None, tuple[str, ...]]] = []
        for item in _root_fields(prepared):
            field_ = self.table.api.root_field(f"subscription {item}")
            if field_ is not None:
                deed = self.table.deed(root, item)
                wanted.append((None if deed is None else deed.verb, self._about(field_)))
        return lambda event: any(
            event.rec.type in types and (verb is None or verb == event.verb) for verb, types in wanted
        )

    def _about(self, field_: Any) -> tuple[str, ...]:
        from graphql import GraphQLObjectType, get_named_type

        options = self.table.shapes.possible(get_named_type(field_.type))
        found = list(options)
        for name in options:
            item = self._schema.type_map[name]
            for inner in item.fields.values() if isinstance(item, GraphQLObjectType) else ():
                found += self.table.shapes.possible(get_named_type(inner.type))
        return tuple(found)


def _root_fields(prepared: Prepared) -> Iterator[str]:
    if prepared.operation is not None:
        for item in prepared.operation.selection_set.selections:
            if isinstance(item, FieldNode):
                yield item.name.value


def _result(result: ExecutionResult) -> dict[str, Any]:
    errors = [formatted(error, "INTERNAL_SERVER_ERROR") for error in result.errors or ()]
    if result.data is None and not any("path" in error for error in errors):
        for error in errors:
            error["extensions"]["code"] = "BAD_USER_INPUT"
        return {"errors": errors}
    return {"errors": errors, "data": result.data} if errors else {"data": result.data}


def formatted(error: GraphQLError, code: str) -> dict[str, Any]:
    """Return an error in the shape that the specification of GraphQL states, with a code."""
    made: dict[str, Any] = {"message": error.message}
    if error.locations:
        made["locations"] = [{"line": item.line, "column": item.column} for item in error.locations]
    if error.path is not None:
        made["path"] = list(error.path)
    made["extensions"] = {"code": code, **(error.extensions or {})}
    return made
