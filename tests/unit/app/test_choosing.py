"""`lint:` of a project and the command line: what counts, how much, and when it fails."""

import pytest
from support.rule_project import FILES, PROJECT, write_project

from maestro_dsl.app import lint, lint_cache
from maestro_dsl.app.choosing import fails
from maestro_dsl.diagnostics import Severity
from maestro_dsl.errors import UsageError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    write_project(tmp_path)
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "x.policy.yaml").write_text(
        "apiVersion: maestro/v1\nkind: Policy\nid: x\ncolour: 1.10\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def codes(result):
    return sorted({item.code for item in result.diagnostics} - {"REF007"})  # a policy that no plan uses


def project(folder, section):
    (folder / PROJECT).write_text(FILES[PROJECT] + f"lint: {section}\n")


def found(folder, section, **asked):
    project(folder, section)
    return lint([folder], environ={}, **asked)


def test_a_project_selects_and_ignores(folder):
    everything = codes(found(folder, "{}"))
    assert {"SCH001", "SYN003"} <= set(everything)
    assert codes(found(folder, "{select: [SYN]}")) == ["SYN003"]
    assert "SYN003" not in codes(found(folder, "{ignore: [ambiguous-scalar]}"))


def test_the_command_line_wins_over_select_and_ignore_but_not_over_paths(folder):
    assert codes(found(folder, "{select: [SYN], ignore: [SCH001]}", select=["SCH001"])) == ["SCH001"]
    assert codes(found(folder, "{select: [SYN]}", ignore=["SYN003"])) == []
    assert codes(found(folder, "{per_path: {'old/**': [SCH001]}}", select=["SCH001"])) == []
    assert codes(found(folder, "{per_path: {'other/**': [SCH001]}}", select=["SCH001"])) == ["SCH001"]


def test_the_closest_word_gives_the_severity(folder):
    result = found(folder, "{severity: {SYN: info, SYN003: error, unknown-key: warning, S: info}}")
    stated = {item.code: item.severity for item in result.diagnostics}
    assert stated["SYN003"] is Severity.ERROR
    assert stated["SCH001"] is Severity.WARNING


def test_a_project_says_what_fails_and_the_command_line_wins(folder):
    result = found(folder, "{select: [SYN003], fail_on: error}")
    assert not fails(result)
    assert fails(result, Severity.WARNING)
    assert fails(found(folder, "{select: [SYN003]}"))


def test_an_inner_project_speaks_for_itself(folder):
    project(folder, "{ignore: [SCH001]}")
    (folder / "old" / PROJECT).write_text("apiVersion: maestro/v1\nkind: Project\nid: inner\n")
    assert "SCH001" in codes(lint([folder], environ={}))


def test_an_optional_rule_is_selected_by_the_project(folder):
    (folder / "old" / "x.policy.yaml").write_text("kind:   Policy\napiVersion: maestro/v1\nid: x\n")
    assert "STY002" not in codes(found(folder, "{}"))
    assert codes(found(folder, "{select: [STY002]}")) == ["STY002"]


def test_what_the_project_says_holds_for_findings_from_the_cache(folder, tmp_path_factory):
    cache = lint_cache.LintCache(folder=tmp_path_factory.mktemp("cache"))
    first = found(folder, "{select: [SYN003], fail_on: error}", cache=cache)
    again = lint([folder], environ={}, cache=cache)
    assert codes(again) == codes(first) == ["SYN003"]
    assert (again.plans, again.projects, fails(again)) == (first.plans, first.projects, False)
    assert codes(found(folder, "{ignore: [SYN003]}", cache=cache)) == ["SCH001"]


@pytest.mark.parametrize(
    "section",
    ["{select: [nope]}", "{select: [SYN], ignore: [nope]}", "{select: [SYN], severity: {nope: info}}"],
)
def test_a_selection_with_such_a_word_does_not_hide_it(folder, section):
    assert "SCH004" in codes(found(folder, section))
    assert "SCH004" not in codes(found(folder, section, select=["SYN"]))
    assert "SCH004" not in codes(found(folder, section, ignore=["SCH004"]))


def test_a_word_of_the_project_that_names_no_rule_is_a_finding_on_the_word(folder):
    section = (
        "{select: [SCH01], ignore: [unknown-kye], per_path: {a: [XYZ]}, severity: {missing-timout: error}}"
    )
    result = found(folder, section)
    project(folder, section.replace("SCH01", "SCH004"))
    result = lint([folder], environ={})
    assert [(item.message, (item.help or "").partition("?")[0]) for item in result.diagnostics] == [
        ('there is no rule "unknown-kye"', 'did you mean "unknown-key"'),
        ('there is no rule "XYZ"', "maestro rule --all lists them"),
        ('there is no rule "missing-timout"', 'did you mean "missing-timeout"'),
    ]
    line = (folder / PROJECT).read_text().splitlines()[-1]
    words = [line[item.span.column - 1 : item.span.end_column - 1] for item in result.diagnostics]
    assert words == ["unknown-kye", "XYZ", "missing-timout"]


@pytest.mark.parametrize(
    ("word", "hint"), [("SCH01", "SCH001"), ("unknown-kye", "unknown-key"), ("", "maestro rule")]
)
def test_an_unknown_word_of_the_command_line_is_refused(folder, word, hint):
    with pytest.raises(UsageError) as caught:
        lint([folder], environ={}, ignore=[word])
    assert hint in caught.value.hint


def test_what_comments_hide_is_kept_apart(folder):
    text = "apiVersion: maestro/v1\nkind: Policy\nid: x\ncolour: red  # maestro: ignore[SCH001] ours\n"
    (folder / "old" / "x.policy.yaml").write_text(text)
    result = lint([folder], environ={})
    assert codes(result) == []
    assert [item.code for item in result.suppressed] == ["SCH001"]
    assert not lint([folder], environ={}, ignore=["SCH001"]).suppressed


def test_standard_input_stands_where_it_is_said_to(folder):
    text = FILES["web.contract.yaml"].replace("taker", "tker")
    result = lint((), environ={}, stdin=text, stdin_name=folder / "new" / "web.contract.yaml")
    assert not result.diagnostics
    plan = FILES["plan.yaml"].replace("use: maker", "use: mker")
    result = lint((), environ={}, stdin=plan, stdin_name=folder / "other.plan.yaml")
    assert ("REF002", "other.plan.yaml") in [(item.code, item.span.file) for item in result.diagnostics]
    broken = lint((), environ={}, stdin="a: [\n", stdin_name=folder / "gone.plan.yaml")
    assert broken.sources["gone.plan.yaml"] == "a: [\n"
