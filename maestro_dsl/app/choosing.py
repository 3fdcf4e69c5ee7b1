"""Which findings count, and how much: the command line over the `lint:` section of each file's project."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Diagnostics, Severity
from maestro_dsl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from maestro_dsl.app.lint_result import LintResult
    from maestro_dsl.lang.model import LintSettings

_RANK: Final = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


def require_rules(words: Iterable[str]) -> None:
    """Return where every word is the code, the beginning of the code, or the name of a rule.

    Raises:
        UsageError: one is none; the hint names the nearest.
    """
    from maestro_dsl.rules import names_a_rule, nearest_rule

    for word in words:
        if not names_a_rule(word):
            near = nearest_rule(word)
            hint = f"did you mean {near}?" if near is not None else "see: maestro rule"
            raise UsageError(f'there is no rule "{word}"', hint=hint)


def choose(result: LintResult, select: Sequence[str], ignore: Sequence[str]) -> LintResult:
    """Return `result` with the findings that are asked for, each with the severity of its project.

    `select` takes the place of what projects select and ignore; `ignore` is added to it. What a project
    leaves out for some paths stays left out.
    """
    if not (select or ignore or result.projects):
        return result
    choice = _Choice(result, select, ignore)
    return replace(
        result,
        diagnostics=Diagnostics([choice.weighed(item) for item in result.diagnostics if choice.counts(item)]),
        suppressed=Diagnostics([choice.weighed(item) for item in result.suppressed if choice.counts(item)]),
    )


def fails(result: LintResult, fail_on: Severity | None = None) -> bool:
    """Return whether a finding is as bad as `fail_on`, else as its project says, else at all."""

    def limit(file: str) -> Severity:
        return fail_on or result.settings_of(file)[1].fail_on or Severity.INFO

    return any(_RANK[item.severity] <= _RANK[limit(item.span.file)] for item in result.diagnostics)


class _Choice:
    """Looks up what a file's project says once a file."""

    def __init__(self, result: LintResult, select: Sequence[str], ignore: Sequence[str]) -> None:
        self._result = result
        self._select, self._ignore = tuple(select), tuple(ignore)
        self._known: dict[str, tuple[frozenset[str], frozenset[str], Mapping[str, Severity]]] = {}

    def counts(self, item: Diagnostic) -> bool:
        """Return whether a finding is asked for."""
        wanted, unwanted, _ = self._of(item.span.file)
        return (not wanted or _is_named(item, wanted)) and not _is_named(item, unwanted)

    def weighed(self, item: Diagnostic) -> Diagnostic:
        """Return a finding with the severity that its project gives it."""
        stated = self._of(item.span.file)[2]
        words = sorted(
            (word for word in stated if _is_named(item, _folded((word,)))), key=lambda word: _rank(item, word)
        )
        return replace(item, severity=stated[words[-1]]) if words else item

    def _of(self, file: str) -> tuple[frozenset[str], frozenset[str], Mapping[str, Severity]]:
        if file not in self._known:
            folder, settings = self._result.settings_of(file)
            own = () if self._select else settings.ignore
            here = self._result.path_of(file).relative_to(folder).as_posix() if settings.per_path else ""
            unwanted = _folded((*own, *self._ignore, *_of_path(settings, here)))
            wanted = _folded(self._select or _selected(settings))
            self._known[file] = (wanted, unwanted, settings.severity)
        return self._known[file]


def _selected(settings: LintSettings) -> tuple[str, ...]:
    """Return what a project selects; where a word of it is no rule, also the rule that says so."""
    if not settings.select:
        return ()
    from maestro_dsl.rules import bad_enum, names_a_rule

    is_sound = all(names_a_rule(word) for _, word, _ in bad_enum.words_of(settings))
    return settings.select if is_sound else (*settings.select, bad_enum.RULE.code)


def _of_path(settings: LintSettings, file: str) -> tuple[str, ...]:
    if not settings.per_path:
        return ()
    from maestro_dsl.lang.patterns import glob_match

    return tuple(
        word for glob, words in settings.per_path.items() if glob_match(glob, file) for word in words
    )


def _folded(words: Iterable[str]) -> frozenset[str]:
    return frozenset(form for word in words for form in (word, word.upper()))


def _is_named(item: Diagnostic, words: frozenset[str]) -> bool:
    beginnings = (item.code[:length] for length in range(1, len(item.code) + 1))
    return item.name in words or any(beginning in words for beginning in beginnings)


def _rank(item: Diagnostic, word: str) -> tuple[bool, int]:
    return (word in {item.code, item.name}, len(word))
