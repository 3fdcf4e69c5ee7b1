"""The GraphQL mock's own paths below `/__admin/`: forget, show and fill its memory, and what was asked of it.

`emit_mock_server.js` holds the same rules.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.interfaces.graphql.verbs import Deed
from maestro_dsl.interfaces.openapi.inputs import strict_json

if TYPE_CHECKING:
    from maestro_dsl.interfaces.asgi import CallRecord
    from maestro_dsl.interfaces.graphql.execute import Executor

PREFIX: Final = "/__admin/"
MOST_CALLS: Final = 500
_MAX_PROBLEMS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminAnswer:
    """What an own path answers: a value as JSON, None for nothing, or `refused` in one sentence."""

    status: int
    value: Any = None
    refused: str | None = None


class Admin:
    """Answers the requests below `/__admin/` of one mock."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._world = executor.world
        self.calls: deque[CallRecord] = deque(maxlen=MOST_CALLS)
        """The last calls that were recorded, oldest first."""

    def answer(self, method: str, path: str, body: bytes) -> AdminAnswer:
        """Return the answer to a request below `/__admin/`."""
        match method, path.removeprefix(PREFIX):
            case "POST" | "DELETE", "reset":
                self._world.reset()
                self.calls.clear()
                return AdminAnswer(status=204)
            case "GET", "export":
                return AdminAnswer(status=200, value=self._world.export())
            case "POST" | "PUT", "seed":
                return self._seed(body)
            case "GET", "requests":
                return AdminAnswer(status=200, value={"requests": list(self.calls)})
            case "DELETE", "requests":
                self.calls.clear()
                return AdminAnswer(status=204)
        text = "the mock's own paths are reset, export, seed and requests below /__admin/"
        return AdminAnswer(status=404, refused=text)

    def _seed(self, body: bytes) -> AdminAnswer:
        try:
            wanted = strict_json(body)
        except (ValueError, RecursionError):
            return AdminAnswer(status=400, refused="the request body is not valid JSON")
        if not isinstance(wanted, dict):
            return AdminAnswer(status=422, refused='send values by their type: {"Book": [{"id": "1"}]}')
        wrong = [text for name, items in wanted.items() for text in self._problems(name, items)]
        if wrong:
            return AdminAnswer(status=422, refused="; ".join(wrong[:_MAX_PROBLEMS]))
        for name, items in wanted.items():
            for item in items:
                self._executor.deeds.create(Deed(verb="create", type=name, is_entity=True, ids=()), item)
        return AdminAnswer(status=204)

    def _problems(self, name: str, items: Any) -> list[str]:
        entity = self._world.table.entity(name)
        if entity is None or not isinstance(items, list):
            return [f"{name} is no type with an identity, or holds no list"]
        return [
            f"{name}/{at}: {text}"
            for at, item in enumerate(items)
            for text in self._item_problems(name, entity.field, item)
        ]

    def _item_problems(self, name: str, identity: str, item: Any) -> list[str]:
        if not isinstance(item, dict) or not _is_key(item.get(identity)):
            return [f'an item has to be a mapping with "{identity}"']
        key = str(item[identity])
        return [
            f"{field} is no field that takes this value"
            for field, value in item.items()
            if field != identity and not self._executor.deeds.mapped(name, key, {field: value})
        ]


def _is_key(value: object) -> bool:
    return isinstance(value, (str, int)) and not isinstance(value, bool)
