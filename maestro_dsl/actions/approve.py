"""`approve`: asks a person; only its branch waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.engine.ports.attempts import AttemptResult

if TYPE_CHECKING:
    from maestro_dsl.engine.ports.attempts import AttemptSpec
    from maestro_dsl.engine.ports.work import WorkContext


class Approve:
    """The action `approve`: `with: {message: …}`, the question that a person is asked."""

    async def work(self, spec: AttemptSpec, context: WorkContext) -> AttemptResult:  # noqa: ARG002
        """Return the question; the engine waits for the answer."""
        stated = spec.node.params.get("message")
        question = stated if isinstance(stated, str) else f"May the run go on after {spec.node.address}?"
        return AttemptResult(question=question)
