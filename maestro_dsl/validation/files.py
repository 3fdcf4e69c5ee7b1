"""Checks that need the produced files only: are they there, do they belong, do they parse.

Nothing is run. Paths are relative to the provider persona's folder.
"""

from __future__ import annotations

import ast
import json
import warnings
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from maestro_dsl.engine.events import Issue
from maestro_dsl.engine.ports.attempts import CheckResult
from maestro_dsl.lang.patterns import glob_match
from maestro_dsl.validation.quality import ARTIFACTS, STANDARD, STRUCTURE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from maestro_dsl.lang.model import Contract, Deliverable


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAssessment:
    """What the files alone tell: three checks, two shares in 0-1, and the issues found."""

    checks: tuple[CheckResult, ...]
    completeness: float
    file_count: float
    issues: tuple[Issue, ...]
    parses: bool


def assess_files(
    contract: Contract, files: Mapping[str, bytes], deliverables: Iterable[str] = ()
) -> FileAssessment:
    """Judge `files` against the contract's deliverables (all of them, or those named)."""
    wanted = set(deliverables)
    promised = [item for item in contract.deliverables if not wanted or item.name in wanted]
    issues: list[Issue] = []
    present = _present(promised, files, issues)
    declared = _declared(promised, files, issues)
    sound = _sound(files, issues)
    globs = [(item, glob) for item in promised for glob in item.artifacts]
    return FileAssessment(
        checks=(
            CheckResult(name=ARTIFACTS, passed=present, required=len(globs)),
            CheckResult(name=STRUCTURE, passed=declared, required=len(files), applicable=bool(files)),
            CheckResult(name=STANDARD, passed=sound, required=len(files), applicable=bool(files)),
        ),
        completeness=_completeness(promised, files),
        file_count=_file_count(promised, files),
        issues=tuple(issues),
        parses=bool(files) and sound == len(files),
    )


def _matches(glob: str, files: Mapping[str, bytes]) -> list[str]:
    return [path for path, content in files.items() if content.strip() and glob_match(glob, path)]


def _present(promised: list[Deliverable], files: Mapping[str, bytes], issues: list[Issue]) -> int:
    found = 0
    for item in promised:
        for glob in item.artifacts:
            if _matches(glob, files):
                found += 1
            else:
                message = f'deliverable "{item.name}": no non-empty file matches {glob}'
                issues.append(Issue(severity="error", check=ARTIFACTS, message=message))
    return found


def _declared(promised: list[Deliverable], files: Mapping[str, bytes], issues: list[Issue]) -> int:
    globs = [glob for item in promised for glob in item.artifacts]
    inside = 0
    for path in files:
        if any(glob_match(glob, path) for glob in globs):
            inside += 1
        else:
            message = f"not declared by any deliverable; declared are {', '.join(globs)}"
            issues.append(Issue(severity="error", check=STRUCTURE, message=message, file=path))
    return inside


def _sound(files: Mapping[str, bytes], issues: list[Issue]) -> int:
    sound = 0
    for path, content in files.items():
        problem = parse_problem(path, content)
        if problem is None:
            sound += 1
        else:
            line, message = problem
            issue = Issue(severity="error", check=STANDARD, message=message, file=path, line=line)
            issues.append(issue)
    return sound


def parse_problem(path: str, content: bytes) -> tuple[int | None, str] | None:
    """Return (line, message) of the first reason why the file cannot be read as what its name says."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        return content[: error.start].count(b"\n") + 1, "not UTF-8 text"
    try:
        if path.endswith(".py"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SyntaxWarning)
                ast.parse(text)
        elif path.endswith(".json"):
            json.loads(text)
    except SyntaxError as error:
        return error.lineno, f"not valid Python: {error.msg}"
    except json.JSONDecodeError as error:
        return error.lineno, f"not valid JSON: {error.msg}"
    except (ValueError, RecursionError) as error:
        return None, f"cannot be parsed: {error}"
    return None


def _completeness(promised: list[Deliverable], files: Mapping[str, bytes]) -> float:
    if not promised:
        return 0.0
    shares = [
        Fraction(sum(1 for glob in item.artifacts if _matches(glob, files)), len(item.artifacts))
        for item in promised
        if item.artifacts
    ]
    return float(sum(shares, Fraction()) / len(shares)) if shares else 0.0


def _file_count(promised: list[Deliverable], files: Mapping[str, bytes]) -> float:
    expected = sum(item.expected_files or len(item.artifacts) for item in promised)
    return min(1.0, len(files) / expected) if expected else 0.0
