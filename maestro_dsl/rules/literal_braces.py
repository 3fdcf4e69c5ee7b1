"""EXP006 literal-braces: an expression stands where none is evaluated, and becomes part of the value.

Texts for people may hold braces freely. What another program reads (arguments, globs, inputs, variables) may
hold its own: only what begins like the expressions of a blueprint is told there. Ids, times and amounts are
refused by the grammar, and where something is looked up by name, that nothing has it is told already.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Severity, limited
from maestro_dsl.lang.finder import ONLY_IN_NODES
from maestro_dsl.lang.late import pattern
from maestro_dsl.lang.model import Kind
from maestro_dsl.rules.base import Facts, Rule, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import DocumentValue, Json
    from maestro_dsl.lang.sourcemap import Pointer

_NAMES: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.PLAN: ("output", "provider", "team.*.model"),
    Kind.CONTRACT: (
        "interface_spec.version",
        "mock_options.credentials.*",
    ),
    Kind.PERSONA: ("model", "tools.*"),
    Kind.PROJECT: (
        "defaults.provider",
        "environments.*.defaults.provider",
        "models.*.provider",
        "models.*.model",
        "tickets.url",
        "tickets.issue_type",
        "tickets.labels.*",
    ),
    Kind.LIBRARY: ("maestro",),
}
"""Values that nobody writes braces into: `*` is every item of a list and every key of a mapping."""
_TEXTS: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.PLAN: ("inputs.**",),
    Kind.CONTRACT: (
        "start.*",
        "deliverables.*.artifacts.*",
        "deliverables.*.acceptance_criteria.*.run.*",
    ),
    Kind.BLUEPRINT: ("inputs.*.default.**",),
    Kind.PROJECT: ("vars.**", "environments.*.vars.**"),
}
"""Values in which another program's braces may stand; `**` is every text at any depth."""
_BEHIND: Final = {
    "provider": ":",
    "defaults.provider": ":",
    "environments.*.defaults.provider": ":",
    "tickets.url": "://",
}
"""Of these another rule judges what stands before the colon."""
_OURS: Final = pattern(
    r"(?<![\w.'\"$])(?:inputs|team|contracts?|project|nodes|plan|vars|env|persona)\s*[.\[]"
)
"""What expressions read, and what people believe that they do."""


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every pair of braces that becomes part of a value."""
    for document in facts.documents:
        if "{{" in document.text or "\\" in document.text:  # a brace can be written as an escape
            found = (
                _in_places(document, places.get(document.kind, ()), is_ours_only=places is _TEXTS)
                for places in (_NAMES, _TEXTS)
            )
            yield from limited(chain.from_iterable(found))


def _in_places(
    document: Document[DocumentValue], places: Iterable[str], *, is_ours_only: bool
) -> Iterator[Diagnostic]:
    for place in places:
        for pointer, text in _strings(document.data, tuple(place.split(".")), ()):
            if document.is_hole(pointer):
                continue
            key = next(step for step in reversed(pointer) if isinstance(step, str))
            for start, end in _braces(text, _BEHIND.get(place, "")):
                if is_ours_only and not _OURS.search(text, start, end):
                    continue
                yield RULE.finding(
                    document.map.scalar_offsets(pointer).span(start, end),
                    f"no expression is evaluated in {key}: these braces become part of it",
                    f"write the value itself; {ONLY_IN_NODES}",
                )


def _strings(value: Json, steps: tuple[str, ...], pointer: Pointer) -> Iterator[tuple[Pointer, str]]:
    """Yield every string with braces that `steps` lead to."""
    if isinstance(value, str):
        if "{{" in value and (not steps or steps[0] == "**"):
            yield pointer, value
        return
    if not steps or not isinstance(value, (dict, list)):
        return
    rest = steps if steps[0] == "**" else steps[1:]
    items: Iterable[tuple[str | int, Json]] = value.items() if isinstance(value, dict) else enumerate(value)
    for step, inner in items:
        if steps[0] in {"*", "**", step}:
            yield from _strings(inner, rest, (*pointer, step))


def _braces(text: str, behind: str) -> Iterator[tuple[int, int]]:
    """Yield where each pair of braces stands, with a `$` in front of it, after the first `behind`."""
    done = text.find(behind)
    while done >= 0 and (begin := text.find("{{", done)) >= 0:
        end = text.find("}}", begin)
        if end < 0:
            return
        done = end + 2
        yield (begin - 1 if begin and text[begin - 1] == "$" else begin), done


RULE = Rule(
    code="EXP006",
    name="literal-braces",
    severity=Severity.WARNING,
    scope=Scope.DOCUMENT,
    summary="an expression stands where none is evaluated",
    check=check,
)
