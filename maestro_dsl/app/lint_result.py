"""What `lint` is asked and returns; apart from the rest, because an answer from the cache needs no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path

from maestro_dsl.diagnostics import Diagnostics
from maestro_dsl.lang.model import LintSettings
from maestro_dsl.lang.settings import Overrides
from maestro_dsl.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LintResult:
    """Findings, and the texts that they point into by file name."""

    diagnostics: Diagnostics
    sources: Mapping[str, str]
    files_checked: int
    files: Mapping[str, Path] = field(default_factory=dict)
    """File as shown in a finding → its real path, of every document that was read."""
    suppressed: Diagnostics = field(default_factory=Diagnostics)
    """What comments hide."""
    plans: tuple[str, ...] = ()
    """The plans among the documents that were asked for, as shown."""
    projects: Mapping[Path, LintSettings] = field(default_factory=dict)
    """Folder of each project → its `lint:` section."""

    def path_of(self, file: str) -> Path:
        """Return the real path of a file as shown in a finding."""
        return self.files.get(file) or Path(file).resolve()

    def settings_of(self, file: str) -> tuple[Path, LintSettings]:
        """Return the folder of the nearest project of a file as shown, and what it says about lint."""
        if self.projects:
            path = self.path_of(file)
            for folder in path.parents:
                if folder in self.projects:
                    return folder, self.projects[folder]
        return Path(), LintSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class FixOptions:
    """What `lint` is asked, and whether fixes that may change the meaning are wanted."""

    paths: Sequence[Path]
    environ: Mapping[str, str]
    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    stdin: bytes | None = None
    stdin_name: Path | None = None
    """Where standard input would stand as a file."""
    overrides: Overrides | None = None
    overlay: Mapping[Path, bytes] = field(default_factory=dict)
    """Contents by real path that count in place of what is on disk, such as those of an editor."""
    only: Path | None = None
    """The one file that may be changed, by its real path; None = all of them."""
    unsafe: bool = False
