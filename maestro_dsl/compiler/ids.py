"""Ids that expressions of nodes render to: do they name a team member (REF002), a contract (REF003)?

Ids that stand literally in a blueprint are checked where it is read. An id that a contract states as its
provider or consumer is that contract's mistake (CTR002), and is not reported a second time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.lang.references import undefined

if TYPE_CHECKING:
    from maestro_dsl.diagnostics import Diagnostics
    from maestro_dsl.lang.model import NodeSpec
    from maestro_dsl.lang.workspace import Workspace


def team_names(workspace: Workspace) -> tuple[str, ...]:
    """Return the ids of all members that the plan states, also of those whose persona has mistakes."""
    return tuple(dict.fromkeys((*workspace.plan.value.team, *workspace.team)))


def is_in_team(workspace: Workspace, persona_id: str) -> bool:
    """Return whether the plan states a member `persona_id`, sound or not."""
    plan = workspace.plan
    return persona_id in plan.value.team or persona_id in workspace.team or plan.is_hole(("team", persona_id))


class RenderedIds:
    """Checks the ids of one expansion; each wrong id of a node is reported once."""

    def __init__(self, workspace: Workspace, diagnostics: Diagnostics) -> None:
        self._workspace = workspace
        self._diagnostics = diagnostics
        self._reported: set[tuple[str, str, str]] = set()
        contracts = [item.document.value for item in workspace.contracts.values()]
        self._stated = {item.provider_persona_id for item in contracts}
        self._stated |= {name for item in contracts for name in item.consumer_persona_ids}
        self._is_sound = not workspace.lacks_contracts

    def check(self, spec: NodeSpec, key: str | None, persona_id: str | None, contract_id: str | None) -> None:
        """Report what the expressions of a node for `key` render to, where it names nothing."""
        if spec.contract is not None and "{{" in spec.contract and contract_id is not None:
            self._contract(spec, key, contract_id)
        if spec.persona is None or "{{" not in spec.persona or persona_id is None:
            return
        if persona_id in self._stated or is_in_team(self._workspace, persona_id):
            return
        names = team_names(self._workspace)
        message = f'"{persona_id}" is no member of the plan\'s team'
        self._report("REF002", "undefined-persona", spec, "persona", (key, persona_id, message), names)

    def _contract(self, spec: NodeSpec, key: str | None, contract_id: str) -> None:
        known = self._workspace.contracts
        if contract_id in known or not self._is_sound:
            return
        message = f'"{contract_id}" is no contract of the plan'
        names = tuple(known)
        self._report("REF003", "undefined-contract", spec, "contract", (key, contract_id, message), names)

    def _report(
        self,
        code: str,
        name: str,
        spec: NodeSpec,
        place: str,
        found: tuple[str | None, str, str],
        options: tuple[str, ...],
    ) -> None:
        key, word, message = found
        if (spec.id, place, word) in self._reported:
            return
        self._reported.add((spec.id, place, word))
        span = self._workspace.blueprint.map.value_span(("nodes", spec.id, place))
        where = f" (for the key {key})" if key is not None else ""
        noun = "team" if place == "persona" else "contracts"
        self._diagnostics.add(undefined(code, name, span, message + where, word, options, noun))
