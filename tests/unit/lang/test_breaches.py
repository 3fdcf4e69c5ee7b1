"""A validator is handed less than the whole document, and says the same."""

from __future__ import annotations

import random
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from maestro_dsl.lang.breaches import breaches_of
from maestro_dsl.lang.model import Kind
from maestro_dsl.lang.source import load
from maestro_dsl.lang.validators import validator_of

ROOT = Path(__file__).parents[3]
DOCUMENTS = [
    path
    for path in sorted([*ROOT.glob("examples/*/*.yaml"), *ROOT.glob("blueprints/**/*.yaml")])
    if b"apiVersion: maestro/" in path.read_bytes()
]
ODD: list[Any] = [
    *(None, True, -1, 1.5, "", "x" * 3000, "x" * 3000 + "!", [], {}, [[{"a": [1]}]]),
    *(
        {"a": {"b": {"c": [1, {}]}}},
        {f"k{number}": {"a": [number]} for number in range(1500)},
        [["x"]] * 1200,
    ),
    *({"check": "command", "command": {"a": 1}}, {"type": "string", "default": {"a": [1]}}),
]


def places(value: Any) -> list[tuple[Any, Any]]:
    inner = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    found = [(value, step) for step, _ in inner]
    for _, item in inner:
        found += places(item) if isinstance(item, (dict, list)) else []
    return found


def changed(data: Any, rand: random.Random) -> Any:
    data = deepcopy(data)
    for _ in range(rand.randint(1, 3)):
        container, step = rand.choice(places(data))
        if isinstance(container, dict) and rand.random() < 0.3:
            step = rand.choice(["zzz", "action", "id", "with", "check", "Nope-1"])
        container[step] = deepcopy(rand.choice(ODD))
    return data


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_what_the_grammar_has_no_say_in_is_left_out(path: Path) -> None:
    data: Any = load(path.read_bytes(), "f").data
    kind = Kind(data["kind"])
    validator = validator_of(kind)
    rand = random.Random(path.name)
    for _ in range(5):
        wrong = changed(data, rand)
        wrong["kind"] = kind.value
        found = breaches_of(validator, wrong)
        if not found.unseen:
            assert set(found.found) == set(validator.violations(wrong))
