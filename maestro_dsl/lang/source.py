"""YAML text to plain data with positions, in one pass over the parser's events."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from maestro_dsl.diagnostics import Diagnostics
from maestro_dsl.lang.model import Json
from maestro_dsl.lang.sourcemap import SourceMap


class Profile(Enum):
    """How strict reading is: our own documents, or interface descriptions written for other tools."""

    DOCUMENT = "document"
    INTERFACE = "interface"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a text holds: `data` is None where it is empty or cannot be read at all."""

    data: Json | None
    map: SourceMap = field(repr=False, compare=False)
    diagnostics: Diagnostics
    text: str = field(repr=False)


def load(content: bytes | str, file: str, *, profile: Profile = Profile.DOCUMENT) -> Loaded:
    """Return the data, positions and findings of `content`; any bytes give findings, never an exception."""
    raise NotImplementedError
