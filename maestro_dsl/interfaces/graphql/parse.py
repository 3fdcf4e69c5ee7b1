"""Bytes of a GraphQL schema file (SDL, or the JSON of an introspection) to a `GraphApi`, with findings.

Real schemas are dirty: whatever can be served is served and what was changed for it is a warning. The one
error is CTR001, where nothing can be served. No other file and no address is ever read.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from graphql import (
    GraphQLError,
    GraphQLSchema,
    Node,
    build_ast_schema,
    build_client_schema,
    validate_schema,
)

from maestro_dsl.collector import collector_paused
from maestro_dsl.diagnostics import Diagnostic, Diagnostics, Severity, Span
from maestro_dsl.interfaces.graphql.lenient import Unreadable, read, too_deep
from maestro_dsl.interfaces.graphql.mend import mend
from maestro_dsl.interfaces.graphql.model import GraphApi

if TYPE_CHECKING:
    from collections.abc import Callable

    from maestro_dsl.interfaces.graphql.mended import Mended

MAX_BYTES: Final = 16 * 1024 * 1024
_MAX_TOLD: Final = 40
_HELP: Final = 'a GraphQL schema has a "type Query { … }"; JSON of an introspection is read too'


def parse(content: bytes, file: str) -> tuple[GraphApi | None, Diagnostics]:
    """Return the schema that `content` describes, or None and one CTR001 error that says why not."""
    source = _Source(file)
    if len(content) > MAX_BYTES:
        return source.refused(f"it is larger than {MAX_BYTES // 1024 // 1024} MiB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        source.text = before
        return source.refused(f"it is not UTF-8 text: byte 0x{content[error.start]:02x}", error.start)
    source.text = text
    if not text.strip():
        return source.refused("it is empty")
    with collector_paused():
        if text.lstrip().startswith("{"):
            return _introspected(text, source)
        return _sdl(text, source)


class _Source:
    """One file and what is found in it."""

    def __init__(self, file: str) -> None:
        self.text = ""
        self.diagnostics = Diagnostics()
        self._file = file
        self._told = 0
        self._last: Span | None = None

    def refused(self, reason: str, offset: int = 0) -> tuple[None, Diagnostics]:
        """Report the one error: the file cannot be served at all."""
        span = self._span(min(offset, len(self.text)))
        self.diagnostics.items.clear()  # what would have been mended is of no interest any more
        place = f"{self._file}:{span.line}:{span.column}" if offset else self._file
        self._add(Severity.ERROR, span, f"{place} is no GraphQL schema that can be served: {reason}", _HELP)
        return None, self.diagnostics

    def warn(self, message: str, offset: int) -> None:
        """Report a part that is changed or left out."""
        if self._is_room():
            self._add(Severity.WARNING, self._span(offset), message, None)

    def warn_at(self, message: str, node: Node, likely: Callable[[], str | None] | None = None) -> None:
        """Report what was changed at a node, and what was probably meant."""
        if self._is_room():
            name = getattr(getattr(node, "name", None), "value", " ")
            span = self._span(_offset(node), len(name))
            self._add(Severity.WARNING, span, message, likely() if likely is not None else None)

    def _is_room(self) -> bool:
        self._told += 1
        return self._told <= _MAX_TOLD

    def finish(self) -> None:
        """Say how many findings were not listed."""
        more = self._told - _MAX_TOLD
        if more > 0:
            self._add(Severity.WARNING, Span(self._file), f"{more} more findings of this kind", None)

    def _span(self, offset: int, length: int = 1) -> Span:
        line = self.text.count("\n", 0, offset) + 1
        column = offset - (self.text.rfind("\n", 0, offset) + 1) + 1
        return Span(self._file, line, column, line, column + length)

    def _add(self, severity: Severity, span: Span, message: str, help_text: str | None) -> None:
        self.diagnostics.add(
            Diagnostic(
                code="CTR001",
                name="invalid-interface",
                severity=severity,
                span=span,
                message=message,
                help=help_text,
            )
        )


def _offset(node: Any) -> int:
    name = getattr(node, "name", None)
    place = getattr(name, "loc", None) or getattr(node, "loc", None)
    return 0 if place is None else int(place.start)


def _sdl(text: str, source: _Source) -> tuple[GraphApi | None, Diagnostics]:
    deep = too_deep(text)
    if deep is not None:
        return source.refused("it is nested too deeply", deep)
    try:
        document = read(text, source.warn)
    except Unreadable as stop:
        return source.refused(stop.reason, stop.offset)
    mended = mend(document, source.warn_at)
    reason = _nothing_to_serve(mended)
    if reason is not None:
        lost = mended.lost_roots
        return source.refused(reason, _offset(lost[0]) if lost else 0)
    try:
        schema = _with_roots(build_ast_schema(mended.document(), assume_valid=True), mended)
    except (GraphQLError, TypeError, ValueError, RecursionError) as error:
        return source.refused(_one_line(error))
    return _checked(schema, source, text, is_federated=mended.is_federated)


def _nothing_to_serve(mended: Mended) -> str | None:
    if mended.roots and "query" not in mended.roots:
        from graphql import FieldDefinitionNode, NamedTypeNode, NameNode, ObjectTypeDefinitionNode

        boolean = NamedTypeNode(name=NameNode(value="Boolean"))
        holder = FieldDefinitionNode(name=NameNode(value="_empty"), arguments=(), type=boolean, directives=())
        name = "Query" if "Query" not in mended.types else "_Query"
        mended.types[name] = ObjectTypeDefinitionNode(
            name=NameNode(value=name), fields=(holder,), interfaces=(), directives=()
        )
        mended.roots["query"] = name
    if mended.roots:
        return None
    if mended.lost_roots:
        return f'the schema starts at "{mended.lost_roots[0].name.value}", which is not defined'
    return "it defines no type Query, Mutation or Subscription"


def _with_roots(schema: GraphQLSchema, mended: Mended) -> GraphQLSchema:
    kwargs: dict[str, Any] = {**schema.to_kwargs()}
    for kind in ("query", "mutation", "subscription"):
        name = mended.roots.get(kind)
        kwargs[kind] = schema.type_map.get(name) if name is not None else None
    kwargs["assume_valid"] = False
    return GraphQLSchema(**kwargs)


def _introspected(text: str, source: _Source) -> tuple[GraphApi | None, Diagnostics]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        at = error.pos if isinstance(error, json.JSONDecodeError) else 0
        return source.refused("it starts like JSON and is none", at)
    inner = data.get("data", data) if isinstance(data, dict) else None
    if not isinstance(inner, dict) or "__schema" not in inner:
        return source.refused('it is JSON without the "__schema" of an introspection')
    try:
        schema = build_client_schema(inner, assume_valid=False)  # type: ignore[arg-type]
        schema = _again(schema, assume_valid=False)
    except Exception as error:  # noqa: BLE001 - any shape of JSON may be in there
        return source.refused(f"its introspection is not whole: {_one_line(error)}")
    if schema.query_type is None:
        return source.refused("its introspection names no query type")
    return _checked(schema, source, text, is_federated=False)


def _checked(
    schema: GraphQLSchema, source: _Source, text: str, *, is_federated: bool
) -> tuple[GraphApi | None, Diagnostics]:
    """Tell what is still wrong with a schema that can be built, and serve it all the same."""
    for error in validate_schema(schema):
        node = next(iter(error.nodes or ()), None)
        source.warn(error.message.rstrip("."), 0 if node is None else _offset(node))
    source.finish()
    valid = _again(schema, assume_valid=True)
    return GraphApi(schema=valid, text=text, is_federated=is_federated), source.diagnostics


def _again(schema: GraphQLSchema, *, assume_valid: bool) -> GraphQLSchema:
    kwargs: dict[str, Any] = {**schema.to_kwargs(), "assume_valid": assume_valid}
    return GraphQLSchema(**kwargs)


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return text[:1].lower() + text[1:300]
