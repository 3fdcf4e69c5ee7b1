"""Which field tells one thing of a resource from another, and who makes its values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from maestro_dsl.providers.scaffold.names import normal, singular, words
from maestro_dsl.providers.scaffold.shapes import kind_of, resolved, shape_of

if TYPE_CHECKING:
    from maestro_dsl.interfaces.openapi.model import Api, Operation, Schema
    from maestro_dsl.providers.scaffold.service import Step
    from maestro_dsl.providers.scaffold.shapes import Shape

_SCALARS: Final = {"integer", "number", "string"}


class NotUnderstood(ValueError):  # noqa: N818 - an answer, not a fault
    """An operation has a form that no template knows; the text says which."""


def find_key(
    api: Api, path: str, param: str | None, shape: Shape, operations: tuple[Operation, ...]
) -> tuple[str, Schema]:
    """Return the field that tells one from another, and its schema.

    Raises:
        NotUnderstood: no field does.
    """
    candidates = [item for item in shape.fields if item.kind in _SCALARS]
    if param is not None:
        exact = [item for item in candidates if normal(item.name) == normal(param)]
        ends = [item for item in candidates if normal(param).endswith(normal(item.name)) and item.name]
        found = exact or sorted(ends, key=lambda item: -len(item.name))
        if found:
            schema = found[0].schema
            by_name = {item.name: item.schema for one in operations for item in one.parameters_in("path")}
            return found[0].name, schema if kind_of(api, schema) != "any" else by_name.get(param, schema)
        raise NotUnderstood(f"no field of the answer is the {param} of its path")
    for name in ("id", "uuid", "uid", "key", "number", "reference", "code", "token"):
        if any(item.name == name for item in candidates):
            item = next(item for item in candidates if item.name == name)
            return item.name, item.schema
    noun = singular(path.rpartition("/")[2])
    wanted = normal(noun + "id")
    named = [item for item in candidates if normal(item.name) == wanted]
    if not named:
        raise NotUnderstood("no field of the answer tells one from another")
    return named[0].name, named[0].schema


def new_key(api: Api, schema: Schema, maker: Step, key: str) -> str | None:
    """Return the generated function that makes keys; None where clients choose them.

    Raises:
        NotUnderstood: keys have a form that no function makes.
    """
    sent = shape_of(api, maker.body).field(key)
    if sent is not None and sent.required and not sent.read_only:
        return None
    kind, node = kind_of(api, schema), resolved(api, schema)
    is_id = words(key)[-1:] in (["id"], ["uid"], ["uuid"], ["key"], ["number"]) or normal(key).endswith("id")
    if sent is not None and not sent.read_only and not is_id:
        return None
    if kind in {"integer", "number"}:
        return "next_number"
    if node.get("format") == "uuid":
        return "new_uuid"
    if "pattern" in node or "enum" in node:
        for way, sample in (
            ("new_uuid", "3f2b8f0e-8d0c-4d6a-9b1e-2c7a5f4e6d10"),
            ("new_token", "a1" * 8),
            ("next_numeral", "1"),
        ):
            if "pattern" in node and re.search(str(node["pattern"]), sample):
                return way
        raise NotUnderstood(f"how a new {key} is made cannot be told from its pattern")
    length = node.get("maxLength")
    return "new_token" if not isinstance(length, int) or length >= 16 else "next_numeral"  # noqa: PLR2004 - a token's length
