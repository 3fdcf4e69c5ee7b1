import json
import re

import pytest

from maestro_dsl.diagnostics import Diagnostic, Edit, Fix, Related, Severity, Span
from maestro_dsl.reporters import diagnostics as reporter
from maestro_dsl.reporters.text import Style

LINES = ["kind: Plan"] * 13 + ["    timeuot: 15m", "team:", '  "имя": {use: core/backend_develper}', "\tx: 1"]
SOURCES = {"plan.yaml": "\n".join(LINES) + "\n"}


def _finding(message, span, **more):
    return Diagnostic(
        code=more.pop("code", "SCH001"),
        name=more.pop("name", "unknown-key"),
        severity=more.pop("severity", Severity.ERROR),
        span=span,
        message=message,
        **more,
    )


@pytest.fixture
def findings():
    key = Span("plan.yaml", 14, 5, 14, 12)
    return (
        _finding(
            'unknown key "timeuot" in node "build"',
            key,
            help='did you mean "timeout"? valid keys: action, as, contract, foreach, give_up, needs, …',
            fix=Fix(title='rename to "timeout"', edits=(Edit(span=key, replacement="timeout"),)),
        ),
        _finding(
            'no persona "core/backend_develper"',
            Span("plan.yaml", 16, 16, 16, 37),
            code="REF001",
            severity=Severity.WARNING,
            help='did you mean "core/backend_developer"?',
            related=(Related(span=Span("plan.yaml", 15, 1, 15, 5), message="the team starts here"),),
        ),
        _finding(
            "a file without text",
            Span("gone.yaml", 3, 1, 3, 2),
            help="look elsewhere",
            severity=Severity.INFO,
        ),
    )


@pytest.mark.parametrize("name", ["text", "concise", "jsonl", "github"])
def test_formats(name, findings, golden):
    golden(f"cli/diagnostics_{name}.txt", reporter.FORMATS[name](findings, SOURCES, Style()))


def test_the_manual_s_example(findings):
    shown = reporter.text(findings[:1], SOURCES)
    assert shown.splitlines()[:3] == [
        'plan.yaml:14:5: error[SCH001]: unknown key "timeuot" in node "build"',
        "   |",
        "14 |     timeuot: 15m",
    ]
    valid = "valid keys: action, as, contract, foreach, give_up, needs, …"
    assert shown.splitlines()[3] == f'   |     ^^^^^^^ did you mean "timeout"? {valid}'


def test_json_document_has_places_from_one(findings):
    document = json.loads(json.dumps(reporter.json_document(findings, 2)))
    first = document["diagnostics"][0]
    assert document["format_version"] == 1
    assert document["files_checked"] == 2
    assert first["range"] == {"start": {"line": 14, "column": 5}, "end": {"line": 14, "column": 12}}
    assert first["fix"]["edits"][0]["replacement"] == "timeout"


def test_colour_only_adds_to_the_words(findings):
    coloured = reporter.text(findings, SOURCES, Style(colour=True))
    assert "\x1b[31m" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == reporter.text(findings, SOURCES)


def test_hostile_text_is_escaped_everywhere():
    evil = "\x1b]0;pwned\x07 \u202egnp.exe \r\n::error::x"
    finding = _finding(evil, Span(f"a{evil}.yaml", 1, 1, 1, 3), help=evil)
    for render in reporter.FORMATS.values():
        shown = render((finding,), {f"a{evil}.yaml": f"{evil}\n"}, Style())
        assert not set(shown) & set("\x1b\x07\u202e\r")
    assert "\n::" not in reporter.github((finding,), {})


def test_caret_stands_under_wide_characters_and_tabs():
    source = {"f": "\t漢字: x"}
    shown = reporter.text((_finding("m", Span("f", 1, 2, 1, 4)),), source).splitlines()
    assert shown[2] == "1 |     漢字: x"
    assert shown[3] == "  |     ^^^^"


def test_a_very_long_line_is_cut_around_the_token():
    source = {"f": "a" * 5000 + "KEY" + "b" * 5000}
    shown = reporter.text((_finding("m", Span("f", 1, 5001, 1, 5004)),), source).splitlines()
    column = shown[3].index("^")
    assert shown[2][column : column + 3] == "KEY"
    assert max(map(len, shown)) < 180


def test_summary_counts(findings):
    assert reporter.summary(findings, 1) == "1 error, 1 warning and 1 note in 1 file"
    assert reporter.summary((), 3) == "no mistakes in 3 files"
