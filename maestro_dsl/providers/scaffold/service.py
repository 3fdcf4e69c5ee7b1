"""What the templates build: the resources of an interface, the operations on them, and what is left out.

Values only; `resources.py` finds them in an `Api`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from maestro_dsl.interfaces.openapi.model import Api, Operation, Schema
from maestro_dsl.providers.scaffold.shapes import Shape

_PLAIN_PATH = re.compile(r"(/[\w.~%-]+)*", re.ASCII)


class Verb(StrEnum):
    """What an operation does to a resource; the order is that of generated files."""

    LIST = "list"
    FIND = "find"
    """A list with filters at a path of its own, such as /pets/findByStatus."""
    CREATE = "create"
    READ = "read"
    REPLACE = "replace"
    SAVE = "save"
    """A replace that names its target in the body, such as PUT /pet."""
    PATCH = "patch"
    AMEND = "amend"
    """A POST on one thing, whose query parameters or form fields are its fields."""
    BULK = "bulk"
    """A create of several things at once."""
    DELETE = "delete"
    """Of a single document: back to its first value."""
    CLEAR = "clear"
    """A delete of the whole collection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One operation that a template can do."""

    verb: Verb
    operation: Operation
    status: int
    body: Schema | None = None
    """The schema of the request body."""
    answer: Schema | None = None
    """The schema of the answer; None where nothing is sent back."""
    envelope: str | None = None
    """The property of the answer that holds the items of a list; None where the answer is the list."""
    item: Schema | None = None
    """The schema of one item of a list."""
    form: str | None = None
    """The media type of the body where it is a form; None for JSON."""

    @property
    def media_type(self) -> str | None:
        """What a client must call the body, where that is not plain JSON."""
        content = (
            self.operation.body.content if self.operation.body is not None and self.body is not None else {}
        )
        media = None if self.operation.body is None else self.operation.body.json
        if self.form is not None or media is None or not content or "*" in media.media_type:
            return self.form
        plain = any(name.partition(";")[0].strip() == "application/json" for name in content)
        return None if plain else media.media_type


def makes(steps: Mapping[Verb, Step]) -> bool:
    """Return whether one of the steps makes things: a POST, or without one a PUT that declares 201."""
    put = steps.get(Verb.REPLACE)
    return Verb.CREATE in steps or (put is not None and "201" in put.operation.responses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Things of one kind under one path, or the one thing at it (`is_single`).

    `noun` is in the singular, words apart: "task list".
    """

    noun: str
    table: str
    path: str
    key: str
    """The field that tells one from another; "" where there is none: a single, or things never asked for."""
    key_kind: str
    new_key: str | None
    """The generated function that makes keys; None where the client chooses them."""
    item_param: str | None
    shape: Shape
    parents: tuple[str, ...] = ()
    """Names of the variable parts of `path`."""
    parent: str | None = None
    """The table of the resource in which these things lie, where it is known."""
    steps: Mapping[Verb, Step] = field(default_factory=dict)
    starts: Mapping[str, str] = field(default_factory=dict)
    """Field → the Python expression of its first value, for fields that no client sends."""
    is_single: bool = False
    searches: tuple[Step, ...] = ()
    """Further operations with the verb FIND."""
    first: Any = None
    """What a single holds before anybody writes it."""
    seeds: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    """What is there at the start where nothing makes these things, by the scope of their parents."""

    @property
    def all_steps(self) -> tuple[Step, ...]:
        """Every operation on these things."""
        return (*self.steps.values(), *self.searches)

    @property
    def is_made(self) -> bool:
        """True where clients can make these things."""
        return not self.is_single and makes(self.steps)

    @property
    def is_seen(self) -> bool:
        """True where clients can look at these things."""
        return bool({Verb.LIST, Verb.READ} & self.steps.keys())

    @property
    def is_fixed(self) -> bool:
        """True where no operation changes anything."""
        return self.steps.keys() <= {Verb.LIST, Verb.READ, Verb.FIND}

    @property
    def item_path(self) -> str:
        """The path of one thing."""
        return f"{self.path}/{{{self.item_param}}}" if self.item_param else self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """An operation that is left out, and why."""

    operation: Operation
    reason: str

    @property
    def text(self) -> str:
        """One line for notes and READMEs."""
        return f"{self.operation.method} {self.operation.path}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """An interface as the templates see it."""

    api: Api
    contract_id: str
    resources: tuple[Resource, ...]
    missing: tuple[Missing, ...]
    notes: tuple[str, ...] = ()

    @property
    def base_path(self) -> str:
        """The path of the first server; "" for the root, and for one of unusual signs."""
        path = self.api.base_paths[0] if self.api.base_paths else ""
        return path if _PLAIN_PATH.fullmatch(path) else ""

    @property
    def step_count(self) -> int:
        """How many operations are done."""
        return sum(len(resource.all_steps) for resource in self.resources)
