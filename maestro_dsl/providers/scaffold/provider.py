"""The provider `scaffold`: answers the action `fulfil` with files that templates write, and refuses the rest.

Deterministic and free: it reads the request's task alone, never its messages. What a template cannot do is
named in the notes of the answer; where nothing can be done, the failure says what could be.
"""

from __future__ import annotations

from maestro_dsl.codec import digest
from maestro_dsl.engine.events import Usage
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.engine.ports.models import Capability, ModelRequest, ModelResponse, ProviderFailure
from maestro_dsl.providers.envelope import pack


class ScaffoldProvider:
    """Writes services, pages, test suites and a few algorithms from templates."""

    name = "scaffold"

    def capability(self, model: str) -> Capability:  # noqa: ARG002 - there is one engine, whatever the model
        """Templates have no settings; what they write is ours."""
        return Capability(program=True, trusted_code=True)

    async def generate(self, request: ModelRequest) -> ModelResponse:
        """Answer a `fulfil` task with the file envelope.

        Raises:
            ProviderFailure: the kind is `cannot`; the message says why and what would help.
        """
        from maestro_dsl.providers.scaffold.choose import Impossible  # the templates load when they are used
        from maestro_dsl.providers.scaffold.deliver import deliver

        task = request.task
        if task is None or task.action != "fulfil":
            asked = "a bare prompt" if task is None else f"the action {task.action}"
            raise ProviderFailure(
                Failure.CANNOT, f"scaffold answers fulfil alone, not {asked}; use a model for it"
            )
        try:
            files, notes = deliver(task)
        except Impossible as problem:
            raise ProviderFailure(Failure.CANNOT, str(problem)) from None
        return ModelResponse(text=pack(files), usage=Usage(), raw_id=digest(files)[:16], notes=notes)
