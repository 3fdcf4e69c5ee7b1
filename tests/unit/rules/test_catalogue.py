"""One table names every rule: codes and names are unique, and nothing emits a code that is not in it."""

import re
from importlib import import_module, util
from pathlib import Path

import pytest

import maestro_dsl
from maestro_dsl import rules
from maestro_dsl.rules import CATALOGUE, RULES
from maestro_dsl.rules.base import Rule
from maestro_dsl.rules.earlier import EARLIER, SUPPRESSION

PACKAGE = Path(maestro_dsl.__file__).parent
FOLDER = Path(rules.__file__).parent
HELPERS = {"base", "earlier", "prompts", "secrets", "suppress", "texts", "walk"}
CODE = re.compile(r"(?:SYN|SCH|REF|GRF|EXP|CTR|PER|RUN|SEC|LIB|STY|SUP)\d{3}")
RETIRED = frozenset()
"""Codes that a release had and that are gone; none of them ever means something else."""


def test_codes_and_names_are_unique_and_well_formed():
    every = [*EARLIER, *RULES, SUPPRESSION]
    assert len(CATALOGUE) == len(every)
    assert len({rule.name for rule in every}) == len(every)
    for rule in every:
        assert CODE.fullmatch(rule.code)
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.name)
        assert rule.summary[:1].islower()
        assert not rule.summary.endswith(".")
    assert not RETIRED.intersection(CATALOGUE)


def test_there_are_at_least_fifty_rules():
    assert len(CATALOGUE) >= 50


def test_each_rule_is_one_file_with_one_line_in_the_table():
    modules = {path.stem for path in FOLDER.glob("*.py")} - HELPERS - {"__init__"}
    found = {module: import_module(f"maestro_dsl.rules.{module}").RULE for module in modules}
    assert all(isinstance(rule, Rule) for rule in found.values())
    assert set(found.values()) == set(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_the_file_of_a_rule_begins_with_its_code_and_name(rule):
    module = import_module(rule.check.__module__)
    assert module.__doc__.startswith(f"{rule.code} {rule.name}: ")


def test_every_code_that_is_emitted_is_in_the_catalogue_with_its_name():
    pairs = re.compile(rf'"({CODE.pattern})",\s*(?:name=)?"([a-z]+(?:-[a-z]+)*)"')
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for code in CODE.findall(text):
            assert code in CATALOGUE, f"{path.name} names {code}, which is in no table"
        for code, name in pairs.findall(text):
            assert CATALOGUE[code].name == name, f"{path.name} calls {code} {name}"


def test_the_guide_has_the_table_of_now():
    spec = util.spec_from_file_location("generate_rules", PACKAGE.parent / "docs" / "generate_rules.py")
    script = util.module_from_spec(spec)
    spec.loader.exec_module(script)
    page = script.PAGE.read_text(encoding="utf-8")
    assert page == script.with_rules(page), "renew it: python docs/generate_rules.py"
