"""Whether the security that a document requires is one that it declares: for `lint`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maestro_dsl.interfaces.openapi.templates import Mistake
from maestro_dsl.lang.schema import type_of
from maestro_dsl.lang.suggest import closest, guessed, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from maestro_dsl.interfaces.openapi.templates import Place


def wrong_requirements(
    document: Mapping[str, Any], node: Mapping[str, Any], place: Place
) -> Iterator[Mistake]:
    """Yield what is wrong with the `security` of a document or an operation, which stands at `place`."""
    entries = node.get("security")
    for at, entry in enumerate(entries if isinstance(entries, list) else ()):
        here = ((place, "security"), at)
        if not isinstance(entry, dict):
            message = f"a security requirement must be a mapping, not {type_of(entry)}"
            way = f"write {{{entry}: []}}" if isinstance(entry, str) else "write {<name of the scheme>: []}"
            yield Mistake.at_value(here, message, way)
            continue
        for name, scopes in entry.items():
            yield from _requirement(_declared(document), name, scopes, here)


def _requirement(declared: Mapping[str, Any], name: str, scopes: object, place: Place) -> Iterator[Mistake]:
    if name not in declared and not _is_address(name):
        near = closest(name, declared)
        guess = guessed(near)
        known = (
            f"declared: {listed(tuple(declared))}" if declared else "declare it in components.securitySchemes"
        )
        message = f'the security scheme "{name}" is not declared and is left out'
        yield Mistake.at_key(place, name, message, f"{guess}{known}")
    if not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in scopes):
        message = f'what "{name}" requires must be a list of scopes, not {_what(scopes)}'
        yield Mistake.at_value((place, name), message, f"write {name}: [] where it requires none")


def _what(scopes: object) -> str:
    return "a list of other things" if isinstance(scopes, list) else type_of(scopes)  # type: ignore[arg-type]


def _declared(document: Mapping[str, Any]) -> Mapping[str, Any]:
    components = document.get("components")
    schemes = components.get("securitySchemes") if isinstance(components, dict) else None
    return schemes if isinstance(schemes, dict) else {}


def _is_address(name: str) -> bool:
    """Return whether a name is the address of a scheme elsewhere, as OpenAPI 3.2 allows."""
    return "/" in name or "#" in name
