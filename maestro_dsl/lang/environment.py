"""The environment variables that state settings: one table of name, key and how the text is read.

They stand above every document. The variable of the state directory is not here: it is no setting of a plan.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from maestro_dsl.errors import UsageError
from maestro_dsl.lang.model import GiveUp
from maestro_dsl.lang.units import UnitError, duration_text, parse_duration, parse_money, parse_tokens
from maestro_dsl.lang.validators import schema_of

if TYPE_CHECKING:
    from collections.abc import Mapping

Reader: TypeAlias = Callable[[str], Any]
N = TypeVar("N", int, float)
_DELAY: Final = "MAESTRO_RETRY_DELAY"
_YES: Final = frozenset({"true", "1"})
_NO: Final = frozenset({"false", "0"})


def _count(text: str) -> int:
    return _within(int(text), 1, None, text)


def _share(text: str) -> float:
    return _within(float(text), 0, 1, text)


def _temperature(text: str) -> float:
    return _within(float(text), 0, 2, text)


def _effort(text: str) -> str:
    known: list[str] = schema_of("shared")["$defs"]["effort"]["enum"]
    if text in known:
        return text
    raise _OutOfRangeError(f"must be some of {', '.join(known)}, not {text}")


def _within(value: N, low: float, high: float | None, text: str) -> N:
    if low <= value and (high is None or value <= high):
        return value
    wanted = f"at least {low}" if high is None else f"between {low} and {high}"
    raise _OutOfRangeError(f"must be {wanted}, not {text}")


class _OutOfRangeError(Exception):
    """A number that is none of those that make sense; the text says which do."""


def _list_of(read: Reader) -> Reader:
    def convert(text: str) -> tuple[Any, ...]:
        return tuple(read(item.strip()) for item in text.strip("[] ").split(",") if item.strip())

    return convert


def _boolean(text: str) -> bool:
    if text.lower() in _YES | _NO:
        return text.lower() in _YES
    raise _OutOfRangeError(f"must be true or false, not {text}")


def _give_up(text: str) -> GiveUp:
    try:
        return GiveUp(text)
    except ValueError:
        raise _OutOfRangeError(f"must be one of {', '.join(GiveUp)}, not {text}") from None


VARIABLES: Final[tuple[tuple[str, str, Reader], ...]] = (
    ("MAESTRO_PROVIDER", "provider", str),
    ("MAESTRO_MAX_ATTEMPTS", "max_attempts", _count),
    ("MAESTRO_TOKEN_BUDGET", "token_budget", parse_tokens),
    ("MAESTRO_GIVE_UP_ON_FAILURE", "give_up_on_failure", _boolean),
    ("MAESTRO_GIVE_UP", "policies.give_up", _give_up),
    ("MAESTRO_RETRY_TEMPERATURES", "policies.retry.temperatures", _list_of(_temperature)),
    ("MAESTRO_RETRY_EFFORTS", "policies.retry.efforts", _list_of(_effort)),
    (_DELAY, "policies.retry.delay", parse_duration),
    ("MAESTRO_RETRY_MAX_DELAY", "policies.retry.max_delay", parse_duration),
    ("MAESTRO_RETRY_JITTER", "policies.retry.jitter", _share),
    ("MAESTRO_MAX_TRANSPORT_ATTEMPTS", "policies.retry.max_transport_attempts", _count),
    ("MAESTRO_MAX_THROTTLE_WAIT", "policies.retry.max_throttle_wait", parse_duration),
    ("MAESTRO_SAFETY_MAX_ATTEMPTS", "policies.safety.max_attempts", _count),
    ("MAESTRO_SAFETY_DELAYS", "policies.safety.delays", _list_of(parse_duration)),
    ("MAESTRO_BREAKER_FAILURES", "policies.safety.breaker.failures", _count),
    ("MAESTRO_BREAKER_RESET_AFTER", "policies.safety.breaker.reset_after", parse_duration),
    ("MAESTRO_BREAKER_MAX_WAIT", "policies.safety.breaker.max_wait", parse_duration),
    ("MAESTRO_TIMEOUT", "timeout", parse_duration),
    ("MAESTRO_ATTEMPT_TIMEOUT", "attempt_timeout", parse_duration),
    ("MAESTRO_MAX_CONCURRENCY", "execution.max_concurrency", _count),
    ("MAESTRO_MAX_COST", "guardrails.max_cost", parse_money),
    ("MAESTRO_MAX_TOKENS", "guardrails.max_tokens", parse_tokens),
    ("MAESTRO_MAX_DURATION", "guardrails.max_duration", parse_duration),
    ("MAESTRO_WARN_AT", "guardrails.warn_at", _share),
    ("MAESTRO_QUALITY_THRESHOLD", "quality_threshold", _share),
    ("MAESTRO_OUTPUT", "output", str),
)
"""Name, key of the setting, how its text becomes a value."""


def environment(environ: Mapping[str, str]) -> Mapping[str, tuple[Any, str]]:
    """Return what the environment states by key, with its origin; an empty variable states nothing.

    Raises:
        UsageError: a variable holds something that cannot be read.
    """
    layer: dict[str, tuple[Any, str]] = {}
    for name, key, read in VARIABLES:
        text = environ.get(name, "").strip()
        if text:
            layer[key] = (_parsed(name, text, read), f"environment {name}")
    return layer


def refuse_idle_delay(delay_s: float, max_delay_s: float, origins: Mapping[str, str]) -> None:
    """Refuse a first wait of the environment that the longest wait would cut off without a word.

    Raises:
        UsageError: it is longer; both figures and the place of the other are named.
    """
    if delay_s > max_delay_s and origins["policies.retry.delay"] == f"environment {_DELAY}":
        longest = f"{duration_text(max_delay_s)} ({origins['policies.retry.max_delay']})"
        raise UsageError(
            f"environment variable {_DELAY} is {duration_text(delay_s)}, but no wait is longer than"
            f" policies.retry.max_delay, {longest}",
            hint="lower it, or raise the other too: MAESTRO_RETRY_MAX_DELAY",
        )


def _parsed(name: str, text: str, read: Reader) -> Any:
    try:
        return read(text)
    except (UnitError, _OutOfRangeError) as error:
        raise UsageError(f"environment variable {name}: {error}") from error
    except ValueError as error:
        raise UsageError(f'environment variable {name}: "{text}" is not a number') from error
