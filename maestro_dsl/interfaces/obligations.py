"""Two versions of a contract compared apart from its interface: kind, deliverables, parties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.interfaces.changes import Change, Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import Contract
    from maestro_dsl.lang.sourcemap import Pointer

_LEVELS: Final = {
    "contract-type-changed": Level.BREAKING,
    "interface-removed": Level.BREAKING,
    "interface-kind-changed": Level.BREAKING,
    "interface-added": Level.SAFE,
    "deliverable-removed": Level.BREAKING,
    "deliverable-added": Level.SAFE,
    "artifacts-changed": Level.DANGEROUS,
    "consumer-removed": Level.DANGEROUS,
    "consumer-added": Level.SAFE,
    "provider-changed": Level.SAFE,
}
_HINTS: Final = {
    Level.BREAKING: "keep it, or raise the major version",
    Level.DANGEROUS: "tell those who use it",
    Level.SAFE: None,
}


def compare_obligations(old: Document[Contract], new: Document[Contract]) -> tuple[Change, ...]:
    """Return what differs between two contracts, their interfaces left out."""
    return (*_interface(old, new), *_deliverables(old, new), *_parties(old, new))


def _change(
    rule: str,
    documents: tuple[Document[Contract], Document[Contract]],
    message: str,
    places: tuple[Pointer, Pointer],
) -> Change:
    old, new = documents
    level = _LEVELS[rule]
    return Change(
        id=rule,
        level=level,
        operation="",
        where=f"contract {new.value.id}",
        path="",
        message=message,
        hint=_HINTS[level],
        old=old.map.value_span(places[0]),
        new=new.map.value_span(places[1]),
    )


def _interface(old: Document[Contract], new: Document[Contract]) -> Iterator[Change]:
    both = (old, new)
    was, now = old.value.interface_spec, new.value.interface_spec
    place: tuple[Pointer, Pointer] = (("interface_spec", "type"), ("interface_spec", "type"))
    if old.value.type is not new.value.type:
        message = f"the contract is {new.value.type.value} now, was {old.value.type.value}"
        yield _change("contract-type-changed", both, message, (("type",), ("type",)))
    if was is not None and now is None:
        yield _change("interface-removed", both, "the interface is gone", place)
    elif was is None and now is not None:
        yield _change("interface-added", both, "the interface is new", place)
    elif was is not None and now is not None and was.type != now.type:
        message = f"the interface is {now.type} now, was {was.type}"
        yield _change("interface-kind-changed", both, message, place)


def _deliverables(old: Document[Contract], new: Document[Contract]) -> Iterator[Change]:
    both = (old, new)
    before = {item.name: (number, item) for number, item in enumerate(old.value.deliverables)}
    after = {item.name: (number, item) for number, item in enumerate(new.value.deliverables)}
    for name, (number, item) in before.items():
        place: Pointer = ("deliverables", number)
        if name not in after:
            message = f'the deliverable "{name}" is gone'
            yield _change("deliverable-removed", both, message, (place, ("deliverables",)))
        elif set(item.artifacts) != set(after[name][1].artifacts):
            message = f'the deliverable "{name}" is other files'
            yield _change("artifacts-changed", both, message, (place, ("deliverables", after[name][0])))
    for name, (number, _) in after.items():
        if name not in before:
            places: tuple[Pointer, Pointer] = (("deliverables",), ("deliverables", number))
            yield _change("deliverable-added", both, f'the deliverable "{name}" is new', places)


def _parties(old: Document[Contract], new: Document[Contract]) -> Iterator[Change]:
    both = (old, new)
    if old.value.provider_persona_id != new.value.provider_persona_id:
        place: Pointer = ("provider_persona_id",)
        message = f"the provider is {new.value.provider_persona_id} now, was {old.value.provider_persona_id}"
        yield _change("provider-changed", both, message, (place, place))
    before, after = old.value.consumer_persona_ids, new.value.consumer_persona_ids
    listed: tuple[Pointer, Pointer] = (("consumer_persona_ids",), ("consumer_persona_ids",))
    for name in before:
        if name not in after:
            yield _change("consumer-removed", both, f"{name} is no longer a consumer", listed)
    for name in after:
        if name not in before:
            yield _change("consumer-added", both, f"{name} is a consumer now", listed)
