"""The static half of content keys: what a node's result depends on, one named digest each.

Never addresses, ports, concurrency, output, budgets or who else consumes a contract, and never the comments
or format of a file. What is known only in the run (results of needed nodes) is added by the engine.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

from maestro_dsl.codec import digest, digest_plain
from maestro_dsl.compiler.plan import CompiledContract, KeyPart, Prompt
from maestro_dsl.records import copier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.compiler.expand import Expansion
    from maestro_dsl.compiler.instances import Instance
    from maestro_dsl.lang.model import Contract
    from maestro_dsl.lang.workspace import ResolvedMember, Workspace

ACTION_VERSION: Final = 1
"""Grows when an action makes something else of the same inputs."""
VALIDATORS_VERSION: Final = 1
"""Grows when a validator judges the same files differently."""


class KeyWriter:
    """Makes the key parts of a workspace's nodes; parts that nodes share are made once."""

    def __init__(
        self, workspace: Workspace, contracts: Mapping[str, CompiledContract], expansion: Expansion
    ) -> None:
        self._workspace = workspace
        self._contracts = contracts
        self._expansion = expansion
        self._made: dict[tuple[str, str], KeyPart] = {}
        self._actions: dict[str, KeyPart] = {}
        self._params_made: dict[int, KeyPart] = {}
        self._plain_made: dict[tuple[str, int], tuple[KeyPart, ...]] = {}
        self._of_params = copier(KeyPart(name="params", digest=""), "digest")

    def parts(
        self,
        instance: Instance,
        member: ResolvedMember | None,
        prompt: Prompt | None,
        consumed: tuple[str, ...],
    ) -> tuple[KeyPart, ...]:
        """Return the parts of a node's key that are known before the run."""
        if prompt is None and instance.contract_id is None and instance.rechecks is None and not consumed:
            return self.plain(instance)
        parts = [self._action(instance.action)]
        if instance.params:
            parts.append(self._params(instance))
        if prompt is not None and member is not None:
            parts.append(_part("prompt", prompt))
            parts.extend(self._persona_parts(member))
        contract = self._contract(instance)
        if contract is not None:
            if instance.action == "mock":
                parts.append(_part("contract", [contract.id, contract.name, contract.version, contract.type]))
            else:
                parts.append(self._shared("contract", contract.id, _contract_terms(contract)))
                parts.append(self._shared("criteria", contract.id, _criteria(contract)))
        consumer = self._consumer_contract(instance)
        if consumer is not None:
            parts.append(self._shared(f"criteria:{consumer.id}", consumer.id, _criteria(consumer)))
        named = (instance.contract_id,) if instance.contract_id is not None else ()
        for contract_id in dict.fromkeys((*named, *consumed)):
            compiled = self._contracts.get(contract_id)
            if compiled is not None and compiled.interface_digest is not None:
                parts.append(KeyPart(name=f"interface:{contract_id}", digest=compiled.interface_digest))
        return tuple(parts)

    def plain(self, instance: Instance) -> tuple[KeyPart, ...]:
        """Return the parts of a node that depends on nothing but its action and parameters."""
        known = (instance.spec.action, id(instance.params))
        parts = self._plain_made.get(known)
        if parts is None or instance.late_params:
            parts = (self._action(instance.action), *([self._params(instance)] if instance.params else []))
            if not instance.late_params:
                self._plain_made[known] = parts
        return parts

    def _params(self, instance: Instance) -> KeyPart:
        if instance.late_params:
            return _part("params", [instance.params, instance.bindings])
        owner = id(instance.params)  # instances share the mapping of their node where nothing in it differs
        made = self._params_made.get(owner)
        if made is None:
            made = self._params_made[owner] = self._of_params(digest_plain(instance.params))
        return made

    def _consumer_contract(self, instance: Instance) -> Contract | None:
        if instance.rechecks is None:
            return None
        return self._contract(self._by_address[instance.rechecks])

    @cached_property
    def _by_address(self) -> dict[str, Instance]:
        return {item.address: item for item in self._expansion.instances}

    def _contract(self, instance: Instance) -> Contract | None:
        compiled = self._contracts.get(instance.contract_id or "")
        return compiled.contract if compiled is not None else None

    def _action(self, action: str) -> KeyPart:
        if action not in self._actions:
            self._actions[action] = _part("action", [action, ACTION_VERSION, VALIDATORS_VERSION])
        return self._actions[action]

    def _persona_parts(self, member: ResolvedMember) -> tuple[KeyPart, ...]:
        persona, settings = member.persona.value, member.settings
        return (
            self._shared(
                "persona",
                member.id,
                [member.id, persona.id, persona.name, persona.description, persona.expertise, persona.tools],
            ),
            self._shared("model", member.id, [self._workspace.settings.provider, settings.model]),
            self._shared("settings", member.id, settings.model_settings),
        )

    def _shared(self, name: str, owner: str, value: object) -> KeyPart:
        if (name, owner) not in self._made:
            self._made[name, owner] = _part(name, value)
        return self._made[name, owner]


def _part(name: str, value: object) -> KeyPart:
    return KeyPart(name=name, digest=digest(value))


def _contract_terms(contract: Contract) -> object:
    """Return what a contract demands: not its address, estimate, policies or who else consumes it."""
    return [
        contract.id,
        contract.version,
        contract.name,
        contract.description,
        contract.type,
        contract.provider_persona_id,
        contract.start,
        contract.interface_spec.type if contract.interface_spec is not None else None,
        [
            [item.name, item.description, item.artifacts, item.expected_files, item.against]
            for item in contract.deliverables
        ],
    ]


def _criteria(contract: Contract) -> object:
    return [[item.name, item.acceptance_criteria] for item in contract.deliverables]
