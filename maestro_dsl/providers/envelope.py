"""How files travel in an answer: plain text between marker lines, not code inside JSON.

    === file: app/server.py ===
    print("hello")
    === end ===

The run of `=` is as long as needed (three or more) so that no line of the content looks like its own end
marker; opening and closing run have the same length. Text outside of files is talk and is ignored.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_OPEN: Final = re.compile(r"^(={3,}) file: (.+?) \1\s*$")
_MARK: Final = re.compile(r"^(={3,}) end \1\s*$", re.MULTILINE)
_MAX_PATH: Final = 240
MAX_FILES: Final = 2000


def pack(files: Mapping[str, str]) -> str:
    """Return one text that holds all files; `unpack` gives them back, each ending with a newline."""
    parts = []
    for path, content in files.items():
        longest = max((len(match[1]) for match in _MARK.finditer(content)), default=0)
        bar = "=" * max(3, longest + 1)
        body = content if content.endswith("\n") or not content else content + "\n"
        parts.append(f"{bar} file: {path} {bar}\n{body}{bar} end {bar}\n")
    return "\n".join(parts)


def unpack(text: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the files of an answer and what is wrong with it, in one sentence each.

    A problem belongs to the whole answer: a file that was cut off or has an unsafe path is left out.
    """
    files: dict[str, str] = {}
    problems: list[str] = []
    lines = re.split(r"(?<=\n)", text)  # splitlines would also split at form feeds and the like
    index = 0
    while index < len(lines):
        opened = _OPEN.match(lines[index])
        index += 1
        if opened is None:
            continue
        bar, path = opened[1], opened[2].strip()
        end = _closing_line(lines, index, bar)
        if end is None:
            problems.append(f'the file "{path}" has no end marker; the answer was cut off')
            break
        fault = path_problem(path) or ("it stands twice in the answer" if path in files else None)
        if fault:
            problems.append(f'the path "{path}" cannot be used: {fault}')
        else:
            files[path] = "".join(lines[index:end])
        index = end + 1
    if not files and not problems:
        problems.append("the answer holds no file")
    if len(files) > MAX_FILES:
        problems.append(f"the answer holds {len(files)} files; at most {MAX_FILES} are taken")
    return files, tuple(problems)


def _closing_line(lines: list[str], start: int, bar: str) -> int | None:
    marker = f"{bar} end {bar}"
    return next((at for at in range(start, len(lines)) if lines[at].rstrip() == marker), None)


def path_problem(path: str) -> str | None:
    """Return why `path` may not be written, or None where it is a safe relative path."""
    if not path or len(path) > _MAX_PATH:
        return f"it must have 1 to {_MAX_PATH} characters"
    if any(ord(char) < ord(" ") or char in '\\:*?"<>|' for char in path):
        return "it holds a character that is not portable in file names"
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or pure.as_posix() != path:
        return "it must be relative, in plain form and stay inside the persona's folder"
    if pure.parts[0] == ".maestro":
        return 'the folder ".maestro" belongs to the tool'
    return None
