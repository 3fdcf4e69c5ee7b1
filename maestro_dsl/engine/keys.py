"""Content keys: what a node's result depends on, and why it runs again.

A key never holds a time, an attempt number, an address or a place in the plan. The static parts come from the
compiler; here the results of what the node uses are added. Whatever runs against a mock depends on the
interface alone, whichever server answered.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maestro_dsl.codec import canonical, digest
from maestro_dsl.engine.graph import MOCK_ACTION, PlanIndex
from maestro_dsl.engine.state import GOOD, NodeRecord, RunState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from maestro_dsl.compiler.plan import CompiledPlan, PlanNode, SizeLimits
    from maestro_dsl.engine.events import FileRef, NodeFinished
    from maestro_dsl.engine.ports.storage import ArtifactStore, CachedResult, Store
    from maestro_dsl.lang.model import Json

NEVER_RUN = "never run"
_SHOWN = 3


class Keys:
    """The content keys of one run; what a node shows to others is digested once, however many use it."""

    def __init__(self, index: PlanIndex, state: RunState) -> None:
        self._index = index
        self._known = _Shown(state).__getitem__

    def of(self, node: PlanNode, inputs: Sequence[str]) -> tuple[str, Mapping[str, str]]:
        """Return the node's key and its parts, once everything it uses is final; see `PlanIndex.inputs`."""
        parts = key_parts(node, inputs, self._index, self._known)
        return key_of(parts), parts


class _Shown(dict[str, str]):
    """What nodes show to others, as digests; kept of those that have ended, "" of all others."""

    def __init__(self, state: RunState) -> None:
        self._nodes = state.nodes

    def __missing__(self, address: str) -> str:
        record = self._nodes.get(address)
        if record is None or record.final is None:
            return ""
        made = self[address] = _digest_of(record, record.final)
        return made


def key_of(parts: Mapping[str, str]) -> str:
    """Return the content key of named digests, whatever their order."""
    text = "".join([f"{name}={parts[name]}\n" for name in sorted(parts)])
    return hashlib.sha256(text.encode()).hexdigest()


def key_parts(
    node: PlanNode, inputs: Sequence[str], index: PlanIndex, known: Callable[[str], str]
) -> dict[str, str]:
    """Return name → digest of all parts; `known` gives the digest of the result of one of the `inputs`."""
    parts = {part.name: part.digest for part in node.key_parts}
    on_mock = index.mocked.get(node.address, ())
    nodes = index.nodes
    for address in inputs:
        source = nodes[address]
        if source.action == MOCK_ACTION or address in on_mock:
            contract = index.contract(source)
            if contract is not None and contract.interface_digest is not None:
                parts.setdefault(f"interface:{contract.id}", contract.interface_digest)
        else:
            parts[f"result:{address}"] = known(address)
    return parts


def result_key(
    files: tuple[FileRef, ...], outputs: Mapping[str, Json], verdict: str | None, state: str | None = None
) -> str:
    """Return the digest of what others can see of a result: no time, no cost, no log."""
    if not files and not outputs and verdict is None and state is None:
        return _NOTHING  # the common case of a node that only orders others
    listed = [[item.path, item.digest, item.executable] for item in files]
    return digest({"files": listed, "outputs": outputs, "verdict": verdict, "state": state})


_NOTHING = hashlib.sha256(b"nothing to see").hexdigest()


def _digest_of(record: NodeRecord, final: NodeFinished) -> str:
    return result_key(
        final.files, final.outputs, final.verdict, None if record.state in GOOD else final.state
    )


def explain(
    parts: Mapping[str, str],
    last: CachedResult | None,
    detail: Callable[[str, str, str], str] | None = None,
) -> str:
    """Return why a node runs: "never run", or which parts differ from its last result.

    `detail(name, old, new)` may say what changed inside a part, given both digests; "" = nothing to add.
    """
    if last is None:
        return NEVER_RUN
    changes: list[str] = []
    for name in sorted({*parts, *last.parts}, key=_order):
        old, new = last.parts.get(name), parts.get(name)
        if old == new:
            continue
        if old is None or new is None:
            changes.append(f"{_words(name)} {'added' if old is None else 'removed'}")
            continue
        more = "" if detail is None else detail(name, old, new)
        changes.append(f"{_words(name)} changed{': ' + more if more else ''}")
    if not changes:
        return "its stored result is not complete any more"
    rest = len(changes) - _SHOWN
    return "; ".join(changes[:_SHOWN]) + (f"; and {rest} more" if rest > 0 else "")


def _order(name: str) -> tuple[int, str]:
    """Causes before their consequences: an interface before the prompt that quotes it, results last."""
    kind = name.partition(":")[0]
    ranks = {"interface": 0, "contract": 1, "prompt": 3, "result": 4}
    return ranks.get(kind, 2), name


def _words(name: str) -> str:
    kind, _, subject = name.partition(":")
    if kind == "result":
        return f"result of {subject}"
    return f"{kind.replace('_', ' ')} {subject}".strip()


def changed_pointers(old: Json, new: Json, limit: int = _SHOWN) -> str:
    """Return where two JSON documents differ: "paths./tasks.get.summary, info.title and 4 more"."""
    found: list[str] = []
    _differences(old, new, (), found)
    rest = len(found) - limit
    return ", ".join(found[:limit]) + (f" and {rest} more" if rest > 0 else "")


def _differences(old: Json, new: Json, path: tuple[str, ...], found: list[str]) -> None:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            if key in old and key in new:
                _differences(old[key], new[key], (*path, key), found)
            else:
                found.append(".".join((*path, key)) + (" added" if key in new else " removed"))
        return
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, (left, right) in enumerate(zip(old, new, strict=True)):
            _differences(left, right, (*path, str(place)), found)
        return
    found.append(".".join(path) or "the whole document")


class InterfaceHistory:
    """Keeps the canonical JSON of each interface under its digest, so that a change can be named later."""

    def __init__(self, artifacts: ArtifactStore, interfaces: Mapping[str, Json]) -> None:
        self._artifacts = artifacts
        self._interfaces = interfaces

    def remember(self) -> None:
        """Store the interfaces of this run."""
        for document in self._interfaces.values():
            content = canonical(document)
            self._artifacts.put(content)

    def detail(self, name: str, old: str, _new: str) -> str:
        """Return which places of an interface changed, where its former text is stored."""
        kind, _, contract_id = name.partition(":")
        if kind != "interface" or contract_id not in self._interfaces or not self._artifacts.has(old):
            return ""
        former: Json = json.loads(self._artifacts.get(old))
        return changed_pointers(former, self._interfaces[contract_id])


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What `apply` would do with a node: reuse, run, or wait for another node to know."""

    address: str
    cached: bool
    reason: str
    key: str | None = None
    """None = known after the nodes it uses have run."""


def forecast(
    plan: CompiledPlan, store: Store, detail: Callable[[str, str, str], str] | None = None
) -> tuple[Forecast, ...]:
    """Return what a run would reuse and what it would run and why, in the order of the waves."""
    index = PlanIndex(plan)
    results: dict[str, str] = {}
    found: dict[str, Forecast] = {}
    for address in (item for wave in plan.waves for item in wave):
        node = index.nodes[address]
        inputs = index.inputs(node)
        unknown = [item for item in inputs if item not in results]
        unknown = [item for item in unknown if index.nodes[item].action != MOCK_ACTION]
        if unknown:
            found[address] = Forecast(
                address=address, cached=False, reason=f"known after {', '.join(unknown[:_SHOWN])}"
            )
            continue
        parts = key_parts(node, inputs, index, lambda item: results.get(item, ""))
        key = key_of(parts)
        stored = store.result(key) if reusable(node) else None
        refused = "" if stored is None else too_large(stored, plan.sizes)
        if stored is None or refused:
            reason = refused or explain(parts, store.last_result(plan.id, address), detail)
            found[address] = Forecast(address=address, cached=False, reason=reason, key=key)
            continue
        results[address] = result_key(stored.files, stored.outputs, cached_verdict(node, stored))
        found[address] = Forecast(address=address, cached=True, reason="unchanged", key=key)
    return tuple(found.values())


def reusable(node: PlanNode) -> bool:
    """Return whether a stored result may stand in for the node; a person's answer may not."""
    return node.action != "approve"


def too_large(stored: CachedResult, sizes: SizeLimits) -> str:
    """Return why the limits now in force allow no reuse of a result, "" where they do."""
    for item in stored.files:
        if item.size > sizes.max_artifact_bytes:
            allowed = f"limits.max_artifact allows {sizes.max_artifact_bytes:,}"
            return f"its stored {item.path} has {item.size:,} bytes; {allowed}"
    return ""


def cached_verdict(node: PlanNode, stored: CachedResult) -> str | None:
    """Return the verdict that a stored result had; only successes are stored."""
    said = stored.outputs.get("verdict")
    if isinstance(said, str):
        return said
    return "fulfilled" if node.action in {"verify", "recheck"} or node.rechecks else None
