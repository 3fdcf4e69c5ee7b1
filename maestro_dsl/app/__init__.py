"""The composition root: every front end (command line, Python, REST, workers) calls these functions.

Only here do adapters meet the core. Names load on first use, so that `maestro --help` and `maestro lint` pay
for nothing they do not need.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

_HOMES: Final = {
    "ApplyOptions": "values",
    "BlueprintInfo": "values",
    "Compiled": "values",
    "ConfigEntry": "values",
    "ControlResult": "values",
    "FixOptions": "lint_result",
    "FixResult": "fixing",
    "FormatResult": "formatting",
    "EmitResult": "values",
    "HealthCheck": "values",
    "InitResult": "values",
    "LeftBehind": "values",
    "LintResult": "lint_result",
    "PlanReport": "values",
    "RunList": "values",
    "RunResult": "values",
    "TicketList": "values",
    "ServedMock": "values",
    "VerifyResult": "values",
    "add_library": "library_adding",
    "apply": "running",
    "collect_garbage": "retention",
    "export_runs": "integrity",
    "import_runs": "integrity",
    "list_cache": "stored",
    "remove_cache": "stored",
    "unlock": "integrity",
    "usage_report": "usage",
    "verify_state_dir": "integrity",
    "changed_since": "changed_lines",
    "available_cores": "cores",
    "cache_of": "lint_cache",
    "cancel": "control",
    "compile_plan": "documents",
    "contract_diff": "contracts",
    "decide": "control",
    "deliver_tickets": "tickets",
    "doctor": "health",
    "drop_ticket": "tickets",
    "effective_config": "health",
    "fix": "fixing",
    "format_documents": "formatting",
    "fails": "choosing",
    "failed_nodes": "retrying",
    "init_project": "projects",
    "init_templates": "projects",
    "install_libraries": "libraries",
    "lint": "documents",
    "list_libraries": "libraries",
    "list_runs": "history",
    "list_tickets": "tickets",
    "lock_libraries": "libraries",
    "mock_emit": "mocks",
    "mock_serve": "mocks",
    "pause": "control",
    "migrate_documents": "migration",
    "only_changed": "changed_lines",
    "plan_report": "planning",
    "render": "reports",
    "resume": "running",
    "retry": "retrying",
    "run_events": "history",
    "run_sync": "bridge",
    "search_blueprints": "catalogue",
    "search_interfaces": "interfaces",
    "show_blueprint": "catalogue",
    "show_interface": "interfaces",
    "show_run": "history",
    "show_ticket": "tickets",
    "verify": "verification",
    "verify_libraries": "libraries",
    "without_known": "baseline",
    "write_baseline": "baseline",
    "write_changes": "rewriting",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted(_HOMES)
