"""Static findings about one prompt file: its form (EXP001), and what it reads that no prompt has (PER003).

Renders nothing. A file that does not parse is not asked what it reads.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Edit, Fix, Severity
from maestro_dsl.lang.suggest import closest, guessed
from maestro_dsl.lang.template_reads import template_reads
from maestro_dsl.lang.templates import check_prompt

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from maestro_dsl.lang.prompts import PromptFile
    from maestro_dsl.lang.template_reads import TemplateRead

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


_SHAPES: Final[Mapping[str, tuple[str, str]]] = {
    **dict.fromkeys(_LISTS, ("a list", "write {{% for item in {0} %}}{{{{ item.{1} }}}}{{% endfor %}}")),
    **dict.fromkeys(("requirement", "folder"), ("text", "write {{{{ {0} }}}}")),
}
"""What has no fields of its own: what it is, and what to write."""


def prompt_problems(prompt: PromptFile) -> Iterator[Diagnostic]:
    """Yield what is wrong with a prompt file, wherever it is used."""
    for problem in check_prompt(prompt.source.text):
        yield Diagnostic(
            code="EXP001",
            name="expression-syntax",
            severity=Severity.ERROR,
            span=prompt.source.span(problem.start, problem.end),
            message=problem.message,
            help=problem.help,
            related=prompt.related,
        )
    for read in template_reads(prompt.source.text):
        shape = _SHAPES.get(read.path[0])
        if shape is not None and len(read.path) > 1 and not read.is_item:
            yield _unsuited(prompt, read, *shape)
            continue
        word, whose, known = _question(read)
        if word not in known:
            start = read.start if read.path[0] in VARIABLES else read.root
            yield _unknown(prompt, start, word, whose, known)


def _question(read: TemplateRead) -> tuple[str, str, tuple[str, ...]]:
    """Return the word that is read, what it should belong to, and what there is."""
    root, *fields = read.path
    if root not in VARIABLES:
        return root, "a prompt", tuple(VARIABLES)
    has_fields = bool(fields) and bool(VARIABLES[root]) and (root in _LISTS) is read.is_item
    if not has_fields:
        return root, "a prompt", (root,)
    return fields[0], f"an item of {root}" if read.is_item else root, VARIABLES[root]


def _unsuited(prompt: PromptFile, read: TemplateRead, what: str, form: str) -> Diagnostic:
    """Return the finding about a field of what has none."""
    root, word = read.path
    near = closest(word, VARIABLES[root]) or word
    return _per003(prompt, read.start, word, f"{root} is {what}, and has no {word}", form.format(root, near))


def _unknown(prompt: PromptFile, start: int, word: str, whose: str, known: tuple[str, ...]) -> Diagnostic:
    near = closest(word, known)
    guess = guessed(near)
    hint = f"{guess}known: {', '.join(known)}"
    found = _per003(prompt, start, word, f"{word} is nothing that {whose} has", hint)
    if not near:
        return found
    edits = (Edit(span=found.span, replacement=near),)
    return replace(found, fix=Fix(title=f'change to "{near}"', edits=edits, safe=False))


def _per003(prompt: PromptFile, start: int, word: str, message: str, help_text: str) -> Diagnostic:
    return Diagnostic(
        code="PER003",
        name="prompt-variable",
        severity=Severity.ERROR,
        span=prompt.source.span(start, start + len(word)),
        message=message,
        help=help_text,
        related=prompt.related,
    )
