"""Holds the table of layers and the homes of third-party packages, by reading the imports."""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "maestro_dsl"
MAX_LINES = 400

LAYERS = {
    "errors": 0, "diagnostics": 0, "codec": 0, "collector": 0, "records": 0, "resources": 0,
    "ports": 0, "scratch": 0, "money": 0,
    "lang": 1, "net": 1,
    "libraries": 2, "interfaces": 2,
    "compiler": 3,
    "rules": 4,
    "engine": 5,
    "validation": 6, "providers": 6, "storage": 6, "dispatch": 6, "telemetry": 6, "sandbox": 6,
    "tickets": 6, "reporters": 6,
    "actions": 7, "composer": 7,
    "app": 8,
    "cli": 9, "service": 9, "lsp": 9,
    "__main__": 10, "testing": 10, "virtual_time": 10, "__init__": 10,
}  # fmt: skip
"""Package or module → layer. It may import its own folder and lower layers only."""

ALLOWED = {
    ("codec", "errors"), ("resources", "errors"), ("ports", "errors"), ("errors", "diagnostics"),
    ("scratch", "errors"),
    ("diagnostics", "records"),
    ("cli", "lsp"),
}  # fmt: skip
"""Imports inside layer 0, which is one base and not several packages; and a command that serves."""

HOMES = {
    "yaml": {"lang", "interfaces", "providers"},
    "jsonschema_rs": {"lang", "interfaces"},
    "jsonschema": {"lang", "interfaces"},
    "referencing": {"lang", "interfaces"},
    "openapi_schema_validator": {"interfaces"},
    "openapi_spec_validator": {"interfaces"},
    "faker": {"interfaces"},
    "graphql": {"interfaces"},
    "jinja2": {"lang", "providers"},
    "re2": {"lang", "interfaces"},
    "packaging": {"lang", "libraries"},
    "httpx2": {"net"},
    "starlette": {"net", "interfaces", "service"},
    "uvicorn": {"net"},
    "networkx": {"compiler"},
    "resolvelib": {"libraries"},
    "anthropic": {"providers"},
    "sqlalchemy": {"storage"},
    "alembic": {"storage"},
    "filelock": {"storage"},
    "prometheus_client": {"telemetry"},
    "rich": {"reporters"},
    "click": {"cli"},
    "pygls": {"lsp"},
    "lsprotocol": {"lsp"},
    "fastapi": {"service"},
}
"""Third-party package → where it may be imported."""

MODULES = sorted(PACKAGE.rglob("*.py"))


def _own_name(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _imports(path):
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            yield "." * node.level + (node.module or ""), node.lineno
        elif isinstance(node, ast.ImportFrom):
            if node.module == "maestro_dsl":
                yield from ((f"maestro_dsl.{alias.name}", node.lineno) for alias in node.names)
            else:
                yield node.module, node.lineno


def _layer_fault(own, target):
    if target.startswith("__") or target == own:  # __version__ and the like
        return None
    if target not in LAYERS:
        return f'"{target}" has no layer; add it to the table in this test and to ARCHITECTURE.md'
    if LAYERS[own] > LAYERS[target] or (own, target) in ALLOWED:
        return None
    kind = "of the same layer" if LAYERS[own] == LAYERS[target] else "above it"
    return f"{own} (layer {LAYERS[own]}) may not import {target} (layer {LAYERS[target]}), which is {kind}"


def _home_fault(own, package):
    if package in sys.stdlib_module_names or package == "_typeshed":  # typing only
        return None
    if package not in HOMES:
        return f'"{package}" has no home; name one in this test and in ARCHITECTURE.md'
    if own in HOMES[package]:
        return None
    return f"{package} is imported in {', '.join(sorted(HOMES[package]))} only, not in {own}"


def _faults_of(path):
    own = _own_name(path)
    if own not in LAYERS:
        yield f'"{own}" has no layer; add it to the table in this test and to ARCHITECTURE.md'
        return
    for name, line in _imports(path):
        first, _, rest = name.partition(".")
        if name.startswith("."):
            fault = "relative import; write the full name"
        elif first == "maestro_dsl":
            fault = _layer_fault(own, rest.partition(".")[0] or "__init__")
        else:
            fault = _home_fault(own, first)
        if fault and own not in {"testing", "__init__"}:
            yield f"{path.relative_to(ROOT)}:{line}: {fault}"


def test_imports_keep_the_layers():
    faults = [fault for path in MODULES for fault in _faults_of(path)]
    assert not faults, "\n".join(faults)


def test_modules_stay_small():
    faults = []
    for path in MODULES:
        lines = len(path.read_text(encoding="utf-8").splitlines())
        # the values of the language are a table to read, not code to follow
        limit = 500 if path.relative_to(PACKAGE).as_posix() == "lang/model.py" else MAX_LINES
        if lines > limit:
            faults.append(f"{path.relative_to(ROOT)} has {lines} lines, more than {limit}: split it by noun")
    assert not faults, "\n".join(faults)


def test_the_checks_see_faults():
    assert "may not import storage (layer 6), which is above it" in _layer_fault("engine", "storage")
    assert "of the same layer" in _layer_fault("storage", "reporters")
    assert _layer_fault("cli", "app") is None
    assert "click is imported in cli only" in _home_fault("engine", "click")
    assert _home_fault("engine", "json") is None
