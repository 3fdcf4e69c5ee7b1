"""Operations of both documents that belong together: by method and path, whatever path parameters are called.

Webhooks and callbacks are operations too, in which the provider is the one who sends.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from maestro_dsl.interfaces.openapi.diff.nodes import Node
from maestro_dsl.interfaces.openapi.model import METHODS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from maestro_dsl.interfaces.openapi.diff.nodes import Side

_PARAMETER: Final = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One operation of one document."""

    label: str
    """As reports name it, e.g. "GET /pets/{petId}"."""
    key: str
    """What it is found by in the other document."""
    node: Node
    item: Node
    """The path item, for what its operations share."""
    names: tuple[str, ...] = field(default=())
    """Of the path parameters, in their order."""
    kind: str = "operation"
    """"operation", "webhook" or "callback"."""

    @property
    def operation_id(self) -> str | None:
        """The stated operationId."""
        return self.node.text("operationId")


def calls(side: Side) -> dict[str, Call]:
    """Return the operations and webhooks of a document by key."""
    found: dict[str, Call] = {}
    for path, item in side.root.entries("paths"):
        if path.startswith("x-"):
            continue
        full = "/" + path.lstrip("/")
        for method, node in _methods(item):
            label = f"{method} {full}"
            key = f"{method} {_PARAMETER.sub('{}', full)}"
            call = Call(label=label, key=key, node=node, item=item, names=tuple(_PARAMETER.findall(full)))
            found[label if key in found else key] = call
    for name, item in side.root.entries("webhooks"):
        for method, node in _methods(item):
            label = f"webhook {name} {method}"
            found[label] = Call(label=label, key=label, node=node, item=item, kind="webhook")
    return found


def below(found: dict[str, Call], base: str) -> dict[str, Call]:
    """Return operations by the whole path that they are served at, below `base`."""
    made: dict[str, Call] = {}
    for key, call in found.items():
        method, _, path = key.partition(" ")
        made[f"{method} {base}{path}" if call.kind == "operation" else key] = call
    return made


def callbacks(call: Call) -> dict[str, Call]:
    """Return what an operation promises to call back, by name, address and method."""
    found: dict[str, Call] = {}
    for name, callback in call.node.entries("callbacks"):
        for address in callback.value if isinstance(callback.value, dict) else ():
            item = callback.get(address)
            for method, node in _methods(item) if item is not None else ():
                key = f"{name} {address} {method}"
                label = f"{call.label} callback {name} {method}"
                found[key] = Call(label=label, key=key, node=node, item=item or node, kind="callback")
    return found


def _methods(item: Node) -> Iterator[tuple[str, Node]]:
    for key in item.value if isinstance(item.value, dict) else ():
        if str(key).upper() in METHODS:
            node = item.get(key)
            if node is not None and isinstance(node.value, dict):
                yield str(key).upper(), node


def paired(old: dict[str, Call], new: dict[str, Call]) -> Iterator[tuple[Call | None, Call | None]]:
    """Yield operations that belong together, in the order of the old document; None where there is none.

    Paths that differ in the names of their parameters only are paired by these names first.
    """
    left: dict[str, list[Call]] = {}
    for key, call in new.items():
        left.setdefault(_PARAMETER.sub("{}", key), []).append(call)
    found: dict[str, Call] = {}
    for is_same in (_has_the_label, lambda _one, _other: True):
        for key, call in old.items():
            others = left.get(_PARAMETER.sub("{}", key), []) if key not in found else []
            partner = next((other for other in others if is_same(call, other)), None)
            if partner is not None:
                found[key] = partner
                others.remove(partner)
    for key, call in old.items():
        yield call, found.get(key)
    for others in left.values():
        for call in others:
            yield None, call


def _has_the_label(one: Call, other: Call) -> bool:
    return one.label == other.label
