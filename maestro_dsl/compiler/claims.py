"""What nodes write, as globs below the output folder, and who may write the same file at the same time.

Decided on the globs alone; nothing looks at files.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from maestro_dsl.lang.model import ContractType
from maestro_dsl.lang.patterns import globs_overlap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from maestro_dsl.compiler.instances import Instance
    from maestro_dsl.lang.model import Contract

REPORTS: Final = ("contracts/validation_report.json", "quality_report.json")
_MOCK_FILES: Final = {
    ContractType.INTERFACE: ("spec.*", "stubs.*", "README.md"),
    ContractType.GRAPHQL: ("spec.*", "mock_server.js", "mock/**", "README.md"),
}
_SERVER_FILES: Final = ("spec.yaml", "mock_server.js", "README.md")
WRITING: Final = frozenset({"report", "render", "mock", "fulfil"})
"""Actions that write files; `writes` knows which."""
_WILD: Final = re.compile(r"[*?\[]")


def writes(instance: Instance, contract: Contract | None) -> tuple[str, ...]:
    """Return the globs of what a node writes, relative to the output folder.

    `contracts/package.json` is not claimed: every mock writes it, with equal content.
    """
    if instance.action == "report":
        return REPORTS
    if instance.action == "render":
        path = instance.params.get("path")
        folder = instance.persona_id or "commands"
        return (f"{folder}/{path}",) if isinstance(path, str) and "path" not in instance.late_params else ()
    if contract is None:
        return ()
    if instance.action == "mock":
        made = _MOCK_FILES.get(contract.type, _SERVER_FILES)
        return tuple(f"contracts/{contract.id}_{name}" for name in made)
    if instance.action == "fulfil":
        folder = contract.provider_persona_id
        return tuple(f"{folder}/{glob}" for item in contract.deliverables for glob in item.artifacts)
    return ()


def candidates(claimed: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str, str, str]]:
    """Yield (node, glob, other node, other glob) for all claims of two nodes that overlap.

    Two globs can only overlap where one literal beginning is a beginning of the other, so claims are
    compared along their literal folders instead of each with each.
    """
    by_start: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    starts: set[tuple[str, ...]] = set()
    for node, globs in claimed.items():
        for glob in globs:
            start = _literal_folders(glob)
            for other, other_glob in _near(by_start, starts, start):
                if other != node and globs_overlap(other_glob, glob):
                    yield other, other_glob, node, glob
            by_start.setdefault(start, []).append((node, glob))
            starts.update(start[:length] for length in range(len(start) + 1))


def _near(
    by_start: Mapping[tuple[str, ...], list[tuple[str, str]]],
    starts: set[tuple[str, ...]],
    start: tuple[str, ...],
) -> Iterator[tuple[str, str]]:
    for length in range(len(start) + 1):
        yield from list(by_start.get(start[:length], ()))
    if start in starts:
        for other, claims in list(by_start.items()):
            if len(other) > len(start) and other[: len(start)] == start:
                yield from list(claims)


def _literal_folders(glob: str) -> tuple[str, ...]:
    """Return the leading names of a glob that hold no wildcard; a whole literal path counts as one."""
    names: list[str] = []
    for name in glob.split("/"):
        if _WILD.search(name):
            break
        names.append(name)
    return tuple(names)
