"""How the readers of a schema say what they change: a sentence, the node it is about, and a guess."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from maestro_dsl.lang.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from graphql import Node


class Warn(Protocol):
    """Takes one finding."""

    def __call__(self, message: str, node: Node, likely: Callable[[], str | None] | None = None) -> None:
        """Report what was changed at `node`; `likely` says what was meant, where that is shown."""


def guess(name: str, *known: Iterable[str]) -> str | None:
    """Return a question about the one of the known names that `name` probably means."""
    near = closest(name, [other for names in known for other in names])
    return None if near is None else f'did you mean "{near}"?'
