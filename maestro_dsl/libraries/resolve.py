"""Chooses one version of every library so that everybody who asks for it is content, or says who is not.

The search is resolvelib's; which versions there are is a `Catalogue`'s business.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeAlias

from resolvelib import AbstractProvider, BaseReporter, ResolutionImpossible, ResolutionTooDeep, Resolver

from maestro_dsl.diagnostics import Diagnostics
from maestro_dsl.errors import CompileError
from maestro_dsl.lang.files import PROJECT_FILE
from maestro_dsl.lang.units import is_in_range
from maestro_dsl.libraries.candidates import Candidate, Catalogue, built_in
from maestro_dsl.libraries.manifest import CORE, required
from maestro_dsl.libraries.sources import GitSource, LocalSource, Source, Stated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from resolvelib.structs import RequirementInformation

    _Information: TypeAlias = "RequirementInformation[Need, Candidate]"

_MOST_ROUNDS: Final = 2_000
_MOST_SHOWN: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Somebody asks for a library."""

    name: str
    stated: Stated
    by: str
    """Who asks, for people: "maestro.yaml", or "team 1.2.0"."""


def resolve(wanted: Mapping[str, Stated], catalogue: Catalogue) -> tuple[Candidate, ...]:
    """Return one version of everything that is wanted and of what that requires, by name, without `core`.

    Raises:
        CompileError: nothing suits everybody; the text says who asks for what.
    """
    provider = _Provider(wanted, catalogue)
    needs = [Need(name=name, stated=stated, by=PROJECT_FILE) for name, stated in wanted.items()]
    resolver: Resolver[Need, Candidate, str] = Resolver(provider, BaseReporter())
    try:
        found = resolver.resolve(needs, max_rounds=_MOST_ROUNDS)
    except ResolutionImpossible as problem:
        raise provider.explained([cause.requirement for cause in problem.causes]) from problem
    except ResolutionTooDeep as problem:
        raise CompileError(
            f"no choice of libraries was found in {_MOST_ROUNDS} attempts",
            Diagnostics(),
            hint="narrow the ranges in maestro.yaml",
        ) from problem
    return tuple(found.mapping[name] for name in sorted(found.mapping) if name != CORE)


class _Provider(AbstractProvider[Need, Candidate, str]):
    """What resolvelib asks."""

    def __init__(self, wanted: Mapping[str, Stated], catalogue: Catalogue) -> None:
        self._wanted = wanted
        self._catalogue = catalogue
        self._asked: dict[str, dict[tuple[str, str], Need]] = {}

    def identify(self, requirement_or_candidate: Need | Candidate) -> str:
        """Return the name, which is the same for all versions."""
        return requirement_or_candidate.name

    def get_preference(
        self,
        identifier: str,
        resolutions: Mapping[str, Candidate],  # noqa: ARG002 - as above
        candidates: Mapping[str, Iterator[Candidate]],  # noqa: ARG002 - as above
        information: Mapping[str, Iterator[_Information]],  # noqa: ARG002 - as above
        backtrack_causes: Sequence[_Information],
    ) -> tuple[bool, str]:
        """Return the order of choosing: what is in conflict first, then by name, so that it is always one."""
        return (not any(cause.requirement.name == identifier for cause in backtrack_causes), identifier)

    def find_matches(
        self,
        identifier: str,
        requirements: Mapping[str, Iterator[Need]],
        incompatibilities: Mapping[str, Iterator[Candidate]],
    ) -> Callable[[], Iterator[Candidate]]:
        """Return the versions that suit all who ask, the best first; each is looked at when it is needed."""
        needs = list(requirements[identifier])
        for need in needs:
            self._asked.setdefault(identifier, {})[need.by, need.stated.wanted] = need
        excluded = list(incompatibilities[identifier])

        def suits(item: Candidate) -> bool:
            return item not in excluded and all(self.is_satisfied_by(need, item) for need in needs)

        return lambda: filter(suits, self._candidates(identifier, needs))

    def _candidates(self, name: str, needs: Sequence[Need]) -> Iterator[Candidate]:
        if name == CORE:
            yield built_in()
            return
        sources = self._sources(name, needs)
        if len(sources) != 1:
            return
        source = next(iter(sources.values()))
        commits = sorted({need.stated.commit for need in needs if need.stated.commit is not None})
        if not commits:
            ranges = [need.stated.range for need in needs if need.stated.range]
            yield from self._catalogue.versions(
                name, source, lambda version: all(is_in_range(version, wanted) for wanted in ranges)
            )
        for commit in commits:
            found = self._catalogue.at(name, source, commit)
            if found is not None:
                yield found

    def _sources(self, name: str, needs: Iterable[Need]) -> dict[str, Source]:
        """Return the places that a library is said to come from; what the project says wins."""
        own = self._wanted.get(name)
        if own is not None and own.source is not None:
            return {str(own.source): own.source}
        stated = (need.stated.source for need in needs)
        return {str(source): source for source in stated if source is not None}

    def is_satisfied_by(self, requirement: Need, candidate: Candidate) -> bool:
        """Return whether one who asks is content with a version."""
        stated = requirement.stated
        if stated.commit is not None:
            return candidate.commit == stated.commit
        return not stated.range or is_in_range(candidate.version, stated.range)

    def get_dependencies(self, candidate: Candidate) -> Iterable[Need]:
        """Return what a version requires."""
        for name, text in sorted(candidate.requires.items()):
            stated = required(name, text)
            source = stated.source
            if isinstance(source, LocalSource) and isinstance(candidate.source, LocalSource):
                joined = posixpath.normpath(posixpath.join(candidate.source.path, source.path))
                source = LocalSource(path=joined if joined.startswith("..") else f"./{joined}")
            elif isinstance(source, LocalSource):
                source = None  # a folder beside a repository is nowhere
            yield Need(
                name=name,
                stated=Stated(source=source, range=stated.range, commit=stated.commit),
                by=candidate.shown,
            )

    def explained(self, causes: Sequence[Need]) -> CompileError:
        """Return the error that says who asks for what."""
        lines: list[str] = []
        hints: list[str] = []
        for name in sorted({cause.name for cause in causes}):
            needs = [*self._asked.get(name, {}).values(), *(item for item in causes if item.name == name)]
            asked = list({(need.by, need.stated.wanted): need for need in needs}.values())
            told, hint = self._told(name, asked)
            lines.append(told)
            lines += [f"  {need.by} asks for {_wanted(need)}" for need in asked]
            lines += [f"  {reason}" for reason in self._catalogue.refused.get(name, [])[:_MOST_SHOWN]]
            hints.append(hint)
        return CompileError("\n".join(lines), Diagnostics(), hint=hints[0] if hints else None)

    def _told(self, name: str, needs: Sequence[Need]) -> tuple[str, str]:
        if name == CORE:
            return f"the library core is {built_in().version} here:", "another version of maestro has another"
        sources = self._sources(name, needs)
        if not sources:
            hint = f"say it in libraries of {PROJECT_FILE}, or: maestro lib add SOURCE"
            return f"nobody says where the library {name} comes from:", hint
        if len(sources) > 1:
            return f"the library {name} is said to come from two places:", f"choose one in {PROJECT_FILE}"
        source = next(iter(sources.values()))
        commits = any(need.stated.commit for need in needs)
        every = () if commits else self._catalogue.versions(name, source, lambda _: True)
        known = [item.version for item in islice(every, _MOST_SHOWN + 1)]
        there = ", ".join(known[:_MOST_SHOWN]) + (" …" if len(known) > _MOST_SHOWN else "")
        if known or commits:
            shown = f" (there are {there})" if known else ""
            return (
                f"no version of {name} suits all who ask for it{shown}:",
                "widen a range, or update who asks",
            )
        hint = (
            "a version is a tag such as v1.2.3"
            if isinstance(source, GitSource)
            else "look at its library.yaml"
        )
        return f"{source} has no version of {name} that can be used:", hint


def _wanted(need: Need) -> str:
    source = need.stated.source
    return need.stated.wanted if source is None else f"{need.stated.wanted} of {source}"
