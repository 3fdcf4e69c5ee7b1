"""Whether a YAML file is a document of ours: its name says so, or one of its first lines does (apiVersion).

Reads the beginning of files, which says enough of foreign ones; parses nothing.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from maestro_dsl.lang.disk import laid_over
from maestro_dsl.lang.late import pattern
from maestro_dsl.lang.limits import LARGEST_FILE
from maestro_dsl.lang.model import Kind

if TYPE_CHECKING:
    from pathlib import Path

HEAD: Final = 4096
"""Bytes in which `apiVersion` must stand."""
SUFFIXES: Final = (".yaml", ".yml")
_OURS: Final = b"maestro/"
_VERSION: Final = pattern(rb"""(?:^|[\r\n])["']?apiVersion["']?[ \t]*:[ \t]*["']?maestro/""")
_BRACES: Final = pattern(rb"(?:\s|#[^\r\n]*|---)*\{")
_VERSION_IN_BRACES: Final = pattern(rb"""[\s{,]["']?apiVersion["']?\s*:\s*["']?maestro/""")
_KIND: Final = pattern(rb"""(?:^|[\r\n{,])\s*["']?kind["']?[ \t]*:[ \t]*["']?([A-Za-z]+)""")
_KINDS: Final = {kind.value.encode(): kind for kind in Kind}


def is_ours(head: bytes) -> bool:
    """Return whether a file that starts with `head` states our `apiVersion` at its top level."""
    if head[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        head = head[2:].replace(b"\0", b"")  # UTF-16; what matters here is ASCII
    if _OURS not in head:
        return False
    head = head.removeprefix(b"\xef\xbb\xbf")
    return (_VERSION_IN_BRACES if _BRACES.match(head) else _VERSION).search(head) is not None


def sniffed(path: Path) -> tuple[bool, Kind | None]:
    """Return whether the file at `path` is ours by its beginning, and the kind that it states."""
    try:
        head = _beginning(path, HEAD)
        if not is_ours(head):
            return False, None
        found = _KIND.search(head.replace(b"\0", b"")) or _KIND.search(_beginning(path, LARGEST_FILE))
    except OSError:  # it cannot be read, and nothing says that it is ours
        return False, None
    return True, None if found is None else _KINDS.get(found[1])


def _beginning(path: Path, size: int) -> bytes:
    laid = laid_over(path)
    if laid is not None:
        return laid[:size]
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        return os.read(handle, size)  # of a pipe, nothing
    finally:
        os.close(handle)
