"""`maestro rule`: pages by code or name, all of them for programs, and the nearest where there is none."""

import json

import pytest

from maestro_dsl.app.rulebook import page_of
from maestro_dsl.cli.main import execute
from maestro_dsl.rules import CATALOGUE


@pytest.mark.parametrize("wanted", ["RUN001", "run001", "missing-timeout"])
def test_a_page_by_code_or_name(wanted, capsys):
    assert execute(["rule", wanted]) == 0
    out, err = capsys.readouterr()
    assert out == page_of(CATALOGUE["RUN001"])
    assert "next: maestro lint" in err


def test_without_a_name_all_are_listed(capsys):
    assert execute(["rule"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(CATALOGUE)


def test_all_pages_for_people_and_programs(capsys):
    assert execute(["rule", "--all"]) == 0
    text = capsys.readouterr().out
    assert all(f"# {rule.code} {rule.name}\n" in text for rule in CATALOGUE.values())
    assert execute(["rule", "--all", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["format_version"] == 1
    assert [item["code"] for item in document["rules"]] == list(CATALOGUE)
    first = document["rules"][0]
    assert set(first) == {"code", "name", "severity", "scope", "summary", "fix", "is_optional", "page"}


def test_lint_leads_to_the_page_of_the_worst_finding(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.persona.yaml").write_text(
        "apiVersion: maestro/v1\nkind: Persona\nid: a\ntools: ['*']\ncolour: red\n"
    )
    assert execute(["lint", "--no-cache"]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "next: maestro rule SCH001"


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ("RUN01", "did you mean RUN001 missing-timeout?"),
        ("missing-timout", "did you mean RUN001"),
        ("x", "see:"),
    ],
)
def test_an_unknown_rule_names_the_nearest(wanted, hint, capsys):
    assert execute(["rule", wanted]) == 2
    err = capsys.readouterr().err
    assert f'there is no rule "{wanted}"' in err
    assert hint in err


def test_one_rule_and_all_of_them_exclude_each_other(capsys):
    assert execute(["rule", "RUN001", "--all"]) == 2
    assert "exclude each other" in capsys.readouterr().err
