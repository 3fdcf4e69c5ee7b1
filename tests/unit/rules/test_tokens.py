"""SEC001 finds each kind of token in its shortest form, and nothing one character shorter."""

from pathlib import Path

import pytest

from maestro_dsl.app import lint

SHORTEST = {
    "sk-": 20,
    "sk_live_": 16,
    "rk_live_": 16,
    "ghp_": 30,
    "gho_": 30,
    "ghu_": 30,
    "ghs_": 30,
    "ghr_": 30,
    "github_pat_": 22,
    "glpat-": 20,
    "AKIA": 16,
    "xoxb-": 10,
    "AIza": 35,
    "npm_": 36,
    "hf_": 30,
}
MIXED = "A1B2C3D4E5F6G7H8J9K0" * 2


def codes(word):
    Path("maker.persona.yaml").write_text(
        f"apiVersion: maestro/v1\nkind: Persona\nid: maker\ndescription: say {word} now\n"
    )
    return [item.code for item in lint([], environ={}).diagnostics]


@pytest.mark.parametrize(("beginning", "length"), SHORTEST.items())
def test_a_token_is_found(beginning, length, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert codes(beginning + MIXED[:length]) == ["SEC001"]
    assert codes(beginning + MIXED[: length - 1]) == []
