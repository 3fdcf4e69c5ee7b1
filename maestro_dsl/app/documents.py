"""`lint` and `compile_plan`: text to findings, text to plan. Neither runs anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.app.values import Compiled, LintResult
from maestro_dsl.diagnostics import Diagnostic
from maestro_dsl.errors import UsageError
from maestro_dsl.lang.workspace import load_documents, load_workspace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from maestro_dsl.diagnostics import Diagnostics
    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import DocumentValue
    from maestro_dsl.lang.settings import Overrides
    from maestro_dsl.lang.workspace import Workspace


def compile_plan(plan_file: Path, *, overrides: Overrides, environ: Mapping[str, str]) -> Compiled:
    """Load a plan with everything it refers to and compile it; mistakes come back as diagnostics.

    Raises:
        UsageError: there is no such file.
    """
    from maestro_dsl.compiler.compile import compile_workspace

    if not plan_file.is_file():
        raise UsageError(f"no plan at {plan_file}", hint="create a project with: maestro init demo")
    workspace, diagnostics = load_workspace(plan_file, overrides=overrides, environ=environ)
    plan = None
    if workspace is not None:
        plan, found = compile_workspace(workspace)
        diagnostics.extend(found)
    sources = _sources(workspace, diagnostics)
    usable = None if diagnostics.has_errors else plan
    return Compiled(plan=usable, diagnostics=diagnostics, sources=sources, workspace=workspace)


def _sources(workspace: Workspace | None, diagnostics: Diagnostics) -> dict[str, str]:
    texts: dict[str, str] = {}
    if workspace is not None:
        texts = {document.file: document.text for document in workspace.documents}
        texts |= {
            contract.spec.map.file: contract.spec.text
            for contract in workspace.contracts.values()
            if contract.spec is not None
        }
    return texts | _read({item.span.file for item in diagnostics} - set(texts))


def _read(files: Iterable[str]) -> dict[str, str]:
    """Return the texts of files that findings point into, where they can be read."""
    from pathlib import Path

    texts = {}
    for file in files:
        try:
            texts[file] = Path(file).read_text(encoding="utf-8", errors="replace")
        except (OSError, ValueError):
            continue
    return texts
