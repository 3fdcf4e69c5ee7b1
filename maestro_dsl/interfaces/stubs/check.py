"""What files show of an interface: Python by its syntax tree, JSON by the schema, TypeScript by its names.

Nothing of the deliverable is run or imported. What no file shows could not be verified.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from maestro_dsl.interfaces.openapi.validate import errors
from maestro_dsl.interfaces.stubs.model import MODULE, REF
from maestro_dsl.interfaces.verification import Finding, Sheet, VerificationResult, unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from maestro_dsl.interfaces.stubs.model import Interface, Method, Service

_MOST_ERRORS = 5
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def check_files(interface: Interface, files: Mapping[str, str], *, contract_id: str) -> VerificationResult:
    """Return how the text `files` of a deliverable, by path, keep the interface."""
    sheet = Sheet()
    modules = dict(_modules(files, sheet))
    scripts = {path: text for path, text in files.items() if path.endswith((".ts", ".tsx", ".js", ".mjs"))}
    for service in interface.services:
        if modules:
            _service(service, modules, sheet)
        elif scripts:
            _by_name(service, "\n".join(scripts.values()), sheet)
    _data(interface, files, sheet)
    if not sheet.total and not sheet.findings:
        wanted = "a Python or TypeScript module" if interface.services else "a JSON file"
        return unreachable(contract_id, f"no file of the deliverable shows the interface: {wanted} is needed")
    return sheet.result(
        contract_id, [f"{item.name}.{one.name}" for item in interface.services for one in item.methods]
    )


# ---- Python ----


def _modules(files: Mapping[str, str], sheet: Sheet) -> Iterator[tuple[str, ast.Module]]:
    for path, text in sorted(files.items()):
        if path.endswith(".py"):
            try:
                yield path, ast.parse(text)
            except (SyntaxError, ValueError, RecursionError) as error:
                line = getattr(error, "lineno", None)
                sheet.add(
                    Finding(
                        severity="error", message=f"{path} is no Python", check="code", file=path, line=line
                    )
                )


def _service(service: Service, modules: Mapping[str, ast.Module], sheet: Sheet) -> None:
    if service.name == MODULE:
        found = {
            node.name: (path, node)
            for path, tree in modules.items()
            for node in tree.body
            if isinstance(node, _Function)
        }
        place, owner = None, "a function of the module"
    else:
        chosen = _implementation(service, modules)
        missing = f"no class implements {service.name}"
        if not sheet.check("types", chosen is not None, missing, operation=service.name) or chosen is None:
            sheet.missing.update(dict.fromkeys(f"{service.name}.{item.name}" for item in service.methods))
            return
        place, node = chosen
        owner = node.name
        found = {name: (place, item) for name, item in _members(node, modules).items()}
    for method in service.methods:
        name = f"{service.name}.{method.name}"
        if not sheet.check("methods", method.name in found, f"{name} is missing in {owner}", operation=name):
            sheet.missing[name] = None
            continue
        path, node_of = found[method.name]
        for problem in _differences(method, node_of, is_bound=service.name != MODULE):
            finding = Finding(
                severity="error",
                message=f"{name} {problem}",
                check="signature",
                operation=name,
                file=path,
                line=node_of.lineno,
            )
            sheet.total["signature"] = sheet.total.get("signature", 0) + 1
            sheet.passed.setdefault("signature", 0)
            sheet.operations.setdefault(name, []).append(False)
            sheet.add(finding)
        sheet.check("methods", True, "", operation=name)


def _implementation(service: Service, modules: Mapping[str, ast.Module]) -> tuple[str, ast.ClassDef] | None:
    """Return the class that implements a service: it says so, bears its name, or has most of its methods."""
    ranked: list[tuple[int, str, ast.ClassDef]] = []
    wanted = {method.name for method in service.methods}
    for path, tree in modules.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.ClassDef):
                continue
            bases = {_name(base) for base in node.bases}
            if bases & {"Protocol", "ABC"}:
                continue
            shared = len(wanted & set(_members(node, modules)))
            says_so = service.name in bases
            if says_so or node.name == service.name or 0 < len(wanted) <= shared * 2:
                ranked.append((says_so * 1000 + (node.name == service.name) * 100 + shared, path, node))
    if not ranked:
        return None
    _, path, node = max(ranked, key=lambda entry: entry[0])
    return path, node


def _members(node: ast.ClassDef, modules: Mapping[str, ast.Module], depth: int = 0) -> dict[str, Any]:
    """Return the methods of a class, those of its own bases in the same files included."""
    found: dict[str, Any] = {}
    if depth < 10:  # noqa: PLR2004 - nobody inherits deeper; a class that inherits itself ends
        names = {_name(base) for base in node.bases}
        for tree in modules.values():
            for other in tree.body:
                is_base = isinstance(other, ast.ClassDef) and other.name in names and other is not node
                if is_base and isinstance(other, ast.ClassDef) and "Protocol" not in map(_name, other.bases):
                    found.update(_members(other, modules, depth + 1))
    found.update({item.name: item for item in node.body if isinstance(item, _Function)})
    return found


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript):
        return _name(node.value)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _differences(
    method: Method, node: ast.FunctionDef | ast.AsyncFunctionDef, *, is_bound: bool
) -> Iterator[str]:
    """Yield in words where a function cannot be called as the interface says."""
    if method.is_async != isinstance(node, ast.AsyncFunctionDef):
        yield "has to be async" if method.is_async else "may not be async"
    given = node.args
    positional = [item.arg for item in (*given.posonlyargs, *given.args)]
    is_static = any(_name(item) == "staticmethod" for item in node.decorator_list)
    own = positional[1:] if is_bound and not is_static else positional
    only = [item.arg for item in given.kwonlyargs]
    takes_any = given.vararg is not None and given.kwarg is not None
    for place, argument in enumerate(item for item in method.arguments if not item.keyword_only):
        if place >= len(own) and given.vararg is None:
            yield f"does not take the argument {argument.name}"
        elif place < len(own) and own[place] != argument.name:
            yield f"calls its argument {own[place]}, not {argument.name}"
    for argument in (item for item in method.arguments if item.keyword_only):
        if argument.name not in {*only, *own} and given.kwarg is None:
            yield f"does not take the argument {argument.name}"
    known = {item.name for item in method.arguments}
    needed = own[: len(own) - len(given.defaults)] if given.defaults else own
    extra = [name for name in needed if name not in known]
    extra += [
        name
        for name, default in zip(only, given.kw_defaults, strict=True)
        if default is None and name not in known
    ]
    wanted = len([item for item in method.arguments if not item.keyword_only])
    if not takes_any and len(needed) > wanted:
        yield f"needs the argument {', '.join(extra) or needed[-1]}, which the interface does not have"
    optional = {item.name for item in method.arguments if not item.required}
    strict = sorted(optional & set(needed))
    if strict:
        yield f"needs the argument {', '.join(strict)}, which the interface lets callers leave out"
    yield from _returned(method, node)


def _returned(method: Method, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """Yield where the stated kind of the result is plainly another one."""
    stated = node.returns
    wanted = method.returns.get("type")
    if not isinstance(stated, (ast.Name, ast.Constant)) or not isinstance(wanted, str):
        return
    name = stated.id if isinstance(stated, ast.Name) else str(stated.value)
    kinds = {"int": "integer", "float": "number", "str": "string", "bool": "boolean", "None": "null"}
    kinds |= {"list": "array", "dict": "object"}
    if name in kinds and kinds[name] != wanted and {kinds[name], wanted} != {"integer", "number"}:
        yield f"returns {name}, not {wanted}"


# ---- TypeScript and JavaScript ----


def _by_name(service: Service, text: str, sheet: Sheet) -> None:
    for method in service.methods:
        name = f"{service.name}.{method.name}"
        start = rf"(?<![\w$.]){re.escape(method.name)}\s*(?:<[^>()]*>)?\s*"
        pattern = start + r"(?:\(|=\s*(?:async\s*)?\(|[:=]\s*function)"
        found = re.search(pattern, text) is not None
        if not sheet.check("methods", found, f"{name} is missing", operation=name):
            sheet.missing[name] = None


# ---- data ----


def _data(interface: Interface, files: Mapping[str, str], sheet: Sheet) -> None:
    api = interface.api
    names = {_bare(name): name for name in interface.types}
    for path, text in sorted(files.items()):
        if not path.endswith(".json"):
            continue
        stem = _bare(PurePosixPath(path).stem)
        name = names.get(stem) or names.get(stem.removesuffix("s")) or interface.root
        if name is None:
            continue
        try:
            value = json.loads(text)
        except ValueError:
            sheet.check("data", False, f"{path} is no JSON", operation=path)
            continue
        is_list = isinstance(value, list) and interface.types[name].get("type") != "array"
        for place, item in enumerate(value if is_list else [value]):
            found = errors(api, {"$ref": REF + name}, item)[:_MOST_ERRORS]
            where = f"{path}[{place}]" if is_list else path
            sheet.check("data", not found, f"{where} is no {name}: {'; '.join(found)}", operation=path)


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
