"""What a run was begun with, as the journal keeps it: its plan, the folder of that, where tickets go."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_dsl.codec import from_json
from maestro_dsl.compiler.plan import CompiledPlan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.app.state import State
    from maestro_dsl.lang.model import Json


def stored_plan(state: State, run_id: str) -> CompiledPlan:
    """Return the plan of a run as it was when the run began."""
    return from_json(CompiledPlan, json.loads(state.journal.plan(run_id))["plan"])


def base_of(state: State, run_id: str) -> Path:
    """Return the folder of the plan of a run."""
    return Path(json.loads(state.journal.plan(run_id))["base"])


def tickets_of(state: State, run_id: str) -> Mapping[str, Json] | None:
    """Return where tickets of a run go, as its project said when it began."""
    found: Mapping[str, Json] | None = json.loads(state.journal.plan(run_id)).get("tickets")
    return found
