"""Two versions of an interface to their changes: one literal table of kinds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from maestro_dsl.diagnostics import Diagnostic, Diagnostics, Severity
from maestro_dsl.lang.source import Loaded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from maestro_dsl.interfaces.changes import Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of an interface: its file as shown, its bytes, and its data where it is data."""

    file: str
    content: bytes = field(repr=False)
    loaded: Loaded | None = field(default=None, repr=False)


Result: TypeAlias = "tuple[Comparison | None, Diagnostics]"


def openapi(old: Version, new: Version, today: date) -> Result:
    """Return the changes between two OpenAPI documents, or why one of them is none (CTR001)."""
    from maestro_dsl.interfaces.openapi.diff.compare import compare

    problems = Diagnostics()
    data = []
    for version in (old, new):
        found = version.loaded.data if version.loaded is not None else None
        if isinstance(found, dict) and str(found.get("openapi")).startswith("3."):
            data.append(found)
        else:
            problems.add(_refused(version, found))
    if len(data) < len((old, new)) or old.loaded is None or new.loaded is None:
        return None, problems
    maps = (old.loaded.map, new.loaded.map)
    return compare(data[0], data[1], maps, today=today), problems


def _refused(version: Version, data: object) -> Diagnostic:
    stated = data.get("swagger") if isinstance(data, dict) else None
    reason = f"it is Swagger {stated}" if stated else 'the key "openapi" with the version 3.x is missing'
    pointer = ("swagger",) if stated else ()
    loaded = version.loaded
    if loaded is None:
        raise TypeError(f"{version.file} was not loaded")
    return Diagnostic(
        code="CTR001",
        name="invalid-interface",
        severity=Severity.ERROR,
        span=loaded.map.value_span(pointer),
        message=f"{version.file} is no OpenAPI document that can be compared: {reason}",
        help='an OpenAPI file starts with "openapi: 3.0.3" or "openapi: 3.1.0"',
    )


def graphql(old: Version, new: Version, today: date) -> Result:  # noqa: ARG001 - one signature for all kinds
    """Return the changes between two GraphQL schemas, or why one of them is none (CTR001)."""
    from maestro_dsl.interfaces.graphql.diff import compare_schemas
    from maestro_dsl.interfaces.graphql.parse import parse

    before, problems = parse(old.content, old.file)
    after, more = parse(new.content, new.file)
    problems.extend(more)
    if before is None or after is None:
        return None, problems
    return compare_schemas(before, after, (old.file, new.file)), problems


COMPARERS: Final[Mapping[str, Callable[[Version, Version, date], Result]]] = {
    "openapi": openapi,
    "graphql": graphql,
}
"""Type of an `interface_spec` → what compares two of it."""
