"""The schemas of the language as files for editors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_dsl.errors import EnvironmentFailure
from maestro_dsl.lang import schema_export

if TYPE_CHECKING:
    from maestro_dsl.lang.model import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaFiles:
    """Schema files that were written into `folder`."""

    folder: Path
    files: tuple[str, ...]


def schema_text(kind: Kind | None) -> str:
    """Return the schema of a kind, or the one for every kind, as the text of its file."""
    schema = schema_export.exported(kind) if kind is not None else schema_export.exported_for_any()
    return schema_export.json_text(schema)


def export_schemas(folder: Path, kind: Kind | None = None) -> SchemaFiles:
    """Write the schemas (or that of one kind) into `folder`.

    Raises:
        EnvironmentFailure: the folder cannot be written.
    """
    files = (
        {schema_export.file_name(kind): schema_text(kind)} if kind is not None else schema_export.exports()
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot write {error.filename}: {error.strerror}", hint="choose a folder that you may write to"
        ) from error
    return SchemaFiles(folder=folder, files=tuple(files))
