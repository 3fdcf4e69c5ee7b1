"""What `lint` is asked and returns; apart from the rest, because an answer from the cache needs no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from maestro_dsl.diagnostics import Diagnostics
from maestro_dsl.lang.settings import Overrides


@dataclass(frozen=True, slots=True, kw_only=True)
class LintResult:
    """Findings, and the texts that they point into by file name."""

    diagnostics: Diagnostics
    sources: Mapping[str, str]
    files_checked: int
    files: Mapping[str, Path] = field(default_factory=dict)
    """File as shown in a finding → its real path, of every document that was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FixOptions:
    """What `lint` is asked, and whether fixes that may change the meaning are wanted."""

    paths: Sequence[Path]
    environ: Mapping[str, str]
    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    stdin: bytes | None = None
    overrides: Overrides | None = None
    unsafe: bool = False
