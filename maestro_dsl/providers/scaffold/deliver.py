"""One `fulfil` task to files: the template that fits, what it writes, and where its files go.

Loads all templates' code; the provider itself does so only when it is asked for files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Severity
from maestro_dsl.interfaces.openapi.parse import parse
from maestro_dsl.providers.scaffold.algorithms import write_algorithm
from maestro_dsl.providers.scaffold.backend import write_backend
from maestro_dsl.providers.scaffold.choose import Choice, Impossible, Target, choose
from maestro_dsl.providers.scaffold.frontend import can_show, write_frontend
from maestro_dsl.providers.scaffold.placement import place
from maestro_dsl.providers.scaffold.qa import write_tests
from maestro_dsl.providers.scaffold.resources import find_service

if TYPE_CHECKING:
    from maestro_dsl.engine.ports.models import InterfaceInput, Task
    from maestro_dsl.providers.scaffold.service import Service

_REQUIRED: Final = {
    Target.PAGE: ("index.html", "styles.css", "app.js", "client.js"),
    Target.TESTS: ("test_acceptance.py",),
}
"""Files without which a deliverable is none; of a service and an algorithm all but the README."""


def deliver(task: Task) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the files for a task by path, and notes on what they lack.

    Raises:
        Impossible: no template fits the task, its interface, or its globs.
    """
    choice = choose(task)
    files, notes = _write(choice, task)
    placed, left_out = place(files, task, required=_REQUIRED.get(choice.target), start=_start(choice, task))
    return placed, (f"wrote {choice.target.value}: {choice.why}", *left_out, *notes)


def _write(choice: Choice, task: Task) -> tuple[dict[str, str], tuple[str, ...]]:
    if choice.target is Target.ALGORITHM or choice.interface is None:
        return write_algorithm(choice.subject)
    service = _service(choice.interface)
    match choice.target:
        case Target.SERVICE:
            return write_backend(service, entry=_start(choice, task) or "server.py")
        case Target.PAGE:
            if not can_show(service):
                raise Impossible(
                    f"no resource of {choice.interface.contract.id} can be listed, so a page shows nothing"
                )
            return write_frontend(service)
        case _:
            return write_tests(service)


def _service(interface: InterfaceInput) -> Service:
    contract = interface.contract
    api, diagnostics = parse(interface.spec or b"", contract.spec_path or contract.id)
    if api is None:
        first = next((item.message for item in diagnostics if item.severity is Severity.ERROR), "it is empty")
        raise Impossible(first)
    service = find_service(api, contract.id)
    if not service.resources:
        reasons = "; ".join(item.text for item in service.missing[:5])
        more = f"; and {len(service.missing) - 5} more" if len(service.missing) > 5 else ""  # noqa: PLR2004
        raise Impossible(f"no operation of {contract.id} is one that a template can do. {reasons}{more}")
    return service


def _start(choice: Choice, task: Task) -> str | None:
    """Return the Python file that the contract starts, relative to the persona's folder."""
    if choice.target is not Target.SERVICE or task.provided is None:
        return None
    start = task.provided.contract.contract.start
    script = next((part for part in start[1:] if part.endswith(".py")), None)
    if script is None:
        raise Impossible(
            f'the contract starts its product with "{" ".join(start)}"; scaffold writes a Python file, '
            "so start should be [python, server.py]"
        )
    return script
