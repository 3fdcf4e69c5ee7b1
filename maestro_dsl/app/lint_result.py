"""What `lint` returns; in a module of its own, because an answer from the cache needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from maestro_dsl.diagnostics import Diagnostics


@dataclass(frozen=True, slots=True, kw_only=True)
class LintResult:
    """Findings, and the texts that they point into by file name."""

    diagnostics: Diagnostics
    sources: Mapping[str, str]
    files_checked: int
    files: Mapping[str, Path] = field(default_factory=dict)
    """File as shown in a finding → its real path, of every document that was read."""
