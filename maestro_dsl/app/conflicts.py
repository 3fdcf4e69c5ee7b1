"""What a person changed in an output folder, against what a run would write.

Nothing is touched before everything is decided: a choice for one file of two changes neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.errors import OutputConflict, UsageError
from maestro_dsl.lang.suggest import closest, guessed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from maestro_dsl.app.values import ApplyOptions
    from maestro_dsl.compiler.plan import CompiledPlan
    from maestro_dsl.storage.output import Conflict, OutputFolder

ALL: Final = "*"
"""Stands for every file that is in the way."""
_SHOWN: Final = 5
_LISTED: Final = 20


def settle_conflicts(folder: OutputFolder, plan: CompiledPlan, options: ApplyOptions | None) -> None:
    """Do as a person says about changed files, or raise `OutputConflict` for the others.

    Raises:
        OutputConflict: a file is in the way and neither kept nor replaced; nothing was changed.
        UnrecoverableError: something cannot be kept, or not be replaced; nothing was changed.
        UsageError: something to be replaced is neither a node of the plan nor a file of the output.
    """
    kept = () if options is None else options.accept
    replaced = () if options is None else replaced_files(options.replace, folder, plan)
    if not folder.root.is_dir():
        return
    found = changed_files(folder, plan)
    kept, replaced = _spread(kept, found), _spread(replaced, found)
    left = [item for path, item in found.items() if path not in {*kept, *replaced}]
    if left:
        raise _refusal(folder, left, choosing=options is not None)
    folder.replaceable(replaced)  # asked before anything is kept
    folder.accept(path for path in kept if path not in replaced)
    folder.replace(replaced)


def changed_files(folder: OutputFolder, plan: CompiledPlan) -> Mapping[str, Conflict]:
    """Return by path what a person changed among the files that the nodes of a plan make."""
    if not folder.root.is_dir():
        return {}
    writes = (glob for node in plan.nodes for glob in node.writes)
    return {item.path: item for item in folder.conflicts(writes)}


def replaced_files(named: Sequence[str], folder: OutputFolder, plan: CompiledPlan) -> tuple[str, ...]:
    """Return those of the names to be replaced that are files; the others must be nodes.

    Raises:
        UsageError: a name is neither a node of the plan nor a file of the output.
    """
    nodes = [node.address for node in plan.nodes]
    files = tuple(name for name in named if name not in nodes)
    unknown = [name for name in files if name != ALL and not (folder.root / name).exists()]
    listed = folder.files() if unknown and folder.root.is_dir() else {}
    for name in unknown:
        if name not in listed:
            close = closest(name, [*nodes, *listed])
            guess = guessed(close)
            more = f" and {len(nodes) - _LISTED} more" if len(nodes) > _LISTED else ""
            hint = f"{guess}nodes: {', '.join(nodes[:_LISTED])}{more}"
            raise UsageError(
                f'"{name}" is neither a node of this plan nor a file in {folder.root}', hint=hint
            )
    return files


def _spread(named: Iterable[str], found: Iterable[str]) -> tuple[str, ...]:
    """Return the paths with `*` spread to all that are in the way."""
    chosen = dict.fromkeys(path for name in named for path in (found if name == ALL else (name,)))
    return tuple(chosen)


def _refusal(folder: OutputFolder, left: Sequence[Conflict], *, choosing: bool) -> OutputConflict:
    named = ", ".join(f"{item.path} ({item.reason})" for item in left[:_SHOWN])
    more = f" and {len(left) - _SHOWN} more" if len(left) > _SHOWN else ""
    path = left[0].path if len(left) == 1 else "PATH"
    hint = f"--accept {path} keeps it, --replace {path} writes ours again"
    if len(left) > 1:
        hint += f"; '{ALL}' stands for all of them"
    if not choosing:
        hint = f"maestro apply FILE decides: {hint}"
    return OutputConflict(f"in {folder.root} stands what a person made: {named}{more}", hint=hint)
