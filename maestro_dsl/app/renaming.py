"""A new name for a node, persona, contract or team member, at all its places; refused where that is not safe.

Makes edits, writes nothing. Whether a new name is safe is found out by lint over the changed texts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from maestro_dsl.app.documents import lint
from maestro_dsl.app.editing import is_of_core
from maestro_dsl.app.occurrences import Occurrence, Sort, occurrences
from maestro_dsl.diagnostics import Edit, Severity
from maestro_dsl.errors import UsageError
from maestro_dsl.lang.edits import apply_edits, respell
from maestro_dsl.lang.shelves import is_installed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maestro_dsl.app.editing import Scene
    from maestro_dsl.app.lint_result import LintResult

RENAMED: Final = frozenset({Sort.NODE, Sort.PERSONA, Sort.CONTRACT, Sort.MEMBER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Renaming:
    """The edits of each file, by its real path."""

    edits: Mapping[Path, tuple[Edit, ...]]


def require_renamable(scene: Scene, known: tuple[Occurrence, ...], item: Occurrence) -> None:
    """Return where `item` may get another name.

    Raises:
        UsageError: it may not; the text says why.
    """
    if item.sort not in RENAMED:
        raise UsageError(f"a {item.sort} cannot be renamed here")
    same = [other for other in known if other.key == item.key]
    if not any(other.is_definition for other in same):
        raise UsageError(f'the {item.sort} "{item.name}" is defined nowhere in this project')
    shared = next((other for other in same if is_of_core(other.path)), None)
    if shared is not None:
        library = "an installed library" if is_installed(shared.path) else "the core library"
        raise UsageError(f'"{item.name}" stands in {library} ({shared.path.name}), which stays as it is')
    if not all(other.path in scene.documents for other in same):
        raise UsageError("a document that names it cannot be read")


def rename(
    scene: Scene,
    item: Occurrence,
    name: str,
    *,
    paths: Sequence[Path],
    overlay: Mapping[Path, bytes],
    environ: Mapping[str, str],
) -> Renaming:
    """Return the edits that give `item` the new `name` everywhere.

    Raises:
        UsageError: it cannot be renamed, the name is taken, or a document would get a new mistake.
    """
    known = occurrences(scene)
    require_renamable(scene, known, item)
    before = lint(paths, environ=environ, overlay=overlay)
    broken = next((found for found in before.diagnostics if found.code == "SYN001"), None)
    if broken is not None:
        raise UsageError(f"{broken.span.file} is not valid YAML; a name in it could be missed")
    if any(
        other.name == name and other.sort is item.sort and other.home == item.home and other.is_definition
        for other in known
    ):
        raise UsageError(f'there is a {item.sort} "{name}" already')
    edits: dict[Path, list[Edit]] = {}
    for other in dict.fromkeys(known):
        if other.key == item.key and other.is_spelled:
            edits.setdefault(other.path, []).append(_edit(scene, other, name))
    texts = {path: apply_edits(scene.documents[path].text, made) for path, made in edits.items()}
    changed = {**overlay, **{path: text.encode() for path, text in texts.items()}}
    problem = _new_error(before, lint(paths, environ=environ, overlay=changed))
    if problem is not None:
        raise UsageError(f'"{name}" would bring a new error: {problem}')
    return Renaming(edits={path: tuple(made) for path, made in edits.items()})


def _edit(scene: Scene, item: Occurrence, name: str) -> Edit:
    if item.in_expression:
        return Edit(span=item.span, replacement=name)
    return respell(scene.documents[item.path].text, item.span, f"{item.before}{name}{item.after}")


def _new_error(before: LintResult, after: LintResult) -> str | None:
    old, new = _errors(before), _errors(after)
    by_code = Counter(code for code, _ in old)
    for code, message in new:
        by_code[code] -= 1
        if by_code[code] < 0 and (code, message) not in old:
            return f"{code} {message}"
    return None


def _errors(result: LintResult) -> list[tuple[str, str]]:
    found = (*result.diagnostics, *result.suppressed)
    return [(item.code, item.message) for item in found if item.severity is Severity.ERROR]
