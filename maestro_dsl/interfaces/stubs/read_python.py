"""A Python file of protocols and types as an `Interface`, by its syntax tree; nothing of it is run."""

from __future__ import annotations

import ast
from typing import Any, Final

from maestro_dsl.interfaces.stubs.model import MODULE, Argument, Interface, Method, Service, reference, union
from maestro_dsl.interfaces.stubs.refusal import Refused

_PLAIN: Final[dict[str, dict[str, Any]]] = {
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "str": {"type": "string"},
    "bytes": {"type": "string"},
    "bool": {"type": "boolean"},
    "None": {"type": "null"},
    "datetime": {"type": "string", "format": "date-time"},
    "date": {"type": "string", "format": "date"},
    "UUID": {"type": "string", "format": "uuid"},
    "Decimal": {"type": "number"},
    "Path": {"type": "string"},
    "dict": {"type": "object"},
    "list": {"type": "array", "items": {}},
}
_LISTS: Final = frozenset(
    {"list", "List", "Sequence", "Iterable", "Iterator", "set", "Set", "frozenset", "FrozenSet", "Collection"}
    | {"AsyncIterator", "AsyncIterable", "tuple", "Tuple", "MutableSequence", "deque"}
)
_MAPPINGS: Final = frozenset({"dict", "Dict", "Mapping", "MutableMapping"})
_INSIDE: Final = frozenset(
    {"Awaitable", "Coroutine", "Final", "ClassVar", "Required", "NotRequired", "ReadOnly", "Annotated"}
)
_SERVICES: Final = frozenset({"Protocol", "ABC"})
_ENUMS: Final = frozenset({"Enum", "StrEnum", "IntEnum"})


def read_python(text: str, title: str) -> Interface:
    """Return the types and services of a Python file.

    Raises:
        Refused: it is no Python, or has neither types nor functions.
    """
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise Refused(f"it is no Python: {error.msg}", error.lineno or 1, error.offset or 1) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise Refused("it is no Python that can be read") from error
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    reader = _Reader(frozenset(classes))
    types: dict[str, Any] = {}
    services: list[Service] = []
    for name, node in classes.items():
        methods = tuple(
            reader.method(item, is_bound=True)
            for item in node.body
            if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)) and not item.name.startswith("_")
        )
        is_service = bool(_bases(node) & _SERVICES) or (methods and not _fields(node))
        if is_service:
            services.append(Service(name=name, methods=methods, doc=_doc(node)))
        else:
            types[name] = reader.type_of_class(node, classes)
    functions = tuple(
        reader.method(item, is_bound=False)
        for item in tree.body
        if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)) and not item.name.startswith("_")
    )
    if functions:
        services.append(Service(name=MODULE, methods=functions))
    if not types and not services:
        raise Refused("it has neither classes nor functions", 1, 1)
    for service in services:  # a service that is handed around is no data
        types.pop(service.name, None)
    return Interface(title=title, types=types, services=tuple(services))


def _bases(node: ast.ClassDef) -> set[str]:
    return {_name(base) for base in node.bases}


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript):
        return _name(node.value)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _fields(node: ast.ClassDef) -> list[ast.AnnAssign]:
    return [
        item for item in node.body if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    ]


def _doc(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return (ast.get_docstring(node) or "").partition("\n")[0]


class _Reader:
    """Reads annotations; names of `classes` are references."""

    def __init__(self, classes: frozenset[str]) -> None:
        self._classes = classes

    def type_of_class(self, node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> dict[str, Any]:
        """Return the schema of a class of data."""
        if _bases(node) & _ENUMS:
            values = [
                item.value.value
                for item in node.body
                if isinstance(item, ast.Assign) and isinstance(item.value, ast.Constant)
            ]
            return {"enum": values} if values else {"type": "string"}
        properties: dict[str, Any] = {}
        required: list[str] = []
        for base in node.bases:
            parent = classes.get(_name(base))
            if parent is not None and parent is not node:
                inherited = self.type_of_class(parent, {k: v for k, v in classes.items() if v is not node})
                properties.update(inherited.get("properties", {}))
                required += inherited.get("required", [])
        is_total = not any(
            word.arg == "total" and isinstance(word.value, ast.Constant) and word.value.value is False
            for word in node.keywords
        )
        for item in _fields(node):
            name = item.target.id if isinstance(item.target, ast.Name) else ""
            if name.startswith("_"):
                continue
            properties[name] = self.annotation(item.annotation)
            wrapper = _name(item.annotation)
            if (is_total and item.value is None and wrapper != "NotRequired") or wrapper == "Required":
                required.append(name)
        return {"type": "object", "properties": properties, "required": list(dict.fromkeys(required))}

    def method(self, node: ast.FunctionDef | ast.AsyncFunctionDef, *, is_bound: bool) -> Method:
        """Return one function; `is_bound` leaves its first argument out."""
        given = node.args
        positional = [*given.posonlyargs, *given.args]
        is_static = any(_name(item) == "staticmethod" for item in node.decorator_list)
        if is_bound and not is_static:
            positional = positional[1:]
        optional = len(given.defaults)
        arguments = [
            Argument(
                name=item.arg,
                schema={} if item.annotation is None else self.annotation(item.annotation),
                required=place < len(positional) - optional,
            )
            for place, item in enumerate(positional)
        ]
        arguments += [
            Argument(
                name=item.arg,
                schema={} if item.annotation is None else self.annotation(item.annotation),
                required=default is None,
                keyword_only=True,
            )
            for item, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)
        ]
        return Method(
            name=node.name,
            arguments=tuple(arguments),
            returns={} if node.returns is None else self.annotation(node.returns),
            is_async=isinstance(node, ast.AsyncFunctionDef),
            doc=_doc(node),
        )

    def annotation(self, node: ast.expr) -> dict[str, Any]:
        """Return the schema of an annotation; {} for what JSON has no word for."""
        if isinstance(node, ast.Constant):
            if node.value is None:
                return {"type": "null"}
            return self._quoted(node) if isinstance(node.value, str) else {}
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return union([*self._options(node.left), *self._options(node.right)])
        if isinstance(node, ast.Subscript):
            return self._generic(_name(node.value), node.slice)
        name = _name(node)
        if name in self._classes:
            return dict(reference(name))
        return dict(_PLAIN.get(name, {}))

    def _options(self, node: ast.expr) -> list[dict[str, Any]]:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return [*self._options(node.left), *self._options(node.right)]
        return [self.annotation(node)]

    def _quoted(self, node: ast.Constant) -> dict[str, Any]:
        try:
            inner = ast.parse(str(node.value), mode="eval").body
        except SyntaxError as error:
            raise Refused("an annotation is no Python", node.lineno, node.col_offset + 1) from error
        return (
            {} if isinstance(inner, ast.Constant) and isinstance(inner.value, str) else self.annotation(inner)
        )

    def _generic(self, name: str, inner: ast.expr) -> dict[str, Any]:
        parts = list(inner.elts) if isinstance(inner, ast.Tuple) else [inner]
        if name == "Literal":
            return {"enum": [part.value for part in parts if isinstance(part, ast.Constant)]}
        if name == "Optional":
            return union([self.annotation(parts[0]), {"type": "null"}])
        if name == "Union":
            return union([self.annotation(part) for part in parts])
        if name in _INSIDE:
            return self.annotation(parts[-1] if name == "Coroutine" else parts[0])
        if name in _MAPPINGS:
            return {"type": "object", "additionalProperties": self.annotation(parts[-1])}
        if name in {"tuple", "Tuple"} and not (
            isinstance(parts[-1], ast.Constant) and parts[-1].value is ...
        ):
            fixed = [self.annotation(part) for part in parts]
            return {"type": "array", "prefixItems": fixed, "minItems": len(fixed), "maxItems": len(fixed)}
        return {"type": "array", "items": self.annotation(parts[0])} if name in _LISTS else {}
