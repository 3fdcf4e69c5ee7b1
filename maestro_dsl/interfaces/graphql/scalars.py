"""Pools of plausible values for a field of a leaf type, by the scalar's name and the field's name.

Choosing from a pool is for `world`; nothing here is random.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from graphql import GraphQLEnumType, GraphQLScalarType

from maestro_dsl.interfaces import wording
from maestro_dsl.interfaces.chance import between, hash32

if TYPE_CHECKING:
    from graphql import GraphQLNamedType

SIZE: Final = 12
_MAX_INT: Final = 2**31 - 1

_FORMATS: Final[tuple[tuple[str, str], ...]] = (
    (r"date_?time|instant|timestamp|zoned|rfc3339|_at$", "date-time"),
    (r"^(local_?)?date$|calendar_?date|iso_?date$", "date"),
    (r"^(local_?)?time$", "time"),
    (r"duration|period", "duration"),
    (r"ur[li]$|href|link$", "url"),
    (r"uuid|guid", "uuid"),
    (r"e_?mail", "email"),
    (r"phone|mobile", "phone"),
    (r"ipv6", "ipv6"),
    (r"^ip|ip_?address", "ipv4"),
    (r"host_?name|domain", "hostname"),
    (r"base64|bytes?$|blob|binary", "byte"),
)
"""Pattern of a scalar's name → format of its text."""
_POOLS: Final[tuple[tuple[str, str], ...]] = (
    (r"country_?code", "country_code"),
    (r"country", "country"),
    (r"currency", "currency"),
    (r"locale", "locale"),
    (r"language", "language"),
    (r"time_?zone", "timezone"),
    (r"colou?r|hex", "color"),
    (r"html|markdown|text|rich", "sentence"),
    (r"slug", "slug"),
    (r"post(al)?_?code|zip", "postcode"),
    (r"mime", "mime"),
    (r"semver|version", "version"),
)
"""Pattern of a scalar's name → pool of texts."""
_WHOLE: Final = re.compile(
    r"int|long|unsigned|port$|^(day|hour|minute|second|year|month|week)s?$|count|number$"
)
_REAL: Final = re.compile(r"decimal|float|double|money|amount|price|percent|weight|number|latitude|longitude")
_SMALL: Final[dict[str, tuple[int, int]]] = {
    "day": (1, 28),
    "hour": (0, 23),
    "minute": (0, 59),
    "second": (0, 59),
    "month": (1, 12),
    "year": (1990, 2026),
}
_EPOCH: Final = re.compile(r"\b(unix|epoch|milliseconds?|seconds since)\b", re.IGNORECASE)
_DATED: Final = re.compile(r"\b(ISO[ -]?8601|RFC[ -]?3339)\b")
_FREE: Final = re.compile(
    r"json|object|map$|^any|_any$|generic|metadata|dictionary|hash$|record|struct|variant"
)
_SPECIFIED: Final = (
    ("3339", "date-time"),
    ("4122", "uuid"),
    ("9562", "uuid"),
    ("3986", "url"),
    ("8601", "date-time"),
)
_OBJECTS: Final = (
    {"key": "value"},
    {"color": "teal", "size": 3},
    {"enabled": True},
    {"tags": ["new", "sale"]},
)


def leaf_pool(leaf: GraphQLNamedType, name: str, owner: str, seed: str, about: str = "") -> list[Any]:
    """Return the values for a field `name` of the type `owner`, whose type is the scalar or enum `leaf`.

    `about` is what the field's description says.
    """
    if isinstance(leaf, GraphQLEnumType):
        current = [key for key, value in leaf.values.items() if value.deprecation_reason is None]
        return current or list(leaf.values)
    seeds = [f"{seed}|{owner}.{name}#{number}" for number in range(SIZE)]
    if leaf.name == "Boolean":
        return [hash32(item) % 2 == 0 for item in seeds]
    if leaf.name == "Int":
        return [max(-_MAX_INT, min(_MAX_INT, wording.whole_number(name, item))) for item in seeds]
    if leaf.name == "Float":
        return [wording.number(name, item) for item in seeds]
    if leaf.name == "String" and _DATED.search(about):
        return _distinct([wording.by_format("date-time", item) for item in seeds])
    if leaf.name in {"String", "ID"}:
        return _distinct([wording.text(name, item, owner=owner) for item in seeds])
    return _custom(leaf, name, owner, seeds)


def _distinct(values: list[Any]) -> list[Any]:
    return list(dict.fromkeys(values))


def _custom(leaf: GraphQLNamedType, name: str, owner: str, seeds: list[str]) -> list[Any]:
    key = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", leaf.name).lower()
    url = (leaf.specified_by_url or "") if isinstance(leaf, GraphQLScalarType) else ""
    known = next((kind for number, kind in _SPECIFIED if number in url), None)
    if known is None and "timestamp" in key and _EPOCH.search(leaf.description or name):
        return [1_767_600_000_000 + between(0, 25_920_000, item) * 1000 for item in seeds]
    known = known or next((kind for pattern, kind in _FORMATS if re.search(pattern, key)), None)
    if known is not None:
        return _distinct([wording.by_format(known, item) for item in seeds])
    pool = next((pool for pattern, pool in _POOLS if re.search(pattern, key)), None)
    if pool is not None:
        return list(wording.pools()[pool])
    if key.endswith(("json_string", "jsonstring")):
        return ['{"key": "value"}', '{"enabled": true}', "[]"]
    if _FREE.search(key):
        return list(_OBJECTS)
    if _WHOLE.search(key):
        low, high = _SMALL.get(key.rstrip("s"), (0, 0))
        return [
            between(low, high, item) if high else max(1, wording.whole_number(name, item)) for item in seeds
        ]
    if _REAL.search(key):
        return [wording.number(key if "tude" in key else name, item) for item in seeds]
    return _distinct([wording.text(name, item, owner=owner) for item in seeds])
