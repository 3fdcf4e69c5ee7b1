"""Which deliverable a task asks for, decided by its interfaces, globs and words, with the reason in words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from maestro_dsl.engine.ports.models import InterfaceInput, Task
from maestro_dsl.lang.patterns import glob_match
from maestro_dsl.providers.scaffold.algorithms import ALGORITHMS, find_algorithm

if TYPE_CHECKING:
    from maestro_dsl.lang.model import Deliverable

_PAGE_FILES: Final = ("index.html", "app.js")
_TEST_FILE: Final = "test_acceptance.py"
_TEST_WORDS: Final = re.compile(r"\b(tests?|testing|qa|quality|acceptance)\b")


class Target(StrEnum):
    """What templates can write."""

    SERVICE = "a service"
    PAGE = "a page with its client"
    TESTS = "an acceptance suite"
    ALGORITHM = "an algorithm"


class Impossible(ValueError):  # noqa: N818 - an answer, not a fault
    """No template fits; the text says why and what would."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What to write, from which interface, and why. `subject` names an algorithm."""

    target: Target
    why: str
    interface: InterfaceInput | None = None
    subject: str = ""


def choose(task: Task) -> Choice:
    """Return what to write.

    The first row that fits decides:

    | provides          | consumes | globs or words               | written             |
    |-------------------|----------|------------------------------|---------------------|
    | an OpenAPI file   | anything | any                          | a service           |
    | another interface | anything | any                          | nothing             |
    | no interface      | OpenAPI  | match index.html and app.js  | a page with client  |
    | no interface      | OpenAPI  | match test files, or "tests" | an acceptance suite |
    | no interface      | none     | name a known algorithm       | an algorithm        |

    Raises:
        Impossible: no row fits.
    """
    provided = task.provided
    spec = provided.contract.contract.interface_spec if provided else None
    if provided is not None and spec is not None:
        if spec.type.lower() != "openapi":
            raise Impossible(
                f"scaffold writes services for OpenAPI interfaces, not for {spec.type}; use a model"
            )
        return Choice(
            target=Target.SERVICE, interface=provided, why=f"{provided.contract.id} has an OpenAPI interface"
        )
    consumed = next((item for item in task.interfaces if item.role == "consumes" and _is_openapi(item)), None)
    if consumed is None:
        return _algorithm(task)
    globs, said = _globs(task), _words(task)
    if all(_matches(globs, name) for name in _PAGE_FILES):
        why = f"it consumes {consumed.contract.id} and its globs ask for HTML and JavaScript"
        return Choice(target=Target.PAGE, interface=consumed, why=why)
    if _matches(globs, _TEST_FILE) and (_TEST_WORDS.search(said) or any("test" in glob for glob in globs)):
        why = f"it consumes {consumed.contract.id} and its deliverables are tests"
        return Choice(target=Target.TESTS, interface=consumed, why=why)
    raise Impossible(
        f"a consumer of {consumed.contract.id} can have a page (globs that match index.html and app.js) "
        f"or an acceptance suite (globs that match {_TEST_FILE}); its globs are {', '.join(globs)}"
    )


def wanted(task: Task) -> tuple[Deliverable, ...]:
    """Return the deliverables of the provided contract that the task asks for."""
    if task.provided is None:
        return ()
    found = task.provided.contract.contract.deliverables
    return tuple(item for item in found if not task.deliverables or item.name in task.deliverables)


def _algorithm(task: Task) -> Choice:
    subject = find_algorithm(_words(task), (task.requirement or "").lower())
    if subject is None:
        raise Impossible(
            "without an interface scaffold can write an algorithm that contract or requirement names: "
            f"{', '.join(ALGORITHMS)}; use a model for anything else"
        )
    return Choice(
        target=Target.ALGORITHM, subject=subject, why=f"the contract asks for {subject.replace('_', ' ')}"
    )


def _is_openapi(item: InterfaceInput) -> bool:
    spec = item.contract.contract.interface_spec
    return spec is not None and spec.type.lower() == "openapi" and item.spec is not None


def _globs(task: Task) -> tuple[str, ...]:
    return tuple(glob for item in wanted(task) for glob in item.artifacts)


def _matches(globs: tuple[str, ...], name: str) -> bool:
    return any(
        glob_match(glob, name) or glob_match(glob, f"{glob.rpartition('/')[0]}/{name}") for glob in globs
    )


def _words(task: Task) -> str:
    contract = task.provided.contract.contract if task.provided else None
    parts = [*task.persona.expertise, task.persona.id]
    if contract is not None:
        parts += [contract.id, contract.name or "", contract.description or ""]
    for item in wanted(task):
        parts += [item.name, item.description or "", *item.artifacts]
    return " ".join(parts).replace("_", " ").replace("-", " ").lower()
