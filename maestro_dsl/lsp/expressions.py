"""Names, filters and tests that can follow in an expression, by the types that the checks use."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

from maestro_dsl.compiler.context import CONTRACT_TYPE, RETRY_TYPES, member_type, node_types
from maestro_dsl.compiler.context import types as types_of
from maestro_dsl.lang.expression_check import check
from maestro_dsl.lang.expression_env import FILTERS, TESTS
from maestro_dsl.lang.expression_types import STRING, Type, TypeKind, record
from maestro_dsl.lang.expressions import Expression, parse
from maestro_dsl.lang.model import Blueprint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from maestro_dsl.app.editing import Scene
    from maestro_dsl.lang.document import Document
    from maestro_dsl.lsp.places import Place

_PATH: Final = re.compile(r"(?:(?P<path>[A-Za-z_]\w*(?:\.\w+|\[['\"][^'\"\]]*['\"]\])*)\.)?(?P<word>\w*)$")
_FILTER: Final = re.compile(r"\|\s*(?P<word>\w*)$")
_TEST: Final = re.compile(r"\bis\s+(?:not\s+)?(?P<word>\w*)$")
_STEP: Final = re.compile(r"\w+|\[['\"]([^'\"\]]*)['\"]\]")


def expression_words(place: Place, scene: Scene) -> tuple[str, list[tuple[str, str, str]]]:
    """Return the word at the end of an expression, and (word, sort, detail) of all that it can be."""
    text = place.expression or ""
    for pattern, words, sort in ((_FILTER, FILTERS, "filter"), (_TEST, TESTS, "test")):
        match = pattern.search(text)
        if match is not None:
            return match["word"], [(word, sort, "") for word in words]
    match = _PATH.search(text)
    if match is None:
        return "", []
    known = _context(place, scene)
    if match["path"] is None:
        found = [(name, "name", str(kind)) for name, kind in known.items()]
        return match["word"], found if _is_start(text[: match.start()]) else []
    inner = _inner(match["path"], known)
    return match["word"], [(name, "name", str(kind)) for name, kind in _fields(inner)]


def _is_start(before: str) -> bool:
    """Return whether a name can begin here: not inside quotes, not behind a dot."""
    return before.count("'") % 2 == 0 and before.count('"') % 2 == 0 and not before.endswith(".")


def _inner(path: str, known: dict[str, Type]) -> Type | None:
    steps = [match[1] or match[0] for match in _STEP.finditer(path)]
    found = known.get(steps[0])
    for step in steps[1:]:
        if found is None:
            return None
        found = found.fields.get(step) if found.fields is not None else found.item
    return found


def _fields(found: Type | None) -> Iterator[tuple[str, Type]]:
    if found is not None and found.fields is not None:
        yield from found.fields.items()


def _context(place: Place, scene: Scene) -> dict[str, Type]:
    """Return the names that an expression at `place` sees."""
    document = scene.documents.get(place.path)
    if document is None or not isinstance(document.value, Blueprint):
        return {}
    blueprint = cast("Document[Blueprint]", document)
    workspace = next(iter(scene.workspaces_with(place.path)), None)
    known = types_of(blueprint, workspace)
    if workspace is not None and workspace.lacks_contracts:  # those that are known can be offered
        known["contracts"] = record(dict.fromkeys(workspace.contracts, CONTRACT_TYPE))
    steps = place.cursor.steps
    spec = blueprint.value.nodes.get(str(steps[1])) if len(steps) > 1 else None
    if spec is None or steps[-1] != "foreach":
        known["nodes"] = node_types(blueprint.value, known["contracts"])
    if steps[-2:] == ("retry", "when"):
        known |= RETRY_TYPES
    if spec is not None and spec.foreach and steps[-1] != "foreach":
        source = parse(spec.foreach)
        item = member_type(check(source, known)[0]) if isinstance(source, Expression) else None
        known |= {"key": STRING, spec.as_name or "item": item or STRING}
    return {name: kind for name, kind in known.items() if kind.kind is not TypeKind.UNTYPED}
