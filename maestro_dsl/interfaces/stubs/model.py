"""What an interface of code or data says, whatever language it is written in: types and services.

Types are JSON Schemas that refer to each other by `#/components/schemas/<name>`; a service is a set of
methods.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from maestro_dsl.interfaces.openapi.model import Api

if TYPE_CHECKING:
    from maestro_dsl.lang.model import Json

REF = "#/components/schemas/"
MODULE = "Module"
"""The service that functions outside any class belong to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of a method."""

    name: str
    schema: Mapping[str, Any]
    required: bool = True
    keyword_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One function; `returns` is {"type": "null"} for nothing."""

    name: str
    arguments: tuple[Argument, ...] = ()
    returns: Mapping[str, Any] = field(default_factory=dict)
    is_async: bool = False
    doc: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Something that can be called."""

    name: str
    methods: tuple[Method, ...]
    doc: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """All types and services of one file; `root` names the type of the file's own schema, if it is one."""

    """"json_schema", "python" or "typescript"."""
    title: str
    types: Mapping[str, Any]
    services: tuple[Service, ...] = ()
    root: str | None = None

    @property
    def api(self) -> Api:
        """The types in the form that samples and validators take; the same object for the same types."""
        return Api(
            title=self.title,
            version="1",
            openapi_version="3.1.0",
            document={"components": {"schemas": dict(self.types)}},
        )


def reference(name: str) -> dict[str, Json]:
    """Return a schema that stands for the type `name`."""
    return {"$ref": REF + name}


def union(options: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the schema of a value that is one of several."""
    flat = [option for option in options if option]
    return flat[0] if len(options) == 1 and flat else {"anyOf": options} if len(flat) == len(options) else {}
