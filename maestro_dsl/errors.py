"""The exception tree: what stops a command, and the exit code a branch.

User mistakes in documents are data (`maestro_dsl.diagnostics`), not exceptions. An exception here means
"cannot go on"; its text is one clear sentence for a person, with the way out in `hint`.

    MaestroError                  3  a bug of ours, unless a branch below says otherwise
    ├── UsageError                2  the command line is wrong
    ├── CompileError              4  documents do not compile; carries the diagnostics
    ├── StateError                5  locked, live elsewhere, stale or used
    ├── StoppedByPolicy           6  budget, deadline, approval, paused
    │   └── TokenBudgetExceeded   6  a reservation would pass a token limit
    ├── IntegrityError            7  a digest does not match
    ├── EnvironmentFailure        8  nothing could run: folder, port, program, key
    ├── DiskFailure               8  a disk is full, broken or read-only; the run can be resumed
    ├── Interrupted             130  stopped by a signal, resumable
    ├── OutputConflict            1  a person's files stand where a run would write
    └── NodeError                 1  a node's attempt ended badly
        ├── RecoverableError      1  another attempt may help
        ├── UnrecoverableError    1  attempts are exhausted or cannot help
        └── HelpNeeded            1  a person has to look
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.diagnostics import Diagnostics


class MaestroError(Exception):
    """Base of everything this package raises on purpose; `exit_code` is what the command line returns."""

    exit_code: ClassVar[int] = 3

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(MaestroError):
    """The command line asks for something that does not exist or does not fit together."""

    exit_code = 2


class CompileError(MaestroError):
    """Documents have mistakes; `diagnostics` holds all of them, `sources` the texts they point into."""

    exit_code = 4

    def __init__(
        self,
        message: str,
        diagnostics: Diagnostics,
        *,
        hint: str | None = None,
        sources: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.diagnostics = diagnostics
        self.sources: Mapping[str, str] = sources or {}


class StateError(MaestroError):
    """The stored state does not allow this: locked, live elsewhere, stale or already used."""

    exit_code = 5


class StoppedByPolicy(MaestroError):  # noqa: N818 - a verdict, not a fault; the name is the field's
    """A guardrail, a deadline, an approval or a person stopped the run; it can be continued."""

    exit_code = 6


class TokenBudgetExceeded(StoppedByPolicy):
    """A reservation would pass a token or cost limit, so the call was not made."""


class IntegrityError(MaestroError):
    """Stored content differs from its digest; nothing is read from it."""

    exit_code = 7


class EnvironmentFailure(MaestroError):  # noqa: N818 - EnvironmentError is Python's own
    """The machine cannot do it: folder unusable, port in use, program or key missing."""

    exit_code = 8


class DiskFailure(MaestroError):  # noqa: N818 - as `EnvironmentFailure`
    """A disk took no more: no node's fault, so the run stops as it is and goes on when there is room.

    No kind of `EnvironmentFailure`: whoever catches that, to blame a node, means no disk.
    `before_work` = nothing was asked of anybody for the attempt that was to begin, so it cost nothing.
    """

    exit_code = 8

    def __init__(self, message: str, *, hint: str | None = None, before_work: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.before_work = before_work


class Interrupted(MaestroError):  # noqa: N818 - the user's act, not a fault
    """A signal stopped the command; `exit_code` is 128 + the signal's number."""

    exit_code = 130


class OutputConflict(MaestroError):  # noqa: N818 - nothing is broken; somebody has to choose
    """Files in the output folder are not ours; nothing was run and nothing was touched."""

    exit_code = 1


class NodeError(MaestroError):
    """One node's attempt ended badly; other branches go on."""

    exit_code = 1


class RecoverableError(NodeError):
    """The attempt failed in a way another attempt may mend."""


class UnrecoverableError(NodeError):
    """Attempts are exhausted, or another attempt cannot help."""


class HelpNeeded(NodeError):  # noqa: N818 - name of the reference documents
    """Automation has done what it can; a person has to look.

    `ticket` is the key of the ticket about it, which `maestro tickets` lists; empty where none was made.
    """

    def __init__(self, message: str, *, hint: str | None = None, ticket: str = "") -> None:
        super().__init__(message, hint=hint)
        self.ticket = ticket
