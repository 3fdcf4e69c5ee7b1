"""The quality score of one contract, from counts alone.

Score = 0.4 validation + 0.3 completeness + 0.2 file count + 0.1 issue penalty, each in 0-1, rounded
half-even to 4 digits. Weights and bands are those of the team execution engine that maestro continues.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Final

from maestro_dsl.engine.ports.attempts import CheckResult, QualityReport

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from maestro_dsl.engine.events import Issue

ARTIFACTS: Final = "artifacts_present"
CRITERIA: Final = "acceptance_criteria_met"
STRUCTURE: Final = "structure_as_declared"
STANDARD: Final = "quality_standard"
INTEGRATION: Final = "integration_points_compatible"
CHECKS: Final = (ARTIFACTS, CRITERIA, STRUCTURE, STANDARD, INTEGRATION)

WEIGHTS: Final = {"validation": 0.4, "completeness": 0.3, "file_count": 0.2, "issue_penalty": 0.1}
BANDS: Final = ((0.90, "excellent"), (0.80, "good"), (0.70, "acceptable"), (0.60, "needs improvement"))

_ERROR_COST: Final = 0.25
_WARNING_COST: Final = 0.05


def rounded(value: float) -> float:
    """Return `value` rounded half-even to 4 digits, on its decimal form."""
    return float(Decimal(repr(value)).quantize(Decimal("0.0001"), rounding=ROUND_HALF_EVEN))


def band(score: float) -> str:
    """Return the name of the band that `score` (0-1) falls into."""
    return next((name for floor, name in BANDS if score >= floor), "poor")


def validation_term(checks: Sequence[CheckResult]) -> float:
    """Return the mean share of passed items over the checks that apply; 0 where none applies."""
    shares = [check.passed / check.required for check in checks if check.applicable and check.required]
    return rounded(sum(shares) / len(shares)) if shares else 0.0


def issue_term(issues: Iterable[Issue]) -> float:
    """Return 1 for no issue, less 0.25 an error and 0.05 a warning, not below 0."""
    cost = 0.0
    for issue in issues:
        if issue.severity in {"critical", "error"}:
            cost += _ERROR_COST
        elif issue.severity == "warning":
            cost += _WARNING_COST
    return rounded(max(0.0, 1.0 - cost))


def quality(
    checks: Sequence[CheckResult], *, completeness: float, file_count: float, issues: Iterable[Issue]
) -> QualityReport:
    """Return the report of one contract; `completeness` and `file_count` are shares in 0-1."""
    parts = {
        "validation": validation_term(checks),
        "completeness": rounded(completeness),
        "file_count": rounded(min(1.0, file_count)),
        "issue_penalty": issue_term(issues),
    }
    score = rounded(sum(WEIGHTS[name] * value for name, value in parts.items()))
    return QualityReport(**parts, score=score, band=band(score), checks=tuple(checks))


def with_check(report: QualityReport, check: CheckResult, issues: Iterable[Issue]) -> QualityReport:
    """Return `report` with one of its checks replaced, scored again with these issues."""
    checks = tuple(check if item.name == check.name else item for item in report.checks)
    changed = quality(checks, completeness=report.completeness, file_count=report.file_count, issues=issues)
    return replace(changed, checks=checks)
