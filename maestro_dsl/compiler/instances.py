"""Blueprint nodes to instances: `foreach` unrolled, names bound, conditions decided where they can be.

Knows nothing of edges. An instance whose `when` is false at compile time is kept with `is_live` false, so
that its needs can be passed on; what reads outputs of nodes stays for the run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Final

from maestro_dsl.compiler import context as scope
from maestro_dsl.compiler.context import unknown_names
from maestro_dsl.compiler.ids import RenderedIds
from maestro_dsl.compiler.readers import Reader
from maestro_dsl.diagnostics import Diagnostic, Diagnostics, Severity, Span
from maestro_dsl.lang.alike import alike
from maestro_dsl.lang.expression_parse import OPEN
from maestro_dsl.lang.expressions import (
    ExpressionError,
    Problem,
    Scope,
    evaluate,
    parse,
    render,
    render_value,
)
from maestro_dsl.lang.model import Json, NodeSpec
from maestro_dsl.lang.references import check_input_values
from maestro_dsl.lang.values import check_params, validator_of_params
from maestro_dsl.lang.workspace import Workspace
from maestro_dsl.records import copier, dataclass

_KEY: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_NOTHING: Final[Mapping[str, Json]] = {}
_FIELDS: Final = (
    "address",
    "spec",
    "key",
    "is_live",
    "persona_id",
    "contract_id",
    "when",
    "params",
    "late_params",
    "bindings",
    "idempotency_key",
)
"""What `_one` says of an instance, in the order in which it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One node of one key; `spec` is the blueprint node it came from."""

    address: str
    spec: NodeSpec
    key: str | None = None
    is_live: bool = True
    persona_id: str | None = None
    contract_id: str | None = None
    rechecks: str | None = None
    when: str | None = None
    params: Mapping[str, Json] = field(default_factory=dict)
    late_params: tuple[str, ...] = ()
    bindings: Mapping[str, Json] = field(default_factory=dict)
    idempotency_key: str | None = None

    @property
    def action(self) -> str:
        """The action of the node."""
        return self.spec.action


def instances(workspace: Workspace) -> tuple[tuple[Instance, ...], Diagnostics]:
    """Return the instances of all nodes of the blueprint, in order of declaration, then of key."""
    expansion = _Expansion(workspace=workspace, base=Scope(scope.values(workspace)))
    limit = workspace.settings.limits.max_nodes
    found, copies = expansion.found, expansion.copies
    for spec, number in zip(
        workspace.blueprint.value.nodes.values(), alike(workspace.blueprint), strict=True
    ):
        if number in copies:
            found.append(copies[number](spec.id, spec))
        else:
            expansion.add(spec, number)
        if limit is not None and len(found) > limit:
            expansion.report_limit(limit)
            break
    return tuple(found), expansion.diagnostics


@dataclass(slots=True)
class _Expansion:
    """The instances found so far."""

    workspace: Workspace
    base: Scope
    found: list[Instance] = field(default_factory=list)
    diagnostics: Diagnostics = field(default_factory=Diagnostics)
    wrong_params: set[Span] = field(default_factory=set)
    evaluated: dict[str, Json] = field(default_factory=dict)
    """Values of expressions over `base`, which many nodes share."""
    members: dict[str, list[tuple[str, Json]]] = field(default_factory=dict)
    """Keys and items of each `foreach` that is sound."""
    of_mappings: set[str] = field(default_factory=set)
    """Each `foreach` that goes over mappings, which may be contracts."""
    rendered: dict[str, Json] = field(default_factory=dict)
    readers: dict[int, Reader] = field(default_factory=dict)
    """What is known of nodes that are alike."""
    copies: dict[int, Callable[[str, NodeSpec], Instance]] = field(default_factory=dict)
    """What makes the instance of a node without `foreach`, where nothing was to be said of one alike."""
    names: RenderedIds = field(init=False)
    make: Callable[..., Instance] = field(init=False)
    make_simple: Callable[..., Instance] = field(init=False)
    is_fed_well: bool = True
    """False where inputs of the plan are wrong, so that what they render to is too."""
    unknown: tuple[str, ...] = ()
    """Names that may lack what an expression reads, because of another mistake."""

    def __post_init__(self) -> None:
        """Know the names that rendered ids may have, and how instances are made."""
        self.names = RenderedIds(self.workspace, self.diagnostics)
        nothing = Instance(address="", spec=NodeSpec(id="", action=""), bindings=_NOTHING)
        self.make = copier(nothing, *_FIELDS)
        self.make_simple = copier(
            nothing, "address", "spec", "key", "persona_id", "params", "idempotency_key"
        )
        plan, blueprint = self.workspace.plan, self.workspace.blueprint
        wrong = check_input_values(plan, blueprint)
        self.is_fed_well = next(iter(wrong), None) is None
        self.unknown = unknown_names(self.workspace)

    def add(self, spec: NodeSpec, number: int) -> None:
        """Add all instances of one node; `number` says which are alike."""
        reader = self.readers.get(number)
        if reader is None:
            reader = self.readers[number] = Reader(spec)
        if spec.foreach is None:
            self._add_single(reader, spec, number)
            return
        members, base, name = self._members(spec), self.base, spec.as_name or "item"
        if not reader.is_simple or spec.foreach in self.of_mappings:
            for key, item in members:
                context = {**base, name: item, "key": key} if reader.has_expressions else base
                self.found.append(self._one(reader, spec, key, context, item))
            return
        node_id, persona_id, params, again = spec.id, spec.persona, spec.params, spec.idempotency_key
        make, found = self.make_simple, self.found
        for key, item in members:
            if not reader.is_plain:
                params, _ = self._params(reader, spec, {**base, name: item, "key": key})
            found.append(make(f"{node_id}[{key}]", spec, key, persona_id, params, again))

    def report_limit(self, limit: int) -> None:
        """Report that the plan has too many nodes."""
        self.diagnostics.items[:] = [item for item in self.diagnostics.items if item.code != "GRF005"]
        spec = self.found[limit].spec
        self._report("GRF005", "unbounded-fanout", spec, "foreach", f"the plan has more than {limit:,} nodes")

    def _members(self, spec: NodeSpec) -> list[tuple[str, Json]]:
        text = spec.foreach or ""
        if text in self.members:
            return self.members[text]
        value = self._evaluate(spec, "foreach", text, self.base)
        keys: list[str] = []
        items: list[Json] = []
        if isinstance(value, dict):
            keys, items = list(value), list(value.values())
        elif isinstance(value, list):
            keys, items = _keys_of(value), value
        limit = self.workspace.settings.limits.max_fanout
        if limit is not None and len(keys) > limit:
            message = f"foreach gives {len(keys):,} instances; the limit is {limit:,}"
            self._report("GRF005", "unbounded-fanout", spec, "foreach", message)
            return []
        if len(set(keys)) < len(keys) or not all(map(_KEY.fullmatch, keys)):
            why = _why_wrong(keys)
            self._report("EXP003", "expression-type", spec, "foreach", f"foreach: {why}")
            return []
        self.members[text] = list(zip(keys, items, strict=True))
        if any(isinstance(item, dict) for item in items):
            self.of_mappings.add(text)
        return self.members[text]

    def _add_single(self, reader: Reader, spec: NodeSpec, number: int) -> None:
        """Add the instance of a node without `foreach`: where all is well, nodes alike differ in names."""
        if reader.sound is not None:
            copy = self.copies[number] = copier(reader.sound, "address", "spec")
            self.found.append(copy(spec.id, spec))
            return
        before = len(self.diagnostics.items)
        made = self._one(reader, spec, None, self.base, None)
        self.found.append(made)
        if len(self.diagnostics.items) == before and not reader.has_rendered_ids:
            reader.sound = made

    def _one(
        self, reader: Reader, spec: NodeSpec, key: str | None, context: dict[str, Json], item: Json
    ) -> Instance:
        address = spec.id if key is None else f"{spec.id}[{key}]"
        is_live, when = self._condition(reader, spec, context) if spec.when is not None else (True, None)
        contract_id, persona_id = spec.contract, spec.persona
        if reader.has_rendered_ids:
            contract_id = self._text(spec, "contract", contract_id, context)
            persona_id = self._text(spec, "persona", persona_id, context)
        contract_id = contract_id or self._contract_of(item, spec)
        resolved = self.workspace.contracts.get(contract_id) if contract_id is not None else None
        if resolved is not None:
            if persona_id is None and spec.action == "fulfil":
                persona_id = resolved.document.value.provider_persona_id
            if spec.action == "mock" and not resolved.document.value.can_mock:
                is_live = False
        if reader.has_rendered_ids:
            self.names.check(spec, key, persona_id, contract_id)
        params, late = (spec.params, ()) if reader.is_plain else self._params(reader, spec, context)
        names = reader.late_names() if when is not None or late else None
        bindings = {name: context[name] for name in sorted(names) if name in context} if names else _NOTHING
        again = self._text(spec, "idempotency_key", spec.idempotency_key, context)
        return self.make(
            address, spec, key, is_live, persona_id, contract_id, when, params, late, bindings, again
        )

    def _condition(self, reader: Reader, spec: NodeSpec, context: dict[str, Json]) -> tuple[bool, str | None]:
        if spec.when is None or reader.when is None:
            return True, None  # there is none, or it does not parse, which was reported
        if reader.when.at_run_time:
            return True, spec.when
        value = self._evaluate(spec, "when", spec.when, context)
        return value is not False, None

    def _contract_of(self, item: Json, spec: NodeSpec) -> str | None:
        """Return the id of the contract that `foreach` is at, if it goes over contracts."""
        if spec.foreach is None or not isinstance(item, dict) or "provider_persona_id" not in item:
            return None
        found = item.get("id")
        return found if isinstance(found, str) else None

    def _text(self, spec: NodeSpec, key: str, text: str | None, context: dict[str, Json]) -> str | None:
        if text is None or "{{" not in text:
            return text
        try:
            value = render(text, context)
        except ExpressionError as error:
            self._failed(spec, key, error)
            return None
        return value if isinstance(value, str) else str(value)

    def _params(
        self, reader: Reader, spec: NodeSpec, context: dict[str, Json]
    ) -> tuple[Mapping[str, Json], tuple[str, ...]]:
        params: dict[str, Json] = dict(spec.params)
        rendered = self._render if context is self.base else render_value
        try:
            for name in reader.bound:
                params[name] = rendered(params[name], context)
        except ExpressionError as error:
            self._failed(spec, "with", error)
            return {}, ()
        if not reader.late and self.is_fed_well:
            validator = validator_of_params(spec.action)
            if validator is not None and not validator.is_valid(params):
                self._check_params(spec, params)
        return params, reader.late

    def _render(self, value: Json, context: Mapping[str, Json]) -> Json:
        """Return what `render_value` does over `base`, which many nodes share."""
        if isinstance(value, list):
            return [
                item if isinstance(item, str) and OPEN not in item else self._render(item, context)
                for item in value
            ]
        if not isinstance(value, str):
            return render_value(value, context)
        if value not in self.rendered:
            self.rendered[value] = render(value, context)
        return self.rendered[value]

    def _check_params(self, spec: NodeSpec, params: Mapping[str, Json]) -> None:
        for finding in check_params(spec.id, spec.action, params, self.workspace.blueprint.map):
            if finding.span not in self.wrong_params:  # once, not for each key of a foreach
                self.wrong_params.add(finding.span)
                self.diagnostics.add(finding)

    def _evaluate(self, spec: NodeSpec, key: str, text: str, context: Mapping[str, Json]) -> Json:
        parsed = parse(text)
        if isinstance(parsed, Problem):
            return None  # reported by the static checks
        try:
            if context is not self.base:
                return evaluate(parsed, context)
            if text not in self.evaluated:
                self.evaluated[text] = evaluate(parsed, context)
            return self.evaluated[text]
        except ExpressionError as error:
            self._failed(spec, key, error)
            return None

    def _failed(self, spec: NodeSpec, key: str, error: ExpressionError) -> None:
        undefined = "is undefined" in error.message or "is not defined" in error.message
        if any(name in error.message for name in self.unknown):
            return  # one mistake, one finding: that what it reads is missing
        if self.workspace.blueprint.is_hole(("nodes", spec.id, "as")) or spec.as_name in {"key", "nodes"}:
            return  # what it calls the item is told
        code, name = ("EXP002", "undefined-variable") if undefined else ("EXP003", "expression-type")
        self._report(code, name, spec, key, error.message)

    def _report(self, code: str, name: str, spec: NodeSpec, key: str, message: str) -> None:
        document = self.workspace.blueprint
        self.diagnostics.add(
            Diagnostic(
                code=code,
                name=name,
                severity=Severity.ERROR,
                span=document.map.value_span(("nodes", spec.id, key)),
                message=message,
            )
        )


def _why_wrong(keys: list[str]) -> str:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            return f"two items have the key {key!r}"
        seen.add(key)
    wrong = next(key for key in keys if not _KEY.fullmatch(key))
    return f"{wrong!r} cannot be a key"


def _keys_of(items: list[Json]) -> list[str]:
    kinds = set(map(type, items))
    if kinds <= {int}:
        return list(map(str, items))
    return [_key_of(item, index) for index, item in enumerate(items)]


def _key_of(item: Json, index: int) -> str:
    if isinstance(item, str):
        return item
    if isinstance(item, int) and not isinstance(item, bool):
        return str(item)
    if isinstance(item, dict) and isinstance(item.get("id"), str):
        return str(item["id"])
    return str(index)
