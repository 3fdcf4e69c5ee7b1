"""Scalars of YAML 1.2: what plain text means, and where each decoded character stands in the source."""

from __future__ import annotations

from collections.abc import Sequence


def decoded_offsets(raw: str, value: str, start: int) -> Sequence[int]:
    """Return the index in the text of each code point of `value`, and one more for its end."""
    raise NotImplementedError
