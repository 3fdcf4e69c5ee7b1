"""Choices that are equal on every machine and in the emitted JavaScript: a 32-bit hash of a text.

No state and no random generator; whoever wants another choice asks with another text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

_OFFSET = 0x811C9DC5
_PRIME = 0x01000193
_MASK = 0xFFFFFFFF


def hash32(text: str) -> int:
    """Return the 32-bit FNV-1a hash of the UTF-8 bytes of `text`, mixed once more as murmur3 ends."""
    value = _OFFSET
    for byte in text.encode("utf-8", "replace"):
        value = ((value ^ byte) * _PRIME) & _MASK
    value ^= value >> 16
    value = (value * 0x85EBCA6B) & _MASK
    value ^= value >> 13
    value = (value * 0xC2B2AE35) & _MASK
    return value ^ (value >> 16)


def pick(options: Sequence[T], text: str) -> T:
    """Return the option that `text` stands for."""
    return options[hash32(text) % len(options)]


def between(low: int, high: int, text: str) -> int:
    """Return the integer from `low` to `high`, both included, that `text` stands for."""
    return low + hash32(text) % (high - low + 1)


def uuid(text: str) -> str:
    """Return the version 4 UUID that `text` stands for."""
    digits = "".join(f"{hash32(f'{text}#{part}'):08x}" for part in range(4))
    variant = "89ab"[int(digits[16], 16) % 4]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
