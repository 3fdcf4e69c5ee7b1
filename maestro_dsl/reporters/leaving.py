"""Files that are not what the nodes of the plan made, as text: of nodes that left it, and a person's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.reporters.text import Style, plural, safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maestro_dsl.engine.state import RunState


def expected(paths: Sequence[str], style: Style) -> list[str]:
    """Return the lines of a plan about files that would be removed, none where there are no such files."""
    return _listed("Would remove: {} of nodes that left the plan", paths, style)


def done(state: RunState, style: Style) -> list[str]:
    """Return the lines of a run's summary about such files."""
    return [
        *_listed(
            "Not checked: {} that you changed and keep; maestro's own was checked", state.unchecked, style
        ),
        *_listed("Removed: {} of nodes that left the plan", state.removed, style),
        *_listed("Kept: {} of nodes that left the plan, changed since maestro wrote them", state.kept, style),
    ]


def _listed(title: str, paths: Sequence[str], style: Style) -> list[str]:
    if not paths:
        return []
    return [style("bold", title.format(plural(len(paths), "file"))), *(f"  {safe(path)}" for path in paths)]
