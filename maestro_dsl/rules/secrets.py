"""Which names say that their value is a secret."""

from __future__ import annotations

from typing import Final

from maestro_dsl.lang.late import pattern

_NAME: Final = pattern(
    r"(?i)(?:^|[_.-])(?:password|passwd|passphrase|secret|api[_-]?key|access[_-]?key|private[_-]?key|"
    r"credentials?|(?:auth|access|api|bearer|session|refresh)[_-]?token|token)$"
)


def is_secret_name(name: str) -> bool:
    """Return whether a name says that its value is secret; `token_budget` and `max_tokens` do not."""
    return _NAME.search(name) is not None
