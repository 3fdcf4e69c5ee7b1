"""Reads `--estimate FILE`: node addresses with durations, as seconds or as "15m"."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from maestro_dsl.errors import UsageError
from maestro_dsl.reporters.text import safe

if TYPE_CHECKING:
    from pathlib import Path

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_HINT: Final = '{"build[backend_api]": "60m", "build[web_app]": 2700}'


def read_durations(file: Path) -> dict[str, float]:
    """Return address → seconds.

    Raises:
        UsageError: no such file, no JSON object, or a value that is no duration.
    """
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f'cannot read "{safe(str(file))}": {error.strerror}') from None
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise UsageError(f'"{safe(str(file))}" is no JSON object of durations', hint=_HINT)
    return {str(address): _seconds(value, str(address)) for address, value in data.items()}


def _seconds(value: object, address: str) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < float("inf"):
        return float(value)
    if isinstance(value, str):
        parts = _PART.findall(value)
        if parts and "".join(number + unit for number, unit in parts) == value.replace(" ", ""):
            return sum(float(number) * _UNITS[unit] for number, unit in parts)
    raise UsageError(f'the duration of "{safe(address)}" is no duration: {safe(str(value))}', hint=_HINT)
