"""`mock`: emits the mock of a contract's interface as files a person can run without maestro."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.actions.workspace import store_files, too_large
from maestro_dsl.engine.ports.attempts import AttemptResult, AttemptSpec
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.interfaces.options import options_of
from maestro_dsl.interfaces.registry import kind_of

if TYPE_CHECKING:
    from maestro_dsl.engine.ports.work import WorkContext

FOLDER = "contracts"


class Mock:
    """The action `mock`; serving is a lease of its users, this only makes the files."""

    async def work(self, spec: AttemptSpec, context: WorkContext) -> AttemptResult:
        """Emit spec, server and README below `contracts/`."""
        compiled = spec.contract
        if compiled is None or compiled.spec_digest is None or compiled.contract.interface_spec is None:
            return AttemptResult(
                failure=Failure.FATAL, message=f"{spec.node.address} has no interface to mock"
            )
        interface = kind_of(compiled.contract.type)
        if interface is None:
            message = f"no mock can be made of a contract of type {compiled.contract.type.value}"
            return AttemptResult(failure=Failure.CANNOT, message=message)
        content = context.artifacts.get(compiled.spec_digest)
        spec_name = compiled.contract.interface_spec.spec_file
        api, problems = interface.parse(content, spec_name)
        if api is None:
            first = next(iter(problems))
            return AttemptResult(failure=Failure.FATAL, message=f"{spec_name}: {first.message}")
        options = options_of(compiled.contract.mock_options)
        files = {
            path.removeprefix(f"{FOLDER}/"): text.encode() if isinstance(text, str) else text
            for path, text in interface.emit(api, compiled.id, content, spec_name, options=options).items()
        }
        if large := too_large(FOLDER, files, spec.sizes.max_artifact_bytes):
            return AttemptResult(failure=Failure.FATAL, message=large[0].message, issues=large)
        refs = store_files(context.artifacts, FOLDER, files)
        return AttemptResult(files=refs, outputs={"files": [ref.path for ref in refs]})
