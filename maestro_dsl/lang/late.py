"""Regular expressions that are compiled when they are first asked for: most documents need few of them."""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast

__all__ = ["pattern"]


def pattern(text: AnyStr, flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[AnyStr]:
    """Return what `re.compile` returns, or behaves like it; a mistake in `text` shows at the first use."""
    return cast("re.Pattern[AnyStr]", _Late(text, flags))


class _Late:
    """Takes the methods of the pattern as they are asked for, and keeps them."""

    def __init__(self, text: Any, flags: re.RegexFlag) -> None:
        self._source = text, flags

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(*self._source), name)  # which keeps what it compiled
        setattr(self, name, found)
        return found
