"""The page of each rule: Markdown beside the code, so that every installation has it. Tests run each page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from maestro_dsl.rules.base import Rule

PAGES: Final = Path(__file__).parent / "pages"


def page_of(rule: Rule) -> str:
    """Return the page of a rule: what it finds, why, an example with its output, the better way."""
    return (PAGES / f"{rule.code}.md").read_text(encoding="utf-8")
