"""Verifies a running provider against its GraphQL contract: what it declares, what it answers, what it keeps.

Static layer: its introspection. Replay layer: every operation, pages, a create-read-update-delete journey for
each type, and requests that must be refused. Starts nothing; the provider is asked only over HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from graphql import get_named_type, is_required_argument

from maestro_dsl.interfaces.graphql.ask import Style
from maestro_dsl.interfaces.graphql.execute import GraphRequest
from maestro_dsl.interfaces.graphql.journey import Journey, lives
from maestro_dsl.interfaces.graphql.probe import Prober
from maestro_dsl.interfaces.graphql.static import check_declared
from maestro_dsl.interfaces.graphql.table import is_listed
from maestro_dsl.interfaces.verification import Sheet, VerificationResult, unreachable
from maestro_dsl.net.client import HttpClient, NoAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.interfaces.graphql.model import GraphApi

_OWN: Final = "_"
_NOT_FOUND: Final = 404
_BOGUS: Final = "maestroNoSuchField7f3a"


async def verify(
    api: GraphApi,
    base_url: str,
    *,
    contract_id: str,
    seed: int = 0,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = 10.0,
) -> VerificationResult:
    """Return what the provider at `base_url` keeps of `api`; `timeout_s` is for each request.

    `headers` are sent with every request, e.g. real credentials. Equal providers and seeds give equal
    results.
    """
    sheet = Sheet()
    async with HttpClient(_origin(base_url), timeout_s=timeout_s) as client:
        try:
            path = await find_path(client, urlsplit(base_url).path)
        except NoAnswer as error:
            return unreachable(contract_id, error.message)
        if path is None:
            sheet.check("http", False, "no GraphQL is answered at /graphql nor at /", operation="endpoint")
            for operation in api.operations:
                sheet.missing[operation] = None
            return sheet.result(contract_id, api.operations)
        probe = Prober(api=api, client=client, sheet=sheet, path=path, seed=seed, headers=headers or {})
        await check_declared(probe)
        await _operations(probe)
    if not probe.good and not sheet.missing and not any(f.severity == "error" for f in sheet.findings):
        sheet.total.clear()  # nothing did its work and nothing is known to be wrong: no base for a verdict
    return sheet.result(contract_id, api.operations)


def _origin(base_url: str) -> str:
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}"


async def find_path(client: HttpClient, stated: str) -> str | None:
    """Return the path at which GraphQL is answered: what the address says, /graphql or /; None for nowhere.

    Raises:
        NoAnswer: nothing answers at all.
    """
    stated = stated.rstrip("/")
    candidates = dict.fromkeys(([stated] if stated else []) + [f"{stated}/graphql", f"{stated}/"])
    headers = {"content-type": "application/json", "accept": "application/json"}
    for path in candidates:
        answer = await client.send("POST", path, headers=headers, body=b'{"query":"{ __typename }"}')
        try:
            data = answer.json()
        except ValueError:
            continue
        is_graphql = isinstance(data, dict) and ("data" in data or isinstance(data.get("errors"), list))
        if is_graphql and answer.status != _NOT_FOUND:
            return path
    return None


async def _operations(probe: Prober) -> None:
    free, bound = _queries(probe)
    for operation in free:
        await probe.ask(operation)
    walked = lives(probe)
    used = {name for life in walked for name in (life.create, life.update, life.delete) if name is not None}
    for life in walked:
        await Journey(probe, life).walk()
    for operation in bound:
        await _lookup(probe, operation)
    for operation in free:
        await _pages(probe, operation)
    for operation in probe.api.operations:
        if operation.startswith("mutation ") and operation not in used:
            await probe.ask(operation, None, Style(rich=True), strict=False)
    await _refusals(probe)


def _queries(probe: Prober) -> tuple[list[str], list[str]]:
    """Return the queries that need no argument, and the others; those that a journey removed are left out."""
    free: list[str] = []
    bound: list[str] = []
    for operation in probe.api.operations:
        entry = probe.api.root_field(operation)
        name = operation.partition(" ")[2]
        if operation.startswith("query ") and entry is not None and not name.startswith(_OWN):
            if operation in probe.sheet.missing:
                continue
            needs = any(is_required_argument(item) for item in entry.args.values())
            lookup = _identity_argument(probe, operation) is not None
            (bound if needs or lookup else free).append(operation)
    return free, bound


def _identity_argument(probe: Prober, operation: str) -> str | None:
    entry = probe.api.root_field(operation)
    query = probe.api.schema.query_type
    if entry is None or query is None:
        return None
    recipe = probe.table.recipe(query.name, operation.partition(" ")[2])
    if recipe.rule != "one" or not recipe.entity:
        return None
    return next(
        (name for name in recipe.ids if name in entry.args and not is_listed(entry.args[name].type)), None
    )


async def _lookup(probe: Prober, operation: str) -> None:
    """Ask for one by an identity that the provider has told of; where there is none, nothing is sure."""
    argument, entry = _identity_argument(probe, operation), probe.api.root_field(operation)
    if argument is None or entry is None:
        await probe.ask(operation, strict=False)
        return
    types = probe.listed_types(get_named_type(entry.type))
    found = next(((kind, probe.known[kind][0]) for kind in types if probe.known.get(kind)), None)
    if found is None:
        await probe.ask(operation, {argument: _typed(entry.args[argument], "1")}, strict=False)
        return
    kind, key = found
    reply = await probe.ask(operation, {argument: _typed(entry.args[argument], key)})
    is_there = reply is not None and reply.data.get(operation.partition(" ")[2]) is not None
    if reply is not None and (len(types) == 1 or not is_there):  # of many types not each is asked for its id
        own = next((item[1] for item in probe.objects(operation, reply.data)), None)
        told = (
            f"{operation}({argument}: {key}) gives {own or 'nothing'}, though the provider has a {kind} {key}"
        )
        probe.sheet.check("identity", own == key, told, operation=operation)


def _typed(argument: Any, key: str) -> Any:
    return int(key) if get_named_type(argument.type).name == "Int" and key.isdecimal() else key


async def _pages(probe: Prober, operation: str) -> None:
    """Check that `first` and `after`, or `limit`, really cut the list."""
    entry = probe.api.root_field(operation)
    query = probe.api.schema.query_type
    recipe = probe.table.recipe(query.name, operation.partition(" ")[2]) if query is not None else None
    if entry is None or recipe is None or recipe.rule not in {"list", "page"}:
        return
    limit = next(
        (name for name in ("first", "limit", "take", "pageSize", "perPage") if name in entry.args), None
    )
    if limit is None:
        return
    one = await probe.ask(operation, {limit: 1})
    keys = _listed(probe, operation, one, recipe.types)
    if one is None or keys is None:
        return
    told = f"{operation}({limit}: 1) gives {len(keys)}"
    if not probe.sheet.check("paging", len(keys) <= 1, told, operation=operation) or not keys:
        return
    after = _end_cursor(one.data.get(operation.partition(" ")[2]))
    if after is not None and "after" in entry.args:
        more = await probe.ask(operation, {limit: 1, "after": after})
        others = _listed(probe, operation, more, recipe.types)
        told = f"{operation}({limit}: 1, after: …) gives the same one again"
        probe.sheet.check("paging", others is None or others != keys, told, operation=operation)


def _listed(probe: Prober, operation: str, reply: Any, types: tuple[str, ...]) -> list[str] | None:
    """Return the identities in the list itself, not of what hangs below its items."""
    if reply is None:
        return None
    value = reply.data.get(operation.partition(" ")[2])
    if isinstance(value, dict):
        edges = value.get("edges")
        if isinstance(edges, list):
            value = [item.get("node") if isinstance(item, dict) else None for item in edges]
        else:
            value = next((item for item in value.values() if isinstance(item, list)), None)
    identity = probe.shapes.identity(types[0])
    if not isinstance(value, list) or identity is None or len(types) != 1:
        return None
    return [str(item.get(identity.field)) for item in value if isinstance(item, dict)]


def _end_cursor(value: Any) -> str | None:
    info = value.get("pageInfo") if isinstance(value, dict) else None
    found = info.get("endCursor") if isinstance(info, dict) and info.get("hasNextPage") else None
    return found if isinstance(found, str) else None


async def _refusals(probe: Prober) -> None:
    """Send what GraphQL says must be refused: an unknown field, broken syntax, a missing argument."""
    bad = [(f"{{ {_BOGUS} }}", "an unknown field"), ("{ __typename", "broken syntax")]
    for operation in probe.api.operations:
        entry = probe.api.root_field(operation)
        name = operation.partition(" ")[2]
        if not operation.startswith("query ") or entry is None or name.startswith(_OWN):
            continue
        needed = next((key for key, item in entry.args.items() if is_required_argument(item)), None)
        leaf = not hasattr(get_named_type(entry.type), "fields")
        if needed is not None and operation not in probe.sheet.missing:
            body = name if leaf else f"{name} {{ __typename }}"
            bad.append((f"{{ {body} }}", f"{name} without {needed}"))
            break
    for query, what in bad:
        reply = await probe.send(GraphRequest(query=query), "endpoint")
        if reply is not None and not reply.is_closed:
            refused = bool(reply.errors) and not reply.data
            probe.sheet.check("refusals", refused, f"{what} is not refused with errors", operation="endpoint")
