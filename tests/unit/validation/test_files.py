from maestro_dsl.lang.model import Contract, Deliverable
from maestro_dsl.validation.files import assess_files, parse_problem


def contract(*artifacts: str, expected: int | None = None) -> Contract:
    promised = Deliverable(name="thing", artifacts=artifacts, expected_files=expected)
    return Contract(id="c", provider_persona_id="p", deliverables=(promised,))


def test_complete_and_sound_files_pass_every_check():
    assessed = assess_files(contract("*.py", "README.md"), {"a.py": b"x = 1\n", "README.md": b"# A\n"})

    assert [(c.name, c.passed, c.required) for c in assessed.checks] == [
        ("artifacts_present", 2, 2),
        ("structure_as_declared", 2, 2),
        ("quality_standard", 2, 2),
    ]
    assert (assessed.completeness, assessed.file_count, assessed.issues, assessed.parses) == (1, 1, (), True)


def test_an_empty_file_does_not_fulfil_a_glob():
    assessed = assess_files(contract("*.py"), {"a.py": b"  \n"})

    assert assessed.completeness == 0
    assert [i.message for i in assessed.issues] == ['deliverable "thing": no non-empty file matches *.py']


def test_a_file_nobody_declared_is_named():
    assessed = assess_files(contract("*.py"), {"a.py": b"1\n", "evil.sh": b"rm\n"})

    assert [(i.file, i.message) for i in assessed.issues] == [
        ("evil.sh", "not declared by any deliverable; declared are *.py")
    ]


def test_python_that_does_not_parse_is_found_with_its_line():
    assessed = assess_files(contract("*.py"), {"a.py": b"x = 1\ndef (:\n"})

    assert [(i.file, i.line) for i in assessed.issues] == [("a.py", 2)]
    assert not assessed.parses


def test_expected_files_bound_the_file_count():
    assert assess_files(contract("*.py", expected=4), {"a.py": b"1\n"}).file_count == 0.25


def test_no_files_is_nothing_that_parses():
    assert not assess_files(contract("*.py"), {}).parses


def test_bytes_that_are_no_text_are_named():
    assert parse_problem("a.txt", b"ok\n\xff") == (2, "not UTF-8 text")


def test_json_is_parsed():
    assert parse_problem("a.json", b'{"a": }') == (1, "not valid JSON: Expecting value")
