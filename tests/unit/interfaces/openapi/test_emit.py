import json

from support.openapi import TODO, read_api

from maestro_dsl.interfaces.openapi.emit import emit
from maestro_dsl.interfaces.registry import is_served, kind_of
from maestro_dsl.lang.model import ContractType


def test_the_files_of_a_mock():
    content = TODO.read_bytes()
    files = emit(read_api(TODO), "backend_api", content, "api_spec.yaml")
    assert list(files) == [
        "contracts/backend_api_spec.yaml",
        "contracts/backend_api_mock_server.js",
        "contracts/package.json",
        "contracts/backend_api_README.md",
    ]
    assert files["contracts/backend_api_spec.yaml"] == content
    assert json.loads(files["contracts/package.json"])["dependencies"] == {"express": "^5.1.0"}
    assert files == emit(read_api(TODO), "backend_api", content, "api_spec.yaml")


def test_names_of_the_document_are_data_in_code_and_plain_text_in_the_readme():
    title = "</script>`${process.exit()}`\n# Heading <img src=x>"
    api = read_api(
        {"openapi": "3.0.0", "info": {"title": title}, "paths": {"/a`|b": {"get": {"summary": "|\n*x*"}}}}
    )
    files = emit(api, "c", b"", "api.yaml")
    code = files["contracts/c_mock_server.js"]
    assert code.count("process.exit()") == 1
    line = next(line for line in code.splitlines() if line.startswith("const TABLE"))
    assert json.loads(json.loads(line.removeprefix("const TABLE = readJson(").removesuffix(");")))[
        "title"
    ] == (title)
    readme = files["contracts/c_README.md"]
    assert "\n# Heading" not in readme
    assert "| `GET` | `/a'\\|b` | 200 | \\| \\*x\\* |" in readme


def test_what_has_no_address_is_not_served_and_what_has_no_reader_has_no_mock():
    assert kind_of(ContractType.GRPC) is None
    assert kind_of(ContractType.REST_API) is not None
    assert is_served(ContractType.REST_API)
    assert not is_served(ContractType.INTERFACE)
