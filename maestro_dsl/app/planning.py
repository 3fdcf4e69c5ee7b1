"""What `apply` would do, before it does anything: forecast, estimate, conflicts, an unfinished run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_dsl.app.conflicts import changed_files, replaced_files
from maestro_dsl.app.documents import compile_plan, texts_of
from maestro_dsl.app.state import State, open_state
from maestro_dsl.app.taking_over import left_behind
from maestro_dsl.app.tickets import target_of
from maestro_dsl.app.values import PlanReport
from maestro_dsl.app.wiring import make_provider, with_script_in_keys
from maestro_dsl.compiler.estimate import estimate
from maestro_dsl.diagnostics import Diagnostics, Severity
from maestro_dsl.engine.closing import BY_APPROVAL
from maestro_dsl.engine.commands import waiting
from maestro_dsl.engine.interpreter import SIGNAL
from maestro_dsl.engine.keys import InterfaceHistory
from maestro_dsl.engine.keys import forecast as engine_forecast
from maestro_dsl.engine.state import RunStatus, fold
from maestro_dsl.errors import CompileError, UsageError
from maestro_dsl.lang.disk import is_text
from maestro_dsl.lang.price_file import EXAMPLE, stated_prices
from maestro_dsl.providers.prices import prices_of
from maestro_dsl.reporters.plan import Forecast
from maestro_dsl.reporters.text import plural
from maestro_dsl.storage.files import looking_at
from maestro_dsl.storage.output import OutputFolder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from maestro_dsl.app.values import Compiled
    from maestro_dsl.compiler.plan import CompiledPlan
    from maestro_dsl.engine.ports.storage import RunRecord
    from maestro_dsl.lang.model import Json
    from maestro_dsl.lang.settings import Overrides


def plan_report(
    plan_file: Path,
    *,
    overrides: Overrides,
    environ: Mapping[str, str],
    state_dir: Path | None = None,
    durations: Mapping[str, float] | None = None,
    replace: Sequence[str] = (),
) -> PlanReport:
    """Compile a plan and compare it with what is stored; runs nothing and writes nothing to the output.

    Raises:
        UsageError: no such plan, provider, or node or file to be replaced.
        CompileError: the documents have mistakes; all of them are inside.
        EnvironmentFailure: the state directory cannot be used.
    """
    compiled = compile_plan(plan_file, overrides=overrides, environ=environ)
    if compiled.plan is None:
        raise CompileError(
            _summary(plan_file, compiled),
            compiled.diagnostics,
            sources=compiled.sources,
            hint=f"maestro lint {plan_file} shows the same findings while you mend them",
        )
    base = plan_file.resolve().parent
    make_provider(compiled.plan.provider, base)
    prices = _price_text(compiled)
    target_of(compiled, environ)  # a mistake in it is told before anything runs
    plan = with_script_in_keys(compiled.plan, base)
    output = Path(os.path.normpath(base / plan.output))
    _look_at(base, output)
    with open_state(state_dir, environ, looking=True) as state:
        folder = OutputFolder(output, state.artifacts, plan.id)
        replaced_files(replace, folder, plan)  # a slip in a name is told here
        unfinished = state.journal.unfinished(plan.digest, str(output))
        continues = unfinished[0] if unfinished else None
        return PlanReport(
            compiled=compiled,
            plan=plan,
            estimate=estimate(plan, durations or {}, prices_of(prices).bound_nano_usd),
            forecast=_forecast(plan, state, folder, frozenset(replace), interfaces_of(compiled)),
            conflicts=tuple(changed_files(folder, plan)),
            left_behind=left_behind(state, plan.digest, output),
            removes=_removes(plan, folder),
            output=output,
            state_dir=state.place.path,
            state_origin=state.place.origin,
            continues=None if continues is None else continues.run_id,
            held=None if continues is None else _held(state, continues),
            plan_file=plan_file,
            prices=prices,
        )


def _look_at(base: Path, output: Path) -> None:
    """Refuse folders that cannot be named in the journal, or not be looked at.

    Raises:
        UsageError: a name is not text.
        EnvironmentFailure: the output folder's name is too long, or a folder above it cannot be entered.
    """
    for folder in (base, output):
        if not is_text(str(folder)):
            shown = os.fsencode(folder).decode(errors="backslashreplace")
            raise UsageError(
                f"the name of {shown} is not UTF-8, so it cannot be recorded", hint="rename that folder"
            )
    with looking_at(output):
        output.is_dir()


def _held(state: State, record: RunRecord) -> str | None:
    """Return why a person has to say that an unfinished run goes on, or None where nobody has to."""
    if record.status != RunStatus.PAUSED.value:
        return None
    folded = fold(state.journal.events(record.run_id))
    paused = folded.paused
    if paused is None or paused.by == SIGNAL:
        return None
    if paused.by == BY_APPROVAL and not waiting(folded):
        return None  # every question has its answer
    return paused.reason


def _price_text(compiled: Compiled) -> str | None:
    """Return the content of the project's own price file, None where it states none.

    Raises:
        CompileError: it is absent, or states something else than prices.
    """
    project = None if compiled.workspace is None else compiled.workspace.project
    if project is None or project.value.prices_file is None:
        return None
    prices, found = stated_prices(project)
    if prices is None:
        told = f"{project.value.prices_file} cannot be used: {_errors(found)}"
        raise CompileError(told, found, sources=texts_of(found), hint=EXAMPLE)
    return prices.text


def interfaces_of(compiled: Compiled) -> dict[str, Json]:
    """Return the decoded interface of each contract that has one, to name what changed in it."""
    if compiled.workspace is None:
        return {}
    return {
        contract_id: contract.spec.data
        for contract_id, contract in compiled.workspace.contracts.items()
        if contract.spec is not None
    }


def _summary(plan_file: Path, compiled: Compiled) -> str:
    return f"{plan_file} does not compile: {_errors(compiled.diagnostics)}"


def _errors(found: Diagnostics) -> str:
    return plural(found.count(Severity.ERROR), "error")


def _removes(plan: CompiledPlan, folder: OutputFolder) -> tuple[str, ...]:
    if not folder.root.is_dir():
        return ()
    return tuple(folder.outdated({node.address for node in plan.nodes}))


def _forecast(
    plan: CompiledPlan,
    state: State,
    folder: OutputFolder,
    replaced: frozenset[str],
    interfaces: Mapping[str, Json],
) -> dict[str, Forecast]:
    history = InterfaceHistory(state.artifacts, interfaces)
    gone = _missing_by_node(folder)
    found = {}
    for item in engine_forecast(plan, state.journal, history.detail):
        action, reason = _decided(item.address, item.cached, item.key, item.reason, replaced, gone)
        found[item.address] = Forecast(address=item.address, action=action, reason=reason)
    return found


def _decided(
    address: str,
    cached: bool,
    key: str | None,
    reason: str,
    replaced: frozenset[str],
    gone: Mapping[str, list[str]],
) -> tuple[str, str]:
    if address in replaced:
        return "run", "replaced on request"
    if key is None:
        return "unknown", reason
    if not cached:
        return "run", reason
    if address in gone:
        return "restore", f"missing: {', '.join(gone[address][:3])}"
    return "reuse", reason


def _missing_by_node(folder: OutputFolder) -> dict[str, list[str]]:
    if not folder.root.is_dir():
        return {}
    listed = folder.files()
    gone: dict[str, list[str]] = {}
    for path in folder.missing():
        gone.setdefault(listed[path].node, []).append(path)
    return gone
