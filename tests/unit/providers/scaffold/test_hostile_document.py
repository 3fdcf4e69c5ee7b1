"""A document whose every text tries to leave its string: the result must still be what the templates say."""

import ast
import json

import pytest
from support.scaffold import page_files, put, service_files, suite_files, unittest_in

EVIL = 'x"""\\ \'); import evil #{{ 7*7 }}</script>\n*/ ${1} é😀'
THING = {
    "type": "object",
    "required": ["id", EVIL],
    "description": EVIL,
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        EVIL: {"type": "string", "description": EVIL, "example": EVIL},
        "class": {"type": "string", "enum": [EVIL, "b"]},
        "id_": {"type": "string", "default": EVIL},
    },
}
BODY = {"description": EVIL, "content": {"application/json": {"schema": THING}}}
MANY = {"description": "", "content": {"application/json": {"schema": {"type": "array", "items": THING}}}}
ERROR = {
    "type": "object",
    "required": ["message", EVIL],
    "properties": {"message": {"type": "string"}, EVIL: {"type": "string"}},
}
QUERY = [
    {"name": "class", "in": "query", "schema": {"type": "string"}},
    {"name": EVIL, "in": "query", "schema": {"type": "string", "default": EVIL}},
    {"name": "found", "in": "query", "schema": {"type": "integer"}},
]
ITEM = [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}]
DOCUMENT = {
    "openapi": "3.0.3",
    "info": {"title": EVIL, "version": EVIL},
    "servers": [{"url": "http://x/a\"b'c{d}"}],
    "components": {"securitySchemes": {EVIL: {"type": "apiKey", "in": "header", "name": "X-Key"}}},
    "paths": {
        "/close": {
            "get": {"operationId": EVIL, "summary": EVIL, "parameters": QUERY, "responses": {"200": MANY}},
            "post": {
                "operationId": "found",
                "security": [{EVIL: []}],
                "requestBody": BODY,
                "responses": {
                    "201": BODY,
                    "400": {"description": EVIL, "content": {"application/problem+json": {"schema": ERROR}}},
                },
            },
        },
        "/close/{id}": {
            "parameters": ITEM,
            "get": {
                "operationId": "picked",
                "parameters": [{"name": "id", "in": "query", "schema": {"type": "string"}}],
                "responses": {"200": BODY},
            },
            "delete": {"operationId": "absent", "responses": {"204": {"description": EVIL}}},
        },
        "/q\"uo'te/rpc": {"post": {"summary": EVIL, "responses": {"200": {"description": EVIL}}}},
    },
}
SPEC = json.dumps(DOCUMENT).encode()


@pytest.mark.parametrize("write", [service_files, page_files, suite_files])
def test_generated_python_imports_what_the_templates_say(write):
    for name, text in write(SPEC).items():
        if name.endswith(".py"):
            nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import)]
            assert "evil" not in {alias.name for node in nodes for alias in node.names}


def test_the_service_works(tmp_path):
    result = unittest_in(put(service_files(SPEC), tmp_path))
    assert result.returncode == 0, result.stderr


def test_the_page_holds_no_markup_of_the_document():
    files = page_files(SPEC)
    assert "</script>\n*/" not in files["index.html"]
    assert files["index.html"].count("</script>") == 1
    assert json.dumps(EVIL) in files["client.js"]
