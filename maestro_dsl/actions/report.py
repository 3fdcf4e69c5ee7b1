"""`report`: writes what was found to `contracts/validation_report.json` and `quality_report.json`.

Figures that differ between equal runs (times, tokens, cost, verdict of the run so far) stand under the key
`run` alone, so that the rest of the files can be compared.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maestro_dsl.actions.workspace import store_files
from maestro_dsl.codec import from_json, to_json
from maestro_dsl.engine.events import FileRef, Issue
from maestro_dsl.engine.ports.attempts import (
    AttemptResult,
    AttemptSpec,
    CheckResult,
    InputResult,
    QualityReport,
    Verdict,
)
from maestro_dsl.validation.quality import INTEGRATION, band, rounded, with_check

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from maestro_dsl.engine.ports.work import WorkContext
    from maestro_dsl.lang.model import Json

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of one node of one contract; `consumer` is set for rechecks."""

    node: str
    contract_id: str
    result: AttemptResult


class Report:
    """The action `report`."""

    async def work(self, spec: AttemptSpec, context: WorkContext) -> AttemptResult:
        """Join the results of all nodes of the run into the two report files."""
        findings = [_finding(item, context) for item in spec.inputs if item.contract_id is not None]
        built = {item.contract_id: item for item in findings if item.result.quality is not None}
        verdicts = [item for item in findings if item.result.quality is None and item.result.verdict]
        scores = {
            contract_id: final_quality(item.result, about(contract_id, item.node, verdicts))
            for contract_id, item in sorted(built.items())
        }
        validation = _validation(spec, built, verdicts, scores)
        overall = _quality(spec, findings, scores)
        refs = (
            *_written(context, "contracts/validation_report.json", validation),
            *_written(context, "quality_report.json", overall),
        )
        return AttemptResult(files=refs, outputs={"score": overall["overall_quality_score"]})


def _finding(item: InputResult, context: WorkContext) -> Finding:
    result = from_json(AttemptResult, json.loads(context.artifacts.get(item.result_digest)))
    return Finding(node=item.node, contract_id=item.contract_id or "", result=result)


def about(contract_id: str, node: str, verdicts: Sequence[Finding]) -> list[Finding]:
    """Return what was verified of a contract: its provider's verdicts, and rechecks of its consumer role.

    `node` is the address that fulfilled the contract; findings without a verdict are left out.
    """
    verdicts = [item for item in verdicts if item.result.quality is None and item.result.verdict is not None]
    return [item for item in verdicts if _subject(item) == node or _is_own(item, contract_id)]


def _is_own(item: Finding, contract_id: str) -> bool:
    return item.contract_id == contract_id and not item.node.startswith("recheck[")


def _subject(item: Finding) -> str | None:
    """Return the address of the node that a recheck is about."""
    if not item.node.startswith("recheck["):
        return None
    return item.node.removeprefix("recheck[").removesuffix("]").partition("/")[2]


def final_quality(built: AttemptResult, verified: Sequence[Finding]) -> QualityReport:
    """Return the quality of a contract once its integration was verified: one item a verification."""
    report = built.quality
    if report is None:
        raise ValueError("only fulfilled contracts are scored")
    verdicts = [item.result.verdict for item in verified if item.result.verdict is not None]
    if not verdicts:
        return report
    check = CheckResult(
        name=INTEGRATION,
        passed=sum(1 for verdict in verdicts if verdict.fulfilled),
        required=len(verdicts),
        unjudged=tuple(v.contract_id for v in verdicts if v.verdict == "could_not_verify"),
    )
    issues: list[Issue] = [*built.issues, *(issue for verdict in verdicts for issue in verdict.issues)]
    return with_check(report, check, issues)


def _validation(
    spec: AttemptSpec,
    built: Mapping[str, Finding],
    verdicts: Sequence[Finding],
    scores: Mapping[str, QualityReport],
) -> dict[str, Json]:
    contracts: dict[str, Json] = {}
    for compiled in spec.contracts:
        item = built.get(compiled.id)
        entries = about(compiled.id, item.node if item else "", verdicts)
        found = [entry.result.verdict for entry in entries if entry.result.verdict is not None]
        report = scores.get(compiled.id)
        contracts[compiled.id] = {
            "provider_persona_id": compiled.contract.provider_persona_id,
            "fulfilled": bool(item) and bool(found) and all(verdict.fulfilled for verdict in found),
            "score": report.score if report else 0.0,
            "missing": [text for verdict in found for text in verdict.missing],
            "issues": to_json(_all_issues(item, found)),
            "recommendations": [text for verdict in found for text in verdict.recommendations],
            "notes": list(item.result.notes) if item else [],
            "checks": to_json(report.checks) if report else [],
            "verifications": [_verification(entry) for entry in entries],
        }
    return {"format_version": FORMAT_VERSION, "contracts": contracts}


def _all_issues(item: Finding | None, found: Sequence[Verdict]) -> list[Issue]:
    own = list(item.result.issues) if item else []
    return [*own, *(issue for verdict in found for issue in verdict.issues if issue not in own)]


def _verification(entry: Finding) -> Json:
    verdict = entry.result.verdict
    if verdict is None:
        return None
    return {
        "node": entry.node,
        "against": entry.contract_id,
        "verdict": verdict.verdict,
        "score": verdict.score,
        "parts": dict(sorted(verdict.parts.items())),
    }


def _quality(
    spec: AttemptSpec, findings: Sequence[Finding], scores: Mapping[str, QualityReport]
) -> dict[str, Json]:
    overall = rounded(sum(item.score for item in scores.values()) / len(scores)) if scores else 0.0
    below = [name for name, report in scores.items() if report.score < spec.quality_threshold]
    missing = [compiled.id for compiled in spec.contracts if compiled.id not in scores]
    return {
        "format_version": FORMAT_VERSION,
        "overall_quality_score": overall,
        "band": band(overall),
        "quality_threshold": spec.quality_threshold,
        "below_threshold": [*below, *missing],
        "contracts": {name: _parts(report) for name, report in scores.items()},
        "run": {
            "run_id": spec.run_id,
            "nodes": {
                item.node: {
                    "duration_s": round(item.result.duration_s, 3),
                    "tokens": item.result.usage.total,
                    "cost_nano_usd": item.result.nano_usd,
                }
                for item in findings
            },
        },
    }


def _parts(report: QualityReport) -> Json:
    return {
        "score": report.score,
        "band": report.band,
        "validation": report.validation,
        "completeness": report.completeness,
        "file_count": report.file_count,
        "issue_penalty": report.issue_penalty,
    }


def _written(context: WorkContext, path: str, data: Mapping[str, Json]) -> tuple[FileRef, ...]:
    content = (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode()
    folder, _, name = path.rpartition("/")
    if folder:
        return store_files(context.artifacts, folder, {name: content})
    return (FileRef(path=name, digest=context.artifacts.put(content), size=len(content)),)
