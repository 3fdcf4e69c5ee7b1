"""A plan with everything it refers to: project, blueprint, team, contracts, prompts and spec files.

Reads files, never the network, and never follows a path out of the project folder. What is broken is left
out and reported, so that one run reports the mistakes of every file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from maestro_dsl.diagnostics import Diagnostics
from maestro_dsl.lang.document import Document
from maestro_dsl.lang.model import (
    Blueprint,
    Contract,
    DocumentValue,
    Json,
    Persona,
    Plan,
    Project,
    TeamMember,
)
from maestro_dsl.lang.settings import EffectiveSettings, MemberSettings, Overrides
from maestro_dsl.lang.source import Loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedMember:
    """One member of the team; `prompt` is the source text of its prompt file ("" where it has none)."""

    id: str
    member: TeamMember
    persona: Document[Persona]
    prompt: str = field(repr=False)
    prompt_file: str | None
    """As shown to the user."""
    settings: MemberSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedContract:
    """One contract with its spec file; all None where it states none or the file cannot be read."""

    document: Document[Contract]
    spec_path: str | None = None
    """Relative to the project, posix."""
    spec_bytes: bytes | None = field(default=None, repr=False)
    spec: Loaded | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """Everything a plan is compiled from."""

    root: Path
    plan: Document[Plan]
    project: Document[Project] | None
    blueprint: Document[Blueprint]
    team: Mapping[str, ResolvedMember]
    """In order of declaration."""
    contracts: Mapping[str, ResolvedContract]
    """Sorted by id."""
    settings: EffectiveSettings
    inputs: Mapping[str, Json]
    """The plan's inputs over the blueprint's defaults."""
    vars: Mapping[str, Json]
    """`project.vars`: the project's, the environment's, the command line's."""
    documents: tuple[Document[DocumentValue], ...]
    """Every document that was read, the plan first."""


def load_workspace(
    plan_file: Path, *, overrides: Overrides, environ: Mapping[str, str]
) -> tuple[Workspace | None, Diagnostics]:
    """Read a plan and everything it refers to; pieces with errors are left out and reported."""
    raise NotImplementedError


def load_documents(paths: Sequence[Path]) -> tuple[tuple[Document[DocumentValue], ...], Diagnostics]:
    """Read every document of the language among `paths` (files, or folders searched for our file names)."""
    raise NotImplementedError


def find_blueprints(root: Path | None) -> tuple[Document[Blueprint], ...]:
    """Return the blueprints of the project at `root` and of the core library, sorted by file."""
    raise NotImplementedError
