"""STY002 formatting: a document that does not stand in the form that `maestro fmt` gives it.

Optional: layout is a team's decision, so this is found only where it is selected by its code or name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostic, Edit, Fix, Severity
from maestro_dsl.errors import MaestroError
from maestro_dsl.rules.base import Facts, Mends, Rule, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import DocumentValue


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every document whose canonical form is another text."""
    from maestro_dsl.lang.format import format_content  # loads the grammar as a layout

    for document in facts.documents:
        try:
            text = format_content(document.text.encode("utf-8", "surrogatepass"), document.file).text
        except MaestroError:
            continue  # the form is not certain, which `maestro fmt` says
        if text is not None and text != document.text:
            yield _finding(document, text)


def _finding(document: Document[DocumentValue], text: str) -> Diagnostic:
    """Return the finding at the first line that differs, with an edit of the lines that do."""
    before, after = document.text.splitlines(keepends=True), text.splitlines(keepends=True)
    same = 0
    while same < min(len(before), len(after)) and before[same] == after[same]:
        same += 1
    behind = 0
    while behind < min(len(before), len(after)) - same and before[-1 - behind] == after[-1 - behind]:
        behind += 1
    start = sum(map(len, before[:same]))
    end = len(document.text) - sum(map(len, before[len(before) - behind :]))
    line = before[same].rstrip("\r\n") if same < len(before) else ""
    edit = Edit(span=document.map.span(start, end), replacement="".join(after[same : len(after) - behind]))
    return RULE.finding(
        document.map.span(start, start + len(line)),
        "this line is not as maestro fmt writes it",
        "run maestro fmt",
        fix=Fix(title="write it as maestro fmt does", edits=(edit,)),
    )


RULE = Rule(
    code="STY002",
    name="formatting",
    severity=Severity.INFO,
    scope=Scope.DOCUMENT,
    summary="a document is not in the form of maestro fmt",
    fix=Mends.SAFE,
    is_optional=True,
    check=check,
)
