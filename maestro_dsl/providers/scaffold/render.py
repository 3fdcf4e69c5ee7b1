"""Templates to text: one environment, strict about names, that leaves generated Python tidy.

Nothing here reads a task; `templates/` lies beside this file.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from maestro_dsl.providers.scaffold import names
from maestro_dsl.providers.scaffold.pysource import show

_TEMPLATES = Path(__file__).resolve().parent / "templates"
_MAX_BLANK_LINES = re.compile(r"\n{4,}")
_IMPORT_WIDTH = 88
_END_OF_LINE = re.compile(r"[ \t]+\n")


def render(template: str, **context: Any) -> str:
    """Return the text of `template` ("backend/server.py") with one newline at its end."""
    text = _environment().get_template(f"{template}.j2").render(**context)
    text = _END_OF_LINE.sub("\n", text)
    if template.endswith(".py"):
        text = _MAX_BLANK_LINES.sub("\n\n\n", text)
    return text.strip("\n") + "\n"


@cache
def _environment() -> Environment:
    # the output is source text, not HTML; values reach it through `python` and `json`, which escape
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - see above
    )
    environment.filters.update(
        python=lambda value, indent=0, lead=0: show(value, indent, lead=lead),
        literal=show,
        lines=_json_lines,
        json=lambda value: json.dumps(value, ensure_ascii=True),
        line=names.line,
        sentence=names.sentence,
        label=names.label,
        import_from=_import_from,
        plural=names.plural,
        article=names.article,
        snake=names.snake,
        camel=names.camel,
        pascal=names.pascal,
        capital=lambda text: text[:1].upper() + text[1:],
    )
    return environment


def _json_lines(entries: list[dict[str, Any]], indent: int) -> str:
    """Return a JSON array with one entry a line."""
    if not entries:
        return "[]"
    lines = [f"{' ' * (indent + 2)}{json.dumps(entry)}," for entry in entries]
    return "\n".join(["[", *lines, " " * indent + "]"])


def _import_from(found: list[str], module: str) -> str:
    """Return a sorted import: constants, classes, functions; one name a line where one line is too short."""
    ordered = sorted(set(found), key=lambda name: (not name.isupper(), name[:1].islower(), name))
    flat = f"from {module} import {', '.join(ordered)}"
    if len(flat) <= _IMPORT_WIDTH:
        return flat
    return "\n".join([f"from {module} import (", *(f"    {name}," for name in ordered), ")"])
