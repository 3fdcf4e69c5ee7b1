"""Hostile documents: refused at a place, or looked at no further than is of use. Work is counted."""

import json
from collections import Counter

import pytest
from support import hostile
from support.hostile import LARGE, MANY, REFUSED, Case, lines, write
from support.rule_project import write_project

from maestro_dsl.app import (
    FixOptions,
    fix,
    lint,
    only_changed,
    render,
    without_known,
    write_baseline,
)
from maestro_dsl.app.changed_lines import ChangedLines
from maestro_dsl.app.reports import FORMATS
from maestro_dsl.diagnostics import MANY as ALL
from maestro_dsl.diagnostics import MOST, Diagnostic, limited, up_to
from maestro_dsl.lang import suggest

POLICY = "apiVersion: maestro/v1\nkind: Policy\nid: x\n"
QUICK = {
    "60,000 unknown keys",
    "20,000 nodes, a near key each",
    "20,000 unknown personas",
    "20,000 unknown contracts",
    "20,000 undefined needs",
    "15,000 broken expressions",
    "20,000 lint words that are no rules",
}


def found(folder, **options):
    return lint([folder], environ={}, **options).diagnostics


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_has_a_place(name, tmp_path):
    case = REFUSED[name]
    write(case, tmp_path)
    here = [item for item in found(tmp_path) if item.span.file.endswith(case.file)]
    (refusal,) = [item for item in here if item.code[:3] == "SYN"]
    assert (refusal.code, refusal.span.line, refusal.span.column) == case.expected
    assert here == [refusal] or "tag" in name  # which hides nothing but its value


@pytest.fixture
def fewer(monkeypatch):
    """Let the cases hold a tenth of their mistakes, which is more than enough to count work."""
    monkeypatch.setattr(hostile, "lines", lambda count, form: lines(count // 10, form))


@pytest.mark.usefixtures("fewer")
@pytest.mark.parametrize("name", sorted(QUICK))
def test_mistakes_without_end_cost_what_some_cost(name, tmp_path, monkeypatch):
    made = Counter()
    real_init, real_distance = Diagnostic.__init__, suggest.distance
    monkeypatch.setattr(
        Diagnostic, "__init__", lambda *a, **k: (made.update(["made"]), real_init(*a, **k))[1]
    )
    monkeypatch.setattr(suggest, "distance", lambda *a: (made.update(["compared"]), real_distance(*a))[1])
    write(MANY[name], tmp_path)
    counts = Counter((item.code, item.is_more) for item in found(tmp_path))
    assert max(counts.values()) == MOST
    assert any(is_more for _, is_more in counts)
    assert made["made"] < 10 * MOST
    assert made["compared"] < 50 * MOST


@pytest.mark.parametrize(
    "name", ["3 MB of one expression", "prompt of 3 MB", "prompt of 100,000 open braces"]
)
def test_what_is_too_long_is_not_parsed(name, tmp_path, monkeypatch):
    parsed = Counter()
    from jinja2.lexer import Lexer

    real = Lexer.tokeniter
    monkeypatch.setattr(
        Lexer, "tokeniter", lambda *a, **k: (parsed.update({"characters": len(a[1])}), real(*a, **k))[1]
    )
    write(LARGE[name], tmp_path)
    found(tmp_path)
    assert parsed["characters"] < 100_000


@pytest.fixture
def many(tmp_path, monkeypatch):
    (tmp_path / "x.policy.yaml").write_text(POLICY + lines(MOST + 50, "key_{}: 1\n"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", FORMATS)
def test_every_report_says_that_there_are_more(many, name):
    shown = render(name, lint([many], environ={}))
    assert "more of unknown-key from here on: the first 200 of this file are listed, no others" in shown


def test_the_one_that_says_so_is_known_to_programs(many):
    result = lint([many], environ={})
    listed = json.loads(render("json", result))["diagnostics"]
    assert [item.get("more") for item in listed] == [None] * MOST + [True]
    (last,) = [item for item in result.diagnostics if item.is_more]
    assert (last.code, last.severity, last.span.line, last.fix) == ("SCH001", "error", 4 + MOST, None)
    sarif = json.loads(render("sarif", result))["runs"][0]["results"]
    assert [item.get("properties") for item in sarif].count({"more": True}) == 1


def test_it_goes_with_its_rule(many):
    assert not found(many, ignore=["SCH001"])
    assert len(found(many, select=["SCH001"])) == MOST + 1
    (many / "maestro.yaml").write_text(
        "apiVersion: maestro/v1\nkind: Project\nid: demo\nlint: {severity: {SCH001: info}}\n"
    )
    assert {item.severity for item in found(many)} == {"info"}


def test_other_files_and_rules_have_limits_of_their_own(many):
    (many / "y.policy.yaml").write_text(POLICY.replace("x", "y") + "colour: 1.10\n")
    counts = Counter((item.span.file, item.code) for item in found(many))
    assert counts == {
        ("x.policy.yaml", "SCH001"): MOST + 1,
        ("y.policy.yaml", "SCH001"): 1,
        ("y.policy.yaml", "SYN003"): 1,
    }


def test_what_comments_hide_does_not_count(many):
    mark = "# maestro: ignore[SCH001] known"
    text = POLICY + lines(MOST + 50, "key_{}: 1 " + mark + "\n")
    (many / "x.policy.yaml").write_text(text)
    result = lint([many], environ={})
    assert (len(result.diagnostics), len(result.suppressed)) == (0, MOST + 50)
    (many / "x.policy.yaml").write_text(text + lines(MOST + 50, "other_{}: 1\n"))
    result = lint([many], environ={})
    assert (len(result.diagnostics), len(result.suppressed)) == (MOST + 1, MOST + 50)


def test_too_many_comments_are_told(many):
    (many / "x.policy.yaml").write_text(POLICY + lines(2_100, "# maestro: ignore[SCH001] {}\n"))
    told = [item.message for item in found(many) if "may hold" in item.message]
    assert told == ["a file may hold 2,000 suppressions; this one and those after it hide nothing"]


def test_a_baseline_knows_all_of_them(many):
    with up_to(ALL):
        assert write_baseline(many / "known.json", lint([many], environ={})) == MOST + 50
        with (many / "x.policy.yaml").open("a") as file:
            file.write("new: 1\n")
        left = without_known(many / "known.json", lint([many], environ={}))
    assert [item.message for item in left.result.diagnostics] == ['unknown key "new" in policy "x"']


def test_a_baseline_that_cannot_know_all_keeps_the_word_about_it(many):
    with up_to(100):
        assert write_baseline(many / "known.json", lint([many], environ={})) == 100
        left = without_known(many / "known.json", lint([many], environ={}))
    assert [item.is_more for item in left.result.diagnostics] == [True]
    assert left.known == 100


@pytest.mark.parametrize(("changed", "left"), [("x.policy.yaml", [True]), ("y.policy.yaml", [])])
def test_since_keeps_the_word_about_a_file_that_changed(many, changed, left):
    ranges = ChangedLines(ranges={many.resolve() / changed: [(1, 1)]})
    result, _ = only_changed(lint([many], environ={}), ranges)
    assert [item.is_more for item in result.diagnostics] == left


def test_fixing_mends_all_of_them(many):
    values = lines(MOST + 50, "  v{0}: 0{0}\n")
    (many / "plan.yaml").write_text(f"apiVersion: maestro/v1\nkind: Plan\nid: p\ninputs:\n{values}")
    mended = fix(FixOptions(paths=[many / "plan.yaml"], environ={}, select=["SYN003"]))
    assert len(mended.fixed) >= MOST
    assert not [item for item in mended.lint.diagnostics if item.fix is not None and item.fix.safe]


def test_looking_stops_behind_the_limit():
    asked = iter(range(10**9))
    assert len(list(limited(asked))) == MOST + 1  # type: ignore[arg-type]
    assert next(asked) == MOST + 1


@pytest.mark.usefixtures("fewer")
def test_a_last_key_counts_in_interfaces_however_often_it_stands(tmp_path):
    write_project(tmp_path)
    write(Case(file="api.yaml", content=MANY["100,000 duplicate keys of an interface"].content), tmp_path)
    counts = Counter((item.code, item.is_more) for item in found(tmp_path))
    assert counts == {("SYN002", False): MOST, ("SYN002", True): 1}
