"""The command line: parses, calls `maestro_dsl.app`, renders, returns an exit code. No logic of its own.

Importing this package loads click and nothing heavy; each command's module loads when it is called.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn


def main() -> None:
    """Run the program with the process's arguments and end with its exit code."""
    if sys.argv[1:] == ["--version"]:  # scripts ask this often, and click alone takes five times as long
        from maestro_dsl import __version__

        sys.stdout.write(f"maestro {__version__}\n")
        return
    _loaded()()


def _loaded() -> Callable[[], NoReturn]:
    """Return the program. Until it is there Ctrl-C just ends the process: nothing has to be tidied up."""
    import signal

    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:  # else somebody wants it ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from maestro_dsl.cli.main import run

    signal.signal(signal.SIGINT, handler)
    return run
