"""Bodies made from a good one: with other values that are still allowed, and with one mistake each.

Every variant is held against the schema before it is used, so a schema that says less than its names suggest
never gives a wrong expectation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from maestro_dsl.interfaces.openapi import shapes
from maestro_dsl.interfaces.openapi.sample import sample
from maestro_dsl.interfaces.openapi.validate import errors
from maestro_dsl.lang.model import Json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from maestro_dsl.interfaces.openapi.model import Api, Schema

_SEEDS = range(1, 5)
_MAX_MISSING = 4
_MAX_WRONG = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A body that the schema does not allow, and in words what is wrong with it."""

    what: str
    body: dict[str, Json]


def changed(
    api: Api,
    schema: Schema,
    body: Mapping[str, Json],
    *,
    shown: Schema | None = None,
    only: frozenset[str] | None = None,
    turn: int = 1,
) -> dict[str, Json]:
    """Return other allowed values for the properties of `body` that can have one, and nothing else.

    `shown` is the schema in which they will be answered, `only` limits which properties, and `turn` gives
    different values for each number.
    """
    known = shapes.properties(api, schema)
    result: dict[str, Json] = {}
    for name, value in body.items():
        wanted = name in known and (only is None or name in only)
        if not wanted or is_read_only(api, known[name]):
            continue
        for candidate in _candidates(api, known[name], value, turn):
            if candidate == value or not can_show(api, shown, name, candidate):
                continue
            if not errors(api, schema, {**body, name: candidate}, "request"):
                result[name] = candidate
                break
    return result


def showable(api: Api, schema: Schema, body: Mapping[str, Json], shown: Schema | None) -> dict[str, Json]:
    """Return `body` without the optional values that the answer's schema `shown` could not repeat."""
    needed = shapes.required(api, schema)
    return {
        name: value for name, value in body.items() if name in needed or can_show(api, shown, name, value)
    }


def can_show(api: Api, shown: Schema | None, name: str, value: Json) -> bool:
    """Return whether an answer of schema `shown` may hold this value; also where it has no place for it."""
    known = shapes.properties(api, shown)
    return name not in known or not errors(api, known[name], value, "response")


def _candidates(api: Api, schema: Schema, value: Json, turn: int) -> Iterator[Json]:
    if shapes.keyword(api, schema, "enum") is not None:
        options = shapes.keyword(api, schema, "enum")
        if isinstance(options, list) and value in options:
            start = options.index(value)
            yield from options[start + 1 :] + options[:start]
        return
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, (int, float)):
        yield from (value + turn, value - turn)
    elif isinstance(value, str):
        if "@" in value:
            yield f"v{turn}.{value}"
        yield from (f"{value} {turn}", f"{value}{turn}", f"{value[:-1]}{turn}")
    for seed in _SEEDS:
        yield sample(api, schema, seed=seed * 31 + turn, direction="request")


def broken(api: Api, schema: Schema, body: Mapping[str, Json]) -> tuple[Broken, ...]:
    """Return bodies with one mistake each: a required field left out, a value of the wrong type or range."""
    found = [*_without_required(api, schema, body)][:_MAX_MISSING]
    found += [*_with_wrong_values(api, schema, body)][:_MAX_WRONG]
    return tuple(variant for variant in found if errors(api, schema, variant.body, "request"))


def _without_required(api: Api, schema: Schema, body: Mapping[str, Json]) -> Iterator[Broken]:
    known = shapes.properties(api, schema)
    for name in shapes.required(api, schema):
        if name in body and not is_read_only(api, known.get(name, True)):
            left = {key: value for key, value in body.items() if key != name}
            yield Broken(what=f'without the required field "{name}"', body=left)


def _with_wrong_values(api: Api, schema: Schema, body: Mapping[str, Json]) -> Iterator[Broken]:
    wrong: Mapping[str, Json] = {
        "string": {"not": "a string"},
        "integer": "not a number",
        "number": "not a number",
        "boolean": "not a boolean",
        "array": "not a list",
        "object": "not an object",
    }
    for name, entry in shapes.properties(api, schema).items():
        if is_read_only(api, entry):
            continue
        options = shapes.keyword(api, entry, "enum")
        if isinstance(options, list) and options and all(isinstance(option, str) for option in options):
            bad = {**body, name: "maestro-no-such-value"}
            yield Broken(what=f'with a value of "{name}" that the enum does not list', body=bad)
        kind = shapes.type_of(api, entry)
        if kind in wrong:
            yield Broken(what=f'with "{name}" that is no {kind}', body={**body, name: wrong[kind]})


def is_read_only(api: Api, schema: Schema) -> bool:
    """Return whether the property is only ever answered, never sent."""
    return shapes.keyword(api, schema, "readOnly") is True


def kept(api: Api, schema: Schema | None, sent: Mapping[str, Json]) -> frozenset[str]:
    """Return which of the sent properties an answer of this schema is expected to show again."""
    known = shapes.properties(api, schema)
    return frozenset(
        name
        for name, value in sent.items()
        if name in known
        and value is not None
        and not is_read_only(api, known[name])
        and shapes.keyword(api, known[name], "writeOnly") is not True
        and can_show(api, schema, name, value)
    )


def same(sent: Json, got: Json) -> bool:
    """Return whether `got` says what `sent` said; case, outer spaces and added inner fields are forgiven."""
    if isinstance(sent, str) and isinstance(got, str):
        return _plain(sent) == _plain(got)
    if isinstance(sent, dict) and isinstance(got, dict):
        return all(value is None or same(value, got.get(name)) for name, value in sent.items())
    if isinstance(sent, list) and isinstance(got, list):
        return len(sent) == len(got) and all(same(*pair) for pair in zip(sent, got, strict=True))
    if isinstance(sent, (int, float)) and isinstance(got, (int, float)):
        return isinstance(sent, bool) == isinstance(got, bool) and sent == got
    return sent == got


def _plain(text: str) -> str:
    """Forgive what services normalise: spaces, case, and how a moment in UTC is written."""
    bare = text.strip().casefold()
    for zone in ("+00:00", "z"):
        if bare.endswith(zone) and "t" in bare[:12]:
            return bare.removesuffix(zone).rstrip("0").rstrip(".:")
    return bare
