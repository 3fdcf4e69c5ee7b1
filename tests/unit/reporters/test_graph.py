import dataclasses
import json
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from maestro_dsl.compiler.plan import PlanNode
from maestro_dsl.reporters import graph
from maestro_dsl.reporters.layout import Sizes, place
from maestro_dsl.reporters.svg import svg

HOSTILE = '"]; click x "javascript:alert(1)" \x1b[31m<script>alert(1)</script>\n--> end\\'


@pytest.mark.parametrize("name", ["text", "mermaid", "dot"])
def test_graph_of_the_sample_plan(name, sample_plan, golden):
    golden(f"cli/graph_{name}.txt", graph.FORMATS[name](sample_plan))


def test_svg_of_the_sample_plan(sample_plan, golden):
    golden("cli/graph.svg", svg(sample_plan))


def test_json_names_every_edge(sample_plan):
    document = json.loads(json.dumps(graph.json_document(sample_plan)))
    assert document["format_version"] == 1
    assert len(document["edges"]) == sum(len(node.edges) for node in sample_plan.nodes)
    assert {key: value for key, value in document["edges"][1].items() if key != "states"} == {
        "from": "mock[backend_api]",
        "to": "build[web_app]",
        "kind": "mock",
        "contract": "backend_api",
    }


@pytest.fixture
def hostile_plan(sample_plan):
    node = PlanNode(address=HOSTILE, node="n", action=HOSTILE, persona_id=HOSTILE)
    return dataclasses.replace(sample_plan, id=HOSTILE, name=HOSTILE, nodes=(node,), waves=((HOSTILE,),))


def test_svg_of_hostile_labels_is_xml_without_script(hostile_plan):
    picture = svg(hostile_plan)
    root = ET.fromstring(picture)
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "defs", "marker", "path", "rect", "text", "title", "g"}
    assert "\x1b" not in picture
    assert not any(name.lower().startswith("on") or "href" in name for e in root.iter() for name in e.attrib)


def test_mermaid_of_hostile_labels_has_no_markup_of_theirs(hostile_plan):
    lines = graph.mermaid(hostile_plan).splitlines()
    assert len(lines) == 4
    label = lines[2].strip().removeprefix('n0["').removesuffix('"]').replace("<br/>", "")
    assert not set(label) & set('"<>()[]{}\\\n\x1b')


def test_dot_of_hostile_labels_keeps_its_quotes_closed(hostile_plan):
    text = graph.dot(hostile_plan)
    assert "\x1b" not in text
    inside = text.replace("\\\\", "").replace('\\"', "")
    assert inside.count('"') % 2 == 0
    assert all(line.count('"') % 2 == 0 for line in inside.splitlines())


def test_layout_keeps_boxes_of_a_column_apart():
    layers = [["a"], [f"b{i}" for i in range(7)], ["c"], ["d"]]
    edges = [("a", f"b{i}") for i in range(7)] + [(f"b{i}", "c") for i in range(7)] + [("a", "d"), ("c", "d")]
    layout = place(layers, edges, dict.fromkeys([n for layer in layers for n in layer], 100.0), Sizes())
    column = sorted(layout.boxes[f"b{i}"].y for i in range(7))
    gaps = [low - high for high, low in pairwise(column)]
    assert min(gaps) >= Sizes().box_height + Sizes().gap - 1e-6
    assert len(layout.routes["a", "d"]) == 4
