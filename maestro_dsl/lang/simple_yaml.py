"""Data of YAML that is written as people write it, line by line and without libyaml; None for all other YAML.

Reads mappings and lists in block style, plain and quoted text in one line, flow collections in one line, and
comments. It gives the data that `maestro_dsl.lang.events` gives, and only where that has nothing to report;
what it does not know for certain it leaves to that. Finds no positions. Where none are asked for, 1,000 nodes
are read in 14 instead of 40 ms, and one small file needs no YAML library, whose loading takes 25 ms.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.lang.limits import DOCUMENT
from maestro_dsl.lang.scalars import (
    INTERESTING_STARTS,
    INTERESTING_WORDS,
    NUMBER_STARTS,
    is_ambiguous,
    resolve,
)

if TYPE_CHECKING:
    from maestro_dsl.lang.model import Json

_CONTROL: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")
"""Tabs, other line ends, control characters: here they can mean something."""
_KEY: Final = r"([A-Za-z_][\w.-]{0,127})"
_STARTS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./(<$+~")
"""Starts of plain text that are no indicators of YAML."""
_START: Final = r"[A-Za-z0-9_./(<$+~]"
_LINE: Final = re.compile(rf"^( *)(- +)?(?:{_KEY}:(?: +|$))?(.*)", re.MULTILINE | re.ASCII)
"""The indentation, the dash of an item, the key, and what stands behind."""
_QUOTED: Final = re.compile(r"""("[^"\\\n]*"|'[^'\n]*')[ ]*(?:[ ]\#.*)?""", re.VERBOSE)
_PLAIN: Final = re.compile(rf"{_START}|-[0-9]", re.ASCII)
_FLOW: Final = re.compile(
    rf"""[ ]*(?:
       ([\[{{])
      |([\]}}])
      |(,)
      |{_KEY}:[ ]+
      |("[^"\\\n]*"|'[^'\n]*')
      |({_START}(?:[^,\[\]{{}}:\#?\n]*[^ ,\[\]{{}}:\#?\n])?)(?=[ ]*[,\]}}])
      |(.)
    )""",
    re.ASCII | re.VERBOSE,
)
_NAMES: Final = re.compile(r"\[[A-Za-z_][\w-]*(?:, [A-Za-z_][\w-]*)*\]", re.ASCII)
_DEEPEST: Final = 40


class _NotSimple(Exception):  # noqa: N818 - control flow inside this module
    """The text holds something that is not read here."""


def data_of(text: str) -> dict[str, Json] | None:
    """Return the mapping that `text` holds, None where it is not as simple as that, or has any finding."""
    if _CONTROL.search(text) or not (text.isascii() or _is_printable(text)):
        return None
    if _most_values(text) > DOCUMENT.nodes:
        return None
    try:
        return _Reader().read(text.removeprefix("---\n"))
    except _NotSimple:
        return None


def _is_printable(text: str) -> bool:
    """Return whether YAML takes all of `text` as it stands, and breaks lines at none of it."""
    # Compiled when it is needed: the table of the set takes 5 ms.
    return re.search("[\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]", text) is None


def _most_values(text: str) -> int:
    """Return a number of values that `text` does not pass: one a line, a comma and a bracket."""
    return 1 + sum(text.count(sign) for sign in "\n,[{")


class _Reader:
    """Reads one text; equal keys are one object, and so are equal flow collections, as aliases are."""

    def __init__(self) -> None:
        self._keys: dict[str, str] = {}
        self._words: dict[str, Json] = {}
        self._flows: dict[str, Json] = {}

    def read(self, text: str) -> dict[str, Json]:  # noqa: C901, PLR0912, PLR0915 - see the comment
        """Return the mapping at the root.

        Raises:
            _NotSimple: something else stands there.
        """
        # One loop over local names, as in `events`: each call counts at a million lines a second.
        keys, words, starts = self._keys, self._words, INTERESTING_STARTS
        root: dict[str, Any] = {}
        here: Any = root
        level = 0
        waits: str | None = None  # the key of `here` whose value is on the next lines, or is empty
        around: list[tuple[Any, int]] = []
        for indent, dash, key, rest in _LINE.findall(text):
            if not (key or dash):
                if rest and rest[0] != "#":
                    raise _NotSimple  # text over several lines, or no mapping at all
                continue
            column = len(indent)
            if waits is not None:
                if column > level or (dash and column == level):
                    inner: Any = [] if dash else {}
                    here[waits] = inner
                    around.append((here, level))
                    here, level = inner, column
                else:
                    here[waits] = None
                waits = None
            while column < level or (column == level and not dash and here.__class__ is list):
                if not around:
                    raise _NotSimple
                here, level = around.pop()
            if column != level or (here.__class__ is list) is not bool(dash):
                raise _NotSimple
            if not rest or rest[0] == "#":
                if not key:
                    raise _NotSimple
                value, waits = None, key
            elif rest[0] in _STARTS and ":" not in rest and "#" not in rest:
                value = rest if rest[-1] != " " else rest.rstrip(" ")
                if value[0] in starts:
                    value = words[value] if value in words else self._plain(value)
            else:
                value = self._rest(rest)
            if dash:
                if not key:
                    here.append(value)
                    continue
                around.append((here, level))
                inner = {}
                here.append(inner)
                here, level = inner, column + len(dash)
            if len(around) > _DEEPEST:
                raise _NotSimple
            name = keys[key] if key in keys and key not in here else self._key(key, here)
            if waits is None:
                here[name] = value
            else:
                waits = name
        if waits is not None:
            here[waits] = None
        if not root:
            raise _NotSimple
        return root

    def _key(self, text: str, mapping: dict[str, Any]) -> str:
        """Return a key, which is neither ambiguous nor there already."""
        key = self._keys.get(text)
        if key is None:
            if text in INTERESTING_WORDS:
                raise _NotSimple
            key = self._keys[text] = text
        if key in mapping:
            raise _NotSimple
        return key

    def _plain(self, text: str) -> Json:
        """Return what plain text stands for."""
        if text[:1] not in NUMBER_STARTS and text not in INTERESTING_WORDS:
            return text
        if text not in self._words:
            if is_ambiguous(text):
                raise _NotSimple
            self._words[text] = resolve(text)
        return self._words[text]

    def _rest(self, text: str) -> Json:
        """Return the value of what stands to the end of a line: a flow collection, or text and a comment."""
        if text[0] in "[{":
            if text not in self._flows:
                self._flows[text] = self._names(text) if _NAMES.fullmatch(text) else self._flow(text)
            return self._flows[text]
        if text[0] in "\"'":
            quoted = _QUOTED.fullmatch(text)
            if quoted is None:
                raise _NotSimple
            return quoted[1][1:-1]
        plain = text.partition(" #")[0].rstrip(" ")
        if not _PLAIN.match(plain) or ": " in plain or plain[-1] == ":":
            raise _NotSimple
        return self._plain(plain)

    def _names(self, text: str) -> Json:
        """Return a flow list of names, the most common flow collection by far."""
        names = text[1:-1].split(", ")
        return [*names] if INTERESTING_WORDS.isdisjoint(names) else self._flow(text)

    def _flow(self, text: str) -> Json:  # noqa: C901, PLR0912 - a table of states would be longer
        """Return a flow collection that begins and ends in one line."""
        found: Any = None
        here: Any = None
        key: str | None = None
        around: list[tuple[Any, str | None]] = []
        wants, is_fresh = True, False
        for opens, closes, comma, name, quoted, plain, strange in _FLOW.findall(text):
            if strange or found is not None:
                raise _NotSimple
            if comma:
                if wants:
                    raise _NotSimple
                wants = True
                continue
            if closes:
                is_other = here.__class__ is not (list if closes == "]" else dict)
                if is_other or (wants and not is_fresh):
                    raise _NotSimple
                value: Any = here
                here, key = around.pop()
            elif name:
                if here.__class__ is not dict or key is not None or not wants:
                    raise _NotSimple
                key = self._key(name, here)
                is_fresh = False
                continue
            else:
                if not wants or (here.__class__ is dict and key is None):
                    raise _NotSimple
                if opens:
                    around.append((here, key))
                    here, key = [] if opens == "[" else {}, None
                    is_fresh = True
                    continue
                value = quoted[1:-1] if quoted else self._plain(plain)
            wants = is_fresh = False
            if here is None:
                found = value
            elif key is None:
                here.append(value)
            else:
                here[key] = value
                key = None
        if found is None or text.count("[") + text.count("{") > _DEEPEST:
            raise _NotSimple
        whole: Json = found
        return whole
