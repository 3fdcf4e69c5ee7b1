"""Compiles a plan for commands that only look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.errors import CompileError
from maestro_dsl.reporters.text import plural

if TYPE_CHECKING:
    from pathlib import Path

    from maestro_dsl.cli.context import Session
    from maestro_dsl.compiler.plan import CompiledPlan


def compiled(plan_file: Path, own: Session) -> CompiledPlan:
    """Return the compiled plan of `plan_file`.

    Raises:
        CompileError: it has mistakes; all of them are in `diagnostics`.
    """
    from maestro_dsl.app import compile_plan
    from maestro_dsl.diagnostics import Severity

    result = compile_plan(plan_file, overrides=own.overrides(), environ=own.environ)
    plan: CompiledPlan | None = result.plan
    if plan is None or result.diagnostics.has_errors:
        count = plural(result.diagnostics.count(Severity.ERROR), "mistake")
        raise CompileError(
            f"{plan_file} does not compile: {count}", result.diagnostics, sources=result.sources
        )
    return plan
