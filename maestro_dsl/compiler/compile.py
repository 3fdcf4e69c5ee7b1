"""Workspace to compiled plan: everything that can be known before a run, as one frozen value.

Key parts say what a node's result depends on: never addresses, ports, concurrency, output or budgets, and
never the comments or format of a file. Waves come from `dag`, which is loaded here and nowhere in `lint`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from maestro_dsl.collector import collector_paused
from maestro_dsl.compiler.check import check_blueprint, check_retry_conditions, without_echoes
from maestro_dsl.compiler.contracts import compile_contracts
from maestro_dsl.compiler.expand import Expansion, expand
from maestro_dsl.compiler.keys import KeyWriter
from maestro_dsl.compiler.plan import (
    CompiledContract,
    CompiledPersona,
    CompiledPlan,
    Edge,
    EdgeKind,
    KeyPart,
    ModelRef,
    PlanNode,
    Prompt,
    RetryPolicy,
    SafetyPolicy,
)
from maestro_dsl.compiler.policies import execution_of, guardrails_of, retry_policy, safety_policy, sizes_of
from maestro_dsl.compiler.prompt_check import prompt_problems
from maestro_dsl.compiler.prompts import PromptWriter
from maestro_dsl.diagnostics import Diagnostic, Diagnostics, Related, Severity, Span
from maestro_dsl.lang.files import area_of
from maestro_dsl.lang.model import RetrySettings
from maestro_dsl.lang.prompts import prompts_of
from maestro_dsl.lang.settings import NodeSettings, for_node
from maestro_dsl.lang.templates import PromptError
from maestro_dsl.lang.workspace import Workspace
from maestro_dsl.records import copier
from maestro_dsl.resources import data_dir

if TYPE_CHECKING:
    from pathlib import Path

    from maestro_dsl.compiler.instances import Instance
    from maestro_dsl.lang.model import (
        Contract,
        NodeSpec,
    )
    from maestro_dsl.lang.workspace import ResolvedMember

_NO_RETRY: Final = RetrySettings()
_NOTHING: Final[tuple[str, ...]] = ()
_OWN: Final = (
    "address",
    "node",
    "key",
    "rechecks",
    "edges",
    "consumes_mock",
    "consumes_real",
    "writes",
    "reads",
    "when",
    "params",
    "late_params",
    "bindings",
    "prompt",
    "idempotency_key",
    "key_parts",
)
"""What each node has for itself, in the order in which `_Builder.nodes` says it."""


def compile_workspace(workspace: Workspace) -> tuple[CompiledPlan | None, Diagnostics]:
    """Return the plan of a workspace, or None and what is wrong with it."""
    with collector_paused():
        return _compile(workspace)


def _compile(workspace: Workspace) -> tuple[CompiledPlan | None, Diagnostics]:
    static = check_blueprint(workspace.blueprint, workspace)
    diagnostics = Diagnostics(list(static.items))
    for document in workspace.documents:
        diagnostics.extend(check_retry_conditions(document))
    for prompt in prompts_of((workspace,), ()):
        diagnostics.extend(prompt_problems(prompt))
    contracts, wrong = compile_contracts(workspace)
    diagnostics.extend(wrong)
    expansion, wrong = expand(workspace)
    diagnostics.extend(without_echoes(wrong, static.items))
    if diagnostics.has_errors:
        return None, diagnostics
    builder = _Builder(workspace=workspace, contracts=contracts, expansion=expansion)
    nodes = builder.nodes()
    diagnostics.extend(builder.diagnostics)
    plan = None if builder.diagnostics.has_errors else _plan(workspace, builder, nodes)
    return plan, diagnostics


def _plan(workspace: Workspace, builder: _Builder, nodes: tuple[PlanNode, ...]) -> CompiledPlan:
    from maestro_dsl.compiler.dag import Dag

    settings, plan = workspace.settings, workspace.plan.value
    return CompiledPlan(
        id=plan.id,
        name=plan.name or plan.id,
        requirement=plan.requirement or "",
        blueprint=f"{workspace.blueprint.value.id}@{workspace.blueprint.value.version}",
        execution_mode=workspace.blueprint.value.execution_mode,
        nodes=nodes,
        waves=Dag.of(builder.expansion.sources).waves(builder.expansion.order),
        personas=tuple(builder.persona(member) for member in workspace.team.values()),
        contracts=tuple(builder.contracts.values()),
        provider=settings.provider,
        guardrails=guardrails_of(settings.guardrails),
        execution=execution_of(settings.execution),
        quality_threshold=settings.quality_threshold,
        output=settings.output,
        sandbox=settings.sandbox,
        sizes=sizes_of(settings.limits),
        sources=_sources(workspace),
        blobs={
            compiled.spec_digest: resolved.spec_bytes
            for compiled, resolved in zip(
                builder.contracts.values(), workspace.contracts.values(), strict=True
            )
            if compiled.spec_digest is not None and resolved.spec_bytes is not None
        },
    )


def _sources(workspace: Workspace) -> dict[str, str]:
    """Return path → digest of every document; paths of the core library start with "core/"."""
    core = data_dir("blueprints").resolve()
    found: dict[str, str] = {}
    for document in workspace.documents:
        found[_portable(document.path, workspace.root, core)] = document.digest
    return dict(sorted(found.items()))


def _portable(path: Path, root: Path, core: Path) -> str:
    path, root = path.resolve(), root.resolve()
    if path.is_relative_to(root):
        return path.relative_to(root).as_posix()
    if path.is_relative_to(core):
        return f"core/{path.relative_to(core).as_posix()}"
    library = area_of(path).root  # a folder beside the project
    return f"{library.name}/{path.relative_to(library).as_posix()}"


# ---- nodes -----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Builder:
    """Turns instances into plan nodes; what many nodes share is made once."""

    workspace: Workspace
    contracts: Mapping[str, CompiledContract]
    expansion: Expansion
    diagnostics: Diagnostics = field(default_factory=Diagnostics)
    writer: PromptWriter = field(init=False)
    keys: KeyWriter = field(init=False)
    _settings: dict[object, tuple[NodeSettings, RetryPolicy]] = field(default_factory=dict)
    _layers: dict[str, str | None] = field(default_factory=dict)
    _steps: dict[tuple[str, str | None, str | None], Callable[..., PlanNode]] = field(default_factory=dict)
    """Step, contract and persona → what makes a node of them from the values of `_OWN`."""
    _makers: dict[tuple[object, ...], Callable[..., PlanNode]] = field(default_factory=dict)
    """The same by all that such nodes have in common, so that steps that state the same share it."""
    _safety: SafetyPolicy = field(init=False)

    def __post_init__(self) -> None:
        """Make what every node shares."""
        self.writer = PromptWriter(self.workspace)
        self.keys = KeyWriter(self.workspace, self.contracts, self.expansion)
        self._safety = safety_policy(self.workspace.settings.safety)

    def nodes(self) -> tuple[PlanNode, ...]:
        """Return the plan nodes of all instances."""
        edges_of, writes_of = self.expansion.edges, self.expansion.writes
        steps = self._steps
        found: list[PlanNode] = []
        last: tuple[object, ...] = ()
        last_params: object = None
        for instance in self.expansion.instances:
            spec, contract_id, persona_id = instance.spec, instance.contract_id, instance.persona_id
            address, edges, params = instance.address, edges_of[instance.address], instance.params
            # Instances of one step follow each other, and most share their parameters.
            if last != (step := (spec.id, contract_id, persona_id)):
                make, last, last_params = steps.get(step) or self._maker(instance), step, None
            if contract_id is None and persona_id is None:
                mocks, reals, prompt = _NOTHING, _NOTHING, None
                if params is not last_params or instance.late_params:
                    parts, last_params = self.keys.plain(instance), params
            else:
                mocks, reals, prompt, parts = self._with_contract(instance)
            node = make(
                address,
                spec.id,
                instance.key,
                instance.rechecks,
                edges,
                mocks,
                reals,
                writes_of.get(address, _NOTHING) if writes_of else _NOTHING,
                self._reads(instance, edges, reals) if writes_of else _NOTHING,
                instance.when,
                params,
                instance.late_params,
                instance.bindings,
                prompt,
                instance.idempotency_key,
                parts,
            )
            found.append(node)
        return tuple(found)

    def _with_contract(
        self, instance: Instance
    ) -> tuple[tuple[str, ...], tuple[str, ...], Prompt | None, tuple[KeyPart, ...]]:
        """Return what a node that has a contract or a persona consumes, what it asks, and its key."""
        mocks = self.expansion.mocks.get(instance.address, _NOTHING)
        reals = self.expansion.reals.get(instance.address, _NOTHING)
        member = self.workspace.team.get(instance.persona_id or "")
        prompt = self._prompt(instance, member, mocks, reals)
        return mocks, reals, prompt, self.keys.parts(instance, member, prompt, (*mocks, *reals))

    def _maker(self, instance: Instance) -> Callable[..., PlanNode]:
        """Return, and keep, what makes a node like `instance` from the values of `_OWN`."""
        spec, contract = instance.spec, self._contract(instance)
        settings, retry = self._node_settings(spec, contract, instance.persona_id)
        estimate_s = _estimate(spec, contract)
        common = (id(settings), instance.contract_id, instance.persona_id, spec.action)
        stated = (*common, spec.required, spec.effect, estimate_s)
        make = self._makers.get(stated)
        if make is None:
            made = contract.deliverables if spec.action == "fulfil" and contract is not None else ()
            first = PlanNode(
                address=instance.address,
                node=spec.id,
                action=spec.action,
                persona_id=instance.persona_id,
                contract_id=instance.contract_id,
                deliverables=tuple(item.name for item in made),
                timeout_s=settings.timeout_s,
                attempt_timeout_s=settings.attempt_timeout_s,
                retry=retry,
                safety=self._safety,
                give_up=settings.give_up,
                required=spec.required,
                estimate_s=estimate_s,
                effect=spec.effect,
            )
            make = self._makers[stated] = copier(first, *_OWN)
        self._steps[spec.id, instance.contract_id, instance.persona_id] = make
        return make

    def persona(self, member: ResolvedMember) -> CompiledPersona:
        """Return a team member with every setting in force."""
        persona, settings = member.persona.value, member.settings
        return CompiledPersona(
            id=member.id,
            use=member.member.use,
            name=persona.name or member.id,
            description=persona.description or "",
            expertise=persona.expertise,
            tools=persona.tools,
            prompt=member.prompt,
            model=ModelRef(provider=settings.model.provider, model=settings.model.model),
            settings=settings.model_settings,
            max_attempts=settings.max_attempts,
            token_budget=settings.token_budget,
            give_up_on_failure=settings.give_up_on_failure,
        )

    def _contract(self, instance: Instance) -> Contract | None:
        compiled = self.contracts.get(instance.contract_id or "")
        return compiled.contract if compiled is not None else None

    def _node_settings(
        self, spec: NodeSpec, contract: Contract | None, persona_id: str | None
    ) -> tuple[NodeSettings, RetryPolicy]:
        if spec.id not in self._layers:
            self._layers[spec.id] = _node_layer(spec)
        layers = (
            self._layers[spec.id],
            contract.id if contract is not None and _has_settings(contract) else None,
            persona_id,
        )
        if layers not in self._settings:
            member = self.workspace.team.get(persona_id or "")
            resolved = self.workspace.contracts.get(contract.id) if contract is not None else None
            found = for_node(
                self.workspace.settings,
                node=spec,
                contract=resolved.document if resolved is not None else None,
                member=member.settings if member is not None else None,
            )
            self._settings[layers] = (found, retry_policy(found.retry))
        return self._settings[layers]

    def _prompt(
        self,
        instance: Instance,
        member: ResolvedMember | None,
        mocks: tuple[str, ...],
        reals: tuple[str, ...],
    ) -> Prompt | None:
        contract_id = instance.contract_id
        if instance.action != "fulfil" or member is None or contract_id is None:
            return None
        if contract_id not in self.contracts:
            return None
        try:
            return self.writer.write(member, contract_id, mocks, reals)
        except PromptError as error:
            self.diagnostics.add(_unwritable(member, error))
            return None

    def _reads(self, instance: Instance, edges: tuple[Edge, ...], reals: tuple[str, ...]) -> tuple[str, ...]:
        """Return the globs of what the node may read: files of hard needs, and of providers it starts."""
        sources = [edge.source for edge in edges if edge.kind is EdgeKind.HARD]
        started = (*reals, instance.contract_id) if instance.action in {"verify", "recheck"} else reals
        sources += [maker for name in started for maker in self.expansion.makers.get(name or "", ())]
        if not sources:
            return ()
        writes = self.expansion.writes
        return tuple(dict.fromkeys(glob for source in sources for glob in writes.get(source, ())))


def _unwritable(member: ResolvedMember, error: PromptError) -> Diagnostic:
    """Return what only shows when a prompt is written, at its line where that is known."""
    stated = member.persona.map.value_span(("prompt_file",))
    at_line = member.prompt_file is not None and error.line > 0
    return Diagnostic(
        code="PER003",
        name="prompt-variable",
        severity=Severity.ERROR,
        span=Span(member.prompt_file or "", error.line, 1, error.line, 1) if at_line else stated,
        message=f"this prompt cannot be written: {error.message}",
        help=error.hint,
        related=(Related(span=stated, message="the persona's prompt"),) if at_line else (),
    )


def _node_layer(spec: NodeSpec) -> str | None:
    """Return the id of a node that states settings of its own; others share theirs."""
    stated = (spec.timeout_s, spec.attempt_timeout_s, spec.give_up)
    if any(value is not None for value in stated):
        return spec.id
    return None if spec.retry == _NO_RETRY else spec.id


def _has_settings(contract: Contract) -> bool:
    stated = (contract.max_attempts, contract.token_budget, contract.give_up, contract.timeout_s)
    return any(value is not None for value in stated)


def _estimate(spec: NodeSpec, contract: Contract | None) -> float | None:
    """Return the stated duration of a node: its own, of its contract, or the sum of all deliverables."""
    if spec.estimate_s is not None or contract is None or spec.action != "fulfil":
        return spec.estimate_s
    if contract.estimate_s is not None:
        return contract.estimate_s
    parts = [item.estimate_s for item in contract.deliverables]
    known = [part for part in parts if part is not None]
    return sum(known) if known and len(known) == len(parts) else None
