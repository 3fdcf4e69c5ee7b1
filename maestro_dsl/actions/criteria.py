"""Runs the acceptance criteria of a contract against staged files, in a scratch copy, never in the output.

A criterion that could not be judged is neither passed nor failed: required ones then count as not passed,
optional ones are listed apart. A check of an unknown name is a mistake that the linter reports earlier.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from maestro_dsl.actions.conformance import provider_conformance
from maestro_dsl.actions.workspace import lay_out
from maestro_dsl.compiler.plan import url_variable
from maestro_dsl.engine.events import FileRef, Issue
from maestro_dsl.engine.ports.attempts import AttemptSpec, CheckResult, Verdict
from maestro_dsl.engine.ports.processes import CommandSpec
from maestro_dsl.engine.ports.work import WorkContext
from maestro_dsl.errors import EnvironmentFailure, UnrecoverableError
from maestro_dsl.lang.model import Contract, Criterion
from maestro_dsl.validation.quality import CRITERIA

if TYPE_CHECKING:
    from pathlib import Path

COMMAND_TIMEOUT_S: Final = 120.0
_TAIL_LINES: Final = 20
_FRAME: Final = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+)', re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The outcome of one criterion; `passed` is None where it could not be judged."""

    criterion: Criterion
    deliverable: str
    passed: bool | None
    issues: tuple[Issue, ...] = ()
    verdict: Verdict | None = None

    @property
    def required(self) -> bool:
        """Checks are required unless they say otherwise; free text is optional unless it says so."""
        stated = self.criterion.required
        return stated if stated is not None else self.criterion.text is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What criteria are judged on: the files of one contract, and the addresses of what it consumes."""

    spec: AttemptSpec
    context: WorkContext
    contract: Contract
    files: Mapping[str, bytes]
    refs: tuple[FileRef, ...]
    urls: Mapping[str, str]
    trusted: bool


Judge: TypeAlias = Callable[
    [Scene, Criterion], Awaitable[tuple[bool | None, tuple[Issue, ...], Verdict | None]]
]


async def judge_contract(scene: Scene, *, skip: frozenset[str] = frozenset()) -> tuple[Judged, ...]:
    """Judge every criterion of the scene's contract, except checks named in `skip`."""
    judged: list[Judged] = []
    wanted = set(scene.spec.node.deliverables)
    for deliverable in scene.contract.deliverables:
        if wanted and deliverable.name not in wanted:
            continue
        for criterion in deliverable.acceptance_criteria:
            if criterion.check in skip:
                continue
            judge = CHECKS.get(criterion.check or "", _free_text)
            passed, issues, verdict = await judge(scene, criterion)
            judged.append(
                Judged(
                    criterion=criterion,
                    deliverable=deliverable.name,
                    passed=passed,
                    issues=issues,
                    verdict=verdict,
                )
            )
    return tuple(judged)


def criteria_check(judged: tuple[Judged, ...]) -> CheckResult:
    """Return the check "acceptance criteria met": required items, those passed, and what nobody judged."""
    counted = [item for item in judged if item.required or item.passed is not None]
    return CheckResult(
        name=CRITERIA,
        passed=sum(1 for item in counted if item.passed),
        required=len(counted),
        unjudged=tuple(item.criterion.label for item in judged if item.passed is None),
        applicable=bool(counted),
    )


async def _free_text(
    scene: Scene,  # noqa: ARG001 - the shape of a Judge
    criterion: Criterion,
) -> tuple[bool | None, tuple[Issue, ...], Verdict | None]:
    message = f"could not judge: {criterion.label} (no model is configured that judges text)"
    severity = "error" if criterion.required else "info"
    return None, (Issue(severity=severity, check=CRITERIA, message=message),), None


async def _command(
    scene: Scene, criterion: Criterion
) -> tuple[bool | None, tuple[Issue, ...], Verdict | None]:
    folder = lay_out(scene.context.scratch / "criteria", scene.files)
    reach = {url_variable(contract_id): url for contract_id, url in scene.urls.items()}
    command = CommandSpec(
        argv=criterion.run,
        cwd=folder,
        reach=reach,
        timeout_s=min(COMMAND_TIMEOUT_S, scene.spec.timeout_s),
        trusted=scene.trusted,
        max_output_bytes=scene.spec.sizes.max_log_bytes,
    )
    result = await scene.context.sandbox.run(command)
    if result.exit_code == 0 and not result.timed_out:
        return True, (), None
    ended = "ran out of time" if result.timed_out else f"exited with {result.exit_code}"
    output = "\n".join((result.stderr or result.stdout).strip().splitlines()[-_TAIL_LINES:])
    output = output.replace(f"{folder}/", "")  # a folder of this attempt alone says nothing to anybody
    file, line = _place(result.stderr, folder, scene.files)
    message = f"`{' '.join(criterion.run)}` {ended}:\n{output}" if output else f"`{criterion.label}` {ended}"
    return False, (Issue(severity="error", check=CRITERIA, message=message, file=file, line=line),), None


def _place(stderr: str, folder: Path, files: Mapping[str, bytes]) -> tuple[str | None, int | None]:
    """Return the innermost place of a traceback that lies in the produced files."""
    for match in reversed(list(_FRAME.finditer(stderr))):
        path = match["file"].removeprefix(f"{folder}/").removeprefix("./")
        if path in files:
            return path, int(match["line"])
    return None, None


async def _conformance(
    scene: Scene,
    criterion: Criterion,  # noqa: ARG001 - the shape of a Judge
) -> tuple[bool | None, tuple[Issue, ...], Verdict | None]:
    contract = scene.spec.contract
    if contract is None:
        return None, (), None
    try:
        verdict = await provider_conformance(
            scene.context, contract, scene.refs, user=scene.spec.node.address, trusted=scene.trusted
        )
    except UnrecoverableError as error:
        return False, (Issue(severity="error", check=CRITERIA, message=error.message),), None
    except EnvironmentFailure as error:
        return None, (Issue(severity="error", check=CRITERIA, message=error.message),), None
    judged = {"fulfilled": True, "not_fulfilled": False}.get(verdict.verdict)
    return judged, verdict.issues, verdict


CONFORMANCE: Final = frozenset({"openapi_conformance", "graphql_conformance"})
"""Checks that hold a started product against the interface of its contract."""

CHECKS: Final[Mapping[str, Judge]] = {
    "command": _command,
    "openapi_conformance": _conformance,
    "graphql_conformance": _conformance,
}
"""Name of a check → how it is judged."""
