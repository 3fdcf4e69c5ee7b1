"""`doctor` and `config`: what this machine can do, and which settings are in force and why."""

from __future__ import annotations

import asyncio
import importlib.util
import platform
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, cast

from maestro_dsl import __version__
from maestro_dsl.app.values import ConfigEntry, HealthCheck
from maestro_dsl.codec import to_json
from maestro_dsl.diagnostics import Severity
from maestro_dsl.errors import CompileError, MaestroError, UsageError
from maestro_dsl.lang.environment import VARIABLES
from maestro_dsl.lang.files import PROJECT_FILE, root_above
from maestro_dsl.lang.finder import Reader
from maestro_dsl.lang.layers import BUILT_IN
from maestro_dsl.lang.model import LintSettings, Project
from maestro_dsl.lang.settings import Overrides, effective
from maestro_dsl.lang.suggest import closest
from maestro_dsl.lang.workspace import find_blueprints, load_workspace
from maestro_dsl.reporters.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.settings import EffectiveSettings
    from maestro_dsl.lang.workspace import ResolvedMember

_SHOWN = (
    "provider",
    "quality_threshold",
    "output",
    "give_up",
    "timeout_s",
    "attempt_timeout_s",
    "token_budget",
    "give_up_on_failure",
    "sandbox",
)
_OURS = "MAESTRO_"
_OTHER_VARIABLES = ["STATE_DIR", "CACHE_DIR", "TICKET_HOSTS", "SCHEMATHESIS", "LEASE"]
_OF_MEMBERS = ("max_attempts", "token_budget", "give_up_on_failure")
_GROUPS = {
    "retry": "policies.retry",
    "safety": "policies.safety",
    "guardrails": "guardrails",
    "execution": "execution",
    "limits": "limits",
}


def effective_config(
    plan_file: Path | None,
    *,
    overrides: Overrides,
    environ: Mapping[str, str],
    state_dir: Path | None = None,
) -> tuple[ConfigEntry, ...]:
    """Return every setting in force with its origin; without a plan, what holds before any in this folder.

    Raises:
        CompileError: the plan, or the project of this folder, cannot be read.
    """
    from maestro_dsl.app.state import state_place

    team: Mapping[str, ResolvedMember] = {}
    if plan_file is None:
        project = _project_here()
        settings = effective(plan=None, project=project, overrides=overrides, environ=environ)
    else:
        workspace, diagnostics = load_workspace(plan_file, overrides=overrides, environ=environ)
        if workspace is None:
            raise CompileError(f"{plan_file} cannot be read", diagnostics)
        settings, project, team = workspace.settings, workspace.project, workspace.team
    place = state_place(state_dir, environ, looking=True)
    state = ConfigEntry(key="state_dir", value=str(place.path), origin=place.origin)
    entries = (*_entries(settings), *_member_entries(team), *_lint_entries(project))
    return (*sorted(entries, key=lambda entry: entry.key), state)


def _project_here() -> Document[Project] | None:
    """Return the project that this folder belongs to, as far as its mistakes allow; None = there is none."""
    file = root_above(Path.cwd()) / PROJECT_FILE
    if not file.is_file():
        return None
    reader = Reader()
    document = reader.use(file)
    if document is None or not isinstance(document.value, Project):
        raise CompileError(f"{reader.names(file)} cannot be read", reader.diagnostics)
    return cast("Document[Project]", document)


def _member_entries(team: Mapping[str, ResolvedMember]) -> Iterator[ConfigEntry]:
    """Yield what holds for each member of the team: a persona or the plan may say other than the project."""
    for name, member in team.items():
        for key in _OF_MEMBERS:
            origin = member.settings.origins.get(key, BUILT_IN)
            yield ConfigEntry(key=f"team.{name}.{key}", value=getattr(member.settings, key), origin=origin)


def _lint_entries(project: Document[Project] | None) -> Iterator[ConfigEntry]:
    """Yield what counts as a finding, each entry of a mapping for itself."""
    settings = LintSettings() if project is None else project.value.lint

    def entry(value: object, *steps: str) -> ConfigEntry:
        pointer = ("lint", *steps)
        is_stated = project is not None and project.map.has(pointer) and not project.is_hole(pointer)
        origin = BUILT_IN
        if project is not None and is_stated:
            origin = f"{project.map.file}:{project.map.value_span(pointer).line}"
        return ConfigEntry(key=".".join(pointer), value=to_json(value), origin=origin)

    yield entry(settings.select, "select")
    yield entry(settings.ignore, "ignore")
    yield entry(settings.fail_on or Severity.INFO, "fail_on")
    yield from (entry(words, "per_path", glob) for glob, words in settings.per_path.items())
    yield from (entry(severity, "severity", word) for word, severity in settings.severity.items())


def _entries(settings: EffectiveSettings) -> tuple[ConfigEntry, ...]:
    values = {name: to_json(getattr(settings, name)) for name in _SHOWN}
    for name, prefix in _GROUPS.items():
        _flatten(prefix, to_json(getattr(settings, name)), values)
    kept = settings.state
    retention = {"runs": kept.keep_runs, "age_s": kept.keep_age_s, "size_bytes": kept.keep_bytes}
    _flatten("state.retention", retention, values)
    origins = settings.origins
    return tuple(
        ConfigEntry(key=key, value=value, origin=_origin(key, origins))
        for key, value in sorted(values.items())
    )


def _flatten(prefix: str, value: object, into: dict[str, object]) -> None:
    if isinstance(value, dict):
        for name, item in value.items():
            _flatten(f"{prefix}.{name}", item, into)
    elif value is not None:
        into[prefix] = value


def _origin(key: str, origins: Mapping[str, str]) -> str:
    if key == "give_up":
        key = f"policies.{key}"
    bare = key.removesuffix("_s").removesuffix("_nano_usd").removesuffix("_bytes")
    return origins.get(key) or origins.get(bare) or "built-in default"


def doctor(*, environ: Mapping[str, str], state_dir: Path | None = None) -> tuple[HealthCheck, ...]:
    """Return checks of this machine and installation, each with the exact step that mends it."""
    return (
        _python(),
        _blueprints(),
        _state(state_dir, environ),
        *_libraries(),
        *_sandbox(),
        *_variables(environ),
        _program("node", "runs emitted mock servers", "install Node.js 20 or later"),
        _program("npm", "installs express for emitted mock servers", "install npm"),
        _key(environ),
    )


def _python() -> HealthCheck:
    detail = f"maestro {__version__} on Python {platform.python_version()}, {sys.platform}"
    return HealthCheck(name="installation", status="ok", detail=detail)


def _blueprints() -> HealthCheck:
    try:
        found = find_blueprints(None)
    except MaestroError as error:
        return HealthCheck(name="core library", status="error", detail=error.message, fix=error.hint)
    if not found:
        fix = "pip install --force-reinstall maestro-dsl"
        return HealthCheck(name="core library", status="error", detail="no blueprint was found", fix=fix)
    return HealthCheck(name="core library", status="ok", detail=f"{len(found)} blueprints")


def _state(state_dir: Path | None, environ: Mapping[str, str]) -> HealthCheck:
    from maestro_dsl.app.retention import too_little_room
    from maestro_dsl.app.state import open_state

    try:
        with open_state(state_dir, environ, looking=True) as state:
            place, runs = state.place, len(state.journal.runs())
    except MaestroError as error:
        return HealthCheck(name="state", status="error", detail=error.message, fix=error.hint)
    where = f"{place.path} ({place.origin})"
    if place.obstacle:
        detail = f"{where} cannot be written: {place.obstacle}; commands that only look work, apply does not"
        fix = "name another folder with --state-dir or MAESTRO_STATE_DIR"
        return HealthCheck(name="state", status="error", detail=detail, fix=fix)
    warnings = (*place.warnings, *too_little_room(place.path))
    if warnings:
        return HealthCheck(name="state", status="warning", detail="; ".join(warnings))
    held = plural(runs, "run") if place.exists else "made when something is stored"
    return HealthCheck(name="state", status="ok", detail=f"{where}, {held}")


_OF_LIBRARIES = {
    "not locked": "maestro lib lock",
    "out of date": "maestro lib lock",
    "not installed": "maestro lib install",
    "broken": "see what changed, then put the pinned files back: maestro lib install",
}


def _libraries() -> Iterator[HealthCheck]:
    """Yield whether each library of the project here is stated, pinned and there, byte for byte."""
    from maestro_dsl.app.libraries import list_libraries
    from maestro_dsl.lang.lockfile import LOCK_FILE, lock_of

    try:
        found = list_libraries(Path.cwd())
        lock = lock_of(root_above(Path.cwd()))
    except UsageError:  # no project, so no libraries
        return
    except CompileError as error:
        fix = f"maestro lint {PROJECT_FILE}"
        yield HealthCheck(name="libraries", status="error", detail=error.message, fix=fix)
        return
    if lock is not None and lock.lock is None:
        detail = f"{LOCK_FILE} {lock.problem}"
        yield HealthCheck(name="libraries", status="error", detail=detail, fix="maestro lib lock")
        return
    for item in found:
        way_out = _OF_LIBRARIES.get(item.state)
        detail = f"{item.version} is what {LOCK_FILE} pins, from {item.source}"
        if way_out is not None:
            detail = item.detail or f"{item.state}: {item.stated or item.source}"
        status = "ok" if way_out is None else "error"
        yield HealthCheck(name=f"library {item.name}", status=status, detail=detail, fix=way_out)


def _sandbox() -> tuple[HealthCheck, ...]:
    from maestro_dsl.sandbox import bubblewrap, landlock
    from maestro_dsl.sandbox.levels import unavailable

    with ThreadPoolExecutor(1) as aside:  # whoever calls this may be in an event loop already
        reasons = aside.submit(asyncio.run, unavailable()).result()
    strongest = next((level for level, reason in reasons.items() if reason is None), None)
    kernel = landlock.kernel()
    checks = []
    for level, reason in reasons.items():
        if reason is not None:
            fix = bubblewrap.INSTALL_HINT if "not installed" in reason else "allow user namespaces"
            fix = fix if level == "bubblewrap" else "start a Linux 6.2 or later with Landlock"
            status = "ok" if strongest else "warning"  # one level is enough
            checks.append(HealthCheck(name=f"sandbox {level}", status=status, detail=reason, fix=fix))
            continue
        detail = "can be used" if level != strongest else "can be used; what auto takes for code of a model"
        if level == "landlock":
            alone = "no network at all" if kernel.namespaces else "a network of its own"
            detail += f"; version {kernel.abi}, {alone}"
            detail += f"; does not stop {' and '.join(kernel.gaps)}" if kernel.gaps else ""
        checks.append(HealthCheck(name=f"sandbox {level}", status="ok", detail=detail))
    detail = "can be used; for code from maestro's own templates only"
    checks.append(HealthCheck(name="sandbox rlimits", status="ok", detail=detail))
    return tuple(checks)


def _program(name: str, purpose: str, fix: str) -> HealthCheck:
    path = shutil.which(name)
    if path:
        return HealthCheck(name=name, status="ok", detail=f"{path}; {purpose}")
    return HealthCheck(name=name, status="warning", detail=f"not found; {purpose}", fix=fix)


def _variables(environ: Mapping[str, str]) -> Iterator[HealthCheck]:
    """Yield a warning for each variable that looks like one of ours, misspelt: it states nothing."""
    known = [name.removeprefix(_OURS) for name, _, _ in VARIABLES] + _OTHER_VARIABLES
    for name in sorted(environ):
        rest = name.removeprefix(_OURS)
        near = closest(rest, known) if rest != name and rest not in known else None
        if near is not None:
            detail = f"{name} is no variable of maestro and has no effect"
            fix = f"did you mean {_OURS}{near}?"
            yield HealthCheck(name="environment", status="warning", detail=detail, fix=fix)


def _key(environ: Mapping[str, str]) -> HealthCheck:
    installed = importlib.util.find_spec("anthropic") is not None
    if not installed:
        fix = "pip install 'anthropic>=2.7,<3'"
        return HealthCheck(name="model SDK", status="warning", detail="anthropic is not installed", fix=fix)
    has_key = bool(environ.get("ANTHROPIC_API_KEY"))
    detail = (
        "ANTHROPIC_API_KEY is set" if has_key else "no ANTHROPIC_API_KEY; the offline provider needs none"
    )
    return HealthCheck(name="model SDK", status="ok", detail=detail)
