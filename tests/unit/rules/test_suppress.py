"""Comments that hide findings: which lines they speak for, what is wrong with them, how they go."""

from pathlib import Path

import pytest

from maestro_dsl.app import lint
from maestro_dsl.lang.edits import apply_edits

HEAD = "apiVersion: maestro/v1\nkind: Persona\nid: maker\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(text: str, name: str = "maker.persona.yaml"):
    Path(name).write_text(text, newline="")
    return [(item.code, item.span.line, item.message) for item in lint([], environ={}).diagnostics]


@pytest.mark.parametrize(
    "text",
    [
        'tools: ["*"] # maestro: ignore[PER002] boxed\n',
        'tools: ["*"] #maestro: ignore[per002] boxed\n',
        'tools: ["*"]   #   maestro:ignore [ PER002 ]: boxed\n',
        'tools: ["*"] # maestro: ignore[broad-tools] - boxed\n',
        '# maestro: ignore[PER002] boxed\ntools: ["*"]\n',
        '# maestro: ignore[PER002] boxed\n# another word\ntools: ["*"]\n',
        '# maestro: ignore[PER002] boxed\r\ntools: ["*"]\r\n',
        '# maestro: ignore[PER002] boxed\n# maestro: ignore[SCH003] theirs\ntools: ["*", 5]\n',
        'tools:\n  # maestro: ignore[PER002] boxed\n  - "*"\n',
        'tools: ["*", 5] # maestro: ignore[SCH003, PER002] boxed\n',
    ],
)
def test_a_finding_is_hidden(text):
    assert found(HEAD + text) == []


KEY = "sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH"


@pytest.mark.parametrize(
    "text",
    [
        f"# maestro: ignore[SEC001] sample\ndescription: |\n  one\n\n  {KEY}\n",
        f"description: | # maestro: ignore[SEC001] sample\n  one\n  {KEY}\n",
        f"description: >- # maestro: ignore[SEC001] sample\r\n  {KEY}\r\nname: dev\r\n",
        f'description: "one\n  {KEY}\n  two" # maestro: ignore[SEC001] sample\n',
        f"expertise:\n  # maestro: ignore[SEC001] sample\n  - one\n    {KEY}\n",
    ],
)
def test_a_text_of_several_lines_counts_as_one_line(text):
    assert found(HEAD + text) == []


def test_a_comment_above_one_text_does_not_speak_for_the_next():
    text = f"# maestro: ignore[SEC001] sample\ndescription: |\n  {KEY}\nname: |\n  x {KEY}\n"
    assert [(code, line) for code, line, _ in found(HEAD + text) if code != "SCH003"] == [("SEC001", 8)]


@pytest.mark.parametrize(
    "text",
    [
        '# maestro: ignore[PER002] too far up\n\ntools: ["*"]\n',
        'tools: ["*"]\n# maestro: ignore[PER002] below\n',
        'description: "# maestro: ignore[PER002] text"\ntools: ["*"]\n',
        'description: >\n  # maestro: ignore[PER002] text\ntools: ["*"]\n',
        'tools: ["*"] # maestro: ignore[PER001] another rule\n',
    ],
)
def test_a_finding_stays(text):
    assert "PER002" in [code for code, *_ in found(HEAD + text)]


@pytest.mark.parametrize(
    ("comment", "messages"),
    [
        ("# maestro: ignore", ["this comment names no rule, so it hides nothing"]),
        ("# maestro: ignore[] why", ["this comment names no rule, so it hides nothing"]),
        ("# maestro: ignroe[PER002] why", ["this comment names no rule, so it hides nothing"]),
        ("# maestro: ignore[PER02] why", ['there is no rule "PER02"']),
        ("# maestro: ignore[PER003] why", ["no PER003 is found here"]),
        ("# maestro: ignore[prompt-variable] why", ["nothing here is hidden by prompt-variable"]),
        ("# maestro: ignore[PER003]", ["this suppression gives no reason", "no PER003 is found here"]),
        ("# maestro: ignore[RUN001, REF007] only a plan shows", []),
        ("# maestro: ignore[STY002] it may not have looked", []),
    ],
)
def test_what_is_wrong_with_a_comment(comment, messages):
    assert [
        text for code, _, text in found(f"{HEAD}max_attempts: 3 {comment}\n") if code == "SUP001"
    ] == messages


def mended(text: str) -> str:
    Path("maker.persona.yaml").write_text(text, newline="")
    findings = [item for item in lint([], environ={}).diagnostics if item.code == "SUP001" and item.fix]
    return apply_edits(text, [edit for item in findings for edit in item.fix.edits])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("max_attempts: 3 # maestro: ignore[PER003] x\n", "max_attempts: 3\n"),
        ("# maestro: ignore[PER003] x\nmax_attempts: 3\n", "max_attempts: 3\n"),
        ("  # maestro: ignore[PER003] x\r\nmax_attempts: 3\r\n", "max_attempts: 3\r\n"),
        ("max_attempts: 3 # maestro: ignore[PER003] x", "max_attempts: 3"),
        (
            'tools: ["*"] # maestro: ignore[PER003, PER002,SCH001] x\n',
            'tools: ["*"] # maestro: ignore[PER002] x\n',
        ),
        ("max_attempts: 3 # maestro: ignore[prompt-varable] x\n",) * 2,
    ],
)
def test_an_idle_name_is_taken_out_and_nothing_else(before, after):
    expected = after.replace("prompt-varable", "prompt-variable")
    assert mended(HEAD + before) == HEAD + expected


def test_prompt_files_have_their_own_comments():
    Path("maker.persona.yaml").write_text(HEAD + "prompt_file: maker.md.j2\n")
    Path("maker.md.j2").write_text("{# maestro: ignore[PER003] theirs #}\nYou are {{ personna.name }}.\n")
    assert list(lint([], environ={}).diagnostics) == []
    Path("maker.md.j2").write_text("{# maestro: ignore[PER003] theirs #}\n\nYou are {{ personna.name }}.\n")
    codes = [item.code for item in lint([], environ={}).diagnostics]
    assert codes == ["SUP001", "PER003"]


def test_findings_of_files_that_do_not_parse_are_hidden_too():
    assert found(f'{HEAD}# maestro: ignore[SYN001] a template fills this in\nname: "Maker\n') == []


def test_interface_files_may_hide_findings_too():
    Path("api.contract.yaml").write_text(
        "apiVersion: maestro/v1\nkind: Contract\nid: api\nname: API\ntype: REST_API\n"
        "provider_persona_id: maker\n"
        "interface_spec: {type: openapi, spec_file: api.yaml}\ndeliverables: [{name: a, artifacts: [a.py]}]\n"
    )
    spec = (
        "openapi: 3.0.3\ninfo: {title: T, version: 1.0.0}\npaths:\n  /a:\n    get:\n      responses:\n"
        "        '200':\n"
        "          description: d\n          content:\n            application/json:\n"
        "              schema: {type: integer}\n              example: one%s\n"
    )
    Path("api.yaml").write_text(spec % "")
    assert [item.code for item in lint([], environ={}).diagnostics] == ["CTR004"]
    Path("api.yaml").write_text(spec % " # maestro: ignore[CTR004] theirs")
    assert list(lint([], environ={}).diagnostics) == []


def test_standard_input_is_heard():
    text = HEAD + 'tools: ["*"] # maestro: ignore[PER002] boxed\n'
    assert list(lint([], environ={}, stdin=text).diagnostics) == []
