"""Every feature through a real process and a client of its own; one process for all tests."""

import pytest
from support.desk import FILES, changed
from support.editor import Editor, Refusal

PLAN, OWN, CONTRACT = "plan.yaml", "own.blueprint.yaml", "contracts/widget.contract.yaml"


def codes(findings):
    return [item["code"] for item in findings]


# ---------------------------------------------------------------- findings


def test_the_project_of_these_tests_has_no_findings(desk):
    for name in (PLAN, OWN, CONTRACT):
        assert desk(name).findings() == []


def test_what_is_typed_is_checked_and_what_is_mended_disappears(desk):
    plan = desk(PLAN)
    plan.edit("use: builder", "use: bilder")
    (found,) = plan.findings()
    assert (found["code"], found["severity"], found["source"]) == ("REF002", 1, "maestro")
    assert found["message"].startswith('unknown persona "bilder"\ndid you mean "builder"?')
    assert found["codeDescription"]["href"].endswith("/REF002.md")
    assert found["range"] == {"start": {"line": 8, "character": 15}, "end": {"line": 8, "character": 21}}
    plan.put(plan.saved)
    assert plan.findings() == []


def test_a_change_in_a_contract_checks_the_plan_again(desk):
    plan, contract = desk(PLAN), desk(CONTRACT)
    plan.findings()
    contract.edit("provider_persona_id: maker", "provider_persona_id: mkaer")
    found = contract.findings()
    assert "CTR002" in codes(found)
    contract.edit("id: widget", "id: gadget")
    blueprint = desk(OWN)
    assert "EXP002" in codes(blueprint.findings())


def test_columns_are_code_units_of_utf_16(desk):
    plan = desk(PLAN)
    plan.edit("guardrails: {max_cost: 5 USD}", 'guardrails: {"🎼": 1, max_cost: 5 USD}')
    found = next(item for item in plan.findings() if item["code"] == "SCH001")
    assert found["range"]["end"]["character"] - found["range"]["start"]["character"] == len('"🎼"') + 1


def test_columns_are_bytes_where_the_client_wants_that(project):
    editor = Editor(project, encodings=("utf-8",))
    assert editor.capabilities["positionEncoding"] == "utf-8"
    path = project / PLAN
    editor.open(path, FILES[PLAN].replace("guardrails: {", 'guardrails: {"🎼": 1, '))
    found = next(item for item in editor.findings(path) if item["code"] == "SCH001")
    assert found["range"]["end"]["character"] - found["range"]["start"]["character"] == len('"🎼"') + 3
    assert editor.close() == (0, "")


def test_related_places_and_tags_come_along(desk):
    plan = desk(PLAN)
    plan.edit("provider: scaffold\n", "provider: scaffold\nprovider: scaffold\n")
    found = next(item for item in plan.findings() if item["code"] == "SYN002")
    assert found["relatedInformation"][0]["location"]["range"]["start"]["line"] == 11
    blueprint = desk(OWN)
    blueprint.edit("nodes:\n", "inputs:\n  idle: {type: string, description: x, default: y}\nnodes:\n")
    unused = next(item for item in blueprint.findings() if item["code"] == "REF007")
    assert unused["tags"] == [1]


def test_an_unsaved_prompt_counts(desk, running, project):
    prompt, path = desk("builder.md.j2"), project / "builder.md.j2"
    prompt.put("You build {{ contrakt.name }}.\n")
    assert codes(running.findings(path)) == ["PER003"]


def test_a_document_that_is_not_on_disk_yet_is_checked(running, project):
    path = project / "new.persona.yaml"
    running.open(path, "apiVersion: maestro/v1\nkind: Persona\nid: fresh\nvershun: 1.0.0\n")
    assert "SCH001" in codes(running.findings(path))
    running.shut(path)
    assert running.findings(path) == []


# ---------------------------------------------------------------- completion


def test_keys_come_by_the_grammar_without_those_that_are_there(desk):
    plan = desk(PLAN)
    plan.put(plan.saved + "|")
    labels = plan.labels()
    assert {"policies", "execution", "output", "inputs"} <= set(labels)
    assert "team" not in labels
    assert plan.pick("output").endswith("\noutput: ")


def test_a_key_has_the_text_of_explain(desk, running):
    plan = desk(PLAN)
    plan.put(plan.saved + "qual|")
    item = next(item for item in plan.ask("completion") if item["label"] == "quality_threshold")
    found = running.ask("completionItem/resolve", **item)["documentation"]["value"]
    assert "plan.quality_threshold: Quality threshold" in found
    assert "default   0.8" in found


def test_keys_of_with_depend_on_the_action(desk):
    blueprint = desk(OWN)
    blueprint.edit("    with:\n", "    with:\n      |\n")
    assert "message" not in blueprint.labels()  # it is there
    blueprint.edit("    action: report\n", "    action: report\n    with: {|}\n")
    assert blueprint.labels() == ["title"]


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        (PLAN, "blueprint: own", "blueprint: |", {"own", "core/parallel-contract-first"}),
        (PLAN, "use: builder", "use: |", {"builder", "core/qa_engineer"}),
        (PLAN, "{use: builder}", "{use: builder, model: |}", {"fast"}),
        (PLAN, "provider: scaffold", "provider: |", {"scaffold", "scripted"}),
        (PLAN, "[contracts/*.contract.yaml]", "[|]", {"contracts/widget.contract.yaml"}),
        (PLAN, "kind: Plan", "kind: |", {"Plan", "Contract"}),
        (OWN, "needs: [build]", "needs: [|]", {"build", "report"}),
        (OWN, "needs: [build]", "needs:\n      - |", {"build", "report"}),
        (OWN, "{tell: {states: any}}", "{|}", {"build", "tell"}),
        (OWN, "action: report", "action: |", {"fulfil", "mock", "report"}),
        (OWN, "states: any", "join: |", {"auto", "all"}),
        (OWN, "action: report", "action: report\n    required: |", {"true", "false"}),
        (OWN, "action: report", "action: report\n    persona: |", {"maker", "tester"}),
        (OWN, "action: report", "action: report\n    contract: |", {"widget"}),
        (CONTRACT, "provider_persona_id: maker", "provider_persona_id: |", {"maker", "tester"}),
        (CONTRACT, "[tester]", "[tester, |]", {"maker", "tester"}),
        ("builder.persona.yaml", "builder.md.j2", "|", {"builder.md.j2"}),
        (PLAN, "team:\n", "???\nteam:\n  {{\n  other:\n    |\n", {"use", "model", "token_budget"}),
        (OWN, "{{ contract.id }}", "{{ contract.|", {"id", "name", "provider_persona_id"}),
        (OWN, "{{ contract.id }}", "{{ |", {"contract", "contracts", "team", "key", "nodes"}),
        (OWN, "nodes.build.outputs.widget.score > 0.5", "contracts.|", {"widget"}),
        (OWN, "nodes.build.outputs.widget.score > 0.5", "nodes.|", {"build", "tell"}),
        (OWN, "{{ contracts.widget.name }}", "{{ contracts.widget.name | |", {"upper", "default"}),
        (OWN, "nodes.build.outputs.widget.score > 0.5", "team is |", {"defined"}),
        (PLAN, "name: Demo", "name: Demo  # maestro: ignore[|", {"REF002", "STY001"}),
    ],
)
def test_words_that_fit_are_offered(desk, name, old, new, expected):
    document = desk(name)
    if "| |" in new:
        document.edit(old, new)
        document.column += 2
        document.put(document.saved.replace(old, new[:-1] + "\0", 1).replace("|", "¦").replace("\0", "|"))
        document.editor.type(document.path, document.text.replace("¦", "|"))
    else:
        document.edit(old, new)
    assert expected <= set(document.labels())


def test_what_is_typed_already_is_replaced(desk):
    plan = desk(PLAN)
    plan.edit("blueprint: own", "blueprint: o|wx")
    assert plan.pick("own") == plan.saved
    blueprint = desk(OWN)
    blueprint.edit("{{ contract.id }}", "{{ contract.na| }}")
    assert '"{{ contract.name }}"' in blueprint.pick("name")


def test_nothing_is_offered_in_plain_text(desk):
    plan = desk(PLAN)
    plan.edit("requirement: Build it", "requirement: >-\n  Build it\n  bl|")
    assert plan.labels() == []


# ---------------------------------------------------------------- hover, definitions, references


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        (PLAN, "guardrails:", "guard|rails:", "plan.guardrails: "),
        (PLAN, "maker:", "ma|ker:", "works as persona `builder`"),
        (PLAN, "use: builder", "use: bu|ilder", "Builds things"),
        (OWN, "needs: [build]", "needs: [bu|ild]", "action `fulfil`"),
        (OWN, "contracts.widget", "contracts.wid|get", "provided by `maker`, consumed by `tester`"),
        (OWN, "timeout: 15m", "ti|meout: 15m", "blueprint.nodes.<id>.timeout: Timeout"),
        (PLAN, "use: builder", "use: bild|er", "# REF002"),
    ],
)
def test_what_the_cursor_is_on_is_explained(desk, name, old, new, expected):
    document = desk(name)
    document.edit(old, new)
    assert expected in document.ask("hover")["contents"]["value"]


@pytest.mark.parametrize(
    ("name", "old", "new", "file", "line"),
    [
        (PLAN, "blueprint: own", "blueprint: o|wn", OWN, 2),
        (PLAN, "use: builder", "use: bu|ilder", "builder.persona.yaml", 2),
        (CONTRACT, "id: maker", "id: ma|ker", PLAN, 8),
        (OWN, "needs: [build]", "needs: [bu|ild]", OWN, 9),
        (OWN, "{tell:", "{te|ll:", OWN, 16),
        (OWN, "nodes.build", "nodes.bui|ld", OWN, 9),
        (OWN, "contracts.widget", "contracts.wid|get", CONTRACT, 2),
        (OWN, "team['maker']", "team['ma|ker']", PLAN, 8),
        ("builder.persona.yaml", "builder.md", "buil|der.md", "builder.md.j2", 0),
    ],
)
def test_names_lead_to_their_definitions(desk, project, name, old, new, file, line):
    document = desk(name)
    document.edit(old, new)
    (found,) = document.ask("definition")
    assert (found["uri"], found["range"]["start"]["line"]) == ((project / file).as_uri(), line)


def test_references_are_found_in_all_files(desk):
    plan = desk(PLAN)
    plan.edit("maker:", "ma|ker:")
    found = plan.ask("references", context={"includeDeclaration": False})
    assert {item["uri"].rpartition("/")[2] for item in found} == {OWN, "widget.contract.yaml"}


def test_broken_yaml_is_navigated_as_it_last_was(desk):
    plan = desk(PLAN)
    plan.edit("guardrails: {max_cost: 5 USD}", "guardrails: {max_")
    plan.line, plan.column = 6, 12
    assert len(plan.ask("definition")) == 1


# ---------------------------------------------------------------- rename


def renamed(document, project, name):
    found = document.ask("rename", newName=name)["changes"]
    files = {uri.removeprefix(project.as_uri() + "/"): edits for uri, edits in found.items()}
    return {file: changed(FILES[file], edits) for file, edits in files.items()}


@pytest.mark.parametrize(
    ("name", "old", "new", "files", "expected"),
    [
        (OWN, "  build:", "  bu|ild:", {OWN}, ["  made:", "needs: [made]", "nodes.made.outputs"]),
        (OWN, "{tell:", "{te|ll:", {OWN}, ["  made:", "{made: {states"]),
        (
            CONTRACT,
            "id: widget",
            "id: wid|get",
            {CONTRACT, OWN},
            ["contracts.made.name", "id: made", "outputs.made.score"],
        ),
        (
            PLAN,
            "maker:",
            "ma|ker:",
            {PLAN, CONTRACT, OWN},
            ["team['made']", "_id: made", "made: {use: builder}"],
        ),
        (PLAN, "use: builder", "use: bu|ilder", {PLAN, "builder.persona.yaml"}, ["use: made", "id: made"]),
    ],
)
def test_a_name_changes_everywhere(desk, project, name, old, new, files, expected):
    document = desk(name)
    document.put(document.saved.replace(old, new, 1))
    found = renamed(document, project, "made")
    assert set(found) == files
    assert all(any(part in text for text in found.values()) for part in expected)


@pytest.mark.parametrize(
    ("name", "old", "new", "to", "reason"),
    [
        (PLAN, "maker:", "ma|ker:", "tester", 'there is a team member "tester" already'),
        (PLAN, "maker:", "ma|ker:", "Two Words", "would bring a new error: SCH"),
        (PLAN, "core/qa_engineer", "core/qa|_engineer", "x", "stands in the core library"),
        (PLAN, "blueprint: own", "blueprint: o|wn", "x", "a blueprint cannot be renamed here"),
    ],
)
def test_a_rename_that_is_not_safe_is_refused_with_its_reason(desk, name, old, new, to, reason):
    document = desk(name)
    document.edit(old, new)
    with pytest.raises(Refusal, match=reason):
        document.ask("rename", newName=to)


def test_a_rename_is_refused_while_a_document_is_broken(desk):
    plan, contract = desk(PLAN), desk(CONTRACT)
    contract.edit("deliverables:", "deliverables: [")
    plan.edit("maker:", "ma|ker:")
    with pytest.raises(Refusal, match=r"widget\.contract\.yaml is not valid YAML"):
        plan.ask("rename", newName="other")


# ---------------------------------------------------------------- fixes, outline, form


def actions(document, line, **context):
    place = {"line": line, "character": 0}
    end = {"line": line, "character": 99}
    return document.editor.ask(
        "textDocument/codeAction",
        textDocument={"uri": document.path.as_uri()},
        range={"start": place, "end": end},
        context={"diagnostics": [], **context},
    )


def test_a_finding_is_fixed_or_suppressed(desk):
    plan = desk(PLAN)
    plan.edit("use: builder", "use: bilder")
    found = {item["title"]: item["edit"]["changes"][plan.path.as_uri()] for item in actions(plan, 8)}
    assert changed(plan.text, found['Change to "builder"']) == plan.saved
    plan.put(changed(plan.text, found["Suppress REF002 with a comment"]))
    assert "\n  # maestro: ignore[REF002] say here why it may stay\n  maker:" in plan.text
    assert plan.findings() == []


def test_all_that_is_safe_is_fixed_at_once(desk):
    blueprint = desk(OWN)
    blueprint.edit("    needs: [build]\n", "")
    (found,) = actions(blueprint, 0, only=["source.fixAll"])
    text = changed(blueprint.text, found["edit"]["changes"][blueprint.path.as_uri()])
    assert "needs: [build]" in text


def test_the_outline_holds_the_team(desk):
    plan = desk(PLAN)
    found = plan.editor.ask("textDocument/documentSymbol", textDocument={"uri": plan.path.as_uri()})
    team = next(item for item in found if item["name"] == "team")
    assert [item["name"] for item in team["children"]] == ["maker", "tester"]


def test_a_document_is_brought_into_form(desk):
    plan = desk(PLAN)
    plan.edit("id: demo\nname: Demo\n", "name:   Demo\nid: demo\n")
    (edit,) = plan.editor.ask(
        "textDocument/formatting",
        textDocument={"uri": plan.path.as_uri()},
        options={"tabSize": 2, "insertSpaces": True},
    )
    assert edit["newText"] == plan.saved
