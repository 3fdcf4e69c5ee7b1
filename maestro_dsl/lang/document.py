"""A document: a decoded value together with its plain data, its positions and its digest."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from typing import Generic, TypeVar

from maestro_dsl.lang.model import Json, Kind
from maestro_dsl.lang.sourcemap import Pointer, SourceMap
from maestro_dsl.records import dataclass

V_co = TypeVar("V_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document(Generic[V_co]):
    """One file of the language.

    `value` is partial where the file has errors: `holes` names what was left out, and a required text that
    is missing or broken is "" in `value`. `file` is the path as shown to the user (posix), `path` the real
    one, `digest` the SHA-256 of the bytes.
    """

    kind: Kind
    value: V_co
    data: Json = field(repr=False)
    map: SourceMap = field(repr=False, compare=False)
    file: str
    path: Path
    text: str = field(repr=False)
    digest: str
    holes: tuple[Pointer, ...] = ()
    alike: list[int] = field(default_factory=list, init=False, repr=False, compare=False)
    """What `maestro_dsl.lang.alike` found, once it was asked."""

    def is_hole(self, pointer: Pointer) -> bool:
        """Return whether `pointer` or one of its ancestors was left out of `value` because of an error."""
        return any(pointer[: len(hole)] == hole for hole in self.holes)
