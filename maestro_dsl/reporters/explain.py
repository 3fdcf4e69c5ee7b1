"""What a key means, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.lang.explain import yaml_line
from maestro_dsl.reporters.text import PLAIN, Style, table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from maestro_dsl.lang.explain import KeyHelp


def kinds(found: Iterable[KeyHelp], style: Style = PLAIN) -> str:
    """Return one line a kind of document."""
    return "\n".join(table([(style("bold", item.path), item.description) for item in found], indent=0)) + "\n"


def page(item: KeyHelp, style: Style = PLAIN) -> str:
    """Return everything about one key, and a line for each key inside it."""
    facts = [("value", item.type), ("required", "yes" if item.is_required else "no")]
    if item.has_default:
        facts.append(("default", yaml_line(item.default)))
    if item.values:
        facts.append(("allowed", ", ".join(item.values)))
    facts += [("example", yaml_line(example)) for example in item.examples]
    facts += [("also at", place) for place in item.also_at]
    lines = [f"{style('bold', item.path)}: {item.title}", item.description, "", *table(facts, width=1000)]
    if item.keys:
        lines += ["", "keys:", *table([_row(key) for key in item.keys], width=1000)]
    return "\n".join(lines) + "\n"


def _row(key: KeyHelp) -> tuple[str, str, str]:
    note = "required" if key.is_required else f"= {yaml_line(key.default)}" if key.has_default else ""
    return key.path, note, key.description
