"""What a provider declares, asked by introspection, against the contract: all there, and no stricter?

Only what a consumer can reach counts, and only what it would notice: more than the contract says is welcome.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from graphql import get_introspection_query, get_named_type

from maestro_dsl.interfaces.changes import Level
from maestro_dsl.interfaces.graphql.diff import compare_schemas
from maestro_dsl.interfaces.graphql.execute import GraphRequest
from maestro_dsl.interfaces.graphql.parse import parse
from maestro_dsl.interfaces.verification import Finding

if TYPE_CHECKING:
    from maestro_dsl.interfaces.graphql.model import GraphApi
    from maestro_dsl.interfaces.graphql.probe import Prober

_OWN: Final = ("_", "link__")
_SILENT: Final = (
    "graphql-directive-",
    "graphql-required-directive-",
    "graphql-root-changed",
    "graphql-optional-",
)
_INTROSPECTION: Final = "introspection"


async def check_declared(probe: Prober) -> bool:
    """Count what the provider's schema lacks; False where it does not tell its schema."""
    reply = None
    for whole in (True, False):  # older servers know no deprecated arguments
        query = get_introspection_query(descriptions=False, input_value_deprecation=whole)
        reply = await probe.send(GraphRequest(query=query), _INTROSPECTION)
        if reply is None or reply.ok or reply.is_closed:
            break
    if reply is None or not reply.ok:
        probe.sheet.note("the provider does not tell its schema, so only its answers were judged")
        probe.sheet.recommend("let the provider answer introspection while it is verified")
        return False
    text = json.dumps(_renamed(reply.data, probe.api)).encode()
    theirs, problems = parse(text, "the provider")
    if theirs is None:
        told = f"the provider's introspection cannot be read: {next(iter(problems)).message}"
        probe.sheet.check("schema", False, told, operation=_INTROSPECTION)
        return False
    _count(probe, theirs)
    return True


def _renamed(data: Any, api: GraphApi) -> Any:
    """Return an introspection with root types called as in the contract; consumers never see the names."""
    schema = data.get("__schema") if isinstance(data, dict) else None
    names: dict[str, str] = {}
    for kind, root in api.roots():
        theirs = schema.get(f"{kind}Type") if isinstance(schema, dict) else None
        if isinstance(theirs, dict) and theirs.get("name") not in {None, root.name}:
            names[theirs["name"]] = root.name
    taken = {item.get("name") for item in (schema or {}).get("types", []) if isinstance(item, dict)}
    names = {old: new for old, new in names.items() if new not in taken}
    return _walk(data, names) if names else data


def _walk(node: Any, names: dict[str, str]) -> Any:
    if isinstance(node, list):
        return [_walk(item, names) for item in node]
    if not isinstance(node, dict):
        return node
    found = {key: _walk(value, names) for key, value in node.items()}
    is_type = node.get("kind") == "OBJECT" or set(node) <= {"name", "kind", "__typename"}
    if is_type and node.get("name") in names:
        found["name"] = names[node["name"]]
    return found


def _count(probe: Prober, theirs: GraphApi) -> None:
    api = probe.api
    reached = reachable(api)
    roots = {root.name: kind for kind, root in api.roots()}
    broken: dict[str, list[str]] = {}
    for change in compare_schemas(api, theirs, ("the contract", "the provider")).changes:
        name, _, member = change.operation.partition(".")
        if change.id.startswith(_SILENT) or name not in reached or (member or name).startswith(_OWN):
            continue
        place = f"{roots[name]} {member}" if name in roots and member else name
        text = f"against the contract, in the provider's schema {change.message}"
        if change.level is Level.BREAKING:
            broken.setdefault(place, []).append(text)
            if change.id in {"graphql-field-removed", "graphql-type-removed"} and name in roots:
                probe.sheet.missing[place] = None
        elif change.level is Level.DANGEROUS and change.id != "graphql-optional-arg-added":
            probe.sheet.add(Finding(severity="warning", message=text, check="schema", operation=place))
    places = [*api.operations, *sorted(reached - set(roots))]
    for place in dict.fromkeys([*places, *broken]):
        if not place.rpartition(" ")[2].startswith(_OWN):
            texts = broken.get(place, [])
            probe.sheet.check("schema", not texts, "; ".join(texts[:3]), operation=place)


def reachable(api: GraphApi) -> set[str]:
    """Return the names of all types that an operation of the contract can touch."""
    found: set[str] = set()
    waiting: list[Any] = [root for _, root in api.roots()]
    while waiting:
        kind = waiting.pop()
        if kind.name in found:
            continue
        found.add(kind.name)
        for entry in (getattr(kind, "fields", None) or {}).values():
            waiting.append(get_named_type(entry.type))
            waiting += [get_named_type(item.type) for item in (getattr(entry, "args", None) or {}).values()]
        waiting += [api.schema.type_map[name] for name in _members(api, kind)]
        waiting += getattr(kind, "interfaces", None) or ()
    return found


def _members(api: GraphApi, kind: Any) -> list[str]:
    if not hasattr(kind, "resolve_type"):
        return []
    return [item.name for item in api.schema.get_possible_types(kind)]
