"""What nodes can do, one class an action. The table below is the only list of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.actions.approve import Approve
from maestro_dsl.actions.command import Command, Render
from maestro_dsl.actions.fulfil import Fulfil
from maestro_dsl.actions.mock import Mock
from maestro_dsl.actions.report import Report
from maestro_dsl.actions.verify import Recheck, Verify

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.engine.ports.work import Action

ACTIONS: Final[Mapping[str, Action]] = {
    "approve": Approve(),
    "command": Command(),
    "fulfil": Fulfil(),
    "mock": Mock(),
    "recheck": Recheck(),
    "render": Render(),
    "report": Report(),
    "verify": Verify(),
}
"""Action name → implementation."""
