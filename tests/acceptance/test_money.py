"""A limit on money, from the pause through the command line to the report: nothing is spent twice."""

from __future__ import annotations

import csv
import io
import json

import pytest
from support.projects import Project

from maestro_dsl.cli.main import execute

SCRIPT = """
answers:
  - match: {persona: route_developer}
    files: {routes.py: "def shortest(): return 1\\n", README.md: "# Routes\\n"}
    usage: {input: 5000, output: 10000}
  - match: {persona: errand_developer}
    files: {order.py: "def order(): return []\\n", README.md: "# Errands\\n"}
    usage: {input: 5000, output: 10000}
"""
PRICED = "\nmodels:\n  default: {provider: 'scripted:script.yaml', model: claude-sonnet-5-5}\n"
A_CALL = "0.11"
"""USD: 5,000 tokens in at 2 and 10,000 out at 10 a million."""
CONTRACT = """\
apiVersion: maestro/v1
kind: Contract
id: {id}
version: 1.0.0
name: {id}
description: What is made here
provider_persona_id: {persona}
{consumers}deliverables:
  - name: code
    description: A module and what it is for
    artifacts: ["*.py", README.md]
    expected_files: 2
"""


@pytest.fixture
def project(tmp_path):
    project = Project(tmp_path / "project", tmp_path / "state", "algorithm")
    contracts = project.folder / "contracts"
    consumers = "consumer_persona_ids: [errand_developer]\n"
    routes = CONTRACT.format(id="routes", persona="route_developer", consumers=consumers)
    (contracts / "routes.contract.yaml").write_text(routes)
    errands = CONTRACT.format(id="errands", persona="errand_developer", consumers="")
    (contracts / "errands.contract.yaml").write_text(errands)
    project.script(SCRIPT)
    project.edit("plan.yaml", "max_cost: 5 USD", "max_cost: 0.25 USD, on_exceeded: pause, warn_at: 0.4")
    settings = project.folder / "maestro.yaml"
    settings.write_text(settings.read_text().rstrip() + PRICED)
    return project


@pytest.fixture
def maestro(project, capsys, monkeypatch):
    """Return a function that runs one command line in the project and returns code, output and messages."""
    monkeypatch.setenv("MAESTRO_STATE_DIR", str(project.state))

    def run(*arguments):
        capsys.readouterr()
        code = execute(["-C", str(project.folder), "--no-input", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_a_run_pauses_before_the_limit_and_goes_on_when_it_is_raised(maestro):
    quiet = ("--progress", "quiet")
    code, out, _ = maestro("apply", "plan.yaml", "--auto-approve", *quiet, "--format", "json")
    paused = json.loads(out)
    assert (code, paused["status"]) == (6, "paused"), paused
    assert paused["nano_usd"] == 110_000_000
    assert [alert["subject"] for alert in paused["alerts"] if alert["kind"] == "budget"] == ["run"]

    code, out, _ = maestro("costs", "--format", "json")
    (row,) = json.loads(out)["rows"]
    assert (row["usd"], row["usd_limit"], row["usd_share"], row["calls"]) == (A_CALL, "0.25", 0.44, 1)

    code, _, err = maestro("apply", "plan.yaml", "--auto-approve", *quiet)
    assert code == 5
    assert "could pass the limit of 0.25 USD (whole run): 0.11 USD used, and it may take" in err
    assert " --max-cost USD continues it" in err

    code, out, err = maestro("resume", "--max-cost", "1", *quiet, "--format", "json")
    done = json.loads(out)
    assert done["nano_usd"] == 220_000_000, err
    assert done["status"] != "paused"
    built = {node["address"]: node["tokens"] for node in done["nodes"] if node["tokens"]}
    assert built == {"build[errands]": 15_000, "build[routes]": 15_000}

    code, out, _ = maestro("tokens", "--run", "last", "--format", "csv")
    rows = {row["persona"]: row for row in csv.DictReader(io.StringIO(out))}
    assert {name: row["tokens"] for name, row in rows.items() if row["tokens"] != "0"} == {
        "route_developer": "15000",
        "errand_developer": "15000",
    }
    assert rows["errand_developer"]["token_limit"] == "50000"
    assert rows["errand_developer"]["token_share"] == "0.3"


def test_what_reuse_saves_is_said_and_counted(maestro):
    quiet = ("--auto-approve", "--progress", "quiet", "--max-cost", "1")
    code, _, err = maestro("apply", "plan.yaml", *quiet)
    assert code in {0, 1}, err
    _, out, _ = maestro("apply", "plan.yaml", *quiet)
    assert "saved 30.0k tokens, 0.22 USD" in out
    _, out, _ = maestro("apply", "plan.yaml", *quiet, "--format", "json")
    again = json.loads(out)
    assert (again["saved_tokens"], again["saved_nano_usd"], again["nano_usd"]) == (30_000, 220_000_000, 0)

    _, out, _ = maestro("costs", "--by", "model", "--format", "json")
    models = {row["model"]: row for row in json.loads(out)["rows"]}
    used = models["scripted/claude-sonnet-5-5"]
    assert (used["usd"], used["saved_usd"], used["calls"], used["runs"]) == ("0.22", "0.44", 2, 3)
    _, out, _ = maestro("cache", "stats", "--format", "json")
    stats = json.loads(out)
    assert (stats["saved_tokens"], stats["saved_nano_usd"]) == (60_000, 440_000_000)

    _, out, _ = maestro("cache", "ls", "--contract", "routes", "--format", "json")
    built = next(x for x in json.loads(out)["results"] if x["node"] == "build[routes]")
    assert (built["tokens"], built["hits"], built["files"]) == (15_000, 2, 2)
    assert maestro("cache", "rm", built["key"])[0] == 2  # nobody can be asked
    assert maestro("cache", "rm", built["key"], "--yes")[0] == 0
    _, out, _ = maestro("apply", "plan.yaml", *quiet, "--format", "json")
    third = json.loads(out)
    assert {n["address"] for n in third["nodes"] if n["tokens"]} == {"build[routes]"}


def test_another_plan_on_the_same_state_reuses_an_equal_node(maestro, project):
    quiet = ("--auto-approve", "--progress", "quiet", "--max-cost", "1", "--format", "json")
    maestro("apply", "plan.yaml", *quiet)
    other = (project.folder / "plan.yaml").read_text().replace("id: algorithm", "id: another", 1)
    (project.folder / "other.yaml").write_text(other)
    _, out, _ = maestro("apply", "other.yaml", "--output", "elsewhere", *quiet)
    document = json.loads(out)
    assert document["plan"]["id"] == "another"
    assert (document["nano_usd"], document["saved_nano_usd"]) == (0, 220_000_000)


def test_a_group_without_a_command_shows_its_help_and_tickets_lists(maestro):
    code, out, err = maestro("cache")
    assert (code, out) == (2, "")
    assert err.startswith("Usage: maestro cache")
    assert maestro("tickets", "--pending")[0] == 0
    code, out, _ = maestro("tickets", "--format", "json")
    assert (code, json.loads(out)["tickets"]) == (0, [])
    code, out, _ = maestro("tickets", "--format", "json", "list")
    assert (code, json.loads(out)["tickets"]) == (0, [])
