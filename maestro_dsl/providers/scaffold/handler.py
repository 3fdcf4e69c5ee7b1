"""What the template of one operation needs: parameters, filters, paging, what is stored and shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from maestro_dsl.providers.scaffold.pysource import Node, Raw, call, show

_DEFAULT_PAGE: Final = 20


@dataclass
class Handler:
    """What the template needs of one operation."""

    verb: str
    name: str
    doc: str
    table: str
    noun: str
    status: int
    reads: list[str] = field(default_factory=list)
    is_checked: bool = False
    scope: list[str] = field(default_factory=list)
    parent: tuple[str, str, list[str]] | None = None
    """Of a nested thing: the parent's table, key variable, and scope variables."""
    key: str = ""
    body: str = ""
    filters: list[tuple[str, str]] = field(default_factory=list)
    limit: str = "None"
    offset: str = "0"
    before: list[tuple[str, str]] = field(default_factory=list)
    sent: str = ""
    after: list[tuple[str, str]] = field(default_factory=list)
    kept: str = ""
    """The constant with the fields that a replace leaves as they are."""
    page_from: int | None = None
    """The number of the first page, where `offset` holds a page."""
    key_literal: str = ""
    is_upsert: bool = False
    made_status: int = 201
    is_single: bool = False
    has_key: bool = True
    changes: list[tuple[str, str]] = field(default_factory=list)
    """Of an amend: field and the variable of the parameter that sets it."""
    answers_list: bool = False
    shown: str = "{}"
    envelope: list[tuple[str, str]] = field(default_factory=list)
    location: list[str] = field(default_factory=list)
    answers: bool = True
    cascade: tuple[str, ...] = ()
    ignored: list[str] = field(default_factory=list)
    """Names of parameters that are read and have no effect."""
    variables: list[str] = field(default_factory=list)

    @property
    def uses_total(self) -> bool:
        """True where the answer says how many there are."""
        return any(value == "total" for _, value in self.envelope)

    @property
    def limit_value(self) -> str:
        """The expression of how many items are shown; pages need a size in any case."""
        return str(_DEFAULT_PAGE) if self.page_from is not None and self.limit == "None" else self.limit

    @property
    def offset_value(self) -> str:
        """The expression of how many items are skipped."""
        if self.page_from is None:
            return self.offset
        page = f"({self.offset} - 1)" if self.page_from else self.offset
        return f"{page} * {self.limit_value}"

    @property
    def scope_argument(self) -> str:
        """The keyword argument that names the parents; "" for none."""
        return f", scope=scope_of({', '.join(self.scope)})" if self.scope else ""

    @property
    def scope_alone(self) -> str:
        """The keyword argument that names the parents, as the only one."""
        return self.scope_argument.removeprefix(", ")

    @property
    def find(self) -> str:
        """The statement that reads one page of a collection."""
        filters = Raw("{" + ", ".join(f"{name}: {value}" for name, value in self.filters) + "}")
        arguments: list[Node] = [filters] if self.filters else []
        more: dict[str, Node] = {"scope": Raw(f"scope_of({', '.join(self.scope)})")} if self.scope else {}
        if self.limit_value != "None":
            more["limit"] = Raw(self.limit_value)
        if self.offset_value != "0":
            more["offset"] = Raw(self.offset_value)
        target = f"items, {'total' if self.uses_total else '_'} = "
        return target + show(call(f"store.{self.table}.find", *arguments, **more), 4, lead=len(target))

    def show(self, expression: str) -> str:
        """Return the expression of what a client sees of a stored document."""
        return self.shown.replace("{}", expression)
