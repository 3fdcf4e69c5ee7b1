"""New projects from the packaged examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.app.schemas import export_schemas
from maestro_dsl.app.values import InitResult
from maestro_dsl.errors import EnvironmentFailure, UsageError
from maestro_dsl.lang.files import kind_of_name
from maestro_dsl.lang.schema_export import FOLDER, with_modeline
from maestro_dsl.lang.suggest import closest
from maestro_dsl.resources import data_dir

if TYPE_CHECKING:
    from pathlib import Path

_SKIPPED: Final = {"build", ".maestro", "__pycache__"}


def init_templates() -> tuple[str, ...]:
    """Return the names of the templates: the examples that hold a plan."""
    folders = data_dir("examples").iterdir()
    return tuple(sorted(folder.name for folder in folders if (folder / "plan.yaml").is_file()))


def init_project(folder: Path, *, template: str = "todo-app", force: bool = False) -> InitResult:
    """Write a project that lints, plans and applies offline at once.

    Raises:
        UsageError: unknown template, or the folder is not empty and `force` is not set.
        EnvironmentFailure: the folder cannot be written.
    """
    if template not in init_templates():
        near = closest(template, init_templates())
        guess = f' - did you mean "{near}"?' if near else ""
        raise UsageError(f'no template "{template}"{guess}', hint=f"templates: {', '.join(init_templates())}")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file", hint="name a folder")
    if folder.is_dir() and any(folder.iterdir()) and not force:
        raise UsageError(
            f"{folder} is not empty", hint="choose another folder, or add --force to write into this one"
        )
    source = data_dir("examples") / template
    written = []
    try:
        for path in sorted(source.rglob("*")):
            relative = path.relative_to(source)
            if path.is_file() and not _SKIPPED & set(relative.parts):
                target = folder / relative
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(_for_editors(path.read_bytes(), relative))
                written.append(relative.as_posix())
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot write {error.filename}: {error.strerror}", hint="choose a folder that you may write to"
        ) from error
    export_schemas(folder / FOLDER)
    return InitResult(folder=folder, files=tuple(written), plan="plan.yaml", schemas=FOLDER)


def _for_editors(content: bytes, relative: Path) -> bytes:
    """Return a file of a template with the comment that tells editors its schema, where it is a document."""
    if kind_of_name(relative.name) is None:
        return content
    path = "../" * (len(relative.parts) - 1) + FOLDER
    return with_modeline(relative.name, content.decode(), path).encode()
