"""What a page promises: its code blocks, the commands in them, and what they are said to print.

A block marked `console` is run: a line with `$ ` is a command, `# exit N` at its end says how it ends (else
0), and every other line must be found in what the command printed; `…` stands for anything.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from support.program import PATIENCE, inside

import maestro_dsl

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
_SPAN = re.compile(r"`([^`]+)`")
_OPERATORS = frozenset({"&&", "||", "|", ";", ">", ">>", "&", "<"})
_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_EXIT = re.compile(r"\s+# exit (\d+)$")
_TIME = re.compile(r"\b\d+(\.\d+)? (s|ms)\b")


@dataclass
class Step:
    """A command, its exit code, and lines that it prints."""

    command: str
    code: int = 0
    printed: list[str] = field(default_factory=list)


def blocks(page: Path, language: str) -> list[str]:
    """Return the page's code blocks of a language, in order."""
    return [text for found, text in _FENCE.findall(page.read_text(encoding="utf-8")) if found == language]


def steps(page: Path) -> list[Step]:
    """Return the commands of all console blocks of a page, in order."""
    found: list[Step] = []
    for line in "".join(blocks(page, "console")).splitlines():
        if line.startswith("$ "):
            code = _EXIT.search(line)
            found.append(Step(_EXIT.sub("", line[2:]), int(code[1]) if code else 0))
        elif line.strip():
            found[-1].printed.append(line.strip())
    return found


def commands(page: Path) -> list[list[str]]:
    """Return the words of every `maestro …` command that a page shows, in its blocks and within its text."""
    text = page.read_text(encoding="utf-8")
    shown = [
        line
        for language in ("console", "sh")
        for block in blocks(page, language)
        for line in block.splitlines()
    ]
    shown += [" ".join(span.split()) for span in _SPAN.findall(_FENCE.sub("", text))]
    return [words for line in shown if "maestro " in line for words in _invocations(line.removeprefix("$ "))]


def _invocations(line: str) -> Iterator[list[str]]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="();<>|&")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if word not in _OPERATORS:
            words.append(word)
            continue
        while words and "=" in words[0]:
            words.pop(0)  # a variable set for this command
        if words and words[0].rpartition("/")[2] == "maestro":
            yield words[1:]
        words = []


def write_files(page: Path, folder: Path) -> list[Path]:
    """Write the page's YAML blocks to the paths that their first lines name (`# path`)."""
    written = []
    for text in blocks(page, "yaml"):
        first = text.splitlines()[0]
        assert first.startswith("# "), (
            f"{page.name}: a YAML block starts with the name of its file, not {first!r}"
        )
        path = folder / first[2:].strip()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


class Terminal:
    """Runs commands one after another as a reader would, with state and home of its own.

    A quick one runs `maestro …` alone on its line within this process, which saves the start of a program.
    """

    def __init__(self, folder: Path, cwd: Path, *, quick: bool = False) -> None:
        self.quick = quick
        program = folder / "bin" / "maestro"
        program.parent.mkdir(parents=True)
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m maestro_dsl "$@"\n')
        program.chmod(0o755)
        self.cwd = cwd
        self.environ = {
            "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(Path(maestro_dsl.__file__).parents[1]),
            "HOME": str(folder),
            "MAESTRO_STATE_DIR": str(folder / "state"),
            "NO_COLOR": "1",
            "COLUMNS": "100",
        }

    def run(self, step: Step) -> None:
        """Run one command and hold it to its exit code and its lines."""
        words = _plain_words(step.command) if self.quick else []
        done = inside(*words, cwd=self.cwd, only=self.environ) if words else self._by_shell(step.command)
        told = f"$ {step.command}\n{done.stdout}{done.stderr}"
        assert done.returncode == step.code, f"exit {done.returncode} instead of {step.code}: {told}"
        lines = [_plain(line) for line in told.splitlines()]
        for line in step.printed:
            pattern = ".*".join(re.escape(part) for part in _plain(line).split("…"))
            assert any(re.fullmatch(pattern, each) for each in lines), f"not printed: {line}\n{told}"

    def _by_shell(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run it in a shell and stay in the folder in which that ends."""
        script = f"{command}\ncode=$?\npwd > '{self.environ['HOME']}/cwd'\nexit $code"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.cwd,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        self.cwd = Path((Path(self.environ["HOME"]) / "cwd").read_text().strip())
        return done


def _plain_words(command: str) -> list[str]:
    """Return the words after `maestro` of a line that needs no shell, else nothing."""
    words = shlex.split(command) if not set(command) & set("|&;<>$`*?~#(){}") else []
    return words[1:] if words[:1] == ["maestro"] else []


def _plain(line: str) -> str:
    return " ".join(_TIME.sub("TIME", line).split())
