"""Whether the paths of an OpenAPI document and the path parameters of its operations agree: for `lint`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from maestro_dsl.interfaces.openapi.fields import METHODS
from maestro_dsl.interfaces.openapi.model import follow
from maestro_dsl.lang.sourcemap import Pointer
from maestro_dsl.lang.suggest import closest, guessed
from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Place: TypeAlias = "tuple[Place, str | int] | None"
"""A way in the document, from its end: cheap to make where most are never looked at."""

_TEMPLATE: Final = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """What is wrong with one token of a document."""

    pointer: Pointer
    message: str
    help: str | None = None
    is_key: bool = False
    """True where the key is what is wrong, not its value."""
    part: tuple[int, int] | None = None
    """From and up to which character of that key, where not all of it is."""
    first: Pointer | None = None
    """What it repeats: a value, or a key where it is one itself."""
    first_message: str = ""

    @classmethod
    def at(cls, place: Place, message: str, help_text: str | None = None) -> Mistake:
        """Return what is wrong with an object as a whole: it is shown at its key."""
        return cls(pointer=pointer(place), message=message, help=help_text, is_key=True)

    @classmethod
    def at_key(cls, place: Place, key: str, message: str, help_text: str | None) -> Mistake:
        """Return what is wrong with one key of the object at `place`."""
        return cls.at((place, key), message, help_text)

    @classmethod
    def at_value(
        cls,
        place: Place,
        message: str,
        help_text: str | None = None,
        *,
        first: Place = None,
        first_message: str = "",
    ) -> Mistake:
        """Return what is wrong with a value, and which it repeats."""
        where = pointer(first) if first is not None else None
        return cls(
            pointer=pointer(place), message=message, help=help_text, first=where, first_message=first_message
        )


def pointer(place: Place) -> Pointer:
    """Return a way from its start."""
    steps: list[str | int] = []
    while place is not None:
        place, step = place
        steps.append(step)
    return tuple(reversed(steps))


def path_mistakes(document: Mapping[str, Any]) -> Iterator[Mistake]:
    """Yield paths that are the same, and where the names in a path and its path parameters differ."""
    shapes: dict[str, str] = {}
    paths = document.get("paths")
    for path, raw in paths.items() if isinstance(paths, dict) else ():
        item = follow(document, raw)
        if path.startswith("x-") or not isinstance(item, dict):
            continue
        same = shapes.setdefault(_TEMPLATE.sub("{}", path), path)
        if same != path:
            message = f'this is the path "{same}" but for the names in it; nobody can tell them apart'
            yield Mistake(
                pointer=("paths", path),
                message=message,
                help="write their operations below one path",
                is_key=True,
                first=("paths", same),
                first_message="first written here",
            )
        yield from _PathItem(document, path, item).mistakes()


class _PathItem:
    """The parameters of one path and of its operations, against the names in the path."""

    def __init__(self, document: Mapping[str, Any], path: str, item: dict[str, Any]) -> None:
        self._document = document
        self._path = path
        self._item = item
        self._at: Place = ((None, "paths"), path)
        self._names = {_bare(match[1]): match.span() for match in _TEMPLATE.finditer(path)}

    def mistakes(self) -> Iterator[Mistake]:
        shared, has_strange = self._declared(self._item, self._at)
        yield from has_strange
        lacking: dict[str, list[str]] = {}
        elsewhere: dict[str, str] = {}
        total = 0
        for key, operation in self._item.items():
            if key.lower() not in METHODS or not isinstance(operation, dict):
                continue
            total += 1
            own, strange = self._declared(operation, (self._at, key))
            yield from strange
            if has_strange or strange or None in own or None in shared:
                continue  # what is wrong there is said there
            for name in self._names:
                places = own.get(name, set()) | shared.get(name, set())
                if not places - _OTHERS:
                    lacking.setdefault(name, []).append(key.upper())
                    elsewhere.update((name, place) for place in sorted(places))
        for name, methods in lacking.items():
            yield self._undeclared(name, methods if len(methods) < total else [], elsewhere.get(name))

    def _undeclared(self, name: str, methods: list[str], elsewhere: str | None) -> Mistake:
        by = f" by {' and '.join(methods)}" if methods else ""
        way = f"declare it: {{name: {name}, in: path, required: true, schema: {{type: string}}}}"
        return Mistake(
            pointer=pointer(self._at),
            message=f'the path parameter "{name}" is not declared{by}',
            help=f"it is declared in {elsewhere}; write in: path" if elsewhere else way,
            is_key=True,
            part=self._names[name],
        )

    def _declared(
        self, owner: dict[str, Any], place: Place
    ) -> tuple[dict[str | None, set[str]], list[Mistake]]:
        """Return where each name is declared (None: what cannot be read), and what the path lacks."""
        found: dict[str | None, set[str]] = {}
        strange: list[Mistake] = []
        entries = owner.get("parameters", [])
        if not isinstance(entries, list) or any(_is_misspelt(key) for key in owner):
            return {None: set()}, []
        for at, entry in enumerate(entries):
            item = follow(self._document, entry)
            name = item.get("name") if isinstance(item, dict) else None
            where = item.get("in") if isinstance(item, dict) else None
            if not isinstance(name, str) or not isinstance(where, str):
                found[None] = set()
                leads = _no_parameter(entry, item)
                strange += [Mistake.at_value((((place, "parameters"), at), "$ref"), leads)] if leads else []
                continue
            found.setdefault(_bare(name), set()).add(where)
            if where == "path" and _bare(name) not in self._names:
                token = "$ref" if "$ref" in entry else "name"
                strange.append(self._strange(name, (((place, "parameters"), at), token)))
        return found, strange

    def _strange(self, name: str, place: Place) -> Mistake:
        near = closest(name, self._names)
        guess = guessed(near)
        there = ", ".join(f"{{{known}}}" for known in self._names) or "no parameter"
        message = f'the path "{self._path}" has no parameter "{name}"'
        return Mistake.at_value(place, message, f"{guess}in the path: {there}")


_OTHERS: Final = frozenset({"query", "header", "cookie", "querystring"})


def _bare(name: str) -> str:
    """Return a name without what frameworks write beside it ("path*", "proxy+", "id:[0-9]+")."""
    return re.split(r"[:=]", name, maxsplit=1)[0].strip("+*")


def _no_parameter(entry: object, item: object) -> str | None:
    """Return that a reference leads to something else, unless that is told where it leads."""
    ref = entry.get("$ref") if isinstance(entry, dict) else None
    if not isinstance(ref, str) or item is None or ref.startswith("#/components/parameters/"):
        return None
    return f'"{ref}" leads to no parameter'


def _is_misspelt(key: str) -> bool:
    return key != "parameters" and closest(key, ("parameters",)) is not None
