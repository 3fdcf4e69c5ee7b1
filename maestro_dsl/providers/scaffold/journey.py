"""What generated tests know of a resource: the calls on it, what they send, which answers must follow.

Values only; `journeys` makes them, the templates write them into tests as literals.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from maestro_dsl.providers.scaffold.names import line
from maestro_dsl.providers.scaffold.pysource import show
from maestro_dsl.providers.scaffold.service import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One operation as a test makes it; the path still has its variable parts."""

    id: str
    method: str
    path: str
    status: int
    invalid_status: int
    summary: str
    answers: bool
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    form: bool = False
    """True where the body is a form."""
    envelope: str | None = None
    required: tuple[str, ...] = ()
    types: dict[str, str] = field(default_factory=dict)
    """Field of the answer → JSON type, for plain types alone."""

    formats: dict[str, str] = field(default_factory=dict)
    """Field of the answer → format, for those that a test can recognise."""
    errors: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Declared error status → the fields that its body must have."""

    @property
    def label(self) -> str:
        """Method and path, for the docstring of a test."""
        return line(f"{self.method} {self.path}")

    @property
    def invalid_statuses(self) -> tuple[int, ...]:
        """The statuses that refuse a bad body: the declared one, else either usual one."""
        return (self.invalid_status,) if str(self.invalid_status) in self.errors else (400, 422)

    @property
    def declares_absence(self) -> bool:
        """True where the interface says how an unknown one is answered."""
        return bool({"404", "4XX", "default"} & self.errors.keys())

    def error_fields(self, status: int) -> tuple[str, ...]:
        """Return the fields that the body of an error must have."""
        return self.errors.get(str(status), ())

    @property
    def suffix(self) -> str:
        """The query string with its question mark; "" for none."""
        return f"?{urlencode(self.query)}" if self.query else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """A resource as tests walk through it.

    `new` is what a create sends; `replaced` and `patch` are what the others send.
    """

    resource: Resource
    parents: tuple[tuple[str, str | None, Any], ...]
    """(path parameter, table whose key it is or None, a value where no table is known)."""
    calls: dict[str, Call | None]
    """One entry for every verb; None where the interface has no such operation."""
    new: dict[str, Any]
    other: dict[str, Any]
    replaced: dict[str, Any] | None
    patch: dict[str, Any] | None
    required: tuple[str, ...]
    wrong: tuple[str, Any] | None
    """A field of the body with a value of the wrong type."""
    filter: tuple[str, str] | None
    """(query parameter, field) whose values differ between `new` and `other`."""
    limit: str | None
    list_query: dict[str, str]
    """What a list is asked for, so that a page is as long as it may be."""
    absent_key: str
    shown: tuple[str, ...]
    """Fields that a client sends and sees again."""
    free_method: str | None
    """A method that the collection's path does not have."""
    key_prefix: str | None
    """The start of keys that clients choose; None where the service makes them, or they have a form."""
    kind: str = "life"
    """"life" of things that clients make, "look" at things that they cannot make, "single" document."""
    finds: tuple[Call, ...] = ()
    amend: dict[str, Any] | None = None
    """What an amend sends: its query, or its body."""
    own_key: str = ""
    """The key of one that is made by a PUT on its path."""
    seed: str | None = None
    """The key of a thing that is there at the start, under `seed_scope`."""
    seed_count: int = 0

    @property
    def list_suffix(self) -> str:
        """The query string of a list with its question mark; "" for none."""
        return f"?{urlencode(self.list_query)}" if self.list_query else ""

    @property
    def fresh_key(self) -> str | None:
        """Source of a key that no other run uses, where clients choose keys and any text is one."""
        return self.key_prefix and f'f"{self.key_prefix}{{uuid4().hex[:8]}}"'

    @property
    def filter_query(self) -> str:
        """The query string that finds `new` and not `other`."""
        if self.filter is None:
            return ""
        value = self.new[self.filter[1]]
        return "?" + urlencode({self.filter[0]: str(value).lower() if isinstance(value, bool) else value})

    @property
    def fixed_parents(self) -> tuple[str, ...]:
        """Source of the values for the variable parts after the last known parent."""
        known = [index for index, (_, table, _) in enumerate(self.parents) if table is not None]
        return tuple(show(value) for _, _, value in self.parents[known[-1] + 1 :]) if known else ()

    @property
    def path_expression(self) -> str:
        """The path of the collection as Python source, with `parent` as the path of the thing above it."""
        known = [index for index, (_, table, _) in enumerate(self.parents) if table is not None]
        path = self.resource.path
        for name, table, value in self.parents:
            if table is None:
                path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
        if not known:
            return show(path)
        last = self.parents[known[-1]][0]
        return f"parent + {show(path.partition(f'{{{last}}}')[2])}"

    @property
    def literal_parents(self) -> tuple[Any, ...]:
        """Values for the variable parts of the collection's path, where no resource is known for them."""
        return tuple(value for _, _, value in self.parents)

    def shown_of(self, body: dict[str, Any] | None) -> tuple[str, ...]:
        """Return the names of the fields of `body` that answers must repeat."""
        return tuple(self.visible(body))

    def visible(self, body: dict[str, Any] | None) -> dict[str, Any]:
        """Return the part of a request body that answers must repeat."""
        return {name: value for name, value in (body or {}).items() if name in self.shown}
