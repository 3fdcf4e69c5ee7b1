"""LIB002 lock-out-of-date: `maestro.yaml`, the folders that it names and `maestro.lock` do not agree.

The fix makes the lock anew from what is on this machine: folders, and what is pinned already. What has to be
fetched stays with `maestro lib lock`, because lint asks no network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Edit, Fix, Severity, Span
from maestro_dsl.errors import MaestroError
from maestro_dsl.rules.base import Facts, Mends, Rule, Scope
from maestro_dsl.rules.unpinned_dependency import problem_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import Project
    from maestro_dsl.libraries.audit import Audit, Disagreement

_HINT: Final = "maestro lib lock brings it up to date"
_PINNED: Final = "./"


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return everything that manifest and lock do not agree about, but for what LIB001 finds already."""
    for project, found in facts.libraries:
        if not found.disagreements:
            continue
        stated = project.value.libraries
        told = [item for item in found.disagreements if problem_of(stated.get(item.name, _PINNED)) is None]
        fix = _fix(project, found) if told else None
        for item in told:
            yield RULE.finding(_span(project, found, item), item.message, _HINT, fix=fix)


def _span(project: Document[Project], found: Audit, item: Disagreement) -> Span:
    if not item.in_lock or found.read is None:
        return project.map.value_span(("libraries", item.name))
    if found.lock is None:
        return found.read.map.key_span(found.read.at)
    return found.read.map.key_span(("libraries", item.name))


def _fix(project: Document[Project], found: Audit) -> Fix | None:
    """Return the edit that makes the lock what it should be, where that can be told without a network."""
    if found.read is None or found.lock is None:
        return None
    from maestro_dsl.lang.lockfile import lock_text
    from maestro_dsl.libraries.candidates import Offline
    from maestro_dsl.libraries.locking import make_lock, wanted_of

    try:
        wanted = wanted_of(project.value.libraries)
        lock = make_lock(wanted, Offline(project.path.parent, found.lock), found.lock)
    except MaestroError:
        return None
    text, before = lock_text(lock), found.read.text
    if text == before:
        return None
    whole = found.read.map.span(0, len(before))
    return Fix(title="lock the libraries anew", edits=(Edit(span=whole, replacement=text),))


RULE = Rule(
    code="LIB002",
    name="lock-out-of-date",
    severity=Severity.ERROR,
    scope=Scope.PROJECT,
    summary="the libraries and maestro.lock disagree",
    fix=Mends.SAFE,
    check=check,
)
