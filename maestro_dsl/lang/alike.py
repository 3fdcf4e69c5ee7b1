"""Which nodes of a blueprint say the same: what is found out about one of them counts for all.

Generated blueprints hold thousands of nodes that differ in id, needs and limits alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import Blueprint

__all__ = ["alike"]


def alike(document: Document[Blueprint]) -> list[int]:
    """Return a number for each node, in their order: equal ones have the same action, texts and parameters.

    The texts are those that may hold expressions, `foreach` and `retry.when` among them.
    """
    if not document.alike:
        numbers: dict[Hashable, int] = {}
        document.alike.extend(
            numbers.setdefault(
                (
                    id(spec.params),  # the document keeps them, and equal ones are one value
                    spec.action,
                    spec.foreach,
                    spec.as_name,
                    spec.when,
                    spec.retry.when,
                    spec.persona,
                    spec.contract,
                    spec.idempotency_key,
                ),
                len(numbers),
            )
            for spec in document.value.nodes.values()
        )
    return document.alike
