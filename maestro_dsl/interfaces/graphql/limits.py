"""How much one query may ask, so that no query takes seconds: depth, fields, repeated names, values.

Counted before validation, whose own work grows with the square of some of them. Fragments are counted once
each, by name; what is wrong with them is for validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    OperationDefinitionNode,
    get_named_type,
)

from maestro_dsl.interfaces.graphql.table import is_listed

if TYPE_CHECKING:
    from graphql import DocumentNode, GraphQLSchema

MAX_TOKENS: Final = 15_000
MAX_DEPTH: Final = 40
MAX_FIELDS: Final = 4_000
MAX_SAME: Final = 100
MAX_VALUES: Final = 60_000
_AT_ROOT, _BELOW = 7, 3


def too_much(schema: GraphQLSchema, document: DocumentNode) -> str | None:
    """Return why a query asks for too much, None where it does not."""
    counter = _Counter(schema, document)
    for item in document.definitions:
        if isinstance(item, OperationDefinitionNode):
            root = getattr(schema, f"{item.operation.value}_type")
            found = counter.count(item.selection_set, root, 1, root=True)
            if counter.reason is not None:
                return counter.reason
            if found[0] > MAX_FIELDS:
                return f"the query has more than {MAX_FIELDS} fields"
            if found[1] > MAX_VALUES:
                return f"the query asks for more than {MAX_VALUES} values; ask for fewer levels of lists"
    return None


class _Counter:
    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._fragments = {
            item.name.value: item for item in document.definitions if isinstance(item, FragmentDefinitionNode)
        }
        self._known: dict[str, tuple[int, int]] = {}
        self._open: set[str] = set()
        self.reason: str | None = None

    def count(self, selection: Any, holder: Any, depth: int, *, root: bool = False) -> tuple[int, int]:
        """Return how many fields and about how many values a selection asks for."""
        if depth > MAX_DEPTH:
            self.reason = f"the query is more than {MAX_DEPTH} levels deep"
        if self.reason is not None:
            return 0, 0
        fields, values = 0, 0
        names: dict[str, int] = {}
        for item in selection.selections:
            if isinstance(item, FieldNode):
                name = (item.alias or item.name).value
                names[name] = names.get(name, 0) + 1
                inner = self._field(item, holder, depth, root=root)
            elif isinstance(item, FragmentSpreadNode):
                inner = self._spread(item.name.value, depth)
            else:
                named = item.type_condition
                inside = holder if named is None else self._schema.type_map.get(named.name.value)
                inner = self.count(item.selection_set, inside, depth + 1, root=root)
            fields, values = fields + inner[0], values + inner[1]
            if fields > MAX_FIELDS:
                break
        if max(names.values(), default=0) > MAX_SAME:
            self.reason = f"the query asks for one field more than {MAX_SAME} times in one place"
        return fields, values

    def _field(self, item: FieldNode, holder: Any, depth: int, *, root: bool) -> tuple[int, int]:
        found = (
            holder.fields.get(item.name.value)
            if isinstance(holder, GraphQLObjectType) or hasattr(holder, "fields")
            else None
        )
        if item.selection_set is None:
            return 1, 1
        inside = None if found is None else get_named_type(found.type)
        fields, values = self.count(item.selection_set, inside, depth + 1)
        times = 1 if found is None or not is_listed(found.type) else _AT_ROOT if root else _BELOW
        return fields + 1, values * times + 1

    def _spread(self, name: str, depth: int) -> tuple[int, int]:
        fragment = self._fragments.get(name)
        if fragment is None or name in self._open:
            return 0, 0
        if name not in self._known:
            self._open.add(name)
            inside = self._schema.type_map.get(fragment.type_condition.name.value)
            self._known[name] = self.count(fragment.selection_set, inside, depth + 1)
            self._open.discard(name)
        return self._known[name]
