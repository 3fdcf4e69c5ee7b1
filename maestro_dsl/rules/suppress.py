"""`# maestro: ignore[code-or-name, …] reason`: hides findings on its line, or on the line below its own.

A text of several lines counts as one line, because no comment can stand in it.

Done once, when the findings of every layer are known. A comment that hides nothing, names no rule or gives no
reason is itself a finding (SUP001), which cannot be hidden.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import field
from itertools import islice
from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Diagnostics, Edit, Fix, Span
from maestro_dsl.lang.comments import TEMPLATE_SUFFIX, Comment, comments, long_values
from maestro_dsl.lang.late import pattern
from maestro_dsl.lang.sourcemap import SourceMap
from maestro_dsl.lang.suggest import closest
from maestro_dsl.records import dataclass
from maestro_dsl.rules.base import Rule, Scope
from maestro_dsl.rules.earlier import SUPPRESSION

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

MARK: Final = "maestro:"
_FORM: Final = pattern(
    r"\s*maestro:\s*(?P<verb>[A-Za-z_-]*)\s*(?:\[(?P<codes>[^\]]*)\])?(?P<reason>.*)", re.DOTALL
)
_MOST: Final = 2_000
"""Suppressions of one file that are read."""
_MOST_BETWEEN: Final = 50
"""Lines of comments that may stand between a suppression and what it speaks for."""
_LINE_END: Final = pattern(r"\r\n|\r|\n")
_HINT: Final = "write: maestro: ignore[CODE] reason"
_IN_PLANS: Final = frozenset({Scope.WORKSPACE, Scope.GRAPH})


@dataclass(slots=True)
class _Named:
    """One rule that a comment names, with the place of the word."""

    word: str
    start: int
    rule: Rule | None
    has_hidden: bool = False


@dataclass(slots=True, kw_only=True)
class _Suppression:
    """One comment: its line, the lines it speaks for, what it names, and why."""

    source: SourceMap
    comment: Comment
    lines: frozenset[int]
    named: list[_Named] = field(default_factory=list)
    reason: str = ""
    is_formed: bool = True


def suppress(
    found: Diagnostics,
    sources: Mapping[str, str],
    catalogue: Mapping[str, Rule],
    *,
    in_plans: Collection[str],
) -> tuple[Diagnostics, Diagnostics]:
    """Return `found` without what comments in `sources` hide, and what they hide.

    What is wrong with the comments is added to the first.

    `in_plans` names the files that were read as part of a plan: only there a comment that hides nothing of
    what needs a plan to be seen is known to be idle.
    """
    by_place: dict[tuple[str, int], list[_Named]] = {}
    known = {rule.name: rule for rule in catalogue.values()} | dict(catalogue)
    all_of_them: list[_Suppression] = []
    unread: list[Diagnostic] = []
    for file, text in sources.items():
        these = list(islice(_suppressions(file, text, known), _MOST + 1))
        all_of_them += these[:_MOST]
        unread += map(_not_read, these[_MOST:])
    if not all_of_them:
        return found, Diagnostics()
    for item in all_of_them:
        for line in item.lines:
            by_place.setdefault((item.source.file, line), []).extend(item.named)
    kept, hidden = Diagnostics(), Diagnostics()
    texts = {item.source.file: item.source for item in all_of_them}
    blocks = {file: _blocks(source) for file, source in texts.items()}
    for finding in found:
        (hidden if _is_hidden(finding, by_place, blocks) and not finding.is_more else kept).add(finding)
    cut = {(item.span.file, item.code) for item in found if item.is_more}
    for item in all_of_them:
        for named in item.named:
            if named.rule is not None and (item.source.file, named.rule.code) in cut:
                named.has_hidden = True  # nobody knows what it would hide
        if kept.has_room(SUPPRESSION.code, item.source.file):
            kept.extend(_problems(item, known, is_in_plan=item.source.file in in_plans))
    kept = kept.shortened()
    kept.extend(unread)
    return kept, hidden


def _not_read(item: _Suppression) -> Diagnostic:
    """Return the finding about the first comment that is one too many."""
    return SUPPRESSION.finding(
        item.source.span(item.comment.start, item.comment.end),
        f"a file may hold {_MOST:,} suppressions; this one and those after it hide nothing",
        "leave the rule out for this file: lint.per_path in maestro.yaml",
    )


def _is_hidden(
    finding: Diagnostic,
    by_place: Mapping[tuple[str, int], Iterable[_Named]],
    blocks: Mapping[str, tuple[list[int], list[int]]],
) -> bool:
    file, line = finding.span.file, finding.span.line
    lines = {line}
    starts, ends = blocks.get(file, ((), ()))
    at = bisect_right(starts, line) - 1
    if at >= 0 and line <= ends[at]:
        lines |= {starts[at], ends[at]}
    hidden = False
    for place in lines:
        for named in by_place.get((file, place), ()):
            if named.rule is not None and named.rule.code == finding.code:
                named.has_hidden = hidden = True
    return hidden


def _blocks(source: SourceMap) -> tuple[list[int], list[int]]:
    """Return the first and the last line of each text of several lines, in order."""
    if source.file.endswith(TEMPLATE_SUFFIX):
        return [], []
    places = [
        (source.position(start)[0], source.position(end - 1)[0]) for start, end in long_values(source.text)
    ]
    return [first for first, _ in places], [last for _, last in places]


# ---- reading comments ------------------------------------------------------------------------------------


def _suppressions(file: str, text: str, known: Mapping[str, Rule]) -> Iterator[_Suppression]:
    if MARK not in text:
        return
    source = SourceMap(file, text, None)
    for comment in comments(text, file, MARK):
        match = _FORM.fullmatch(comment.body)
        if match is None:
            continue  # a comment that mentions the word, such as this one
        item = _Suppression(source=source, comment=comment, lines=_lines(source, text, comment))
        item.is_formed = match["verb"] == "ignore" and match["codes"] is not None
        item.reason = match["reason"].strip(" \t\r\n:-").strip()
        if item.is_formed:
            start = comment.body_start + match.start("codes")
            for word in re.finditer(r"[^,\s]+", match["codes"]):
                rule = known.get(word[0]) or known.get(word[0].upper())
                item.named.append(_Named(word=word[0], start=start + word.start(), rule=rule))
        yield item


def _lines(source: SourceMap, text: str, comment: Comment) -> frozenset[int]:
    """Return the lines that a comment speaks for: its own, or the next that is no comment."""
    line, column = source.position(comment.start)
    first = comment.start - column + 1
    if text[first : comment.start].strip():
        return frozenset({line})
    line, _ = source.position(comment.end)
    opening = "{#" if source.file.endswith(TEMPLATE_SUFFIX) else "#"
    below, broken = line, _LINE_END.search(text, comment.end)
    while broken is not None and below < line + _MOST_BETWEEN:
        start, broken = broken.end(), _LINE_END.search(text, broken.end())
        below += 1
        if not text[start : broken.start() if broken is not None else len(text)].lstrip().startswith(opening):
            return frozenset({line, below})
    return frozenset({line})


# ---- what is wrong with them -----------------------------------------------------------------------------


def _problems(item: _Suppression, known: Mapping[str, Rule], *, is_in_plan: bool) -> Iterator[Diagnostic]:
    whole = item.source.span(item.comment.start, item.comment.end)
    if not item.is_formed or not item.named:
        yield SUPPRESSION.finding(whole, "this comment names no rule, so it hides nothing", _HINT)
        return
    for named in item.named:
        if named.rule is None:
            yield _unknown(item, named, known)
    if not item.reason:
        message = "this suppression gives no reason"
        yield SUPPRESSION.finding(whole, message, "say behind the bracket why the finding may stay")
    idle = [named for named in item.named if _is_idle(named, is_in_plan=is_in_plan)]
    fix = _without(item, idle) if idle else None
    for named in idle:
        code = named.rule.code if named.rule is not None else named.word
        message = (
            f"nothing here is hidden by {named.word}" if named.word != code else f"no {code} is found here"
        )
        yield SUPPRESSION.finding(_span(item, named), message, "take it out", fix=fix)


def _is_idle(named: _Named, *, is_in_plan: bool) -> bool:
    if named.rule is None or named.has_hidden:
        return False
    if named.rule.is_optional or named.rule.scope is Scope.PROJECT:
        return False  # it may not have looked, or not at everything
    return is_in_plan or named.rule.scope not in _IN_PLANS


def _unknown(item: _Suppression, named: _Named, known: Mapping[str, Rule]) -> Diagnostic:
    near = closest(named.word, known)
    span = _span(item, named)
    fix = None
    if near is not None:
        fix = Fix(title=f"change to {near}", edits=(Edit(span=span, replacement=near),), safe=False)
    guess = f"did you mean {near}? " if near is not None else ""
    message = f'there is no rule "{named.word}"'
    return SUPPRESSION.finding(span, message, f"{guess}maestro rule --all lists them", fix=fix)


def _span(item: _Suppression, named: _Named) -> Span:
    return item.source.span(named.start, named.start + len(named.word))


def _without(item: _Suppression, idle: list[_Named]) -> Fix:
    """Return the fix that takes the idle names out, or the whole comment where none is left."""
    text, source = item.source.text, item.source
    left = [named.word for named in item.named if named not in idle]
    if left:
        last = item.named[-1]
        span = source.span(item.named[0].start, last.start + len(last.word))
        edit = Edit(span=span, replacement=", ".join(left))
        return Fix(title=f"keep only {', '.join(left)}", edits=(edit,))
    _, column = source.position(item.comment.start)
    first = item.comment.start - column + 1
    start, end = first + len(text[first : item.comment.start].rstrip()), item.comment.end
    if start == first:
        rest = re.compile(r"[ \t]*(?:\r\n|\r|\n|$)").match(text, end)
        end = rest.end() if rest else end
    return Fix(title="remove the comment", edits=(Edit(span=source.span(start, end), replacement=""),))
