"""The canonical form of a document (`maestro fmt`): order of keys, indentation, quotes, blank lines.

Changes no value and loses no comment: both are compared before a text is handed back. Writes no files.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.diagnostics import Diagnostics, Severity
from maestro_dsl.errors import MaestroError
from maestro_dsl.lang.grammar import Part, grammar_of
from maestro_dsl.lang.head import unknown_kind
from maestro_dsl.lang.layout import print_tree
from maestro_dsl.lang.model import Kind
from maestro_dsl.lang.parsing import tokens_of
from maestro_dsl.lang.source import load
from maestro_dsl.lang.tree import BLANK, Collection, Entry, Node, Scalar, Tree
from maestro_dsl.lang.tree_reader import read_tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.lang.model import Json

_COMMENT: Final = re.compile("#[^\n]*")
_MODELINE: Final = re.compile(r"#\s*yaml-language-server:")


class FormatBug(MaestroError):  # noqa: N818 - the user reads "this is a bug"
    """The canonical form would mean something else or lose a comment, so it is not handed out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Formatted:
    """The canonical form; `text` is None where the file has syntax errors or is no document of ours."""

    text: str | None
    diagnostics: Diagnostics
    is_ours: bool = True


def format_content(content: bytes, file: str) -> Formatted:
    """Return the canonical form of the document that `content` holds; it is UTF-8 without a byte order mark.

    Raises:
        FormatBug: it would mean something else.
    """
    loaded = load(content, file)
    found = loaded.diagnostics
    broken = [item for item in found if item.severity is Severity.ERROR or item.code == "SYN004"]
    if broken:
        return Formatted(text=None, diagnostics=Diagnostics(broken))
    if not _is_ours(loaded.data):
        return Formatted(text=None, diagnostics=Diagnostics(), is_ours=False)
    stranger = unknown_kind(loaded.data, loaded.map)
    if stranger is not None or not isinstance(loaded.data, dict):
        return Formatted(text=None, diagnostics=Diagnostics([stranger] if stranger else []))
    text = format_text(loaded.text, Kind(str(loaded.data["kind"])))
    if text != loaded.text:
        _compare(loaded.text, loaded.data, text, file)
    return Formatted(text=text, diagnostics=Diagnostics())


def format_text(text: str, kind: Kind) -> str:
    """Return the canonical form of the text of one sound document, unchecked."""
    tree = read_tree(text.replace("\r\n", "\n").replace("\r", "\n"))
    if isinstance(tree.root.value, Collection):
        _keep_head(tree.root.value)
        _order(tree.root.value, grammar_of(kind), tree)
    return print_tree(tree)


def _is_ours(data: Json) -> bool:
    """Return whether a file means to be a document of the language, even with a wrong kind or version."""
    return isinstance(data, dict) and str(data.get("apiVersion", "")).startswith("maestro/")


# ---------------------------------------------------------------- order of keys


def _order(value: Node, part: Part | None, tree: Tree) -> None:
    """Bring the keys of every mapping that the grammar knows into its order."""
    if not isinstance(value, Collection) or part is None:
        return
    siblings = {
        entry.key.value: entry.value.value
        for entry in value.entries
        if isinstance(entry.key, Scalar) and isinstance(entry.value, Scalar)
    }
    for entry in value.entries:
        if not value.is_map:
            _order(entry.value, part.items, tree)
        elif isinstance(entry.key, Scalar):
            _order(entry.value, part.key(entry.key.value, siblings), tree)
    if value.is_map and part.keys and not (tree.has_anchors and _holds_anchors(value)):
        value.entries = _ordered(value.entries, part)


def _ordered(entries: list[Entry], part: Part) -> list[Entry]:
    """Return entries in the order of the grammar; an unknown key stays behind the one it stood behind."""
    ranks = {name: rank for rank, name in enumerate(part.keys)}
    keyed = []
    last = -1
    for entry in entries:
        name = entry.key.value if isinstance(entry.key, Scalar) else ""
        last = ranks.get(name, last)
        keyed.append((last, entry))
    return [entry for _, entry in sorted(keyed, key=lambda item: item[0])]


def _holds_anchors(value: Node) -> bool:
    """Return whether moving parts of `value` could bring an alias before its anchor."""
    if not isinstance(value, Collection):
        return not isinstance(value, Scalar) or "&" in value.props
    keys = (entry.key for entry in value.entries if entry.key is not None)
    return (
        "&" in value.props
        or any(_holds_anchors(key) for key in keys)
        or any(_holds_anchors(entry.value) for entry in value.entries)
    )


def _keep_head(root: Collection) -> None:
    """Let comments at the top of the file that a blank line sets off from the first key stay at the top."""
    if not root.entries or root.is_flow:
        return
    first, lines = root.entries[0], root.entries[0].before
    end = len(lines) - lines[::-1].index(BLANK) if BLANK in lines else 0
    modelines = [index + 1 for index, line in enumerate(lines) if _MODELINE.match(line)]
    end = max([end, *modelines])
    if end:
        root.head, first.before = lines[:end], lines[end:]


# ---------------------------------------------------------------- the check before anything is written


def _compare(before: str, data: Mapping[str, Any], after: str, file: str) -> None:
    again = load(after, file)
    if again.diagnostics.has_errors or json.dumps(data, sort_keys=True) != json.dumps(
        again.data, sort_keys=True
    ):
        raise _bug(file, "would mean something else")
    if Counter(comments_in(before)) != Counter(comments_in(after)):
        raise _bug(file, "would lose a comment")


def _bug(file: str, what: str) -> FormatBug:
    return FormatBug(
        f"{file} was left as it is: its canonical form {what}, which is a bug in maestro",
        hint="please report the document; everything else works without fmt",
    )


def comments_in(text: str) -> list[str]:
    """Return the comments of a valid text, found between the tokens of the parser."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    found: list[str] = []
    at = 0
    for token in tokens_of(text):
        start, end = token.start_mark.index, token.end_mark.index
        found += _COMMENT.findall(text, at, max(start, at))
        if getattr(token, "style", None) in {"|", ">"}:
            found += _COMMENT.findall(text[start:end].partition("\n")[0])
        at = max(end, at)
    found += _COMMENT.findall(text, at)
    return [item.rstrip() for item in found]
