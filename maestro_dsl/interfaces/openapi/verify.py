"""Verifies a running provider against its OpenAPI description: every operation, every resource.

Static layer: which operations the provider has at all. Replay layer: examples of the description and a
create-read-update-delete journey for each resource, with requests that must be refused. Starts nothing; the
provider is asked only over HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.interfaces.openapi.entities import Entities
from maestro_dsl.interfaces.openapi.journey import Journey
from maestro_dsl.interfaces.openapi.loose import call_loose
from maestro_dsl.interfaces.openapi.probe import NOT_FOUND, Prober, label
from maestro_dsl.interfaces.openapi.questions import ask_as_stranger, ask_incompletely
from maestro_dsl.interfaces.openapi.resources import find_resources
from maestro_dsl.interfaces.verification import Sheet, VerificationResult, unreachable
from maestro_dsl.net.client import HttpClient, NoAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.interfaces.openapi.model import Api


async def verify(
    api: Api,
    base_url: str,
    *,
    contract_id: str,
    seed: int = 0,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = 10.0,
) -> VerificationResult:
    """Return what the provider at `base_url` keeps of `api`; `timeout_s` is for each request.

    `headers` are sent with every request, e.g. real credentials. Equal providers and seeds
    give equal results.
    """
    sheet = Sheet()
    order = [label(operation) for operation in api.operations]
    async with HttpClient(base_url, timeout_s=timeout_s) as client:
        try:
            prefix = await find_prefix(api, client)
        except NoAnswer as error:
            return unreachable(contract_id, error.message)
        probe = Prober(api=api, client=client, sheet=sheet, prefix=prefix, seed=seed, headers=headers or {})
        resources = find_resources(api)
        entities = Entities(probe=probe, resources=resources)
        for resource in sorted(resources, key=lambda item: item.item_path.count("{")):
            await Journey(entities=entities, resource=resource).walk()
        for operation in sorted(api.operations, key=lambda item: item.method == "DELETE"):
            await call_loose(entities, operation)
        for operation in sorted(api.operations, key=lambda item: item.method == "DELETE"):
            await ask_incompletely(entities, operation)
            await ask_as_stranger(entities, operation)
    if not probe.good and not sheet.missing:
        sheet.total.clear()  # nothing did its work and nothing is known to be absent: no base for a verdict
    return sheet.result(contract_id, order)


async def find_prefix(api: Api, client: HttpClient) -> str:
    """Return the base path under which the provider serves: none, else the first of the description.

    Raises:
        NoAnswer: nothing answers at all.
    """
    paths = [item.path for item in api.operations if item.method == "GET" and "{" not in item.path]
    paths += [item.path.replace("{", "").replace("}", "") for item in api.operations]
    prefixes = dict.fromkeys(("", *api.base_paths))
    for prefix in prefixes:
        for path in paths[:3]:
            answer = await client.send("GET", prefix + path)
            if answer.status != NOT_FOUND or len(prefixes) == 1:
                return prefix
    return ""
