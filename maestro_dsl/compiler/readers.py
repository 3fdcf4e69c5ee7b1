"""What the texts of a blueprint's node say before there is any instance of it: what they read, and when.

Nodes with equal texts share one reader, and what is found out about one of them counts for all.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Final

from maestro_dsl.compiler.check import strings_of
from maestro_dsl.lang.expressions import Expression, Problem, Text, parse, parse_text

if TYPE_CHECKING:
    from maestro_dsl.compiler.instances import Instance
    from maestro_dsl.lang.model import Json, NodeSpec

_IS_LATE: Final = attrgetter("at_run_time")


class Reader:
    """What is known of a node's texts before any of its instances; nodes with equal texts share it."""

    __slots__ = (
        "bound",
        "found",
        "has_expressions",
        "has_rendered_ids",
        "is_plain",
        "is_simple",
        "late",
        "sound",
        "when",
    )

    def __init__(self, spec: NodeSpec) -> None:
        self.sound: Instance | None = None
        """The instance of such a node without `foreach`, if there was nothing to say about it."""
        when = parse(spec.when) if spec.when is not None else None
        self.when = when if isinstance(when, Expression) else None
        self.has_rendered_ids = "{{" in (spec.persona or "") or "{{" in (spec.contract or "")
        self.found: dict[str, list[Text]] = {}
        """Parameters that hold expressions: those known before the run (`bound`), and the others."""
        bound: list[str] = []
        late: list[str] = []
        for name, value in spec.params.items():
            parsed = _expressions(value)
            if parsed:
                self.found[name] = parsed
                (late if any(map(_IS_LATE, parsed)) else bound).append(name)
        self.is_plain = not self.found
        self.bound, self.late = tuple(bound), tuple(late)
        again = spec.idempotency_key is not None and "{{" in spec.idempotency_key
        has_more = self.has_rendered_ids or again or spec.when is not None
        self.has_expressions = has_more or not self.is_plain
        self.is_simple = not has_more and not self.late and spec.contract is None
        """Whether instances differ in keys and parameters alone, unless `foreach` goes over contracts."""

    def late_names(self) -> set[str]:
        """Return the names that are read, but for outputs of nodes; most nodes need not know."""
        names = {
            name
            for parsed in self.found.values()
            for item in parsed
            for _, expression in item.expressions
            for name in expression.names
        }
        if self.when is not None and self.when.at_run_time:
            names |= self.when.names
        return names - {"nodes"}


def _expressions(value: Json) -> list[Text]:
    """Return the texts inside `value` that hold expressions and parse."""
    if isinstance(value, str) and "{{" not in value:
        return []
    parsed = [parse_text(text) for _, text in strings_of(value, ())]
    return [item for item in parsed if not isinstance(item, Problem)]
