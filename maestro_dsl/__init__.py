"""Declarative pipelines for AI developer teams.

The names below are the Python interface; each is what the command line calls too, and loads on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from maestro_dsl.app.bridge import run_sync
    from maestro_dsl.app.catalogue import search_blueprints, show_blueprint
    from maestro_dsl.app.documents import compile_plan, lint
    from maestro_dsl.app.planning import plan_report
    from maestro_dsl.app.running import apply, resume
    from maestro_dsl.app.values import ApplyOptions, RunResult
    from maestro_dsl.engine.orchestrator import RetryOrchestrator
    from maestro_dsl.engine.ports.models import Provider
    from maestro_dsl.engine.tokens import TokenTracker
    from maestro_dsl.errors import MaestroError
    from maestro_dsl.lang.settings import Overrides

__version__ = "0.1.0"

__all__ = [
    "ApplyOptions",
    "MaestroError",
    "Overrides",
    "Provider",
    "RetryOrchestrator",
    "RunResult",
    "TokenTracker",
    "__version__",
    "apply",
    "compile_plan",
    "lint",
    "plan_report",
    "resume",
    "run_sync",
    "search_blueprints",
    "show_blueprint",
]

_HOMES: Final = {
    "ApplyOptions": "app.values",
    "MaestroError": "errors",
    "Overrides": "lang.settings",
    "Provider": "engine.ports.models",
    "RetryOrchestrator": "engine.orchestrator",
    "RunResult": "app.values",
    "TokenTracker": "engine.tokens",
    "apply": "app.running",
    "compile_plan": "app.documents",
    "lint": "app.documents",
    "plan_report": "app.planning",
    "resume": "app.running",
    "run_sync": "app.bridge",
    "search_blueprints": "app.catalogue",
    "show_blueprint": "app.catalogue",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
