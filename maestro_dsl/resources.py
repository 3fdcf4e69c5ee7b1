"""Finds the data that ships with the package: schemas, core blueprints, examples.

In an installed wheel they lie in `maestro_dsl/_data/`; in a checkout they stand once, at the top.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from maestro_dsl.errors import EnvironmentFailure

_PACKAGE = Path(__file__).resolve().parent


@cache
def data_dir(name: str) -> Path:
    """Return the folder of packaged data called `name` ("schemas", "blueprints" or "examples").

    Raises:
        EnvironmentFailure: the installation is incomplete.
    """
    for base in (_PACKAGE / "_data", _PACKAGE.parent):
        candidate = base / name
        if candidate.is_dir():
            return candidate
    raise EnvironmentFailure(
        f'the packaged folder "{name}" is missing from this installation',
        hint="reinstall the package: pip install --force-reinstall maestro-dsl",
    )
