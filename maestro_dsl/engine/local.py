"""The local dispatcher: runs attempts in this process, each with folders of its own.

With `serialise` every spec and result takes the way over JSON that it would take to another machine; tests
switch it on, so that nothing crosses that could not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from maestro_dsl.codec import canonical, digest, from_json
from maestro_dsl.engine.ports.attempts import AttemptResult, AttemptSpec
from maestro_dsl.engine.ports.models import Prices, Provider
from maestro_dsl.engine.ports.processes import Sandbox, Services
from maestro_dsl.engine.ports.storage import ArtifactStore
from maestro_dsl.engine.ports.work import Action, AttemptLink, WorkContext
from maestro_dsl.errors import EnvironmentFailure
from maestro_dsl.records import maker
from maestro_dsl.scratch import machine_at_fault, remove_tree

T = TypeVar("T")
_tools = maker(WorkContext)
_NO_FOLDERS = (Path("/nonexistent/staging"), Path("/nonexistent/scratch"))


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalDispatcher:
    """Runs attempts here. `work_dir` None = no folders at all, for actions that touch no files."""

    actions: Mapping[str, Action]
    artifacts: ArtifactStore
    prices: Prices
    sandbox: Sandbox
    services: Services
    provider: Provider | None = None
    work_dir: Path | None = None
    serialise: bool = False

    async def submit(self, spec: AttemptSpec, link: AttemptLink) -> AttemptResult:
        """Run one attempt to its end; its folders are gone afterwards.

        Raises:
            EnvironmentFailure: this version has no such action; and whatever the action raises.
            DiskFailure: its folders cannot be made.
        """
        action = self.actions.get(spec.node.action)
        if action is None:
            raise EnvironmentFailure(
                f'{spec.node.address}: there is no action "{spec.node.action}"',
                hint=f"known actions: {', '.join(sorted(self.actions))}",
            )
        sent = _carried(AttemptSpec, spec) if self.serialise else spec
        folder = None if self.work_dir is None else self._folder(spec, self.work_dir)
        try:
            result = await action.work(sent, self._context(folder, link))
        finally:
            if folder is not None:
                remove_tree(folder)
        return _carried(AttemptResult, result) if self.serialise else result

    def _folder(self, spec: AttemptSpec, work_dir: Path) -> Path:
        name = digest([spec.run_id, spec.node.address])[:16]
        folder = work_dir / f"{name}-{spec.fence}"
        remove_tree(folder)  # where a killed process used the same place
        with machine_at_fault(folder, before_work=True):
            (folder / "staging").mkdir(parents=True)
            (folder / "scratch").mkdir()
        return folder

    def _context(self, folder: Path | None, link: AttemptLink) -> WorkContext:
        staging, scratch = (folder / "staging", folder / "scratch") if folder is not None else _NO_FOLDERS
        return _tools(
            artifacts=self.artifacts,
            provider=self.provider,
            prices=self.prices,
            sandbox=self.sandbox,
            services=self.services,
            staging=staging,
            scratch=scratch,
            answered=link.answered,
            stored_answer=link.stored.get,
        )


def _carried(kind: type[T], value: T) -> T:
    return from_json(kind, json.loads(canonical(value)))
