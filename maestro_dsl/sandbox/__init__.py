"""Running commands that may be hostile: `choose` gives the sandbox, `services` starts what contracts need."""

from maestro_dsl.engine.ports.processes import Sandbox
from maestro_dsl.sandbox.levels import LocalSandbox
from maestro_dsl.sandbox.limits import Limits


def choose(level: str, *, limits: Limits | None = None) -> Sandbox:
    """Return the sandbox of a level: auto, bubblewrap, landlock, rlimits or none.

    Whether the machine can do it is found out when a command needs it.

    Raises:
        UsageError: there is no such level.
    """
    return LocalSandbox(level, limits=limits)


__all__ = ["Limits", "choose"]
