"""Requests made from a description: good ones for every operation, and ones with a mistake each."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from maestro_dsl.interfaces.openapi.inputs import Request, is_spread
from maestro_dsl.interfaces.openapi.markup import is_xml, to_xml
from maestro_dsl.interfaces.openapi.parse import parse
from maestro_dsl.interfaces.openapi.sample import sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from maestro_dsl.interfaces.openapi.model import Api, Operation, Parameter
    from maestro_dsl.interfaces.openapi.table import Table

TODO = Path(__file__).parents[2] / "examples" / "todo-app" / "contracts" / "api_spec.yaml"
DOCUMENTS = (
    "box.json",
    "camara-sim-swap-subscriptions.yaml",
    "meilisearch.json",
    "oai-petstore-expanded.yaml",
    "oai-tictactoe-31.yaml",
    "oai-uspto.yaml",
    "readme-discriminators.json",
    "readme-parameters-style-31.yaml",
    "readme-security-31.yaml",
    "redocly-museum-31.yaml",
    "spotify-web-api.yml",
    "swagger-petstore.yaml",
)


def read_api(source: Path | str | Mapping[str, Any]) -> Api:
    """The API of a file, of YAML text or of data; its mistakes fail the test."""
    content = source.read_bytes() if isinstance(source, Path) else source
    if not isinstance(content, (bytes, str)):
        content = json.dumps(content)
    api, diagnostics = parse(content.encode() if isinstance(content, str) else content, "api.yaml")
    assert api is not None, [item.message for item in diagnostics]
    return api


def good_request(table: Table, operation: Operation, *, seed: int = 0) -> Request:
    """A request that the contract allows, for items that exist where the mock has a memory."""
    api, known = table.api, _identities(table, operation, seed)
    path, query, headers = operation.path, [], {"authorization": "Bearer token"}
    for parameter in operation.parameters:
        if parameter.location == "path":
            value = known.get(parameter.name, _value(api, parameter, seed))
            path = path.replace("{" + parameter.name + "}", quote(_styled(parameter, value), safe=""))
        elif parameter.required:
            value = _value(api, parameter, seed)
            if isinstance(value, dict) and is_spread(api, parameter):
                query += [(name, _styled(parameter, item)) for name, item in value.items()]
                continue
            text = _styled(parameter, value)
            if parameter.location == "query":
                query.append((parameter.name, text))
            elif parameter.location == "cookie":
                headers["cookie"] = f"{parameter.name}={text}"
            else:
                headers[parameter.name.lower()] = text
    _present(operation, headers, query)
    body = _body(api, operation, headers, seed)
    return Request(
        method=operation.method,
        raw_path=quote(path, safe="/%:;,=@!$&'()*+~"),
        query_string=urlencode(query),
        headers=headers,
        body=body,
    )


def all_requests(table: Table) -> Iterator[Request]:
    """Good and bad requests for every operation, in an order in which memories are used."""
    for operation in table.api.operations:
        first = good_request(table, operation)
        if operation.method != "DELETE":
            yield first
        good = good_request(table, operation, seed=1)
        yield good
        yield from _elsewhere(table, good)
        yield from _otherwise(good)
        if operation.security:
            yield from _as_nobody(good)
        if good.body:
            yield from _with_other_bodies(good)
        yield from _as_xml(table.api, operation, good)


def _elsewhere(table: Table, good: Request) -> Iterator[Request]:
    yield replace(good, raw_path="/nowhere" + good.raw_path)
    yield replace(good, query_string="")
    yield replace(good, query_string="limit=abc&page=-1&offset=")
    yield from (replace(good, raw_path=base + good.raw_path) for base in table.router.base_paths if base)
    if good.method == "GET":
        yield from (replace(good, method=method) for method in ("HEAD", "DELETE", "OPTIONS"))


def _otherwise(good: Request) -> Iterator[Request]:
    yield replace(good, headers={k: v for k, v in good.headers.items() if k != "authorization"})
    for accept in ("text/csv", "application/xml;q=0.5, */*;q=0.1", "application/*", ""):
        yield replace(good, headers={**good.headers, "accept": accept})
    for prefer in (
        "code=404",
        "code=999",
        "example=nope",
        'code="200"',
        "dynamic=true",
        "code=422, example=nope",
    ):
        yield replace(good, headers={**good.headers, "prefer": prefer})


def _as_nobody(good: Request) -> Iterator[Request]:
    for sent in (
        *("Bearer", "Bearer undefined", "Bearer None", "Bearer {x y}", "bearer x", "Basic a", "x"),
        *(
            "Bearer wrong-token",
            "Bearer ÿÿ",
            "Bearer 99999999999999999999",
            "Basic dG9tOng=",
            "Bearer my key",
        ),
        *(
            "Basic dGVzdDp0ZXN0",
            "Basic ZXhwaXJlZDp0ZXN0",
            "Basic 5Xg6dGVzdA==",
            "Token abc123",
            "Bearer hunter2",
        ),
    ):
        yield replace(good, headers={**good.headers, "authorization": sent})


def _with_other_bodies(good: Request) -> Iterator[Request]:
    yield from (
        replace(good, body=body)
        for body in (b'{"a":', b"{}", b"[]", b"", b"[1e999]", b"NaN", b'{"a":01234567890123456789}')
    )
    yield replace(good, headers={**good.headers, "content-type": "text/strange"})
    try:
        data = json.loads(good.body)
    except ValueError:
        return
    if isinstance(data, dict):
        for name in list(data)[:4]:
            yield replace(good, body=json.dumps({**data, name: None}).encode())
            yield replace(good, body=json.dumps({**data, name: 12345}).encode())
            yield replace(good, body=json.dumps({**data, name: 2**63 - 1}).encode())
            yield replace(good, body=json.dumps({**data, name: -(10**30)}).encode())
            yield replace(good, body=json.dumps({k: v for k, v in data.items() if k != name}).encode())
        yield replace(good, body=json.dumps({**data, "__proto__": {"x": 1}, "constructor": "y"}).encode())


def _as_xml(api: Api, operation: Operation, good: Request) -> Iterator[Request]:
    for media in operation.body.content.values() if operation.body is not None else ():
        if is_xml(media.media_type):
            request = replace(good, headers={**good.headers, "content-type": media.media_type})
            value = sample(api, True if media.schema is None else media.schema, direction="request")
            text = to_xml(api, media.schema, value)
            for body in (text, text[:-1], f"<!DOCTYPE x>{text}", text.replace("</", "&amp;x</", 1), "<a/>"):
                yield replace(request, body=body.encode())


def _identities(table: Table, operation: Operation, seed: int) -> dict[str, Any]:
    return {
        item.resource.id_parameter.name: item.seeds[seed % len(item.seeds)][item.id_property]
        for item in table.behaviours
        if item.seeds and item.resource.item_path in operation.path
    }


def _value(api: Api, parameter: Parameter, seed: int) -> Any:
    value = next(iter(parameter.examples.values()), None)
    return value or sample(api, parameter.schema, seed=seed, direction="request", name=parameter.name)


def _styled(parameter: Parameter, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if parameter.media_type is not None:
        return json.dumps(value)
    if isinstance(value, list):
        return ",".join(map(str, value))
    if isinstance(value, dict):
        return ",".join(f"{name},{item}" for name, item in value.items())
    return str(value)


def _present(operation: Operation, headers: dict[str, str], query: list[tuple[str, str]]) -> None:
    for scheme in operation.security[0].schemes if operation.security else ():
        if scheme.http_scheme == "basic":
            headers["authorization"] = "Basic dXNlcjpwYXNz"
        elif scheme.http_scheme not in {"", "bearer"}:
            headers["authorization"] = scheme.http_scheme + " test"
        if scheme.kind == "apiKey" and scheme.location == "header":
            headers[scheme.parameter.lower()] = "key"
        elif scheme.kind == "apiKey" and scheme.location == "query":
            query.append((scheme.parameter, "key"))
        elif scheme.kind == "apiKey":
            headers["cookie"] = f"{scheme.parameter}=key"


def _body(api: Api, operation: Operation, headers: dict[str, str], seed: int) -> bytes:
    if operation.body is None or not operation.body.content:
        return b""
    media = operation.body.json or next(iter(operation.body.content.values()))
    value = sample(api, True if media.schema is None else media.schema, seed=seed, direction="request")
    headers["content-type"] = media.media_type.replace("*/*", "application/json")
    if media.is_json:
        return json.dumps(value).encode()
    if not isinstance(value, dict):
        return _styled_text(value).encode() if media.media_type.startswith("text/") else b"content"
    if media.media_type == "multipart/form-data":
        headers["content-type"] += "; boundary=border"
        parts = [(name, item) for name, listed in value.items() for item in _each(listed)]
        form = 'content-disposition: form-data; name="{}"\r\n\r\n{}\r\n'
        return ("".join("--border\r\n" + form.format(*part) for part in parts) + "--border--\r\n").encode()
    return urlencode(value, doseq=True).encode()


def _styled_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _each(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [item if isinstance(item, str) else json.dumps(item) for item in values]
