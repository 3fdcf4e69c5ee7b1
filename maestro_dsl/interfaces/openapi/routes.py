"""Paths of an API as regular expressions, most concrete first, and which operation a request means.

The expressions use only what Python and JavaScript read alike, so they are emitted as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from maestro_dsl.interfaces.openapi.model import Operation

if TYPE_CHECKING:
    from maestro_dsl.interfaces.openapi.model import Api

_TEMPLATE = re.compile(r"\{([^/{}]+)\}")
_STEPS = 1_000_000
_SPECIAL = re.compile(r"[.*+?^${}()|\[\]\\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One path: `pattern` matches the decoded path, its groups are the values of `names`."""

    path: str
    pattern: re.Pattern[str]
    names: tuple[str, ...]
    operations: Mapping[str, Operation]
    """By method, upper case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The route of a request, the path without base, and the values in it."""

    route: Route
    path: str
    values: Mapping[str, str]


class Router:
    """Finds routes; both the path itself and the path below a server's base path are served."""

    def __init__(self, api: Api) -> None:
        self.base_paths = tuple(sorted({*api.base_paths, ""}, key=lambda base: (-len(base), base)))
        by_path: dict[str, dict[str, Operation]] = {}
        for operation in api.operations:
            by_path.setdefault(operation.path, {})[operation.method] = operation
        routes = [_route(path, methods) for path, methods in by_path.items()]
        self.routes = tuple(sorted(routes, key=lambda route: _rank(route.path)))
        self._fixed = {route.path: route for route in reversed(self.routes) if not route.names}
        self._open = tuple(route for route in self.routes if route.names)

    def find(self, raw_path: str, method: str) -> tuple[Match | None, tuple[str, ...]]:
        """Return the best match for `method` (or for any method), and the methods of its path."""
        path = decoded(raw_path)
        best: Match | None = None
        for base in self.base_paths:
            if base and not path.startswith(base + "/") and path != base:
                continue
            for match in self._matches(path[len(base) :] or "/"):
                methods = match.route.operations
                if method in methods or (method == "HEAD" and "GET" in methods):
                    return match, tuple(methods)
                best = best or match
        return best, () if best is None else tuple(best.route.operations)

    def relative(self, raw_path: str) -> str:
        """Return the path without the base path of a server, so that both ways to ask get equal values."""
        base = next((base for base in self.base_paths if base and raw_path.startswith(base + "/")), "")
        return raw_path.removeprefix(base)

    def values(self, template: str, raw_path: str) -> Mapping[str, str] | None:
        """Return the values of the path `template` in a path without base; None where it does not fit."""
        hit = _route(template, {}).pattern.fullmatch(decoded(raw_path))
        if hit is None:
            return None
        names = _TEMPLATE.findall(template)
        return dict(zip(names, (value.replace("%2F", "/") for value in hit.groups()), strict=True))

    @staticmethod
    def pattern(template: str) -> str:
        """Return the expression of a path without base, as it is emitted."""
        return _route(template, {}).pattern.pattern

    def _matches(self, path: str) -> list[Match]:
        found: list[Match] = []
        fixed = self._fixed.get(path)
        if fixed is not None:
            found.append(Match(route=fixed, path=path, values={}))
        for route in self._open:
            hit = route.pattern.fullmatch(path)
            if hit is not None:
                values = (value.replace("%2F", "/") for value in hit.groups())
                found.append(
                    Match(route=route, path=path, values=dict(zip(route.names, values, strict=True)))
                )
        return found


def decoded(raw_path: str) -> str:
    """Return the path with its percent escapes read, except that of a slash inside a value."""
    if "%" not in raw_path:
        return raw_path
    return "/".join(unquote(step).replace("/", "%2F") for step in raw_path.split("/"))


def _route(path: str, operations: Mapping[str, Operation]) -> Route:
    source, names = "", []
    mixed = len([step for step in path.split("/") if _is_mixed(step) for _ in _TEMPLATE.findall(step)])
    most = "+" if mixed < 2 else f"{{1,{max(4, int(_STEPS ** (1 / mixed)))}}}"  # noqa: PLR2004 - one is linear
    position = 0
    for hit in _TEMPLATE.finditer(path):
        source += _SPECIAL.sub(r"\\\g<0>", path[position : hit.start()])
        whole = path[hit.start() - 1] == "/" and path[hit.end() : hit.end() + 1] in {"", "/"}
        is_beside = path[hit.start() - 1] == "}" or path[hit.end() : hit.end() + 1] == "{"
        known = _listed(hit[1], operations) if is_beside else ()
        values = "|".join(_SPECIAL.sub(r"\\\g<0>", value) for value in known)
        source += f"({values})" if values else "([^/]+)" if whole else f"([^/]{most}?)"
        names.append(hit[1])
        position = hit.end()
    source += _SPECIAL.sub(r"\\\g<0>", path[position:])
    return Route(path=path, pattern=re.compile(source), names=tuple(names), operations=operations)


def _listed(name: str, operations: Mapping[str, Operation]) -> tuple[str, ...]:
    """Return the values that a parameter of the path may have, where the document lists them in place."""
    for operation in operations.values():
        for parameter in operation.parameters_in("path"):
            schema = parameter.schema if parameter.name == name else None
            values = schema.get("enum") if isinstance(schema, dict) else None
            if isinstance(values, list) and all(isinstance(value, str) and value for value in values):
                return tuple(values)
    return ()


def _is_mixed(step: str) -> bool:
    """Return whether a step of a path is more than one parameter or one text."""
    found = _TEMPLATE.search(step)
    return found is not None and found[0] != step


def _rank(path: str) -> tuple[tuple[int, int], ...]:
    """Sort literal steps before mixed ones before parameters, longer literals first."""
    ranks = []
    for step in path.split("/"):
        literal = len(_TEMPLATE.sub("", step))
        has_parameter = _TEMPLATE.search(step) is not None
        ranks.append((0, 0) if not has_parameter else (1 if literal else 2, -literal))
    return tuple(ranks)
