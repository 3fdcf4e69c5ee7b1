"""`lint --fix`: lint, make the edits that findings carry, lint again, until nothing is left to mend.

Works in memory; writing is `maestro_dsl.app.rewriting`. A fix that makes documents worse is taken back and
told, and fixes that are in each other's way wait for the next round.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from maestro_dsl.app.blame import culprits
from maestro_dsl.app.documents import STDIN, lint
from maestro_dsl.app.lint_result import FixOptions, LintResult
from maestro_dsl.app.rewriting import Change, areas_of, may_change
from maestro_dsl.diagnostics import MANY, Diagnostic, Diagnostics, Edit, Severity, up_to
from maestro_dsl.lang.comments import TEMPLATE_SUFFIX
from maestro_dsl.lang.edits import Claims, EditConflict, Encoded, decode, lines_of
from maestro_dsl.lang.format import comments_in
from maestro_dsl.lang.read import read_content

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.lang.memory import Memory

_MOST_ROUNDS: Final = 100
_MOST_WORK: Final = 10_000_000
"""Characters that are looked at again after rounds of fixes; large projects have fewer rounds."""
_FEWEST_LOOKS: Final = 10
_CIRCLE: Final = "GRF001"
_STDIN_PATH: Final = Path(STDIN)
_Key: TypeAlias = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A fix that was not made, and why."""

    finding: Diagnostic
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FixResult:
    """What fixing comes to: nothing of it is written yet."""

    lint: LintResult
    """What is left."""
    fixed: tuple[Diagnostic, ...]
    refused: tuple[Refused, ...]
    changes: tuple[Change, ...]
    content: bytes | None = field(default=None, repr=False)
    """Standard input with its fixes."""
    waiting: int = 0
    """How many fixes could still be made when there had been rounds enough."""


def fix(options: FixOptions, *, memory: Memory | None = None) -> FixResult:
    """Return the documents among `options.paths` with all fixes that findings carry.

    `memory` keeps what was made of files, for those who ask often. What is left is more than anybody wants to
    see at once: `Diagnostics.shortened`.

    Raises:
        UsageError: a path does not exist.
    """
    with up_to(MANY):
        return _Fixer(options, memory).run()


def refusal(
    finding: Diagnostic, before: LintResult, options: FixOptions, *, memory: Memory | None = None
) -> str | None:
    """Return why the fix of a finding among `before` would not be made, None where it would."""
    fixer = _Fixer(options, memory)
    if fixer.file_of(finding, before) is not None:
        fixer.advance([finding], before)
    return next((item.reason for item in fixer.refused), None)


class _Fixer:
    """Holds the contents as they are so far; a round either makes them better or leaves them."""

    def __init__(self, options: FixOptions, memory: Memory | None) -> None:
        self._options = options
        self._memory = memory
        self._areas = areas_of(options.paths)
        self._contents: dict[Path, bytes] = {}
        self._originals: dict[Path, bytes] = {}
        self._names: dict[Path, str] = {}
        self._fixed: list[Diagnostic] = []
        self._refused: dict[_Key, Refused] = {}
        self._blamed: set[_Key] = set()
        self._looks = self._work = 0
        self._stdin = _STDIN_PATH if options.stdin_name is None else options.stdin_name.resolve()
        if options.stdin is not None:
            self._contents[self._stdin] = options.stdin

    def run(self) -> FixResult:
        """Go round until no fix is left that can be made."""
        result = self._lint(self._contents)
        chosen = self._choose(result)
        for _ in range(_MOST_ROUNDS):
            if not chosen or self._is_tired:
                break
            result = self.advance(chosen, result)
            chosen = self._choose(result)
        changes = tuple(
            Change(file=self._names[path], path=path, before=before, after=self._contents[path])
            for path, before in self._originals.items()
            if self._contents[path] != before and path != self._stdin
        )
        return FixResult(
            lint=result,
            fixed=tuple(self._fixed),
            refused=self.refused,
            changes=changes,
            content=self._contents.get(self._stdin),
            waiting=len(chosen),
        )

    @property
    def _is_tired(self) -> bool:
        return self._looks > _FEWEST_LOOKS and self._work > _MOST_WORK

    @property
    def refused(self) -> tuple[Refused, ...]:
        """The fixes that were not made."""
        return tuple(self._refused.values())

    def _lint(self, contents: Mapping[Path, bytes]) -> LintResult:
        own = self._options
        piped = contents.get(self._stdin)
        result = lint(
            own.paths,
            environ=own.environ,
            select=own.select,
            ignore=own.ignore,
            stdin=None if piped is None else piped.decode("utf-8", "surrogateescape"),
            overrides=own.overrides,
            stdin_name=own.stdin_name,
            overlay={**own.overlay, **contents},
            memory=self._memory,
        )
        self._looks += 1
        self._work += sum(map(len, result.sources.values()))
        return result

    def _choose(self, result: LintResult) -> list[Diagnostic]:
        """Return the findings whose fixes can be made now, in the order of their places."""
        chosen = []
        claims: dict[Path, Claims] = {}
        for finding in result.diagnostics:
            if finding.fix is None or _key(finding) in self._refused:
                continue
            if not finding.fix.safe and not self._options.unsafe:
                continue
            path = self.file_of(finding, result)
            if path is None:
                continue
            try:
                if path not in claims:
                    claims[path] = Claims(self._text_of(path).text)
                if claims[path].claim(finding.fix.edits):
                    chosen.append(finding)
            except EditConflict:
                self._refuse(finding, "it speaks of a place that the file does not have")
            except UnicodeDecodeError:
                self._refuse(finding, f"{finding.span.file} is no text of one encoding")
        return chosen

    def file_of(self, finding: Diagnostic, result: LintResult) -> Path | None:
        """Return the one file that a fix changes, or refuse it."""
        files = {edit.span.file for edit in finding.fix.edits} if finding.fix is not None else set()
        if len(files) != 1:
            self._refuse(finding, "it would change several files at once")
            return None
        file = files.pop()
        path = self._stdin if file == STDIN else result.path_of(file)
        if self._options.stdin is not None and path != self._stdin:
            self._refuse(finding, f"{file} is not what stands on standard input")
            return None
        if path != self._stdin and not may_change(path, self._areas):
            self._refuse(finding, f"{file} lies outside the project")
            return None
        if self._options.only is not None and path != self._options.only:
            self._refuse(finding, f"{file} is not what was asked for")
            return None
        if path not in self._contents and path not in self._originals:
            try:
                unsaved = self._options.overlay.get(path)
                self._contents[path] = path.read_bytes() if unsaved is None else unsaved
            except OSError as error:
                self._refuse(finding, f"{file} cannot be read: {error.strerror}")
                return None
        self._originals.setdefault(path, self._contents[path])
        self._names[path] = file
        return path

    def advance(self, chosen: list[Diagnostic], before: LintResult) -> LintResult:
        """Make the fixes of `chosen`; where that is worse, those that are not to blame, or half of them."""
        contents = dict(self._contents)
        groups = self._by_file(chosen, before)
        for path, findings in groups.items():
            encoded = self._text_of(path)
            claims = Claims(encoded.text)
            for finding in findings:
                claims.claim(finding.fix.edits if finding.fix is not None else ())
            contents[path] = encoded.encode(claims.result())
        after = self._lint(contents)
        problem = self._lost_comment(chosen, contents) or self._problem(before, after, contents)
        if problem is None:
            self._contents = contents
            self._fixed += chosen
            return after
        if len(chosen) == 1:
            self._refuse(chosen[0], problem)
            return before
        if self._is_tired:
            return before
        guilty = self._guilty(groups, contents, before, after)
        again = [item for item in chosen if id(item) in guilty and _key(item) in self._blamed]
        for item in again:
            self._refuse(item, problem)
        self._blamed.update(_key(item) for item in chosen if id(item) in guilty)
        innocent = [item for item in chosen if id(item) not in guilty]
        if innocent and guilty:
            return self.advance(innocent, before)
        return before if again else self.advance(chosen[: len(chosen) // 2], before)

    def _guilty(
        self,
        groups: Mapping[Path, list[Diagnostic]],
        contents: Mapping[Path, bytes],
        before: LintResult,
        after: LintResult,
    ) -> set[int]:
        """Return which fixes brought new errors, by identity."""
        found: set[int] = set()
        for path, fixes in groups.items():
            name = self._names[path]
            errors = [
                [
                    *(replace(item, span=replace(item.span, file=name)) for item in _reading(content)),
                    *(item for item in result.diagnostics if item.span.file == name),
                ]
                for content, result in ((self._contents[path], before), (contents[path], after))
            ]
            texts = self._text_of(path).text, decode(contents[path]).text
            sides = [[item for item in side if item.severity is Severity.ERROR] for side in errors]
            found |= {id(item) for item in culprits(fixes, texts, (sides[0], sides[1]))}
        return found

    def _by_file(self, chosen: list[Diagnostic], result: LintResult) -> dict[Path, list[Diagnostic]]:
        groups: dict[Path, list[Diagnostic]] = {}
        for finding in chosen:
            path = self.file_of(finding, result)
            if path is not None:
                groups.setdefault(path, []).append(finding)
        return groups

    def _problem(self, before: LintResult, after: LintResult, contents: Mapping[Path, bytes]) -> str | None:
        """Return why `after` is worse than `before`, or None where it is not."""
        changed = [path for path, content in contents.items() if content != self._contents[path]]
        if not changed:
            return "it changes nothing"
        for path in changed:
            old, new = (_errors(item[path]) for item in (self._contents, contents))
            if any(code.startswith("SYN") for code, _ in new - old):
                return f"the file could not be read any more: {_first(new - old)}"
            if new.total() > old.total():
                return f"it brings new errors: {_first(new - old)}"
        old, new = (_listed(item) for item in (before, after))
        old_circles, new_circles = (_circles(side) for side in (old, new))
        if new_circles.total() > old_circles.total():  # worse than what it mends, though that is gone
            return f"it brings new errors: {_first(new_circles - old_circles)}"
        return f"it brings new errors: {_first(new - old)}" if new.total() > old.total() else None

    def _lost_comment(self, chosen: list[Diagnostic], contents: Mapping[Path, bytes]) -> str | None:
        """Return what to say where a comment is gone that no edit of `chosen` took out on purpose."""
        taken = []
        for path, content in contents.items():
            before, after = self._text_of(path).text, decode(content).text
            if before == after or "#" not in before or path.name.endswith(TEMPLATE_SUFFIX):
                continue  # what # means in a prompt is another thing
            if any(code[:3] == "SYN" for code, _ in _errors(content)):
                continue
            for edit in _edits_of(chosen, self._names[path]):
                start, end = lines_of(before).range(edit.span)
                taken.append(before[start:end])
            lost = Counter(comments_in(before)) - Counter(comments_in(after))
            comment = next((item for item in lost if not any(item in text for text in taken)), None)
            if comment is not None:
                return f"it would lose the comment {comment}"
        return None

    def _text_of(self, path: Path) -> Encoded:
        return decode(self._contents[path])

    def _refuse(self, finding: Diagnostic, reason: str) -> None:
        self._refused[_key(finding)] = Refused(finding=finding, reason=reason)


def _key(finding: Diagnostic) -> _Key:
    title = finding.fix.title if finding.fix is not None else ""
    return (finding.code, finding.span.file, finding.message, title)


def _edits_of(findings: list[Diagnostic], file: str) -> list[Edit]:
    edits = (edit for item in findings if item.fix is not None for edit in item.fix.edits)
    return [edit for edit in edits if edit.span.file == file]


def _errors(content: bytes) -> Counter[tuple[str, str]]:
    """Return the errors that reading alone finds, whatever rules are selected."""
    return Counter((item.code, item.message) for item in _reading(content) if item.severity is Severity.ERROR)


def _reading(content: bytes) -> Diagnostics:
    return read_content(content, Path("x"), "x").diagnostics


def _listed(result: LintResult) -> Counter[tuple[str, str]]:
    errors = (item for item in result.diagnostics if item.severity is Severity.ERROR)
    return Counter((item.code, item.message) for item in errors)


def _circles(errors: Counter[tuple[str, str]]) -> Counter[tuple[str, str]]:
    return Counter({item: count for item, count in errors.items() if item[0] == _CIRCLE})


def _first(errors: Counter[tuple[str, str]]) -> str:
    return next((f"{code} {message}" for code, message in errors), "")
