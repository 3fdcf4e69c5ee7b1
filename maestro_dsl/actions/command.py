"""`command` and `render`: run a program in the sandbox; write a text from a value. Neither asks a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.actions.workspace import lay_out, store_files, too_large
from maestro_dsl.engine.events import Issue
from maestro_dsl.engine.ports.attempts import AttemptResult, AttemptSpec
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.engine.ports.processes import CommandSpec
from maestro_dsl.errors import EnvironmentFailure
from maestro_dsl.providers.envelope import path_problem

if TYPE_CHECKING:
    from maestro_dsl.engine.ports.work import WorkContext
    from maestro_dsl.lang.model import Json

FOLDER: Final = "commands"
IDEMPOTENCY: Final = "MAESTRO_IDEMPOTENCY_KEY"
"""The variable by which a command can tell whoever it asks that it asks again."""
_KEPT_OUTPUT: Final = 64_000
"""Bytes; `stdout` becomes an output of the node, which stands in the journal."""


class Command:
    """The action `command`: `with: {run: [program, argument …]}`, in a copy of the files it needs."""

    async def work(self, spec: AttemptSpec, context: WorkContext) -> AttemptResult:
        """Run the program; an exit code other than 0 is a failure of content."""
        argv = spec.node.params.get("run")
        if not isinstance(argv, list) or not argv or not all(isinstance(item, str) for item in argv):
            return AttemptResult(failure=Failure.FATAL, message="`with.run` must be a list of strings")
        contents = {ref.path: context.artifacts.get(ref.digest) for item in spec.inputs for ref in item.files}
        folder = lay_out(context.scratch / "command", contents)
        again = spec.node.idempotency_key
        try:
            # What a blueprint runs may have been written by a model, and so may the files it runs on.
            done = await context.sandbox.run(
                CommandSpec(
                    argv=tuple(map(str, argv)),
                    cwd=folder,
                    env={} if again is None else {IDEMPOTENCY: again},
                    timeout_s=spec.timeout_s,
                    max_output_bytes=min(_KEPT_OUTPUT, spec.sizes.max_log_bytes),
                )
            )
        except EnvironmentFailure as error:
            return AttemptResult(failure=Failure.FATAL, message=error.message)
        outputs: dict[str, Json] = {"exit_code": done.exit_code, "stdout": done.stdout}
        if done.timed_out:
            return AttemptResult(
                failure=Failure.TIMEOUT, message="the command ran out of time", outputs=outputs
            )
        if done.exit_code != 0:
            said = done.stderr.strip()[-2000:]
            message = f"`{' '.join(map(str, argv))}` exited with {done.exit_code}{': ' if said else ''}{said}"
            issue = Issue(severity="error", check="command", message=message)
            return AttemptResult(failure=Failure.INVALID, message=message, issues=(issue,), outputs=outputs)
        return AttemptResult(outputs=outputs)


class Render:
    """The action `render`: `with: {path: …, text: …}` becomes a file; expressions were bound before."""

    async def work(self, spec: AttemptSpec, context: WorkContext) -> AttemptResult:
        """Write one text file below the folder of the node's persona, or below `commands/`."""
        path, text = spec.node.params.get("path"), spec.node.params.get("text")
        if not isinstance(path, str) or not isinstance(text, str):
            return AttemptResult(
                failure=Failure.FATAL, message="`with` needs `path` and `text`, both strings"
            )
        fault = path_problem(path)
        if fault:
            return AttemptResult(failure=Failure.FATAL, message=f'the path "{path}" cannot be used: {fault}')
        folder = spec.node.persona_id or FOLDER
        files = {path: text.encode()}
        if large := too_large(folder, files, spec.sizes.max_artifact_bytes):
            return AttemptResult(failure=Failure.FATAL, message=large[0].message, issues=large)
        refs = store_files(context.artifacts, folder, files)
        return AttemptResult(files=refs, outputs={"files": [ref.path for ref in refs]})
