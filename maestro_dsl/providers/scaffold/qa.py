"""An executable acceptance suite made from an interface alone, for the standard library's unittest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.compiler.plan import url_variable
from maestro_dsl.providers.scaffold.backend import PORT
from maestro_dsl.providers.scaffold.journeys import features, journeys
from maestro_dsl.providers.scaffold.names import line
from maestro_dsl.providers.scaffold.render import render

if TYPE_CHECKING:
    from maestro_dsl.providers.scaffold.service import Service


def write_tests(service: Service) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the files of the suite by name, and notes on the operations that it does not test."""
    notes = tuple(f"not tested: {item.text}" for item in service.missing)
    found = journeys(service)
    context = {
        "title": line(service.api.title, 60) or service.contract_id,
        "variable": url_variable(service.contract_id),
        "port": PORT,
        "journeys": found,
        **features(found),
        "notes": notes,
    }
    return {
        "test_acceptance.py": render("qa/test_acceptance.py", **context),
        "README.md": render("qa/README.md", **context),
    }, notes
