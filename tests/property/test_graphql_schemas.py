"""Any edit of a schema file gives a mock whose answers are valid, or one finding that says why not."""

import json

from graphql import build_schema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.graphql import FOLDER, SCHEMAS

from maestro_dsl.interfaces.graphql.ask import Asker, Style
from maestro_dsl.interfaces.graphql.emit import table_data
from maestro_dsl.interfaces.graphql.execute import Executor
from maestro_dsl.interfaces.graphql.judge import faults
from maestro_dsl.interfaces.graphql.parse import parse
from maestro_dsl.interfaces.graphql.table import Table

TEXTS = [(FOLDER / f"{name}.graphql").read_text() for name in SCHEMAS]
WORDS = [
    "",
    "!",
    "String",
    "[",
    "}",
    "{",
    "@x",
    "type",
    "input",
    "Query",
    '"""',
    "é",
    "Missing",
    "null",
    "@key",
]
EDITS = st.tuples(
    st.sampled_from(["drop", "double", "word", "cut"]),
    st.integers(0, 400),
    st.integers(0, 30),
    st.sampled_from(WORDS),
)


def edited(text, edits):
    lines = text.splitlines()
    for kind, line, place, word in edits:
        at = line % len(lines)
        if kind == "drop" and len(lines) > 1:
            del lines[at]
        elif kind == "double":
            lines.insert(at, lines[place % len(lines)])
        elif kind == "word":
            words = lines[at].split(" ")
            words[place % len(words)] = word
            lines[at] = " ".join(words)
        else:
            lines[at] = lines[at][:place]
    return "\n".join(lines)


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(text=st.sampled_from(TEXTS), edits=st.lists(EDITS, min_size=1, max_size=6))
def test_an_edited_schema_is_served_with_valid_answers_or_refused_in_one_line(text, edits):
    api, diagnostics = parse(edited(text, edits).encode(), "x.graphql")
    if api is None:
        assert [item.message.count("\n") for item in diagnostics] == [0]
        return
    assert build_schema(api.sdl)
    executor = Executor(Table(api))
    json.dumps(table_data(executor.table))
    asker = Asker(api)
    for operation in api.operations:
        executor.world.reset()
        request = asker.ask(operation, style=Style(rich=True, optional=lambda _: True))
        result = executor.execute(executor.prepare(request), request)
        assert "errors" not in result, (request.query, result)
        assert faults(api.schema, request.query, result["data"], request.variables) == []


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_end_in_a_schema_or_a_finding(content):
    api, diagnostics = parse(content, "x.graphql")
    assert api is not None or len(diagnostics) == 1
