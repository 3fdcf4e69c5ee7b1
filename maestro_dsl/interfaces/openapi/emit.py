"""Writes a contract's mock as files: the description, an Express server, its package file and a README.

Names from the description reach the server only inside one JSON text that it parses at start, never as
source. The server's rules are `emit_mock_server.js`; this module fills in the decision table.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maestro_dsl.interfaces.openapi import answers, credentials, shapes
from maestro_dsl.interfaces.openapi.effort import longest_text
from maestro_dsl.interfaces.openapi.forms import closed, delimiters, guarded
from maestro_dsl.interfaces.openapi.inputs import is_spread
from maestro_dsl.interfaces.openapi.markup import is_xml
from maestro_dsl.interfaces.openapi.markup_read import plan
from maestro_dsl.interfaces.openapi.model import is_json_media
from maestro_dsl.interfaces.openapi.table import Table
from maestro_dsl.interfaces.openapi.validate import dialect
from maestro_dsl.interfaces.options import NO_OPTIONS, ServeOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.interfaces.openapi.dialect import Direction
    from maestro_dsl.interfaces.openapi.model import (
        Api,
        Body,
        Callback,
        Media,
        Operation,
        Parameter,
        Response,
        Schema,
        SecurityScheme,
    )

_PLACEHOLDER = '"__MAESTRO_TABLE__"'
_EXPRESS = "^5.1.0"


def emit(
    api: Api,
    contract_id: str,
    spec_bytes: bytes,
    spec_name: str,
    *,
    seed: int | str = 0,
    options: ServeOptions = NO_OPTIONS,
) -> Mapping[str, str | bytes]:
    """Return the files of the mock by path: spec, server, package file, README.

    `spec_name` is the file that the spec came from, for the README.
    """
    table = Table(api, seed, options)
    return {
        f"contracts/{contract_id}_spec.yaml": spec_bytes,
        f"contracts/{contract_id}_mock_server.js": server_source(table),
        "contracts/package.json": _package(),
        f"contracts/{contract_id}_README.md": _readme(table, contract_id, spec_name),
    }


def server_source(table: Table) -> str:
    """Return the JavaScript of the mock server for `table`."""
    template = Path(__file__).with_name("emit_mock_server.js").read_text("utf-8")
    text = json.dumps(_Writer(table).table(), separators=(",", ":"))
    before, after = template.split(_PLACEHOLDER)
    return f"{before}{json.dumps(text)}{after}"


class _Writer:
    """Turns a table into JSON, each schema and value written once and referred to by number."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._api = table.api
        self._schemas: list[Any] = []
        self._schema_numbers: dict[tuple[int, Direction], int] = {}
        self._values: list[Any] = []
        self._value_numbers: dict[str, int] = {}

    def table(self) -> dict[str, Any]:
        numbers = {operation.id: index for index, operation in enumerate(self._api.operations)}
        operations = [self._operation(operation) for operation in self._api.operations]
        behaviours = [self._behaviour(index) for index in range(len(self._table.behaviours))]
        definitions = {
            "request": dialect(self._api, "request").definitions,
            "response": dialect(self._api, "response").definitions,
        }
        return {
            "title": self._api.title,
            "seed": self._table.seed,
            "options": self._options(),
            "credentials": credentials.as_data(self._table.accepted),
            "basePaths": list(self._table.router.base_paths),
            "routes": [
                {
                    "pattern": route.pattern.pattern,
                    "names": list(route.names),
                    "methods": {method: numbers[item.id] for method, item in route.operations.items()},
                }
                for route in self._table.router.routes
            ],
            "operations": operations,
            "behaviours": behaviours,
            "patterns": patterns_in([self._schemas, *definitions.values()]),
            "schemas": self._schemas,
            "values": self._values,
            "defs": definitions,
        }

    def _options(self) -> dict[str, Any]:
        options = self._table.options
        return {
            "latency": list(options.latency_ms),
            "errorRate": options.error_rate,
            "timeoutRate": options.timeout_rate,
            "dynamic": options.is_dynamic,
            "callbackHosts": list(options.callback_hosts),
        }

    def _schema(self, schema: Schema | None, direction: Direction) -> int | None:
        if schema is None or schema is True:
            return None
        key = (id(schema), direction)
        if key not in self._schema_numbers:
            converted, _ = dialect(self._api, direction).convert_with_uses(schema)
            self._schema_numbers[key] = len(self._schemas)
            self._schemas.append(converted)
        return self._schema_numbers[key]

    def _value(self, value: Any) -> int:
        text = json.dumps(value)
        if text not in self._value_numbers:
            self._value_numbers[text] = len(self._values)
            self._values.append(value)
        return self._value_numbers[text]

    def _operation(self, operation: Operation) -> dict[str, Any]:
        role = self._table.role(operation)
        success = operation.success
        return {
            "id": operation.id,
            "parameters": [self._parameter(item) for item in operation.parameters],
            "body": None if operation.body is None else self._body(operation.body),
            "security": [[_scheme(scheme) for scheme in option.schemes] for option in operation.security],
            "success": None if success is None else success.status,
            "successStatus": operation.success_status,
            "describedRefusal": answers.described_refusal(operation),
            "answers": {
                status: self._response(operation, response, is_list=role is not None and role[1] == "list")
                for status, response in operation.responses.items()
            },
            "pathEcho": [list(pair) for pair in self._table.path_echo(operation)],
            "behaviour": None if role is None else role[0].index,
            "role": None if role is None else role[1],
            "single": None if role is not None else self._table.single(operation),
            "callbacks": [self._callback(callback) for callback in operation.callbacks],
        }

    def _body(self, body: Body) -> dict[str, Any]:
        content = [
            {
                "type": media.media_type,
                "schema": self._schema(media.schema, "request"),
                "shape": self._shape(media.schema),
                "xml": plan(self._api, media.schema) if is_xml(media.media_type) else None,
                "guarded": list(guarded(media)),
                "closed": list(closed(media)),
                "delimiters": delimiters(media),
            }
            for media in body.content.values()
        ]
        return {"required": body.required, "content": content}

    def _callback(self, callback: Callback) -> dict[str, Any]:
        media = None if callback.operation.body is None else callback.operation.body.json
        return {
            "name": callback.name,
            "url": callback.url,
            "method": callback.operation.method,
            "type": None if media is None else media.media_type,
            "schema": None if media is None else self._schema(media.schema, "request"),
            "pool": [self._value(value) for value in self._table.callback_pool(callback)],
        }

    def _parameter(self, parameter: Parameter) -> dict[str, Any]:
        default = shapes.keyword(self._api, parameter.schema, "default")
        return {
            "name": parameter.name,
            "in": parameter.location,
            "required": parameter.required,
            "style": parameter.style,
            "explode": parameter.explode,
            "deprecated": parameter.deprecated,
            "allowEmpty": parameter.allow_empty,
            "spread": is_spread(self._api, parameter),
            "media": parameter.media_type,
            "mediaIsJson": parameter.media_type is not None and is_json_media(parameter.media_type),
            "schema": self._schema(parameter.schema, "request"),
            "shape": self._shape(parameter.schema),
            "default": default if isinstance(default, int) and not isinstance(default, bool) else None,
        }

    def _shape(self, schema: Schema | None, depth: int = 0) -> dict[str, Any]:
        """Return what is needed to read texts as the types of a schema, two levels deep."""
        shape: dict[str, Any] = {"kind": shapes.type_of(self._api, schema)}
        if depth > 1:
            return shape
        if shape["kind"] == "array":
            shape["items"] = self._shape(shapes.items(self._api, schema), depth + 1)
        if shape["kind"] == "object":
            known = shapes.properties(self._api, schema)
            shape["properties"] = {name: self._shape(part, depth + 1) for name, part in known.items()}
        return shape

    def _response(self, operation: Operation, response: Response, *, is_list: bool) -> dict[str, Any]:
        return {
            "headers": dict(self._table.headers(operation, response)),
            "content": [
                self._media(operation, response, media, is_list=is_list)
                for media in response.content.values()
            ],
        }

    def _media(
        self, operation: Operation, response: Response, media: Media, *, is_list: bool
    ) -> dict[str, Any]:
        pool = self._table.pool(operation, response, media)
        made = self._table.made(operation, response, media)
        return {
            "type": media.media_type,
            "json": media.is_json,
            "late": is_xml(media.media_type) and not media.examples,
            "schema": self._schema(media.schema, "response"),
            "hidden": self._hidden(media.schema),
            "pool": [self._value(value) for value in pool],
            "made": None if made is pool else [self._value(value) for value in made],
            "examples": {name: self._value(self._table.example(media, name)) for name in media.examples},
            "fromExample": bool(pool) and pool[0] in media.examples.values(),
            "list": self._list(operation, media) if is_list and media.is_json else None,
        }

    def _list(self, operation: Operation, media: Media) -> dict[str, Any] | None:
        role = self._table.role(operation)
        if role is None:
            return None
        key = role[0].resource.list_key
        inner = media.schema if key is None else shapes.properties(self._api, media.schema).get(key)
        entry = shapes.items(self._api, inner)
        return {"schema": self._schema(entry, "response"), "hidden": self._hidden(entry)}

    def _hidden(self, schema: Schema | None) -> list[str]:
        return sorted(self._table.hidden(schema))

    def _behaviour(self, index: int) -> dict[str, Any]:
        item = self._table.behaviour(index)
        return {
            "itemPath": item.resource.item_path,
            "collectionPath": item.resource.collection_path,
            "idParameter": item.resource.id_parameter.name,
            "idProperty": item.id_property,
            "idKind": item.id_kind,
            "ids": list(item.ids),
            "parents": dict(item.resource.parents),
            "parent": item.parent,
            "parentParameter": item.parent_parameter,
            "listKey": item.resource.list_key,
            "upserted": item.resource.is_upserted,
            "seeds": list(item.seeds),
            "pattern": self._table.router.pattern(item.resource.collection_path),
            "schema": self._schema(item.resource.schema, "response"),
            "bases": list(item.bases),
            "kept": list(item.kept),
            "readOnly": list(item.read_only),
        }


def _scheme(scheme: SecurityScheme) -> dict[str, Any]:
    return {
        "kind": scheme.kind,
        "in": scheme.location,
        "name": scheme.parameter,
        "scheme": scheme.http_scheme,
    }


def patterns_in(schemas: Any) -> dict[str, int]:
    """Return the patterns of converted schemas, each with the length of text that it may be tried on."""
    found: dict[str, int] = {}
    waiting = [schemas]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            by_pattern = node.get("patternProperties")
            named = [*by_pattern] if isinstance(by_pattern, dict) else []
            if isinstance(node.get("pattern"), str):
                named.append(node["pattern"])
            found.update((pattern, longest_text(pattern)) for pattern in named)
            waiting += node.values()
    return dict(sorted(found.items()))


def _package() -> str:
    """Return one package file for all mocks of a folder, so that several contracts share it."""
    content = {
        "name": "contract-mocks",
        "private": True,
        "version": "1.0.0",
        "description": "Mock servers of the contracts in this folder",
        "engines": {"node": ">=18"},
        "dependencies": {"express": _EXPRESS},
    }
    return json.dumps(content, indent=2) + "\n"


def _readme(table: Table, contract_id: str, spec_name: str) -> str:
    api = table.api
    rows = [
        f"| `{_code(operation.method)}` | `{_code(operation.path)}` | {operation.success_status} "
        f"| {_line(operation.summary or operation.id)} |"
        for operation in api.operations
    ]
    stateful = [f"`{_code(item.resource.collection_path)}`" for item in table.behaviours]
    lines = [
        f"# Mock of {_line(api.title)}",
        "",
        f"A server that answers as the contract `{contract_id}` says, for working against it today.",
        f"Made from `{_code(spec_name)}`, version {_line(api.version)}; written again on every run.",
        "",
        "## Start",
        "",
        "```sh",
        "npm install",
        f"node {contract_id}_mock_server.js",
        "```",
        "",
        "It listens on http://127.0.0.1:4010; `PORT` and `HOST` change that, `MOCK_LOG=0` silences the log,",
        "`MOCK_LOG=FILE` writes it to a file. `MOCK_LATENCY=50-200` (milliseconds), `MOCK_ERROR_RATE=0.1`",
        "and `MOCK_TIMEOUT_RATE=0.01` make it slow and faulty, in the same way at each start.",
        "Without Node: `maestro mock serve` answers by the same rules.",
        "",
        "## Operations",
        "",
        "| Method | Path | Success | |",
        "|---|---|---|---|",
        *rows,
        "",
        "## Behaviour",
        "",
        f"- Remembers until it ends: {', '.join(stateful) or 'nothing, the contract has no such shape'}.",
        "- `POST /__admin/reset` forgets what was written, `GET /__admin/export` shows it,",
        "  `POST /__admin/seed` takes the same form, `GET /__admin/requests` lists the last requests.",
        "  All for this machine only.",
        "- `Prefer: code=404` asks for another declared answer, `Prefer: example=name` for a named example.",
        "- A request outside the contract gets the declared 422, 400 or default, else problem details.",
        "- CORS is open. Credentials are judged by their looks: a token, or a word such as `test`, will do;",
        "  `undefined` and `x` will not. `MOCK_CREDENTIALS=one,two` lists the only ones that are taken.",
        "",
    ]
    return "\n".join(lines)


def _line(text: str) -> str:
    """Return a text of the description as one harmless line of Markdown."""
    flat = " ".join(text.split())
    return "".join(f"\\{char}" if char in "\\`*_[]<>|$#!" else char for char in flat)


def _code(text: str) -> str:
    return " ".join(text.split()).replace("`", "'").replace("|", "\\|")
