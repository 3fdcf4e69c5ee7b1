"""Writes a contract's mock as files: the schema, an Apollo server, its package file and a README.

Names from the schema reach the server only inside one JSON text that it parses at start, never as source. The
server's rules are `emit_mock_server.js`; this module fills in the decision table.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from graphql import is_abstract_type

from maestro_dsl.interfaces.graphql.table import Table
from maestro_dsl.interfaces.options import NO_OPTIONS, ServeOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.interfaces.graphql.model import GraphApi

_PLACEHOLDER: Final = '"__MAESTRO_TABLE__"'
_PACKAGES: Final = {
    "@apollo/server": "^5.0.0",
    "graphql": "^16.11.0",
    "graphql-ws": "^6.0.0",
    "ws": "^8.18.0",
}
_SHOWN: Final = 60


def emit(
    api: GraphApi,
    contract_id: str,
    spec_bytes: bytes,
    spec_name: str,
    *,
    seed: int | str = 0,
    options: ServeOptions = NO_OPTIONS,
) -> Mapping[str, str | bytes]:
    """Return the files of the mock by path: schema, server with its package file in a folder, README.

    The server has a folder of its own, since another contract's mock needs other packages.
    """
    folder = f"contracts/{contract_id}_mock"
    ending = ".json" if spec_bytes.lstrip().startswith(b"{") else ".graphql"
    return {
        f"contracts/{contract_id}_spec{ending}": spec_bytes,
        f"contracts/{contract_id}_mock_server.js": f"require('./{contract_id}_mock/server.js');\n",
        f"{folder}/server.js": server_source(Table(api, seed), options),
        f"{folder}/package.json": _package(contract_id),
        f"contracts/{contract_id}_README.md": _readme(api, contract_id, spec_name),
    }


def server_source(table: Table, options: ServeOptions = NO_OPTIONS) -> str:
    """Return the JavaScript of the mock server for `table`."""
    template = Path(__file__).with_name("emit_mock_server.js").read_text("utf-8")
    text = json.dumps(table_data(table, options), separators=(",", ":"))
    before, after = template.split(_PLACEHOLDER)
    return f"{before}{json.dumps(text)}{after}"


def table_data(table: Table, options: ServeOptions = NO_OPTIONS) -> dict[str, Any]:
    """Return everything that the server needs to know of the schema."""
    settings = {
        "latency": list(options.latency_ms),
        "errorRate": options.error_rate,
        "timeoutRate": options.timeout_rate,
    }
    types = table.api.schema.type_map.values()
    possible = {item.name: table.shapes.possible(item) for item in types if is_abstract_type(item)}
    return {**table.data(), "possible": possible, "sdl": table.api.sdl, "options": settings}


def _package(contract_id: str) -> str:
    content = {
        "name": f"mock-of-{contract_id.lower().replace('_', '-')}",
        "private": True,
        "version": "1.0.0",
        "description": f"Mock server of the contract {contract_id}",
        "main": "server.js",
        "scripts": {"start": "node server.js"},
        "engines": {"node": ">=20"},
        "dependencies": _PACKAGES,
    }
    return json.dumps(content, indent=2) + "\n"


def _readme(api: GraphApi, contract_id: str, spec_name: str) -> str:
    rows = [f"- `{operation}`" for operation in api.operations[:_SHOWN]]
    more = len(api.operations) - _SHOWN
    rows += [f"- and {more} more"] if more > 0 else []
    spec = " ".join(spec_name.split()).replace("`", "'")
    lines = [
        f"# Mock of {contract_id}",
        "",
        f"A GraphQL server that answers as the contract `{contract_id}` says, for working against it today.",
        f"Made from `{spec}`; written again on every run.",
        "",
        "## Start",
        "",
        "```sh",
        f"npm install --prefix {contract_id}_mock",
        f"node {contract_id}_mock_server.js",
        "```",
        "",
        "It listens on http://127.0.0.1:4000/graphql; `PORT` and `HOST` change that,",
        "`MOCK_LOG=0` silences it,",
        "`MOCK_LATENCY=50-200`, `MOCK_ERROR_RATE` and `MOCK_TIMEOUT_RATE` make it slow or faulty.",
        "Without Node: `maestro mock serve` answers by the same rules.",
        "",
        "## Operations",
        "",
        *rows,
        "",
        "## Behaviour",
        "",
        '- `film(id: "1")` has the id 1; arguments that are called like a field filter lists and are echoed.',
        "- `first`, `after`, `last`, `before` page through connections, `limit` and `offset` through lists.",
        "- Mutations that create, add, update, set, delete, remove … by their name change later answers.",
        "- Subscriptions come over WebSocket at the same address (`graphql-transport-ws`, as Apollo Client,",
        "  urql and graphql-ws speak it) and as `text/event-stream`: one event at once, then one for each",
        "  fitting mutation.",
        "- `POST /__admin/reset` forgets what was written, `GET /__admin/export` shows it.",
        "",
    ]
    return "\n".join(lines)
