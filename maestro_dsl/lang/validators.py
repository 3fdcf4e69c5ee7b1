"""The grammar of `schemas/v1` and who checks it: jsonschema-rs, or jsonschema where that has no wheel.

The files of `schemas/v1` are the only list of keys. References are resolved in a local registry, never on a
network. Says what is wrong in the words of JSON Schema; words for people are in `maestro_dsl.lang.schema`.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Protocol

from maestro_dsl.lang.sourcemap import Pointer
from maestro_dsl.records import dataclass
from maestro_dsl.resources import data_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from maestro_dsl.lang.model import Json, Kind

_URN: Final = "urn:maestro-dsl:schema:v1:"
_SHARED: Final = "shared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One breach of the grammar, in the words of JSON Schema: which keyword, where, in which subschema."""

    keyword: str
    pointer: Pointer
    schema_path: tuple[str | int, ...]
    detail: tuple[str, ...] = ()
    """Unexpected or missing key names, one or more."""


class Validator(Protocol):
    """Finds breaches of one kind's schema."""

    def is_valid(self, data: Json) -> bool:
        """Return whether there is none; much faster than looking for the first."""

    def violations(self, data: Json) -> Iterator[Violation]:
        """Yield every breach in `data`."""


def schema_of(kind: Kind | str) -> dict[str, Any]:
    """Return the JSON Schema of a kind (or "shared") as it stands in `schemas/v1`; do not change it."""
    return _schema(str(kind).lower())


@cache
def _schema(name: str) -> dict[str, Any]:
    path = data_dir("schemas") / "v1" / f"{name}.schema.json"
    schema: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return schema


@cache
def validator_of(kind: Kind, definition: str | None = None) -> Validator:
    """Return the validator of `kind`, or of one of its definitions; built once."""
    schema = schema_of(kind)
    if definition is not None:
        schema = {"$ref": f"{_URN}{kind.value.lower()}#/$defs/{definition}"}
    try:
        return _rust_validator(kind, schema)
    except ImportError:
        return python_validator(kind, schema)


def _rust_validator(kind: Kind, schema: dict[str, Any]) -> Validator:
    import jsonschema_rs

    def built(form: Callable[[Any], Any]) -> Any:
        known = [(_URN + name, form(_schema(name))) for name in (_SHARED, kind.value.lower())]
        registry = jsonschema_rs.Registry(known)
        return jsonschema_rs.Draft202012Validator(form(schema), registry=registry)

    return _RustValidator(built(one_by_one), lambda: built(_as_it_is))


def _as_it_is(schema: Any) -> Any:
    return schema


def one_by_one(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema for which the same data is valid, and that asks no further than the case that applies.

    Cases are entries of the `allOf` of a definition that ask for different texts under one key. To ask each
    node of a blueprint for all of them is half of what it takes to look at it.
    """
    definitions = {name: _chained(part) for name, part in schema.get("$defs", {}).items()}
    return {**schema, "$defs": definitions} if definitions else schema


def _chained(part: dict[str, Any]) -> dict[str, Any]:
    asked = [_asked(case) for case in part.get("allOf", ())]
    if None in asked or len(set(asked)) < len(asked) or len({key for key, _ in filter(None, asked)}) != 1:
        return part
    chain: dict[str, Any] = {}
    for case in reversed(part["allOf"]):
        chain = {**case, "else": chain}
    return {**part, "allOf": [chain]}


def _asked(case: dict[str, Any]) -> tuple[str, str] | None:
    """Return the key and the text that a case asks for, where that is all that it asks for."""
    condition = case.get("if", {})
    for key, wanted in condition.get("properties", {}).items():
        text = wanted.get("const")
        form = {"if": {"properties": {key: {"const": text}}, "required": [key]}, "then": case.get("then")}
        if isinstance(text, str) and case == form:
            return key, text
    return None


def python_validator(kind: Kind, schema: dict[str, Any] | None = None) -> Validator:
    """Return the same from the library written in Python, for platforms without a wheel of the other."""
    import jsonschema
    from referencing import Registry, Resource

    registry: Registry[Any] = Registry()
    for name in (_SHARED, kind.value.lower()):
        contents: Resource[Any] = Resource.from_contents(_schema(name))
        registry = registry.with_resource(_URN + name, contents)
    return _PythonValidator(jsonschema.Draft202012Validator(schema or schema_of(kind), registry=registry))


class _RustValidator:
    """Judges by `quick`, and tells what is wrong by what `full` makes, which is made when something is."""

    def __init__(self, quick: Any, full: Callable[[], Any]) -> None:
        self._quick = quick
        self._full = cache(full)

    def is_valid(self, data: Json) -> bool:
        return bool(self._quick.is_valid(data))

    def violations(self, data: Json) -> Iterator[Violation]:
        for error in self._full().iter_errors(data):
            detail: tuple[str, ...] = ()
            kind = error.kind
            if kind.name == "additionalProperties":
                detail = tuple(kind.unexpected)
            elif kind.name == "required":
                detail = (kind.property,)
            path = [step for step in error.evaluation_path if step != "$ref"]
            if kind.name == "propertyNames":
                detail = (str(kind.error.instance),)
                path = path[: path.index("propertyNames") + 1]
            pointer = _way(data, error.instance_path)
            yield Violation(keyword=kind.name, pointer=pointer, schema_path=tuple(path), detail=detail)


def _way(data: Any, steps: Iterable[str | int]) -> Pointer:
    """Return the way to a value: the validator writes a key such as "5" as a number, which a list has."""
    way: list[str | int] = []
    for step in steps:
        key = step if isinstance(data, list) else str(step)
        way.append(key)
        data = data[key]
    return tuple(way)


class _PythonValidator:
    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def is_valid(self, data: Json) -> bool:
        return bool(self._inner.is_valid(data))

    def violations(self, data: Json) -> Iterator[Violation]:
        for error in self._inner.iter_errors(data):
            keyword, path = str(error.validator), list(error.absolute_schema_path)
            detail: tuple[str, ...] = ()
            if "propertyNames" in path:
                keyword, detail = "propertyNames", (str(error.instance),)
                path = path[: path.index("propertyNames") + 1]
            elif keyword == "additionalProperties":
                known = error.schema.get("properties", {})
                detail = tuple(name for name in error.instance if name not in known)
            elif keyword == "required":
                detail = tuple(name for name in error.validator_value if name not in error.instance)
                detail = tuple(name for name in detail if f"'{name}'" in error.message)
            yield Violation(
                keyword=keyword, pointer=tuple(error.absolute_path), schema_path=tuple(path), detail=detail
            )


class SchemaProblem(ValueError):  # noqa: N818 - becomes a finding at once
    """A schema is no JSON Schema; `path` leads to the part of it that is wrong."""

    def __init__(self, message: str, path: tuple[str | int, ...]) -> None:
        super().__init__(message)
        self.path = path


def validator_for(schema: dict[str, Any] | bool) -> Validator:
    """Return the validator of a schema that a document states; references out of it are refused.

    Raises:
        SchemaProblem: it is no JSON Schema.
    """
    try:
        import jsonschema_rs
    except ImportError:
        return _python_validator_for(schema)
    patterns = jsonschema_rs.RegexOptions()  # linear in the text, whatever the pattern
    try:
        inner = jsonschema_rs.Draft202012Validator(schema, offline=True, pattern_options=patterns)
    except jsonschema_rs.ValidationError as error:
        raise SchemaProblem(error.message, tuple(error.instance_path)) from error
    return _RustValidator(inner, lambda: inner)


def _python_validator_for(schema: dict[str, Any] | bool) -> Validator:
    import jsonschema

    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise SchemaProblem(error.message, tuple(error.absolute_path)) from error
    return _PythonValidator(jsonschema.Draft202012Validator(schema))


def subschema(root: dict[str, Any], path: Iterable[str | int], keyword: str | None = None) -> dict[str, Any]:
    """Return the part of `root` at `path`, through the references on the way and up to `keyword`.

    Schemas that documents state may refer in ways that are not followed here; {} stands for such a part.
    """
    node: Any = root
    try:
        for step in path:
            root, node = _holding(root, node, step)
            node = node[step]
        node = _holding(root, node, keyword)[1]
    except (LookupError, TypeError):
        return {}
    return node if isinstance(node, dict) else {}


def _holding(root: dict[str, Any], node: Any, step: object) -> tuple[dict[str, Any], Any]:
    """Follow references from `node` until `step` stands in it; prose may stand beside a `$ref`."""
    while isinstance(node, dict) and step not in node and "$ref" in node:
        root, node = follow(root, str(node["$ref"]))
    return root, node


def follow(root: dict[str, Any], reference: str) -> tuple[dict[str, Any], Any]:
    """Return the schema and the part of it that a `$ref` points at."""
    document, _, path = reference.partition("#/")
    root = _schema(document.removeprefix(_URN)) if document else root
    target: Any = root
    for step in path.split("/"):
        target = target[step]
    return root, target
