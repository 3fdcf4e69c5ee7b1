"""GraphQL schema text as a spec file: its words without comments and layout. Knows tokens only."""

from __future__ import annotations

import re
from typing import Final

from maestro_dsl.diagnostics import Diagnostics
from maestro_dsl.lang.late import pattern
from maestro_dsl.lang.source import Loaded
from maestro_dsl.lang.sourcemap import SourceMap

_PIECE: Final = pattern(
    r'(?P<text>"""[^"]*(?:"{1,2}(?!")[^"]*)*"""|"(?:\\.|[^"\\\n])*")|(?P<gap>#[^\n]*|[\s,\ufeff]+)'
)


def load_sdl(content: bytes, file: str) -> Loaded:
    """Return a schema file as a document whose data is its text in one canonical layout."""
    text = content.decode("utf-8-sig", "replace")
    return Loaded(data=essence(text), map=SourceMap(file, text, None), diagnostics=Diagnostics(), text=text)


def essence(text: str) -> str:
    """Return a schema text without comments, and with one blank between its words."""
    packed = _PIECE.sub(lambda match: match["text"] or " ", text)
    parts = [part if number % 2 else re.sub(r" +", " ", part) for number, part in enumerate(_split(packed))]
    return "".join(parts).strip()


def _split(text: str) -> list[str]:
    """Return the text cut at its strings, which stand at the odd places."""
    return re.split(r'("""[^"]*(?:"{1,2}(?!")[^"]*)*"""|"(?:\\.|[^"\\\n])*")', text)
