"""The exact messages of fulfil nodes: system prompt from the persona's file, task from the packaged template.

A prompt file sees: `persona` (id, name, description, expertise, tools, model), `contract` (as in expressions,
and `start`, `spec`), `deliverables` (name, description, artifacts, expected_files, against, criteria),
`consumed` (each as `contract`, and `url`, `variable`, `mode`, `spec`), `requirement`, `folder`.
Addresses stand as the literal `${MAESTRO_URL_<CONTRACT>}`. Requirement and specs are data from elsewhere:
they stand between marks that their own text cannot hold. Nothing is rendered twice.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.codec import digest_bytes
from maestro_dsl.compiler.context import contract_value, persona_value
from maestro_dsl.compiler.plan import Prompt, url_variable
from maestro_dsl.lang.model import Against, Contract, Deliverable, Json
from maestro_dsl.lang.templates import MAX_PROMPT_BYTES, PromptError, render_prompt
from maestro_dsl.resources import data_dir

if TYPE_CHECKING:
    from collections.abc import Iterable

    from maestro_dsl.lang.contracts import ResolvedContract
    from maestro_dsl.lang.workspace import ResolvedMember, Workspace

MAX_DATA_CHARACTERS: Final = 120_000
"""Most characters of one spec or requirement in a prompt; what is cut off is said."""


class PromptWriter:
    """Renders the prompts of one workspace; what several prompts share is made once."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._max_bytes = workspace.settings.limits.max_prompt_bytes or MAX_PROMPT_BYTES
        self._specs: dict[str, str] = {}
        requirement = (workspace.plan.value.requirement or "").strip()
        self._requirement = fenced("requirement", requirement) if requirement else ""

    def write(
        self, member: ResolvedMember, contract_id: str, mocks: Iterable[str], reals: Iterable[str]
    ) -> Prompt:
        """Return the messages with which `member` is asked to fulfil a contract.

        Raises:
            PromptError: the persona's prompt file does not render.
        """
        contract = self._workspace.contracts[contract_id].document.value
        context: dict[str, Json] = {
            "persona": persona_value(member),
            "contract": {
                **_shown(contract),
                "start": list(contract.start),
                "spec": self._spec(contract_id),
            },
            "deliverables": [_deliverable(item) for item in contract.deliverables],
            "consumed": [
                *(self._consumed(name, "mock") for name in mocks),
                *(self._consumed(name, "real") for name in reals),
            ],
            "requirement": self._requirement,
            "folder": contract.provider_persona_id,
        }
        try:
            system = render_prompt(
                member.prompt or packaged("default.md.j2"), context, max_bytes=self._max_bytes
            )
        except PromptError as error:
            if member.prompt_file is not None:
                raise
            raise PromptError(f"the default prompt: {error.message}", hint=error.hint) from error
        user = render_prompt(packaged("task.md.j2"), context, max_bytes=self._max_bytes)
        return Prompt(system=system.strip() + "\n", user=user.strip() + "\n")

    def _consumed(self, contract_id: str, mode: str) -> dict[str, Json]:
        contract = self._workspace.contracts[contract_id].document.value
        has_address = contract.interface_spec is not None
        variable = url_variable(contract_id)
        return {
            **_shown(contract),
            "variable": variable if has_address else "",
            "url": f"${{{variable}}}" if has_address else "",
            "mode": mode,
            "spec": self._spec(contract_id),
        }

    def _spec(self, contract_id: str) -> str:
        if contract_id not in self._specs:
            resolved = self._workspace.contracts[contract_id]
            text = _spec_text(resolved)
            self._specs[contract_id] = fenced(f"interface of {contract_id}", text) if text else ""
        return self._specs[contract_id]


def fenced(label: str, text: str, limit: int = MAX_DATA_CHARACTERS) -> str:
    """Return `text` between marks that it cannot hold itself, because they carry its digest."""
    mark = digest_bytes(text.encode("utf-8", "surrogatepass"))[:12]
    cut = ""
    if len(text) > limit:
        cut = f"\n(cut: the first {limit:,} of {len(text):,} characters)"
        text = text[:limit]
    return f"<<<DATA {mark} {label}\n{text}{cut}\nDATA {mark}>>>"


def _spec_text(resolved: ResolvedContract) -> str:
    """Return the decoded spec as text, so that comments and format of its file do not reach a prompt."""
    if resolved.spec is None or resolved.spec.data is None:
        return ""
    if isinstance(resolved.spec.data, str):
        return resolved.spec.text  # a language of its own, in which layout helps to read
    return json.dumps(resolved.spec.data, indent=1, sort_keys=True, ensure_ascii=False)


def _shown(contract: Contract) -> dict[str, Json]:
    """Return a contract without what other contracts and the mock say about it."""
    value = contract_value(contract)
    del value["mock_available"], value["deliverables"]
    return value


def _deliverable(item: Deliverable) -> dict[str, Json]:
    return {
        "name": item.name,
        "description": (item.description or "").rstrip("."),
        "artifacts": list(item.artifacts),
        "expected_files": item.expected_files or len(item.artifacts),
        "against": "the real provider" if item.against is Against.REAL else "the mock",
        "criteria": [criterion.label for criterion in item.acceptance_criteria],
    }


@cache
def packaged(name: str) -> str:
    """Return the text of a prompt template of the core library."""
    text: Any = (data_dir("blueprints") / "prompts" / name).read_text(encoding="utf-8")
    return str(text)
