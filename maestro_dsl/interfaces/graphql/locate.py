"""Finds the line of a consumer's file that makes a GraphQL call, from the names in its query.

A guess from text alone, made to be right for queries that stand in the file as text; None where nothing fits.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from graphql import FieldNode, GraphQLError, OperationDefinitionNode, parse

from maestro_dsl.interfaces.consumers import is_test_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_QUOTED = re.compile(r"""["']([_A-Za-z]\w*)(?:\.(\w+))?["']""")


def find_query(query: str, faults: tuple[str, ...], files: Mapping[str, str]) -> tuple[str, int] | None:
    """Return file and line that most likely hold `query`; names in its `faults` tell most.

    `files` is path → text.
    """
    names = [name for fault in faults for pair in _QUOTED.findall(fault) for name in reversed(pair) if name]
    wanted = [name for name in dict.fromkeys(names) if name in query]
    wanted += [name for name in _names(query) if name not in wanted]
    for name in wanted:
        found = [place for file, text in sorted(files.items()) for place in _lines(file, text, name)]
        if found:
            return min(found)[1:]
    return None


def _names(query: str) -> Iterator[str]:
    """Yield the operation's name, then those of its fields."""
    try:
        document = parse(query, max_lexical_tokens=15_000)
    except (GraphQLError, RecursionError):
        yield from dict.fromkeys(re.findall(r"[_A-Za-z]\w{2,}", query[:4000]))
        return
    for item in document.definitions:
        if isinstance(item, OperationDefinitionNode):
            if item.name is not None:
                yield item.name.value
            for selection in item.selection_set.selections:
                if isinstance(selection, FieldNode):
                    yield selection.name.value


def _lines(file: str, text: str, name: str) -> Iterator[tuple[int, str, int]]:
    """Yield rank, file and line of each line with the name; a name that opens a selection ranks first."""
    word = re.compile(rf"(?<![\w.$]){re.escape(name)}(?!\w)")
    for number, line in enumerate(text.splitlines(), 1):
        hit = word.search(line)
        if hit is None or line.lstrip().startswith(("#", "//", "*")):
            continue
        opens = re.match(r"\s*[({]", line[hit.end() :]) is not None or "{" in line[: hit.start()]
        yield (0 if opens else 2) + (1 if is_test_file(file) else 0), file, number


def query_of(call: Mapping[str, Any]) -> str:
    """Return the query text of a recorded call, as far as it has one."""
    import json
    from urllib.parse import parse_qs

    try:
        data = json.loads(call.get("body") or "null")
    except ValueError:
        data = None
    if isinstance(data, dict) and isinstance(data.get("query"), str):
        return str(data["query"])
    return next(iter(parse_qs(str(call.get("query") or "")).get("query", [])), "")
