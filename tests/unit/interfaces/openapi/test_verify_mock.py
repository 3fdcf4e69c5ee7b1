"""Our own mock keeps every contract it is made from: mock and verifier agree, also on real documents."""

import asyncio
import json
from pathlib import Path

import pytest

from maestro_dsl.interfaces.openapi.parse import parse
from maestro_dsl.interfaces.openapi.serve import mock_app
from maestro_dsl.interfaces.openapi.verify import verify
from maestro_dsl.interfaces.verification import VerificationResult
from maestro_dsl.net.server import serve

REAL = [
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
]


def judged(content: bytes, name: str) -> VerificationResult:
    async def scenario() -> VerificationResult:
        api, _ = parse(content, name)
        server = await serve(mock_app(api, seed="mock"))
        try:
            return await verify(api, server.url, contract_id=name)
        finally:
            await server.stop()

    return asyncio.run(scenario())


def test_the_mock_of_the_reference_api_scores_one() -> None:
    spec = Path(__file__).with_name("tasks.yaml").read_bytes()
    result = judged(spec, "tasks.yaml")
    assert (result.fulfilled, result.score, result.issues) == (True, 1.0, ())


@pytest.mark.needs_data
@pytest.mark.parametrize("name", REAL)
def test_the_mock_of_a_real_document_scores_one(shared_data, name) -> None:
    result = judged((shared_data / "openapi" / name).read_bytes(), name)
    errors = [item.message for item in result.issues if item.severity == "error"]
    assert (errors, result.missing, result.fulfilled, result.score) == ([], (), True, 1.0)


def test_operations_that_only_redirect_or_only_refuse_are_no_alarm() -> None:
    answers = {
        "/jump": {"302": {"description": "elsewhere"}},
        "/either": {"200": {"description": "here"}, "3XX": {"description": "elsewhere"}},
        "/closed": {"410": {"description": "gone for good"}},
    }
    paths = {path: {"get": {"responses": found}} for path, found in answers.items()}
    result = judged(json.dumps({"openapi": "3.0.3", "info": {}, "paths": paths}).encode(), "links.json")
    told = [(item.severity, item.message) for item in result.issues]
    assert told == [("info", "GET /closed could not be judged: it declares no success")]
    assert (result.missing, result.fulfilled) == ((), True)


def test_an_item_is_only_asked_for_by_what_its_address_allows() -> None:
    person = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}
    named = {
        "name": "mail",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "format": "email"},
    }
    one = {"200": {"description": "one", "content": {"application/json": {"schema": person}}}}
    listed = {"application/json": {"schema": {"type": "array", "items": person}}}
    paths = {
        "/people": {"get": {"responses": {"200": {"description": "all", "content": listed}}}},
        "/people/{mail}": {"parameters": [named], "get": {"responses": one}},
    }
    result = judged(json.dumps({"openapi": "3.0.3", "info": {}, "paths": paths}).encode(), "people.json")
    assert ([item.message for item in result.issues], result.fulfilled) == ([], True)


def test_operations_of_one_path_may_describe_its_parameter_differently() -> None:
    fine, paths = {"200": {"description": "fine"}}, {"/teams/{id}.json": {}}
    for method, schema in (("get", {"type": "string"}), ("put", {"type": "integer"})):
        named = {"name": "id", "in": "path", "required": True, "schema": schema}
        paths["/teams/{id}.json"][method] = {"parameters": [named], "responses": fine}
    result = judged(json.dumps({"openapi": "3.0.3", "info": {}, "paths": paths}).encode(), "teams.json")
    assert ([item.message for item in result.issues], result.fulfilled) == ([], True)
