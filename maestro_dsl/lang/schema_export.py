"""The grammar as files for editors: a self-contained JSON Schema a kind, and one that dispatches on `kind`.

The schemas of `schemas/v1` refer to one another by name; an editor needs each whole. Writes no files.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.lang.files import kind_of_name
from maestro_dsl.lang.model import API_VERSION, Kind
from maestro_dsl.lang.units import MESSAGES
from maestro_dsl.lang.validators import schema_of

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER: Final = ".maestro/schemas"
"""Where a project keeps them, below its root."""
ANY_NAME: Final = "maestro.schema.json"

_SHARED: Final = "urn:maestro-dsl:schema:v1:shared#/$defs/"
_LOCAL: Final = "#/$defs/"
_MODELINE: Final = "# yaml-language-server: $schema="


def file_name(kind: Kind) -> str:
    """Return the name of the schema file of a kind."""
    return f"{kind.value.lower()}.schema.json"


def exported(kind: Kind) -> dict[str, Any]:
    """Return the schema of a kind with everything it refers to inside."""
    return _Bundle().add(kind)


def exported_for_any() -> dict[str, Any]:
    """Return one schema for every kind; `kind` decides which part counts."""
    bundle = _Bundle()
    parts = {kind: bundle.add(kind, prefix=f"{kind.value.lower()}_") for kind in Kind}
    cases = []
    for kind, schema in parts.items():
        name = kind.value.lower()
        bundle.definitions[name] = {key: schema[key] for key in schema if not key.startswith("$")}
        stated = {"properties": {"kind": {"const": kind.value}}, "required": ["kind"]}
        cases.append({"if": stated, "then": {"$ref": _LOCAL + name}})
    first = schema_of(Kind.PLAN)
    return {
        "$schema": first["$schema"],
        "$id": "urn:maestro-dsl:schema:v1:any",
        "title": "Document of maestro",
        "description": "Any kind of document; `kind` says which.",
        "type": "object",
        "properties": {
            "apiVersion": {**first["properties"]["apiVersion"], "const": API_VERSION},
            "kind": {
                "title": "Kind",
                "description": "What this document is.",
                "enum": [kind.value for kind in Kind],
                "examples": ["Plan"],
            },
        },
        "required": ["apiVersion", "kind"],
        "allOf": cases,
        "$defs": bundle.definitions,
    }


def exports() -> dict[str, str]:
    """Return every schema file by name."""
    files = {file_name(kind): json_text(exported(kind)) for kind in Kind}
    return {**files, ANY_NAME: json_text(exported_for_any())}


def json_text(schema: Mapping[str, Any]) -> str:
    """Return a schema as the text of its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def modeline(path: str) -> str:
    """Return the comment that tells an editor which schema a document has; `path` is relative to it."""
    return _MODELINE + path


def with_modeline(name: str, text: str, path: str) -> str:
    """Return the document `text` of the file `name` with the comment on top, where it is one of ours."""
    kind = kind_of_name(name)
    if kind is None or _MODELINE in text:
        return text
    return f"{modeline(f'{path}/{file_name(kind)}')}\n{text}"


class _Bundle:
    """Collects definitions under one name each."""

    def __init__(self) -> None:
        self.definitions: dict[str, Any] = {}

    def add(self, kind: Kind, prefix: str = "") -> dict[str, Any]:
        """Return the schema of a kind whose references all point into `definitions`."""
        schema = schema_of(kind)
        own = schema.get("$defs", {})
        made = {key: self._rewritten(value, prefix) for key, value in schema.items() if key != "$defs"}
        for name, definition in own.items():
            self.definitions[prefix + name] = self._rewritten(definition, prefix)
        return {**made, "$defs": self.definitions}

    def _rewritten(self, value: Any, prefix: str) -> Any:
        if isinstance(value, list):
            return [self._rewritten(item, prefix) for item in value]
        if not isinstance(value, dict):
            return value
        made = {key: self._rewritten(item, prefix) for key, item in value.items()}
        reference = value.get("$ref")
        if isinstance(reference, str):
            made["$ref"] = self._reference(reference, prefix)
        if "pattern" in value and value.get("x-unit") in MESSAGES:
            made["patternErrorMessage"] = MESSAGES[str(value["x-unit"])]
        return made

    def _reference(self, reference: str, prefix: str) -> str:
        if not reference.startswith(_SHARED):
            return _LOCAL + prefix + reference.removeprefix(_LOCAL)
        name = reference.removeprefix(_SHARED)
        shown = f"shared_{name}"
        if shown not in self.definitions:
            self.definitions[shown] = {}
            self.definitions[shown] = self._rewritten(schema_of("shared")["$defs"][name], prefix)
        return _LOCAL + shown
