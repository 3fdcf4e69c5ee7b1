"""What a verification of any kind of interface returns, and the sheet on which its checks are counted.

Says nothing about how something is checked; see the `verify` module of each kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """The three verdicts; `could_not_verify` never counts as fulfilled."""

    FULFILLED = "fulfilled"
    NOT_FULFILLED = "not_fulfilled"
    COULD_NOT_VERIFY = "could_not_verify"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found; `severity` is error, warning or info, `check` the part it belongs to."""

    severity: str
    message: str
    check: str
    operation: str | None = None
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationResult:
    """A verdict with its reasons.

    `score` is the mean over the operations that were called of their share of checks passed, 0 for a missing
    one; `parts` is the share of checks passed for each kind of check. Both from 0 to 1, rounded to 4 digits.
    """

    contract_id: str
    verdict: Outcome
    fulfilled: bool
    score: float
    missing: tuple[str, ...] = ()
    issues: tuple[Finding, ...] = ()
    recommendations: tuple[str, ...] = ()
    parts: Mapping[str, float] = field(default_factory=dict)
    checks: int = 0
    """How many checks were made; 0 means there was nothing to test."""


@dataclass(slots=True)
class Sheet:
    """Collects checks, findings and missing operations while a verification runs."""

    passed: dict[str, int] = field(default_factory=dict)
    total: dict[str, int] = field(default_factory=dict)
    operations: dict[str, list[bool]] = field(default_factory=dict)
    findings: dict[Finding, None] = field(default_factory=dict)
    missing: dict[str, None] = field(default_factory=dict)
    recommendations: dict[str, None] = field(default_factory=dict)

    def check(
        self,
        part: str,
        passed: bool,
        message: str,
        *,
        operation: str | None = None,
        place: tuple[str, int] | None = None,
    ) -> bool:
        """Count one check; where it failed, `message` becomes an error at `place`. Returns `passed`."""
        self.total[part] = self.total.get(part, 0) + 1
        self.passed[part] = self.passed.get(part, 0) + int(passed)
        if operation is not None:
            self.operations.setdefault(operation, []).append(passed)
        if not passed:
            file, line = place or (None, None)
            self.add(
                Finding(
                    severity="error", message=message, check=part, operation=operation, file=file, line=line
                )
            )
        return passed

    def add(self, finding: Finding) -> None:
        """Note a finding that is not a counted check; the same one twice is noted once."""
        self.findings[finding] = None

    def note(self, message: str, *, operation: str | None = None) -> None:
        """Note something that could not be judged."""
        self.add(Finding(severity="info", message=message, check="unjudged", operation=operation))

    def recommend(self, text: str) -> None:
        """Note what would help."""
        self.recommendations[text] = None

    def result(self, contract_id: str, order: Iterable[str] = ()) -> VerificationResult:
        """Return the verdict over everything counted so far; `order` sorts the missing operations."""
        checks = sum(self.total.values())
        shares = [sum(passed) / len(passed) for passed in self.operations.values()]
        rank = {name: index for index, name in enumerate(order)}
        errors = any(finding.severity == "error" for finding in self.findings)
        verdict = Outcome.NOT_FULFILLED if errors or self.missing else Outcome.FULFILLED
        if verdict is Outcome.FULFILLED and checks == 0:
            verdict = Outcome.COULD_NOT_VERIFY
        return VerificationResult(
            contract_id=contract_id,
            verdict=verdict,
            fulfilled=verdict is Outcome.FULFILLED,
            score=round(sum(shares) / len(shares), 4) if shares and checks else 0.0,
            missing=tuple(sorted(self.missing, key=lambda name: rank.get(name, len(rank)))),
            issues=tuple(self.findings),
            recommendations=tuple(self.recommendations),
            parts={part: round(self.passed[part] / self.total[part], 4) for part in sorted(self.total)},
            checks=checks,
        )


def joined(contract_id: str, results: Sequence[VerificationResult]) -> VerificationResult:
    """Return several layers' results as one: the worst verdict, the mean score of those that could judge.

    "Not fulfilled" is worse than "could not verify", which is worse than "fulfilled".
    """
    verdicts = {result.verdict for result in results}
    order = (Outcome.NOT_FULFILLED, Outcome.COULD_NOT_VERIFY, Outcome.FULFILLED)
    verdict = next((item for item in order if item in verdicts), Outcome.COULD_NOT_VERIFY)
    scores = [result.score for result in results if result.checks]
    parts = {part: share for result in results for part, share in result.parts.items()}
    return VerificationResult(
        contract_id=contract_id,
        verdict=verdict,
        fulfilled=verdict is Outcome.FULFILLED,
        score=round(sum(scores) / len(scores), 4) if scores else 0.0,
        missing=tuple(dict.fromkeys(name for result in results for name in result.missing)),
        issues=tuple(dict.fromkeys(issue for result in results for issue in result.issues)),
        recommendations=tuple(dict.fromkeys(text for result in results for text in result.recommendations)),
        parts=dict(sorted(parts.items())),
        checks=sum(result.checks for result in results),
    )


def only_part(result: VerificationResult, part: str) -> VerificationResult:
    """Return what one part of a verification says by itself."""
    if part not in result.parts:
        return result
    issues = tuple(issue for issue in result.issues if issue.check == part)
    verdict = result.verdict
    if verdict is not Outcome.COULD_NOT_VERIFY:
        verdict = Outcome.NOT_FULFILLED if issues or result.missing else Outcome.FULFILLED
    return VerificationResult(
        contract_id=result.contract_id,
        verdict=verdict,
        fulfilled=verdict is Outcome.FULFILLED,
        score=result.parts[part],
        missing=result.missing,
        issues=issues,
        recommendations=result.recommendations if verdict is not Outcome.FULFILLED else (),
        parts={part: result.parts[part]},
        checks=result.checks,
    )


def unreachable(contract_id: str, reason: str) -> VerificationResult:
    """Return the verdict for a provider that could not be asked at all."""
    return VerificationResult(
        contract_id=contract_id,
        verdict=Outcome.COULD_NOT_VERIFY,
        fulfilled=False,
        score=0.0,
        issues=(Finding(severity="error", message=reason, check="reachable"),),
        recommendations=("start the provider, or correct its address",),
    )
