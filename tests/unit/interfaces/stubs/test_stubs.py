"""Interfaces of code and data: read with places, written as stubs, held against files."""

import ast
import json

import pytest
from support.interfaces import PYTHON, SCHEMA, TYPESCRIPT

from maestro_dsl.errors import UsageError
from maestro_dsl.interfaces.openapi.validate import errors
from maestro_dsl.interfaces.stubs import kind
from maestro_dsl.interfaces.stubs.parse import parse
from maestro_dsl.interfaces.stubs.values import values
from maestro_dsl.interfaces.verification import Outcome


def read(text, file):
    content = text if isinstance(text, str) else json.dumps(text)
    interface, found = parse(content.encode(), file)
    assert interface is not None, [item.message for item in found]
    return interface


SOURCES = [(SCHEMA, "orders.json"), (PYTHON, "store.py"), (TYPESCRIPT, "store.d.ts")]


def test_types_and_methods_are_read_from_every_language():
    schema, python, script = (read(*source) for source in SOURCES)
    assert list(schema.types) == ["Order", "LimitOrder", "Either", "List", "OrderBook"]
    assert schema.root == "OrderBook"
    assert list(python.types) == ["State", "Task", "Page"]
    methods = ["Store.get", "Store.find", "Store.save", "Store.counts", "Store.mode", "Module.connect"]
    assert list(kind.operations(python)) == methods
    assert list(script.types) == ["State", "Task", "Base", "Page", "Result"]
    assert kind.operations(script)[:3] == ("Store.get", "Store.find", "Store.save")
    assert script.types["Task"]["required"] == ["id", "title", "state", "tags"]


@pytest.mark.parametrize(
    ("text", "file", "line", "said"),
    [
        ("def f(:\n", "a.py", 1, "it is no Python"),
        ("x = 1\n", "a.py", 1, "neither classes nor functions"),
        ("interface A {\n  b: ;\n}", "a.ts", 2, 'a type is expected, not ";"'),
        ("interface A { b: string", "a.ts", 1, "it ends too early"),
        ("const x = 1;", "a.ts", 1, "declares neither types nor functions"),
        ("\n§", "a.ts", 2, "it is no TypeScript"),
        ("[]", "a.json", 1, "it holds no mapping"),
        ("{}", "a.json", 1, "it describes no type"),
        ('{"openapi": "3.1.0"}', "a.json", 1, "a contract of type REST_API takes it"),
        ('{"$ref": "other.json#/a"}', "a.json", None, "leads nowhere in this file"),
        ("a: [", "a.yaml", None, ""),
    ],
)
def test_what_cannot_be_read_is_one_finding_with_its_place(text, file, line, said):
    interface, found = parse(text.encode(), file)
    assert interface is None
    assert said in found.items[0].message
    assert line is None or found.items[0].span.line == line
    if said:
        assert found.items[0].code == "CTR001"


@pytest.mark.parametrize(("text", "file"), SOURCES, ids=["schema", "python", "typescript"])
def test_sample_values_are_valid_and_equal_for_the_same_seed(text, file):
    interface = read(text, file)
    made = values(interface, 7)
    assert made == values(interface, 7)
    for name, schema in interface.types.items():
        assert made[name]
        assert [errors(interface.api, schema, value) for value in made[name]] == [[]] * len(made[name])


@pytest.mark.parametrize(("text", "file"), SOURCES, ids=["schema", "python", "typescript"])
def test_the_stubs_are_data_and_modules(text, file):
    interface = read(text, file)
    files = kind.emit(interface, "store", b"source", file)
    suffix = ".d.ts" if file.endswith(".d.ts") else file[file.index(".") :]
    assert list(files) == [
        f"contracts/store_spec{suffix}",
        "contracts/store_stubs.json",
        "contracts/store_stubs.py",
        "contracts/store_stubs.ts",
        "contracts/store_README.md",
    ]
    assert json.loads(files["contracts/store_stubs.json"]).keys() >= interface.types.keys()
    tree = ast.parse(files["contracts/store_stubs.py"])
    names = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    assert {f"Stub{service.name}" for service in interface.services if service.name != "Module"} <= names


def test_names_of_a_schema_never_become_code():
    evil = 'x"]); import os; os.system("boom") #'
    schema = {
        "title": evil,
        "type": "object",
        "properties": {evil: {"const": evil}, "__init__": {"type": "string"}},
    }
    files = kind.emit(read(schema, "a.json"), "a", b"", "a.json")
    tree = ast.parse(files["contracts/a_stubs.py"])
    imported = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    assert imported == ["json"]
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "system"]


def test_there_is_nothing_to_serve():
    with pytest.raises(UsageError, match="nothing to serve"):
        kind.serve(read(PYTHON, "store.py"), seed=0, record=None, name="store")


# ---- what files show ----

GOOD = """
class SqlStore:
    def get(self, task_id): ...
    def find(self, text="", *, state=None, limit=20, extra=None) -> dict: ...
    async def save(self, task): ...
    def counts(self): ...
    def mode(self): return "fast"

def connect(url): return SqlStore()
"""


def judged(text, file, files):
    return kind.check_files(read(text, file), files, contract_id="store")


def test_a_module_that_has_every_method_keeps_a_protocol():
    result = judged(PYTHON, "store.py", {"src/store.py": GOOD, "README.md": "x"})
    assert (result.verdict, result.missing, result.issues, result.score) == (Outcome.FULFILLED, (), (), 1.0)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("def counts(self): ...", "", "Store.counts is missing in SqlStore"),
        ("async def save", "def save", "Store.save has to be async"),
        ("def get(self, task_id)", "async def get(self, task_id)", "Store.get may not be async"),
        ("def get(self, task_id)", "def get(self)", "Store.get does not take the argument task_id"),
        ("def get(self, task_id)", "def get(self, name)", "Store.get calls its argument name, not task_id"),
        ("def get(self, task_id)", "def get(self, task_id, more)", "Store.get needs the argument more"),
        ('text="", *', "text, *", "Store.find needs the argument text, which the interface lets callers"),
        ("state=None, limit=20", "state=None", "Store.find does not take the argument limit"),
        ("def counts(self)", "def counts(self) -> str", "Store.counts returns str, not object"),
        ("def connect(url)", "def open(url)", "Module.connect is missing"),
        ("    def mode", "  def mode", "is no Python"),
    ],
)
def test_what_a_module_lacks_is_named(old, new, said):
    source = GOOD.replace(old, new)
    result = judged(PYTHON, "store.py", {"store.py": source})
    assert result.verdict is Outcome.NOT_FULFILLED
    assert any(said in issue.message for issue in result.issues), result.issues


def test_nothing_of_a_deliverable_is_run(tmp_path):
    trap = tmp_path / "ran"
    source = GOOD + f"\nopen({str(trap)!r}, 'w').close()\n"
    assert judged(PYTHON, "store.py", {"store.py": source}).fulfilled
    assert not trap.exists()


def test_data_is_held_against_the_schema():
    good = values(read(SCHEMA, "orders.json"))["OrderBook"][0]
    assert judged(SCHEMA, "orders.json", {"data/book.json": json.dumps(good)}).fulfilled
    bad = judged(SCHEMA, "orders.json", {"data/book.json": json.dumps({**good, "orders": 1})})
    assert bad.verdict is Outcome.NOT_FULFILLED
    assert "data/book.json is no OrderBook: /orders" in bad.issues[0].message


def test_a_file_is_held_against_the_type_it_is_named_after():
    order = values(read(SCHEMA, "orders.json"))["Order"]
    assert judged(SCHEMA, "orders.json", {"orders.json": json.dumps(order)}).fulfilled
    assert not judged(SCHEMA, "orders.json", {"orders.json": json.dumps([{"id": 1}])}).fulfilled


def test_scripts_are_searched_for_the_methods():
    script = (
        "export class S { get(id) {} find = (t) => 1; async save(x) {} counts() {} each(v) {} pair() {} }"
    )
    result = judged(TYPESCRIPT, "store.d.ts", {"store.js": script + " function connect(u) {}"})
    assert result.fulfilled
    assert judged(TYPESCRIPT, "store.d.ts", {"store.js": script}).missing == ("Module.connect",)


def test_files_that_show_nothing_could_not_be_verified():
    result = judged(PYTHON, "store.py", {"README.md": "x"})
    assert result.verdict is Outcome.COULD_NOT_VERIFY
