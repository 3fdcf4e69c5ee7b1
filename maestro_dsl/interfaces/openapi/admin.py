"""The mock's own paths below `/__admin/`: forget, show, fill its memory, and what was asked of it.

They are for this machine only: `is_local` says whether a request comes from it, a browser's pages elsewhere
included. `emit_mock_server.js` holds the same rules.
"""

from __future__ import annotations

import ipaddress
from collections import deque
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from maestro_dsl.interfaces.openapi.answers import Answer, problem
from maestro_dsl.interfaces.openapi.inputs import strict_json
from maestro_dsl.interfaces.openapi.validate import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.interfaces.openapi.inputs import Request
    from maestro_dsl.interfaces.openapi.memory import Memory
    from maestro_dsl.interfaces.openapi.table import Behaviour, Table

PREFIX = "/__admin/"
MOST_CALLS = 500
_MAX_PROBLEMS = 5


class Admin:
    """Answers the requests below `/__admin/` of one mock."""

    def __init__(self, table: Table, memory: Memory) -> None:
        self._table = table
        self._memory = memory
        self.calls: deque[Mapping[str, Any]] = deque(maxlen=MOST_CALLS)
        """The last calls that were recorded, oldest first."""

    def answer(self, request: Request) -> Answer | None:
        """Return the answer to a request below `/__admin/`; None for any other request."""
        if not request.raw_path.startswith(PREFIX):
            return None
        match request.method, request.raw_path.removeprefix(PREFIX):
            case "POST" | "DELETE", "reset":
                self._memory.reset()
                self.calls.clear()
                return Answer(status=204)
            case "GET", "export":
                return Answer(status=200, body=self._export(), media_type="application/json")
            case "POST" | "PUT", "seed":
                return self._seed(request)
            case "GET", "requests":
                body = {"requests": list(self.calls)}
                return Answer(status=200, body=body, media_type="application/json")
            case "DELETE", "requests":
                self.calls.clear()
                return Answer(status=204)
        return problem(404, "the mock's own paths are reset, export, seed and requests below /__admin/")

    def _export(self) -> dict[str, list[dict[str, Any]]]:
        """Return the items of every collection that was used, by its path."""
        found: dict[str, list[dict[str, Any]]] = {}
        for behaviour, values, shelf in self._memory.shelves():
            path = behaviour.resource.collection_path
            for name, value in zip(behaviour.resource.parents, values, strict=True):
                path = path.replace("{" + name + "}", quote(value, safe=""))
            found[path] = list(shelf.items.values())
        return found

    def _seed(self, request: Request) -> Answer:
        try:
            wanted = strict_json(request.body)
        except (ValueError, RecursionError):
            return problem(400, "the request body is not valid JSON")
        if not isinstance(wanted, dict):
            return problem(422, 'send collections by their path: {"/things": [{"id": 1}]}')
        placed: list[tuple[Behaviour, Mapping[str, str], list[dict[str, Any]]]] = []
        wrong: list[str] = []
        for path, items in wanted.items():
            found = self._collection(path)
            if found is None or not isinstance(items, list):
                wrong.append(f"{path} is no collection of this mock, or holds no list")
                continue
            behaviour, values = found
            wrong += [
                f"{path}/{place}: {text}"
                for place, item in enumerate(items)
                for text in self._problems(behaviour, item)
            ]
            placed.append((behaviour, values, items))
        if wrong:
            return problem(422, "; ".join(wrong[:_MAX_PROBLEMS]), violations=wrong[:_MAX_PROBLEMS])
        for behaviour, values, items in placed:
            self._memory.fill(behaviour, values, items)
        return Answer(status=204)

    def _collection(self, path: str) -> tuple[Behaviour, Mapping[str, str]] | None:
        for behaviour in self._table.behaviours:
            values = self._table.router.values(behaviour.resource.collection_path, path)
            if values is not None:
                return behaviour, values
        return None

    def _problems(self, behaviour: Behaviour, item: Any) -> list[str]:
        if not isinstance(item, dict) or behaviour.id_property not in item:
            return [f'an item has to be a mapping with "{behaviour.id_property}"']
        return errors(self._table.api, behaviour.resource.schema, item)[:1]


def is_local(client: str | None, headers: Mapping[str, str]) -> bool:
    """Return whether a request comes from this machine, and not through a page of another site.

    `client` is the address of the other side; None where a mock is called inside its own process.
    """
    if client is not None and not _is_loopback(client):
        return False
    host = urlsplit("//" + headers.get("host", "localhost")).hostname
    origin = headers.get("origin")
    return _is_loopback(host) and (origin is None or _is_loopback(urlsplit(origin).hostname))


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
