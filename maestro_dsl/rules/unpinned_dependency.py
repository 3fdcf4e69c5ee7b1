"""LIB001 unpinned-dependency: a library that means other files tomorrow: no version, a branch, an address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.lang.files import PATH_SIGNS
from maestro_dsl.lang.late import pattern
from maestro_dsl.lang.model import Kind
from maestro_dsl.rules.base import Facts, Rule, Scope
from maestro_dsl.rules.walk import mapping_at

if TYPE_CHECKING:
    from collections.abc import Iterable

_OPEN: Final = frozenset({"", "*", "latest", "x"})
_COMMIT: Final = pattern(r"[0-9a-f]{7,64}")
_VERSION: Final = pattern(r"[\^~]?v?\d+(?:\.\d+)*(?:[-+.][0-9A-Za-z.-]+)?|(?:[<>=!~]{1,2}\s*v?\d[^,]*,?\s*)+")
_HINT: Final = "write source@range, such as git+https://example.org/team.git@^1.2"


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every such entry of `libraries` and `requires`."""
    for document in facts.of(Kind.PROJECT):
        for name, stated in mapping_at(document.data, ("libraries",)).items():
            problem = problem_of(stated) if isinstance(stated, str) else None
            if problem is not None:
                span = document.map.value_span(("libraries", name))
                yield RULE.finding(span, f"library {name} {problem}", _HINT)
    for document in facts.of(Kind.LIBRARY):
        for name, wanted in mapping_at(document.data, ("requires",)).items():
            span = document.map.value_span(("requires", name))
            problem = problem_of(wanted) if isinstance(wanted, str) and _is_source(wanted) else None
            if problem is not None:
                yield RULE.finding(span, f"library {name} {problem}", _HINT)
            elif isinstance(wanted, str) and wanted.strip().lower() in _OPEN:
                message = f"library {name} may have any version, also one that breaks this"
                yield RULE.finding(span, message, "write a range, such as ^1.2")
            elif isinstance(wanted, str) and not (_is_source(wanted) or _VERSION.fullmatch(wanted.strip())):
                message = f'library {name} follows "{wanted}", which is no range of versions'
                yield RULE.finding(span, message, "write a range, such as ^1.2")


def _is_source(wanted: str) -> bool:
    return wanted.startswith(PATH_SIGNS) or ":" in wanted


def problem_of(stated: str) -> str | None:
    """Return why a source of a library means other files tomorrow, or None where it does not."""
    stated = stated.partition("#")[0]  # the folder inside a repository
    if stated.startswith(PATH_SIGNS):
        return None  # part of this project, under the same version control
    source, at, wanted = stated.rpartition("@")
    if not at or "/" in wanted or ":" in wanted:
        is_address = "://" in stated or stated.startswith("git@")
        return "is a bare address without a version" if is_address else "has no version"
    wanted = wanted.strip()
    if not source or wanted.lower() in _OPEN:
        return "may have any version"
    if not (_VERSION.fullmatch(wanted) or _COMMIT.fullmatch(wanted)):
        return f'follows "{wanted}", a branch that moves'
    return None


RULE = Rule(
    code="LIB001",
    name="unpinned-dependency",
    severity=Severity.ERROR,
    scope=Scope.DOCUMENT,
    summary="a library without a version",
    check=check,
)
