"""A small printer of Python expressions, so that generated code is laid out as a person would.

Strings always leave as escaped literals: text from a document can never become code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, Union

WIDTH = 100


@dataclass(frozen=True, slots=True)
class Raw:
    """Source text that is put in as it is; never made from a document's text."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call; keyword arguments whose value is `ABSENT` are left out."""

    name: str
    args: tuple[Node, ...] = ()
    keywords: tuple[tuple[str, Node], ...] = ()


Node: TypeAlias = Union[Raw, Call, "Mapping[str, Node]", "Sequence[Node]", str, int, float, bool, None]


def call(name: str, *args: Node, **keywords: Node) -> Call:
    """Return a call of `name`."""
    return Call(name, args, tuple(keywords.items()))


def show(node: Node, indent: int = 0, *, lead: int = 0) -> str:
    """Return `node` as source.

    `indent` is the column of the line it starts on, `lead` how many characters stand before it there.
    """
    flat = _flat(node)
    if len(flat) + indent + lead <= WIDTH:
        return flat
    parts = _parts(node)
    if parts is None:
        return flat
    opening, entries, closing = parts
    inner = indent + 4
    lines = [f"{' ' * inner}{prefix}{show(item, inner, lead=len(prefix) + 1)}," for prefix, item in entries]
    return "\n".join([opening, *lines, " " * indent + closing])


def _parts(node: Node) -> tuple[str, list[tuple[str, Node]], str] | None:
    if isinstance(node, Call) and (node.args or node.keywords):
        named = [(f"{name}=", value) for name, value in node.keywords]
        return f"{node.name}(", [*(("", item) for item in node.args), *named], ")"
    if isinstance(node, Mapping) and node:
        return "{", [(f"{literal(key)}: ", value) for key, value in node.items()], "}"
    if isinstance(node, Sequence) and not isinstance(node, str) and node:
        opening, closing = ("(", ")") if isinstance(node, tuple) else ("[", "]")
        return opening, [("", item) for item in node], closing
    return None


def _flat(node: Node) -> str:
    if isinstance(node, Raw):
        return node.text
    if isinstance(node, Call):
        named = [f"{name}={_flat(value)}" for name, value in node.keywords]
        return f"{node.name}({', '.join([*map(_flat, node.args), *named])})"
    if isinstance(node, Mapping):
        return "{" + ", ".join(f"{literal(key)}: {_flat(value)}" for key, value in node.items()) + "}"
    if isinstance(node, tuple):
        return f"({_flat(node[0])},)" if len(node) == 1 else f"({', '.join(map(_flat, node))})"
    if isinstance(node, Sequence) and not isinstance(node, str):
        return f"[{', '.join(map(_flat, node))}]"
    return literal(node)


def literal(value: str | float | bool | None) -> str:
    """Return a scalar as a Python literal."""
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:  # noqa: PLR2004 - exact there
        return str(int(value))
    return repr(value)


def _quoted(text: str) -> str:
    quoted = json.dumps(text)
    # a JSON string is a Python string, but for pairs of surrogates, as which JSON writes higher characters
    return ascii(text) if r"\ud" in quoted.lower() else quoted
