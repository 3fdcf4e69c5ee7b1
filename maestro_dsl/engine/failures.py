"""Which failure of the retry taxonomy an exception of an action stands for."""

from __future__ import annotations

import traceback
from typing import Final

from maestro_dsl.engine.ports.attempts import AttemptResult
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.engine.ports.models import ProviderFailure
from maestro_dsl.errors import (
    HelpNeeded,
    MaestroError,
    RecoverableError,
    TokenBudgetExceeded,
    UnrecoverableError,
)

_MANY_LINES: Final = 40
_FAILURES: Final[tuple[tuple[type[Exception], Failure], ...]] = (
    (TokenBudgetExceeded, Failure.BUDGET),
    (RecoverableError, Failure.INVALID),
    (UnrecoverableError, Failure.CANNOT),
    (HelpNeeded, Failure.CANNOT),
)


def failure_of(error: BaseException) -> AttemptResult:
    """Return the failure that an exception of an action stands for."""
    if isinstance(error, ProviderFailure):
        return AttemptResult(failure=error.failure, message=error.message, retry_after_s=error.retry_after_s)
    if isinstance(error, MaestroError):
        hint = f" ({error.hint})" if error.hint else ""
        failure = next((kind for base, kind in _FAILURES if isinstance(error, base)), Failure.FATAL)
        return AttemptResult(failure=failure, message=f"{error.message}{hint}", usage_known=False)
    text = "".join(traceback.format_exception(error)).splitlines()[-_MANY_LINES:]
    message = f"a bug in the action: {type(error).__name__}: {error}"
    return AttemptResult(failure=Failure.FATAL, message=message, notes=("\n".join(text),), usage_known=False)
