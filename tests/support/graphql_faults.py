"""Faults planted into providers of a GraphQL schema: providers are our own mock that lies in one way each."""

import json
import re

from maestro_dsl.interfaces.graphql import paging
from maestro_dsl.interfaces.graphql.execute import Executor
from maestro_dsl.interfaces.graphql.parse import parse
from maestro_dsl.interfaces.graphql.serve import _Mock, mock_app
from maestro_dsl.interfaces.graphql.table import Table
from maestro_dsl.interfaces.graphql.values import Rec
from maestro_dsl.interfaces.options import NO_OPTIONS


async def _no_wait(_seconds):
    return None


def other_schema(pattern, replacement):
    """Return a fault: the provider is built from a changed schema; None where nothing changes."""

    def plant(api):
        text = re.sub(pattern, replacement, api.text, count=1, flags=re.MULTILINE)
        changed = None if text == api.text else parse(text.encode(), "changed.graphql")[0]
        return None if changed is None else mock_app(changed)

    return plant


def other_world(change):
    """Return a fault: the provider's memory or lookups misbehave."""

    def plant(api):
        executor = Executor(Table(api))
        mock = _Mock(executor, None, "mock", NO_OPTIONS, _no_wait)
        if change(executor) is False:
            return None

        async def app(scope, receive, send):
            await mock.answer(scope, receive, send)

        return app

    return plant


def other_answer(change, *, only_data=True):
    """Return a fault: each answer is changed on its way; `change` gets status, headers and JSON."""

    def plant(api):
        inner = mock_app(api)

        async def app(scope, receive, send):
            start = {}

            async def lying(message):
                if message["type"] == "http.response.start":
                    start.update(message)
                    return
                headers = {key.decode(): value.decode() for key, value in start["headers"]}
                data = json.loads(message["body"] or b"null")
                is_told = isinstance(data, dict) and isinstance(data.get("data"), dict)
                if not only_data or (is_told and "__schema" not in data["data"]):
                    status, data = change(start["status"], headers, data)
                    start["status"] = status
                body = json.dumps(data).encode()
                headers["content-length"] = str(len(body))
                start["headers"] = [(key.encode(), value.encode()) for key, value in headers.items()]
                await send(start)
                await send({**message, "body": body})

            await inner(scope, receive, lying)

        return app

    return plant


def in_data(fits, put):
    """Return a change of the first value in the data for which `fits(key, value)`."""

    def walk(node):
        for key, value in list(node.items() if isinstance(node, dict) else enumerate(node)):
            if fits(key, value):
                put(node, key)
                return True
            if isinstance(value, (dict, list)) and walk(value):
                return True
        return False

    def change(status, _headers, data):
        walk(data["data"])
        return status, data

    return change


def _set(value):
    return lambda node, key: node.__setitem__(key, value)


def _drop(node, key):
    del node[key]


def _forgets_creation(executor):
    executor.deeds.create = lambda deed, _args: Rec(deed.type, executor.world.initial_key(deed.type, 40))


def _ignores_update(executor):
    executor.deeds._update = lambda deed, key, _args: Rec(deed.type, key)


def _wipes_on_update(executor):
    before = executor.deeds._update

    def update(deed, key, args):
        executor.world.kept.pop((deed.type, key), None)
        return before(deed, key, args)

    executor.deeds._update = update


def _keeps_deleted(executor):
    executor.deeds._delete = lambda deed, key: Rec(deed.type, key, final=True)


def _gives_any(executor):
    executor.world.identity_arg = lambda _names, _args: "3"


def _pages_all(executor):
    executor.world._page_all = True
    original = executor.world._page

    def page(rec, name, recipe, args):
        return original(rec, name, recipe, {k: v for k, v in args.items() if k not in paging.NAMES})

    executor.world._page = page
    listed = executor.world.make

    def make(rec, name, args):
        return listed(rec, name, {k: v for k, v in args.items() if k not in paging.NAMES})

    executor.world.make = make


def _hides_errors(status, _headers, data):
    return status, ({"data": {}} if isinstance(data, dict) and "errors" in data else data)


def _is_kind(kind):
    return lambda key, value: type(value) is kind and key != "__typename"


FAULTS = {
    "missing query": other_schema(r"^  (book|product|task)\(id[^)]*\): \w+!?\n", ""),
    "missing list query": other_schema(r"^  (books|products|tasks)\([^)]*\): .*\n", ""),
    "missing mutation": other_schema(r"^  (deleteBook|productDelete|delete_task)\(.*\n", ""),
    "missing field": other_schema(r"^  (pages|slug|dueDate): \w+!?\n(?=  \w+: )", ""),
    "wrong type": other_schema(r"^  (title|name|firstName): String!?$", r"  \1: Int!"),
    "nullable": other_schema(r"^  (inStock|price|done): (\w+)!$", r"  \1: \2"),
    "list instead of one": other_schema(r"^  (author|total|limits): (\w+)!$", r"  \1: [\2!]!"),
    "missing argument": other_schema(r"(genre: Genre|slug: String|done: Boolean), |, slug: String(?=\))", ""),
    "new required argument": other_schema(r"^  (books|products|tasks)\(", r"  \1(token: String!, "),
    "missing enum value": other_schema(r"^  (POETRY|ARCHIVED)\n|(?<=LOW) HIGH", ""),
    "missing input field": other_schema(r"^  (isbn|rating|locale): (String|Float)\n(?=  \w+: \w+\n}|})", ""),
    "stricter input": other_schema(r"(^input [^}]*?(?:price|rating|theme): )(Float|Theme)$", r"\1\2!"),
    "creation is lost": other_world(_forgets_creation),
    "update is ignored": other_world(_ignores_update),
    "update wipes the rest": other_world(_wipes_on_update),
    "deleted stays": other_world(_keeps_deleted),
    "another one is given": other_world(_gives_any),
    "paging is ignored": other_world(_pages_all),
    "null where none may be": other_answer(
        in_data(lambda key, _: key in {"title", "name", "id"}, _set(None))
    ),
    "number as text": other_answer(
        in_data(_is_kind(int), lambda node, key: node.__setitem__(key, str(node[key])))
    ),
    "truth as text": other_answer(in_data(_is_kind(bool), _set("yes"))),
    "field left out": other_answer(in_data(_is_kind(str), _drop)),
    "unknown enum value": other_answer(
        in_data(lambda key, _: key in {"genre", "status", "theme"}, _set("NONE"))
    ),
    "object instead of list": other_answer(in_data(lambda _, value: isinstance(value, list), _set({}))),
    "wrong media type": other_answer(lambda s, h, d: (s, (h.update({"content-type": "text/html"}), d)[1])),
    "status 500 with data": other_answer(lambda _s, _h, d: (500, d)),
    "errors are hidden": other_answer(_hides_errors, only_data=False),
    "an error beside the data": other_answer(lambda s, _h, d: (s, {**d, "errors": [{"message": "broken"}]})),
}
"""Name → function that returns an application with the fault, None where the schema has no place for it."""
EQUIVALENT = {
    (
        "board",
        "update wipes the rest",
    ): "its update takes all that can be written, so nothing is left to wipe",
}
"""Schema and fault that no consumer can tell from the correct provider, with the reason."""
