"""GraphQL schemas of the tests, and questions about them that any mock of them has to answer."""

import json
from pathlib import Path

from maestro_dsl.interfaces.graphql.ask import Asker, Style
from maestro_dsl.interfaces.graphql.parse import parse

FOLDER = Path(__file__).parents[1] / "fixtures" / "graphql"
SCHEMAS = ("library", "shop", "board")
REAL = ("swapi.graphql", "spotify-playback-subgraph.graphql", "saleor.graphql")
BAD = (
    "{ nothingOfThisName }",
    "{ __typename",
    "query A { __typename } query B { __typename }",
    "query A($x: Int!) { __typename }",
    "mutation { __typename }",
    "{ __typename @skip }",
    '{ __type(name: "Query") { name kind fields { name args { name } } } }',
    "{ " + "a { " * 60 + "b" + " }" * 60 + " }",
    "{ " + "__typename " * 300 + "}",
)


def read_schema(source, name="schema.graphql"):
    """Return the schema of a fixture's name, a path or an SDL text."""
    if isinstance(source, Path):
        content, name = source.read_bytes(), source.name
    elif source in SCHEMAS:
        content, name = (FOLDER / f"{source}.graphql").read_bytes(), f"{source}.graphql"
    else:
        content = source.encode()
    api, problems = parse(content, name)
    assert api is not None, [item.message for item in problems]
    return api


def questions(api, limit=None):
    """Yield bodies of requests: every operation in several ways, reads after writes, and what is refused."""
    known = {}
    asker = Asker(api, lambda name: known.get(name, "1"))
    styles = (
        Style(),
        Style(depth=4, optional=lambda _: True),
        Style(
            rich=True, seed="7", optional=lambda name: name in {"first", "limit", "offset", "page", "input"}
        ),
    )
    operations = [item for item in api.operations if not item.startswith("subscription ")][:limit]
    for number, style in enumerate(styles):
        for operation in operations:
            known.clear()
            if number == 1:
                known.update({f"{operation.split()[1]}.id": "UHJvZHVjdDoy"})
            yield body(asker.ask(operation, style=style))
    for operation in operations:
        if operation.startswith("query ") and (limit is None or operation in operations[:40]):
            yield body(asker.ask(operation))
    for query in BAD:
        yield {"query": query}
    first = asker.ask(operations[0])
    yield {**body(first), "variables": {name: {"no": "such"} for name in first.variables}}
    yield {**body(first), "operationName": "Other"}


def body(request):
    """Return a request as the JSON of its HTTP body."""
    return {
        "query": request.query,
        "variables": dict(request.variables),
        "operationName": request.operation_name,
    }


def comparable(result):
    """Return a result without the words of its errors, which each GraphQL library has its own of."""
    result = json.loads(json.dumps(result))
    errors = [
        {"path": error.get("path"), "code": error["extensions"]["code"]} for error in result.get("errors", [])
    ]
    return {**{key: value for key, value in result.items() if key != "errors"}, "errors": errors[:1]}
