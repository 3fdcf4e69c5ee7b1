"""Writes docs/guide/reference.md from the schemas.

Renew the page with `python docs/generate_reference.py > docs/guide/reference.md`. The schemas stay the only
list of keys; a test compares the page with what this script writes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

SCHEMAS: Final = Path(__file__).resolve().parents[1] / "schemas" / "v1"
KINDS: Final = ("plan", "contract", "blueprint", "persona", "project", "policy", "library")
HEAD: Final = """# Every key

Made from the JSON Schemas in `schemas/v1` by `docs/generate_reference.py`. A key in **bold** is required.
Names that you choose yourself are written as `<id>`. Every document begins with `apiVersion: maestro/v1` and
`kind`.
"""


def reference() -> str:
    """Return the whole page."""
    schemas = {path.name.removesuffix(".schema.json"): _load(path) for path in SCHEMAS.glob("*.schema.json")}
    parts = [HEAD]
    for kind in KINDS:
        schema = schemas[kind]
        parts.append(f"\n## {schema['title']}\n\n{schema['description']}\n")
        parts.append(_table(schema, "", schema, schemas))
        for name in schema.get("$defs", {}):
            if name.startswith("with_"):
                parts.append(f"\n### `with` of the action `{name.removeprefix('with_')}`\n")
                parts.append(_table(schema["$defs"][name], "", schema, schemas))
    return "".join(parts)


def _load(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _table(schema: dict[str, Any], prefix: str, root: dict[str, Any], schemas: dict[str, Any]) -> str:
    rows = _rows(schema, prefix, root, schemas)
    return "\n| Key | Value | What it says | Example |\n|---|---|---|---|\n" + "".join(rows)


def _rows(schema: dict[str, Any], prefix: str, root: dict[str, Any], schemas: dict[str, Any]) -> list[str]:
    rows = []
    required = set(schema.get("required", ()))
    for key, stated in schema.get("properties", {}).items():
        if key in {"apiVersion", "kind"}:
            continue
        value, home = _resolved(stated, root, schemas)
        path = f"{prefix}{key}"
        shown = f"**`{path}`**" if key in required else f"`{path}`"
        example = json.dumps(stated["examples"][0], ensure_ascii=False) if stated.get("examples") else ""
        said = _cell(stated.get("description", ""))
        if "default" in stated:
            said += f" Default: {_code(json.dumps(stated['default'], ensure_ascii=False))}."
        rows.append(f"| {shown} | {_cell(_kind(value))} | {said} | {_code(example)} |\n")
        rows += _inside(value, path, home, schemas)
    return rows


def _inside(value: dict[str, Any], path: str, root: dict[str, Any], schemas: dict[str, Any]) -> list[str]:
    rows = _rows(value, f"{path}.", root, schemas)
    for inner, mark in ((value.get("additionalProperties"), ".<id>"), (value.get("items"), "[]")):
        if isinstance(inner, dict):
            entry, home = _resolved(inner, root, schemas)
            rows += _rows(entry, f"{path}{mark}.", home, schemas)
    return rows


def _resolved(
    schema: dict[str, Any], root: dict[str, Any], schemas: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    reference = schema.get("$ref")
    if reference is None:
        return schema, root
    place, _, pointer = reference.partition("#")
    home = schemas[place.rpartition(":")[2]] if place else root
    found = home
    for part in pointer.strip("/").split("/"):
        found = found[part]
    return {**found, **{key: value for key, value in schema.items() if key != "$ref"}}, home


def _kind(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(str(item) for item in schema["enum"])
    if "x-expects" in schema:
        return str(schema["x-expects"])
    if "x-unit" in schema:
        return str(schema["x-unit"]).replace("_", " ")
    kinds = schema.get("type", "any")
    return " or ".join(kinds) if isinstance(kinds, list) else str(kinds)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _code(text: str) -> str:
    return f"`` {_cell(text)} ``" if "`" in text else f"`{_cell(text)}`" if text else ""


if __name__ == "__main__":
    sys.stdout.write(reference())
