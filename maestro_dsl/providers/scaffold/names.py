"""Names from a document turned into identifiers, labels and one-line texts that are safe in generated code.

Every function is total: whatever a vendor wrote, the result is usable. Judges nothing about meaning.
"""

from __future__ import annotations

import builtins
import keyword
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_RESERVED = frozenset(
    {
        *keyword.kwlist,
        *keyword.softkwlist,
        *dir(builtins),
        "request",
        "store",
        "schemas",
        "routes",
        "self",
        "field",
    }
)
_UNCOUNTABLE = ("ss", "us", "is", "news", "series", "status", "data")


def words(text: str) -> list[str]:
    """Return the words of an identifier in any style, lower case: "petId" → pet, id."""
    return [word.lower() for word in _WORDS.findall(text)]


def snake(text: str, fallback: str = "value") -> str:
    """Return `text` as a Python identifier that shadows nothing."""
    name = "_".join(words(text)) or fallback
    if name[0].isdigit():
        name = f"{fallback}_{name}"
    return f"{name}_" if name in _RESERVED else name


def camel(text: str, fallback: str = "value") -> str:
    """Return `text` as a JavaScript identifier."""
    first, *rest = words(text) or [fallback]
    name = first + "".join(word.capitalize() for word in rest)
    if name[0].isdigit():
        name = f"{fallback}{name}"
    return f"{name}_" if name in {*_RESERVED, "delete", "new", "function", "var", "this", "default"} else name


def pascal(text: str, fallback: str = "Value") -> str:
    """Return `text` as a class name."""
    name = "".join(word.capitalize() for word in words(text)) or fallback
    return f"{fallback}{name}" if name[0].isdigit() else name


def constant(text: str, fallback: str = "VALUE") -> str:
    """Return `text` as the name of a constant."""
    name = "_".join(words(text)).upper() or fallback
    return f"{fallback}_{name}" if name[0].isdigit() else name


def label(text: str) -> str:
    """Return `text` as a person would write it above a form field: "list_id" → "List id"."""
    return " ".join(words(text)).capitalize() or "Value"


def normal(text: str) -> str:
    """Return `text` for comparison: lower-case letters and digits alone."""
    return "".join(words(text))


def singular(text: str) -> str:
    """Return the last word of `text` in the singular, with the words before it kept."""
    *before, last = words(text) or ["item"]
    if last.endswith("ies") and len(last) > len("ties"):
        last = last[:-3] + "y"
    elif last.endswith(("sses", "statuses", "aliases", "xes", "ches", "shes")):
        last = last[:-2]
    elif last.endswith("s") and not last.endswith(_UNCOUNTABLE):
        last = last[:-1]
    return " ".join([*before, last])


def plural(text: str) -> str:
    """Return the last word of `text` in the plural."""
    *before, last = words(text) or ["item"]
    if not last.endswith("s") or last.endswith("ss"):
        if last.endswith("y") and last[-2:-1] not in "aeiou":
            last = last[:-1] + "ies"
        else:
            last += "es" if last.endswith(("ss", "x", "ch", "sh")) else "s"
    return " ".join([*before, last])


def article(noun: str) -> str:
    """Return `noun` with "a" or "an" before it."""
    return f"{'an' if noun[:1] in 'aeio' else 'a'} {noun}"


def line(text: str, limit: int = 90) -> str:
    """Return the first sentence of `text` on one line, free of everything that ends a string or comment."""
    cleaned = re.sub(r"[^\w \-.,;:!?()/{}'+&=%@]", " ", " ".join(text.split()), flags=re.ASCII)
    sentence = re.split(r"(?<=[.!?])\s", " ".join(cleaned.split()), maxsplit=1)[0]
    if len(sentence) > limit:
        sentence = sentence[:limit].rsplit(" ", 1)[0] + " ..."
    return sentence.replace("*/", "* /").replace("{{", "{ {").strip()


def sentence(text: str) -> str:
    """Return `text` as one line that ends with a full stop."""
    cleaned = line(text)
    return cleaned if cleaned.endswith((".", "!", "?")) else f"{cleaned}."


def unique(name: str, taken: Iterable[str]) -> str:
    """Return `name`, or `name` with the first number that makes it free."""
    used = set(taken)
    candidate, number = name, 2
    while candidate in used:
        candidate, number = f"{name}_{number}", number + 1
    return candidate
