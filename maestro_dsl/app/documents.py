"""`lint` and `compile_plan`: text to findings, text to plan. Neither runs anything.

What reads documents loads when a document is read: findings from the cache need none of it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_dsl.app.lint_cache import question_of
from maestro_dsl.app.lint_result import LintResult
from maestro_dsl.collector import collector_paused
from maestro_dsl.diagnostics import Diagnostic, Diagnostics
from maestro_dsl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from maestro_dsl.app.lint_cache import LintCache
    from maestro_dsl.app.values import Compiled
    from maestro_dsl.lang.settings import Overrides
    from maestro_dsl.lang.workspace import Workspace

STDIN = "<stdin>"


def lint(  # noqa: PLR0913 - what one command can be told
    paths: Sequence[Path],
    *,
    environ: Mapping[str, str],
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    stdin: str | None = None,
    overrides: Overrides | None = None,
    overlay: Mapping[Path, bytes] | None = None,
    cache: LintCache | None = None,
    jobs: int = 1,
) -> LintResult:
    """Return every finding of the documents among `paths` (files or folders; none = this folder).

    Plans are read with everything they refer to. `stdin` is the text of one document and takes the place of
    `paths`. `select` and `ignore` name rules by code, prefix of a code, or name. `overlay`
    holds contents by real path that count in place of what is on disk. With a `cache`, what was found before
    is found again without looking, as long as nothing that it depends on has changed. Many documents are
    parsed by so many processes (`jobs`).

    Raises:
        UsageError: a path does not exist.
    """
    if stdin is not None:
        from maestro_dsl.lang.read import read_content
        from maestro_dsl.rules import hide, run_rules

        read = read_content(stdin.encode("utf-8", "surrogateescape"), Path(STDIN), STDIN)
        documents = (read.document,) if read.document is not None else ()
        read.diagnostics.extend(run_rules(documents, optional=_optional(select)))
        found = hide(read.diagnostics, {STDIN: stdin})
        return LintResult(diagnostics=_chosen(found, select, ignore), sources={STDIN: stdin}, files_checked=1)
    missing = next((path for path in paths if not path.exists()), None)
    if missing is not None:
        raise UsageError(f"no such file or folder: {missing}", hint="name a file, or a folder to search")
    if cache is None or overlay or (select and _optional(select)):
        result = _lint(paths, environ, overrides, overlay or {}, jobs, _optional(select))
    else:
        asked = question_of(paths, environ, overrides)
        result = cache.reuse(asked, lambda: _lint(paths, environ, overrides, {}, jobs))
    return replace(result, diagnostics=_chosen(result.diagnostics, select, ignore))


def _optional(select: Sequence[str]) -> frozenset[str]:
    from maestro_dsl.rules import optional_rules

    return optional_rules(select)


def _lint(
    paths: Sequence[Path],
    environ: Mapping[str, str],
    overrides: Overrides | None,
    overlay: Mapping[Path, bytes],
    jobs: int,
    optional: frozenset[str] = frozenset(),
) -> LintResult:
    """Return every finding, whichever are asked for; what is found here may be kept in a cache."""
    from maestro_dsl.lang.finder import Reader
    from maestro_dsl.lang.model import Kind
    from maestro_dsl.lang.settings import Overrides
    from maestro_dsl.lang.workspace import load_documents, load_workspace
    from maestro_dsl.rules import hide, run_rules

    overrides = overrides or Overrides()
    with collector_paused():
        reader = Reader(overlay=overlay, jobs=jobs)
        documents, diagnostics = load_documents(list(paths) or [Path()], reader=reader)
        sources = {document.file: document.text for document in documents}
        files = {document.file: document.path for document in documents}
        workspaces: list[Workspace] = []
        for plan in (item for item in documents if item.kind is Kind.PLAN):
            workspace, found = load_workspace(plan.path, overrides=overrides, environ=environ, reader=reader)
            diagnostics.extend(found)
            if workspace is not None:
                workspaces.append(workspace)
                files |= {document.file: document.path for document in workspace.documents}
            sources |= _sources(workspace, found)
        diagnostics.extend(run_rules(documents, workspaces, optional=optional))
        sources |= _read({item.span.file for item in diagnostics} - set(sources))
        return LintResult(
            diagnostics=hide(diagnostics, sources, workspaces),
            sources=sources,
            files_checked=len(sources),
            files=files,
        )


def _chosen(diagnostics: Diagnostics, select: Sequence[str], ignore: Sequence[str]) -> Diagnostics:
    def named(item: Diagnostic, rules: Sequence[str]) -> bool:
        return any(item.code.startswith(rule.upper()) or item.name == rule for rule in rules)

    kept = (item for item in diagnostics if (not select or named(item, select)) and not named(item, ignore))
    return Diagnostics(list(kept))


def compile_plan(plan_file: Path, *, overrides: Overrides, environ: Mapping[str, str]) -> Compiled:
    """Load a plan with everything it refers to and compile it; mistakes come back as diagnostics.

    Raises:
        UsageError: there is no such file.
    """
    from maestro_dsl.app.values import Compiled
    from maestro_dsl.compiler.compile import compile_workspace
    from maestro_dsl.lang.workspace import load_workspace

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
    texts = {}
    for file in files:
        try:
            texts[file] = Path(file).read_text(encoding="utf-8", errors="replace")
        except (OSError, ValueError):
            continue
    return texts
