"""CTR003 breaking-change: an interface breaks a released version without a new major version of its contract.

The released version is what `interface_spec.compatible_with` names: a file of the project, or the contract of
a library as `maestro.lock` pins it. Whether a sunset date has passed is not asked here, so that the same
documents give the same findings on every day.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Diagnostics, Related, Severity, Span
from maestro_dsl.lang.contracts import read_released
from maestro_dsl.rules.base import Facts, Rule, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from maestro_dsl.interfaces.changes import Change
    from maestro_dsl.lang.contracts import ResolvedContract

_MOST: Final = 20


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every change that breaks the released version of an interface."""
    for resolved, _ in facts.contracts:
        interface = resolved.document.value.interface_spec
        if (
            interface is not None
            and interface.compatible_with is not None
            and resolved.spec_bytes is not None
        ):
            yield from _one(resolved)


def _one(resolved: ResolvedContract) -> Iterator[Diagnostic]:
    contract = resolved.document.value
    released, problems = read_released(resolved.document)
    yield from problems
    if released is None or contract.interface_spec is None or contract.interface_spec.compatible_with is None:
        return
    from maestro_dsl.interfaces.bump import is_bumped

    stated = contract.interface_spec.compatible_with.version or released.document.value.version
    if is_bumped(stated, contract.version):
        return
    changes, wrong = _breaking(resolved, released)
    yield from wrong
    groups: dict[tuple[object, ...], list[Change]] = {}
    for change in changes:
        groups.setdefault((change.id, change.message, change.old, change.new), []).append(change)
    listed = list(groups.values())
    for group in listed[:_MOST]:
        yield _finding(resolved, stated, group)
    if len(listed) > _MOST:
        message = f"{len(listed) - _MOST} more changes break version {stated}"
        yield RULE.finding(_version(resolved), message, f"list them: {_command(resolved, released)}")


def _breaking(
    resolved: ResolvedContract, released: ResolvedContract
) -> tuple[list[Change], list[Diagnostic]]:
    """Return what breaks, and why the released file cannot be compared; the new one is judged by CTR001."""
    from maestro_dsl.interfaces.changes import Level
    from maestro_dsl.interfaces.comparison import COMPARERS, Version  # loads the comparison on first use

    interface = resolved.document.value.interface_spec
    comparer = COMPARERS.get(interface.type if interface is not None else "")
    if comparer is None:
        return [], []
    sides = [
        Version(
            file=item.spec.map.file if item.spec else item.spec_path or "",
            content=item.spec_bytes or b"",
            loaded=item.spec,
        )
        for item in (released, resolved)
    ]
    found, problems = comparer(sides[0], sides[1], date.min)
    if found is None:
        own = Diagnostics([item for item in problems if item.span.file == sides[0].file])
        return [], [item for item in own if item.severity is Severity.ERROR]
    return [item for item in found.changes if item.level is Level.BREAKING], []


def _finding(resolved: ResolvedContract, stated: str, group: list[Change]) -> Diagnostic:
    from maestro_dsl.interfaces.bump import next_major

    change = group[0]
    words = [change.operation, change.where, f"at {change.path}" if change.path else ""]
    about = ", ".join(word for word in words if word)
    more = len({item.operation for item in group}) - 1
    others = f" (and {more} more operation{'s' if more > 1 else ''})" if more else ""
    version = resolved.document.value.version
    hint = f"{change.hint} (it is {version}, {next_major(stated)} is needed)"
    related = () if change.old is None else (Related(span=change.old, message=f"version {stated}"),)
    span = change.new if change.new is not None and not resolved.is_bundled else _version(resolved)
    message = f"breaks version {stated}: {about}{others}: {change.message}"
    return RULE.finding(span, message, hint, related=related)


def _version(resolved: ResolvedContract) -> Span:
    return resolved.document.map.value_span(("interface_spec", "compatible_with", "version"))


def _command(resolved: ResolvedContract, released: ResolvedContract) -> str:
    before = released.spec.map.file if released.spec is not None else released.spec_path
    after = resolved.spec.map.file if resolved.spec is not None else resolved.spec_path
    return f"maestro contract diff {before} {after}"


RULE = Rule(
    code="CTR003",
    name="breaking-change",
    severity=Severity.ERROR,
    scope=Scope.INTERFACE,
    summary="an interface breaks a released version without a new major version",
    check=check,
)
