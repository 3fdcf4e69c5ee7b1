"""PER003 prompt-variable: a prompt file reads a variable that no prompt has; checked without rendering."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Edit, Fix, Related, Severity
from maestro_dsl.lang.suggest import closest
from maestro_dsl.lang.template_reads import template_reads
from maestro_dsl.rules.base import Facts, Mends, Rule, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from maestro_dsl.lang.template_reads import TemplateRead
    from maestro_dsl.rules.prompts import Prompt

_CONTRACT: Final = (
    "id", "name", "version", "type", "description", "provider_persona_id", "consumer_persona_ids",
    "interface_spec", "spec",
)  # fmt: skip
VARIABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "persona": ("id", "name", "description", "expertise", "tools", "model"),
    "contract": (*_CONTRACT, "start"),
    "deliverables": ("name", "description", "artifacts", "expected_files", "against", "criteria"),
    "consumed": (*_CONTRACT, "variable", "url", "mode"),
    "requirement": (),
    "folder": (),
}
"""What a prompt can read: the names, with the fields of each, or of each of its items."""
_LISTS: Final = frozenset({"deliverables", "consumed"})


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every variable and field of the prompt files that does not exist."""
    for prompt in facts.prompts:
        for read in template_reads(prompt.source.text):
            word, whose, known = _question(read)
            if word not in known:
                start = read.start if read.path[0] in VARIABLES else read.root
                yield _finding(prompt, start, word, whose, known)


def _question(read: TemplateRead) -> tuple[str, str, tuple[str, ...]]:
    """Return the word that is read, what it should belong to, and what there is."""
    root, *fields = read.path
    if root not in VARIABLES:
        return root, "a prompt", tuple(VARIABLES)
    has_fields = bool(fields) and bool(VARIABLES[root]) and (root in _LISTS) is read.is_item
    if not has_fields:
        return root, "a prompt", (root,)
    return fields[0], f"an item of {root}" if read.is_item else root, VARIABLES[root]


def _finding(prompt: Prompt, start: int, word: str, whose: str, known: tuple[str, ...]) -> Diagnostic:
    near = closest(word, known)
    span = prompt.source.span(start, start + len(word))
    guess = f'did you mean "{near}"? ' if near else ""
    fix = None
    if near:
        fix = Fix(title=f'change to "{near}"', edits=(Edit(span=span, replacement=near),), safe=False)
    return RULE.finding(
        span,
        f"{word} is nothing that {whose} has",
        f"{guess}known: {', '.join(known)}",
        related=(Related(span=prompt.stated, message="the persona's prompt"),),
        fix=fix,
    )


RULE = Rule(
    code="PER003",
    name="prompt-variable",
    severity=Severity.ERROR,
    scope=Scope.DOCUMENT,
    summary="a prompt file reads a variable that does not exist",
    fix=Mends.LOOK,
    check=check,
)
