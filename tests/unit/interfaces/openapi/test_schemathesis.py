"""The property layer: Schemathesis's report as a verdict, and what is said where there is none."""

import asyncio
import stat
import sys
from pathlib import Path

import pytest
from support.openapi import TODO, read_api

from maestro_dsl.app.verification import verify
from maestro_dsl.interfaces.openapi.schemathesis import arguments, read_report
from maestro_dsl.interfaces.openapi.serve import mock_app
from maestro_dsl.interfaces.verification import Outcome
from maestro_dsl.net.server import serve

FOUND = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="schemathesis">
<testcase name="GET /lists" time="1.5" />
<testcase name="POST /lists" time="0.1">
<failure type="failure" message="ST103">1. Test Case ID: VbZaDV

- ST103 Undocumented status code

    Received: 418
    Documented: 201, 400

- ST106 Response violates schema

    'id' is a required property

[418] I'm a teapot:

    `{}`

Reproduce with:

    curl -X POST -d '{}' http://127.0.0.1:1/lists
</failure>
</testcase>
<testcase name="DELETE /lists/{listId}"><skipped/></testcase>
<testcase name="Stateful tests"><failure message="x">1. Test Case ID: a

- ST302 Use after free

    The API did not return a `HTTP 404` for `GET /lists/{listId}`

Reproduce with:

    curl -X DELETE http://127.0.0.1:1/lists/1
    curl -X GET http://127.0.0.1:1/lists/1
</failure></testcase>
</testsuite></testsuites>
"""
CLEAN = '<testsuites><testsuite><testcase name="GET /lists" time="1" /></testsuite></testsuites>'


def test_each_finding_names_its_operation_and_how_to_repeat_it():
    result = read_report(read_api(TODO), FOUND, contract_id="todo")
    assert (result.verdict, result.parts, result.checks) == (Outcome.NOT_FULFILLED, {"property": 0.3333}, 3)
    create, posted = "POST /lists (createList)", "\ncurl -X POST -d '{}' http://127.0.0.1:1/lists"
    deleted = "\ncurl -X DELETE http://127.0.0.1:1/lists/1\ncurl -X GET http://127.0.0.1:1/lists/1"
    gone = "The API did not return a `HTTP 404` for `GET /lists/{listId}`"
    assert [(issue.operation, issue.message) for issue in result.issues] == [
        (
            "createList",
            f"{create}: ST103 Undocumented status code: Received: 418 Documented: 201, 400{posted}",
        ),
        ("createList", f"{create}: ST106 Response violates schema: 'id' is a required property{posted}"),
        ("getList", f"GET /lists/{{listId}} (getList): ST302 Use after free: {gone}{deleted}"),
    ]


def test_a_clean_report_is_fulfilled_and_an_empty_one_verifies_nothing():
    api = read_api(TODO)
    assert read_report(api, CLEAN, contract_id="todo").verdict is Outcome.FULFILLED
    assert read_report(api, "<testsuites/>", contract_id="todo").verdict is Outcome.COULD_NOT_VERIFY
    assert read_report(api, "<test", contract_id="todo").verdict is Outcome.COULD_NOT_VERIFY


def test_seed_and_time_are_passed_on():
    line = arguments("st", "a.yaml", "http://h", seed=7, max_time_s=12.6, report_file="r.xml")
    assert line[line.index("--seed") + 1] == "7"
    assert line[line.index("--max-time") + 1] == "13"


@pytest.fixture
def program(tmp_path):
    """Return a function that makes a program in place of Schemathesis."""

    def make(report, code):
        file = tmp_path / "st"
        body = f"report = {report!r}\nat = sys.argv[sys.argv.index('--report-junit-path') + 1]\n"
        write = "report and open(at, 'w').write(report)\n"
        file.write_text(
            f"#!{sys.executable}\nimport sys\n{body}{write}print('it says why')\nsys.exit({code})\n"
        )
        file.chmod(file.stat().st_mode | stat.S_IEXEC)
        return {"MAESTRO_SCHEMATHESIS": str(file)}

    return make


def judged(environ, layers=("static", "replay", "property")):
    async def scenario():
        server = await serve(mock_app(read_api(TODO)))
        try:
            return await verify(
                Path(TODO),
                url=server.url,
                start=None,
                cwd=None,
                seed=0,
                max_time_s=30,
                environ=environ,
                layers=layers,
            )
        finally:
            await server.stop()

    return asyncio.run(scenario()).verdict


def test_the_worst_layer_decides_and_the_score_is_their_mean(program):
    verdict = judged(program(FOUND, 1))
    assert (verdict.verdict, verdict.parts["property"], verdict.parts["routes"]) == (
        "not_fulfilled",
        0.3333,
        1.0,
    )
    assert 0.6 < verdict.score < 0.7
    assert judged(program(CLEAN, 0)).verdict == "fulfilled"


def test_an_absent_program_is_never_a_pass():
    verdict = judged({"MAESTRO_SCHEMATHESIS": "/nowhere/st"})
    assert (verdict.verdict, verdict.fulfilled) == ("could_not_verify", False)
    assert [issue.message for issue in verdict.issues] == [
        "Schemathesis is not installed, so the property layer could not verify"
    ]
    assert verdict.score == 1.0


def test_a_program_that_breaks_is_said_with_its_words(program):
    verdict = judged(program("", 2), layers=("property",))
    assert verdict.verdict == "could_not_verify"
    assert verdict.issues[0].message.endswith("Schemathesis ended with code 2: it says why")


def test_one_layer_says_only_what_it_asks():
    verdict = judged({}, layers=("static",))
    assert (verdict.verdict, dict(verdict.parts)) == ("fulfilled", {"routes": 1.0})
