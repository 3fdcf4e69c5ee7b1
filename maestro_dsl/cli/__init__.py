"""The command line: parses, calls `maestro_dsl.app`, renders, returns an exit code. No logic of its own.

Importing this package loads click and nothing heavy; each command's module loads when it is called.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the program with the process's arguments and end with its exit code."""
    if sys.argv[1:] == ["--version"]:  # scripts ask this often, and click alone takes five times as long
        from maestro_dsl import __version__

        sys.stdout.write(f"maestro {__version__}\n")
        return
    from maestro_dsl.cli.main import run

    run()
