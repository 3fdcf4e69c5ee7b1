"""Sentences about YAML that is refused or unclear, and the exception that ends reading with one of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.diagnostics import Diagnostic, Edit, Fix, Related, Severity, Span

if TYPE_CHECKING:
    from maestro_dsl.lang.model import Json
    from maestro_dsl.lang.sourcemap import SourceMap

CORE_TAG: Final = "tag:yaml.org,2002:"
LONGEST: Final = 60
_CORE_SCALARS: Final = frozenset({"null", "bool", "int", "float"})
_TAG: Final = re.compile(r"!<[^>\s]*>|![^\s,\[\]{}]*")


class StopReading(Exception):  # noqa: N818 - control flow inside this package, never seen outside
    """Reading cannot go on; carries the finding that says why."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


def refuse(span: Span, code: str, name: str, message: str, help_text: str | None) -> StopReading:
    """Return the exception that ends reading with an error."""
    return StopReading(
        Diagnostic(code=code, name=name, severity=Severity.ERROR, span=span, message=message, help=help_text)
    )


KEY_NOT_TEXT: Final = (
    "a key must be plain text, not a mapping or a list",
    'put an expression in quotes, such as "{{ contract.id }}"',
)


NO_MERGE: Final = (
    'merge key "<<" is not part of YAML 1.2 and is refused',
    "write the keys out, or put shared settings in a Policy document",
)


def written_tag(event: Any, source: SourceMap) -> tuple[str, Span]:
    """Return the tag of an event as it is written, and where."""
    start, end = event.start_mark.index, event.end_mark.index
    found = _TAG.search(source.text, start, end)
    if found is None:
        return str(event.tag), source.span(start, end)
    return found.group(), source.span(*found.span())


def tag_refused(tag: str, written: str, text: str | None) -> tuple[str, str]:
    """Return sentence and way out for a tag; `text` is the scalar it stands on."""
    kind = tag.removeprefix(CORE_TAG)
    if text is not None and kind in _CORE_SCALARS and kind != tag:
        return f'"{short(text)}" is not a value of the tag !!{kind}', "leave the tag out"
    return f"tag {short(written)} is not allowed", "leave the tag out; put text that starts with ! in quotes"


def short(text: str) -> str:
    """Return `text`, cut to what fits one line of a terminal."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def duplicate_key(span: Span, first: Span, name: str, *, is_error: bool) -> Diagnostic:
    """Return SYN002 for a key that stands twice."""
    return Diagnostic(
        code="SYN002",
        name="duplicate-key",
        severity=Severity.ERROR if is_error else Severity.WARNING,
        span=span,
        message=f'key "{short(name)}" stands twice in the same mapping',
        help="keep one of the two",
        related=(Related(span=first, message="first stated here"),),
    )


def _as_number(value: Json) -> str:
    """Return how a number is written such that all readers take it for one."""
    if not isinstance(value, (int, float)):
        return ""
    plain = int(value) if isinstance(value, float) and value.is_integer() else value
    return f", {plain} where the number is"


def ambiguous(span: Span, text: str, value: Json) -> Diagnostic:
    """Return SYN003 for plain text that readers of YAML understand in different ways."""
    meaning = f"the text {text!r}" if isinstance(value, str) else f"the number {value}"
    title = f'write "{text}"'
    return Diagnostic(
        code="SYN003",
        name="ambiguous-scalar",
        severity=Severity.WARNING,
        span=span,
        message=f"{text} without quotes is read here as {meaning}; other readers differ",
        help=f"{title} where text is meant{_as_number(value)}",
        fix=Fix(
            title=title,
            edits=(Edit(span=span, replacement=f'"{text}"'),),
            safe=isinstance(value, str),
        ),
    )
