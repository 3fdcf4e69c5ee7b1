"""`lint` and `compile_plan`: text to findings, text to plan. Neither runs anything.

What reads documents loads when a document is read: findings from the cache need none of it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from maestro_dsl.app.choosing import choose, require_rules
from maestro_dsl.app.lint_cache import question_of
from maestro_dsl.app.lint_result import LintResult
from maestro_dsl.collector import collector_paused
from maestro_dsl.diagnostics import MANY, limit, up_to
from maestro_dsl.errors import UsageError
from maestro_dsl.lang.disk import has_file, has_folder, has_link, real

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from maestro_dsl.app.lint_cache import LintCache
    from maestro_dsl.app.values import Compiled
    from maestro_dsl.diagnostics import Diagnostics
    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.finder import Reader
    from maestro_dsl.lang.memory import Memory
    from maestro_dsl.lang.model import DocumentValue, LintSettings
    from maestro_dsl.lang.settings import Overrides
    from maestro_dsl.lang.workspace import Workspace

STDIN = "<stdin>"
_MOST_SHOWN: Final = 8 * 1024 * 1024


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
    stdin_name: Path | None = None,
    memory: Memory | None = None,
) -> LintResult:
    """Return every finding of the documents among `paths` (files or folders; none = this folder).

    Plans are read with everything they refer to. `stdin` is the text of one document and takes the place of
    `paths`; with a `stdin_name` it is read as if it stood there. `select` and `ignore` name rules by
    code, beginning of a code, or name, and win over the `lint:` section of each file's project. `overlay`
    holds contents by real path that count in place of what is on disk. With a `cache`, what was found before
    is found again without looking, as long as nothing that it depends on has changed. Many documents are
    parsed by so many processes (`jobs`). `memory` keeps what was made of files, for those who ask often.

    Of one rule in one file no more is looked for than `diagnostics.limit` says; the last one tells so.

    Raises:
        UsageError: a path does not exist, or there is no such rule.
    """
    if select or ignore:
        require_rules((*select, *ignore))
    if stdin is not None and stdin_name is None:
        return choose(_enough(lambda _: _lint_text(stdin, _optional(select))), select, ignore)
    if stdin is not None and stdin_name is not None:
        paths, overlay = (stdin_name,), {stdin_name.resolve(): stdin.encode("utf-8", "surrogateescape")}
    missing = next((path for path in paths if not _is_there(path, overlay or {})), None)
    if missing is not None:
        if has_link(missing):
            raise UsageError(f"{missing} is a symbolic link that leads nowhere", hint="mend or remove it")
        raise UsageError(f"no such file or folder: {missing}", hint="name a file, or a folder to search")
    if cache is None or overlay or (select and _optional(select)):
        from maestro_dsl.lang.disk import overlaid

        with overlaid(overlay or {}):
            result = _enough(
                lambda kept: _lint(paths, environ, overrides, overlay or {}, jobs, _optional(select), kept),
                memory,
            )
    else:
        asked = question_of(paths, environ, overrides)
        result = cache.reuse(asked, lambda: _enough(lambda _: _lint(paths, environ, overrides, {}, jobs)))
    return choose(result, select, ignore)


def _enough(look: Callable[[Memory | None], LintResult], memory: Memory | None = None) -> LintResult:
    """Return what `look` finds; where comments hide some of what is cut short, it looks again, for many."""
    result = look(memory)
    cut = {(item.span.file, item.code) for item in result.diagnostics.items if item.is_more}
    if not cut or not any((item.span.file, item.code) in cut for item in result.suppressed.items):
        return result
    with up_to(max(limit(), MANY)):
        result = look(None)  # what is kept was cut short
    return replace(result, diagnostics=result.diagnostics.shortened())


def _is_there(path: Path, overlay: Mapping[Path, bytes]) -> bool:
    try:
        return path.exists() or real(path) in overlay
    except PermissionError:  # it may be there, and reading it says why not
        return True
    except (OSError, ValueError):  # a name that no file can have
        return False


def _optional(select: Sequence[str]) -> frozenset[str]:
    from maestro_dsl.rules import optional_rules

    return optional_rules(select)


def _lint_text(stdin: str, optional: frozenset[str]) -> LintResult:
    """Return every finding of one document that stands nowhere."""
    from maestro_dsl.lang.read import read_content
    from maestro_dsl.rules import hide, run_rules

    content = stdin.encode("utf-8", "surrogateescape")
    read = read_content(content, Path(STDIN), STDIN)
    documents = (read.document,) if read.document is not None else ()
    read.diagnostics.extend(run_rules(documents, optional=optional))
    sources = {STDIN: content.decode("utf-8", "replace") if read.document is None else read.document.text}
    found, hidden = hide(read.diagnostics.shortened(), sources)
    return LintResult(diagnostics=found, suppressed=hidden, sources=sources, files_checked=1)


def _lint(
    paths: Sequence[Path],
    environ: Mapping[str, str],
    overrides: Overrides | None,
    overlay: Mapping[Path, bytes],
    jobs: int,
    optional: frozenset[str] = frozenset(),
    memory: Memory | None = None,
) -> LintResult:
    """Return every finding, whichever are asked for; what is found here may be kept in a cache."""
    from maestro_dsl.lang.finder import Reader
    from maestro_dsl.lang.lockfile import LOCK_FILE
    from maestro_dsl.lang.model import Kind
    from maestro_dsl.lang.settings import Overrides
    from maestro_dsl.lang.workspace import load_documents, load_workspace
    from maestro_dsl.rules import hide, run_rules

    overrides = overrides or Overrides()
    with collector_paused():
        reader = Reader(overlay=overlay, jobs=jobs, memory=memory)
        if memory is not None:
            reader.names = memory.names
        documents, diagnostics = load_documents(list(paths) or [Path()], reader=reader)
        sources = {reader.names(path): _text(content) for path, content in overlay.items()}
        sources |= {document.file: document.text for document in documents}
        projects = _projects(reader, documents, paths)
        selected = [word for settings in projects.values() for word in settings.select]
        optional |= _optional(selected) if selected else frozenset()
        files = {document.file: document.path for document in documents}
        files |= {reader.names(root / LOCK_FILE): root / LOCK_FILE for root in projects}
        workspaces: list[Workspace] = []
        for plan in (item for item in documents if item.kind is Kind.PLAN):
            workspace, found = load_workspace(plan.path, overrides=overrides, environ=environ, reader=reader)
            diagnostics.extend(found)
            if workspace is not None:
                workspaces.append(workspace)
                files |= {document.file: document.path for document in workspace.documents}
            sources |= _sources(workspace, found)
        diagnostics.extend(run_rules(documents, workspaces, optional=optional, memory=memory))
        diagnostics = diagnostics.shortened()
        sources |= _read({item.span.file for item in diagnostics} - set(sources))
        checked = len(set(sources) | {item.span.file for item in diagnostics})
        sources |= _read(_spoken_of(diagnostics) - set(sources))
        found, hidden = hide(diagnostics, sources, workspaces)
        return LintResult(
            diagnostics=found,
            suppressed=hidden,
            sources=sources,
            files_checked=checked,
            files=files,
            plans=tuple(item.file for item in documents if item.kind is Kind.PLAN),
            projects=projects,
        )


def _projects(
    reader: Reader, documents: Sequence[Document[DocumentValue]], paths: Sequence[Path]
) -> dict[Path, LintSettings]:
    """Return the folder of each project that documents or paths belong to, with its `lint:` section."""
    from maestro_dsl.lang.disk import is_file
    from maestro_dsl.lang.files import PROJECT_FILE, root_above
    from maestro_dsl.lang.model import LintSettings, Project

    asked = map(real, paths or (Path(),))
    folders = {document.path.parent for document in documents}
    folders |= {path if has_folder(path) else path.parent for path in asked}
    found: dict[Path, LintSettings] = {}
    for root in sorted({root_above(folder) for folder in folders}):
        if is_file(root / PROJECT_FILE) or root / PROJECT_FILE in reader.overlay:
            project = reader.look(root / PROJECT_FILE)
            value = None if project is None else project.value
            found[root] = value.lint if isinstance(value, Project) else LintSettings()
    return found


def compile_plan(plan_file: Path, *, overrides: Overrides, environ: Mapping[str, str]) -> Compiled:
    """Load a plan with everything it refers to and compile it; mistakes come back as diagnostics.

    Raises:
        UsageError: there is no such file.
        IntegrityError: the libraries of the project are not what its lock says.
    """
    from maestro_dsl.app.library_checks import checked_libraries
    from maestro_dsl.app.values import Compiled
    from maestro_dsl.compiler.compile import compile_workspace
    from maestro_dsl.lang.workspace import load_workspace

    if not plan_file.is_file():
        raise UsageError(f"no plan at {plan_file}", hint="create a project with: maestro init demo")
    with checked_libraries(plan_file):
        workspace, diagnostics = load_workspace(plan_file, overrides=overrides, environ=environ)
        plan = None
        if workspace is not None:
            plan, found = compile_workspace(workspace)
            diagnostics.extend(found)
    diagnostics = diagnostics.shortened()
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
    return texts | _read(_spoken_of(diagnostics) - set(texts))


def texts_of(diagnostics: Diagnostics) -> dict[str, str]:
    """Return the texts that findings point into, where they can be read."""
    return _read(_spoken_of(diagnostics))


def _spoken_of(diagnostics: Diagnostics) -> set[str]:
    """Return the files of which findings show a line, their own or a related one."""
    related = (other.span.file for item in diagnostics.items for other in item.related)
    return {*(item.span.file for item in diagnostics.items), *related}


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def _read(files: Iterable[str]) -> dict[str, str]:
    """Return the texts of files that findings point into, where they can be read."""
    texts = {}
    for file in files:
        try:
            if not has_file(Path(file)) or Path(file).stat().st_size > _MOST_SHOWN:
                continue  # a pipe, or refused for its size; no line of it is worth the memory
            texts[file] = Path(file).read_text(encoding="utf-8", errors="replace")
        except (OSError, ValueError):
            continue
    return texts
