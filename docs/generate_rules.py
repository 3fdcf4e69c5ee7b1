"""Writes the table of rules into docs/guide/linting.md from the catalogue.

Renew it with `python docs/generate_rules.py`; a test compares the page with what this script writes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from maestro_dsl.rules import CATALOGUE
from maestro_dsl.rules.base import Mends, Rule

PAGE: Final = Path(__file__).resolve().parent / "guide" / "linting.md"
BEGIN: Final = "<!-- rules: made by docs/generate_rules.py -->\n"
END: Final = "<!-- end of rules -->\n"
_FIXES: Final = {Mends.NEVER: "", Mends.SAFE: "`--fix`", Mends.LOOK: "`--unsafe-fixes`"}


def with_rules(page: str) -> str:
    """Return the page with the table as the catalogue has it now."""
    before, _, rest = page.partition(BEGIN)
    return before + BEGIN + _table() + END + rest.partition(END)[2]


def _table() -> str:
    optional = [rule.code for rule in CATALOGUE.values() if rule.is_optional]
    head = (
        f"There are {len(CATALOGUE)} rules. The severity is the worst that a rule gives. "
        f"{' and '.join(optional)} looks only where it is selected by its code or name.\n\n"
        "| Code | Name | Severity | Finds | Fix |\n|---|---|---|---|---|\n"
    )
    return head + "".join(map(_row, CATALOGUE.values()))


def _row(rule: Rule) -> str:
    link = f"[{rule.code}](../../maestro_dsl/rules/pages/{rule.code}.md)"
    return f"| {link} | {rule.name} | {rule.severity.value} | {rule.summary} | {_FIXES[rule.fix]} |\n"


if __name__ == "__main__":
    PAGE.write_text(with_rules(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
