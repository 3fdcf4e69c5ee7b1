"""A small catalogue of algorithms, each with its tests and a README: what can be written without a model."""

from __future__ import annotations

import re
from typing import Final

from maestro_dsl.providers.scaffold.render import render

ALGORITHMS: Final[dict[str, str]] = {
    "shortest_path": r"shortest[ -]paths?|dijkstra|route planning|cheapest (path|route)",
    "lru_cache": r"\blru\b|least[ -]recently[ -]used",
    "binary_search": r"binary[ -]search|search(ing)? (in |of )?(a )?sorted",
    "topological_sort": r"topological|dependency (order|resolution)|order of dependencies",
    "edit_distance": r"edit[ -]distance|levenshtein",
    "merge_sort": r"merge[ -]sort|stable sort|sorting|\bsort\b",
}
"""Name → the words that ask for it; the first that matches is written."""


def find_algorithm(*texts: str) -> str | None:
    """Return the algorithm that the texts ask for, the first text before the others; None for none known."""
    for text in texts:
        for name, pattern in ALGORITHMS.items():
            if re.search(pattern, text.replace("_", " ")):
                return name
    return None


def write_algorithm(name: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return module, tests and README of an algorithm of the catalogue, and no notes."""
    files = {
        f"{name}.py": render(f"algorithms/{name}.py"),
        f"test_{name}.py": render(f"algorithms/test_{name}.py"),
    }
    files["README.md"] = render("algorithms/README.md", name=name, source=files[f"{name}.py"])
    return files, ()
