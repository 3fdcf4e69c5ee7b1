"""What `lint` found, in every form that there is: the one place that knows pages of rules and reporters."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from maestro_dsl import __version__
from maestro_dsl.diagnostics import Severity
from maestro_dsl.reporters import diagnostics
from maestro_dsl.reporters.text import PLAIN, Style

if TYPE_CHECKING:
    from collections.abc import Iterable

    from maestro_dsl.app.lint_result import LintResult
    from maestro_dsl.reporters.sarif import SarifRule

FORMATS: Final = ("text", "concise", "json", "jsonl", "github", "gitlab", "junit", "sarif")
_PAGES: Final = "rules"


def render(name: str, result: LintResult, style: Style = PLAIN, *, show_suppressed: bool = False) -> str:
    """Return the report of this name; what comments hide is in it where `show_suppressed` says so."""
    hidden = tuple(result.suppressed) if show_suppressed else ()
    if name == "json":
        return _json(diagnostics.json_document(result.diagnostics, result.files_checked, hidden))
    if name == "sarif":
        from maestro_dsl.reporters import lint_sarif

        rules = sarif_rules({item.code for item in (*result.diagnostics, *hidden)}, pages_address())
        document = lint_sarif.document(
            result.diagnostics, hidden, result.sources, rules, tool_version=__version__
        )
        return _json(document)
    shown = diagnostics.FORMATS[name](result.diagnostics, result.sources, style)
    if hidden and name in {"text", "concise"}:
        shown += "".join(f"suppressed: {line}\n" for line in diagnostics.concise(hidden, {}).splitlines())
    return shown


def sarif_rules(codes: Iterable[str], address: str | None) -> tuple[SarifRule, ...]:
    """Return the rules of these codes with their pages; `address` is the web folder that the pages are in."""
    from maestro_dsl.app.rulebook import find_rule
    from maestro_dsl.reporters.lint_sarif import LEVELS
    from maestro_dsl.reporters.sarif import SarifRule

    pages = [find_rule(code) for code in sorted(codes)]
    return tuple(
        SarifRule(
            id=page.code,
            name=page.name,
            summary=page.summary,
            help=page.page,
            markdown=page.page,
            level=LEVELS[Severity(page.severity)],
            uri=None if address is None else f"{address.rstrip('/')}/{page.code}.md",
        )
        for page in pages
    )


def pages_address() -> str | None:
    """Return the web address of the pages of rules where the installed package states one ("Rules")."""
    from importlib.metadata import PackageNotFoundError, metadata  # 10 ms that only SARIF needs

    try:
        stated = metadata("maestro-dsl").get_all("Project-URL") or []
    except PackageNotFoundError:
        return None
    labels = dict(item.split(", ", 1) for item in stated if ", " in item)
    return next((url for label, url in labels.items() if label.lower() == _PAGES), None)


def _json(document: object) -> str:
    return json.dumps(document, ensure_ascii=True, indent=2) + "\n"
