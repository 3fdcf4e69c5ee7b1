"""Makes the lock of a project: one version of each library, its commit where it has one, and its digest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.diagnostics import Diagnostics
from maestro_dsl.errors import CompileError, IntegrityError
from maestro_dsl.lang.files import PROJECT_FILE
from maestro_dsl.lang.lockfile import Lock, Locked
from maestro_dsl.libraries.manifest import CORE
from maestro_dsl.libraries.sources import SourceProblem, Stated, parse_stated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.libraries.candidates import Candidate, Offline


def wanted_of(libraries: Mapping[str, str]) -> dict[str, Stated]:
    """Return what the `libraries` of a project state.

    Raises:
        CompileError: one of them states no source, or takes the name of the built-in library.
    """
    found = {}
    for name, text in libraries.items():
        if name == CORE:
            raise CompileError(
                f'the library "{CORE}" is built in', Diagnostics(), hint="give the library another name"
            )
        try:
            found[name] = parse_stated(text)
        except SourceProblem as problem:
            raise CompileError(
                f'library {name} of {PROJECT_FILE}: "{text}" {problem}', Diagnostics()
            ) from problem
    return found


def make_lock(wanted: Mapping[str, Stated], catalogue: Offline, previous: Lock | None) -> Lock:
    """Return the lock for what is wanted; what `previous` pins stays where everybody is content with it.

    Raises:
        CompileError: no choice suits everybody; the text says who asks for what.
        IntegrityError: a library holds what cannot be shared, or a version is not what it was.
        UsageError: a folder is not there.
        EnvironmentFailure: a repository cannot be reached.
    """
    from maestro_dsl.libraries.resolve import resolve  # loads the resolver

    known = {} if previous is None else previous.libraries
    return Lock(
        libraries={
            item.name: _pinned(item, catalogue, known.get(item.name)) for item in resolve(wanted, catalogue)
        }
    )


def _pinned(item: Candidate, catalogue: Offline, before: Locked | None) -> Locked:
    if item.source is None:
        raise ValueError(f"{item.name} is built in and never pinned")
    source = str(item.source)
    is_same = before is not None and (before.source, before.version) == (source, item.version)
    if before is not None and is_same and item.commit is not None and before.commit == item.commit:
        return before
    digest = catalogue.contents(item.source, item.commit).digest
    if before is not None and is_same and item.commit is not None and before.digest != digest:
        raise IntegrityError(
            f"{item.shown} is not what it was: its tag moved from {str(before.commit)[:12]} to "
            f"{item.commit[:12]}, and the files differ",
            hint=f"ask those who publish {source}; a version is never changed",
        )
    return Locked(
        name=item.name,
        version=item.version,
        source=source,
        digest=digest,
        commit=item.commit,
        tag=item.tag,
        requires=dict(sorted(item.requires.items())),
    )
