"""The GraphQL request that came in: from the parts of an HTTP request, or from JSON that a socket brought.

Says why where there is none; whether the query itself is right is for `execute`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs

from maestro_dsl.interfaces.graphql.accept import JSON
from maestro_dsl.interfaces.graphql.execute import GraphRequest

_MAX_NESTING: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An answer to a request that holds no GraphQL request."""

    status: int
    message: str
    allow: str | None = None


def read_request(method: str, query: str, headers: dict[str, str], body: bytes) -> GraphRequest | Refusal:
    """Return the GraphQL request that an HTTP request carries, or why it carries none."""
    if method == "GET":
        pairs = {key: values[-1] for key, values in parse_qs(query, keep_blank_values=True).items()}
        data: Any = {"query": pairs.get("query")}
        for key, name in (("variables", "variables"), ("operationName", "operationName")):
            if pairs.get(key):
                data[name] = pairs[key]
        if "variables" in data:
            data["variables"] = read_json(data["variables"])
            if data["variables"] is None:
                return Refusal(status=400, message="variables is no JSON object")
    elif method == "POST":
        media = headers.get("content-type", "").partition(";")[0].strip().lower()
        if media != JSON:
            return Refusal(status=415, message=f"the body has to be {JSON}")
        data = read_json(body.decode("utf-8", "replace"))
    else:
        return Refusal(status=405, message=f"{method} is not allowed; use POST or GET", allow="GET, POST")
    return request_of(data)


def request_of(data: Any) -> GraphRequest | Refusal:
    """Return the request that a JSON value is, or why it is none."""
    if isinstance(data, list):
        return Refusal(status=400, message="batches are not supported; send one operation a request")
    if not isinstance(data, dict):
        return Refusal(status=400, message="the body is no JSON object")
    query, variables, name = data.get("query"), data.get("variables"), data.get("operationName")
    if not isinstance(query, str) or not query.strip():
        stored = isinstance(data.get("extensions"), dict) and "persistedQuery" in data["extensions"]
        text = (
            "persisted queries are not supported; send the query" if stored else 'the text "query" is missing'
        )
        return Refusal(status=400, message=text)
    if variables is not None and not isinstance(variables, dict):
        return Refusal(status=400, message="variables is no JSON object")
    if name is not None and not isinstance(name, str):
        return Refusal(status=400, message="operationName is no text")
    return GraphRequest(query=query, variables=variables or {}, operation_name=name or None)


def read_json(text: str) -> Any:
    """Return the value of JSON text, None where it is none or nested too deeply."""
    depth = most = 0
    for char in text:
        if char in "[{":
            depth += 1
            most = max(most, depth)
        elif char in "]}":
            depth -= 1
    if most > _MAX_NESTING:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
