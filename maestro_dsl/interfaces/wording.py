"""Realistic single values by format and by the name of what holds them: `city` gives a city, `price` 24.5.

Pools are packaged data, written once with Faker; nothing is downloaded and no heavy library is loaded.
Every choice is a hash of a text (`chance`). Whether a value suits its schema is checked by whoever asks.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maestro_dsl.interfaces.chance import between, hash32, pick, uuid

if TYPE_CHECKING:
    from collections.abc import Callable

_START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
_DAYS = 300
_SECONDS = 86_400

_BY_FORMAT = {
    "email": "email",
    "idn-email": "email",
    "uri": "url",
    "url": "url",
    "uri-reference": "url",
    "iri": "url",
    "hostname": "hostname",
    "idn-hostname": "hostname",
    "ipv4": "ipv4",
    "ip": "ipv4",
    "ipv6": "ipv6",
    "password": "password",
    "phone": "phone",
}

_BY_NAME: tuple[tuple[str, str], ...] = (
    (r"e_?mail|login$", "email"),
    (r"(first|given)_?name|^forename", "first_name"),
    (r"(last|family|sur)_?name|^surname", "last_name"),
    (r"user_?name|nickname|handle$|^login", "user_name"),
    (r"(full|display|person|customer|owner|author|contact)_?name|^author$|^owner$|^artist", "full_name"),
    (r"^(director|producer|creator|editor)s?$", "full_name"),
    (r"file_?name", "file_name"),
    (r"host_?name|^domain|_domain$", "hostname"),
    (r"company|organi[sz]ation|employer|vendor|brand", "company"),
    (r"job|profession|occupation|position_title", "job"),
    (r"phone|mobile|fax", "phone"),
    (
        r"(image|photo|avatar|thumbnail|picture|icon|logo).*(url|uri|href|link)|avatar$|photo_?urls?",
        "image_url",
    ),
    (r"url$|uri$|href$|link$|website|homepage|callback|sink$", "url"),
    (r"country_?code|^market$", "country_code"),
    (r"country", "country"),
    (r"city|town", "city"),
    (r"^state$|province|region", "state"),
    (r"street|address", "street"),
    (r"zip|post(al)?_?code", "postcode"),
    (r"currency", "currency"),
    (r"locale", "locale"),
    (r"language|^lang$", "language"),
    (r"time_?zone|^tz$", "timezone"),
    (r"colou?r", "color"),
    (r"gender|^sex$", "gender"),
    (r"status$|^phase$", "status"),
    (r"pet_?name|animal", "animal"),
    (r"genre", "genre"),
    (r"slug", "slug"),
    (r"category", "category"),
    (r"(mime|content|media)_?type", "mime"),
    (r"version", "version"),
    (r"user_?agent", "user_agent"),
    (r"(ip|ip_?address)$", "ipv4"),
    (r"password|secret", "password"),
    (r"path$|directory|folder_name", "path"),
    (r"^code$|error_?code", "error_code"),
    (r"tags?$|labels?$|keywords?$", "tag"),
    (r"title|headline|subject|task|todo|^summary", "title"),
    (r"product", "product"),
    (r"description|message|comment|text|notes?$|detail|body|content|reason|about|bio$|review", "sentence"),
)

_NUMBERS: tuple[tuple[str, float, float], ...] = (
    (r"lat(itude)?$", -60, 60),
    (r"(lng|lon|longitude)$", -150, 150),
    (r"price|amount|cost|total|fee|balance|salary", 5, 250),
    (r"percent|progress|score", 1, 99),
    (r"rating|stars", 1, 5),
    (r"year", 1990, 2026),
    (r"month", 1, 12),
    (r"age$", 18, 80),
    (r"^page|_page$", 1, 3),
    (r"limit|per_page|page_size", 20, 50),
    (r"offset|skip|^start$", 0, 0),
    (r"count|quantity|qty|stock|number_of", 1, 40),
    (r"width|height|size|length|bytes", 100, 4000),
    (r"duration|timeout|seconds|_ms$", 30, 900),
    (r"port$", 1024, 9000),
    (r"status_?code", 200, 204),
)

_OPAQUE = (
    "token",
    "hash",
    "digest",
    "etag",
    "sha1",
    "checksum",
    "cursor",
    "next_marker",
    "key",
    "jwt",
    "session",
)
_IDENTITY = re.compile(r"(^|_)(id|uuid|guid)s?$|[a-z0-9]Ids?$|ID$")


@cache
def pools() -> dict[str, list[str]]:
    """Return the packaged pools by name."""
    found: dict[str, list[str]] = json.loads(Path(__file__).with_name("pools.json").read_text("utf-8"))
    return found


def is_identity(name: str) -> bool:
    """Return whether something of this name identifies what it belongs to, or another thing."""
    return _IDENTITY.search(name) is not None


def by_format(kind: str, seed: str) -> str | None:
    """Return a text of a format, None where the format is not known."""
    if kind in _BY_FORMAT:
        return pick(pools()[_BY_FORMAT[kind]], seed)
    moment = _moment(seed)
    written: dict[str, Callable[[], str]] = {
        "date-time": lambda: moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "date": lambda: moment.strftime("%Y-%m-%d"),
        "time": lambda: moment.strftime("%H:%M:%SZ"),
        "duration": lambda: f"PT{between(1, 23, seed)}H",
        "uuid": lambda: uuid(seed),
        "byte": lambda: pick(("bWFlc3Rybw==", "aGVsbG8gd29ybGQ=", "c2FtcGxl"), seed),
        "base64": lambda: pick(("bWFlc3Rybw==", "aGVsbG8gd29ybGQ=", "c2FtcGxl"), seed),
        "json-pointer": lambda: "/" + pick(pools()["word"], seed),
        "regex": lambda: "^[a-z]+$",
        "decimal": lambda: f"{between(1, 99, seed)}.{between(10, 99, seed + '.')}",
        "int64": lambda: str(between(1, 99_999, seed)),
    }
    return written[kind]() if kind in written else None


def known_pool(name: str) -> str | None:
    """Return the name of the pool for texts that are called `name`, None where there is none."""
    key = _snake(name)
    return next((pool for pattern, pool in _BY_NAME if re.search(pattern, key)), None)


def text(name: str, seed: str, *, owner: str = "") -> str:
    """Return a text for something called `name` that belongs to an `owner` (a schema's name)."""
    key = _snake(name)
    if is_identity(name):
        return str(between(1000, 99_999, seed))
    if re.search(r"(_at|_on|date|_time|timestamp)$", key):
        return _moment(seed).strftime("%Y-%m-%dT%H:%M:%SZ")
    if key.endswith(_OPAQUE):
        return f"{hash32(seed):08x}{hash32(seed + '+'):08x}"
    if key == "name" and re.search(r"user|person|author|customer|employee|artist|owner", _snake(owner)):
        return pick(pools()["full_name"], seed)
    if key == "name" and re.search(r"pet|animal|dog|cat$", _snake(owner)):
        return pick(pools()["animal"], seed)
    if key == "name" and re.search(r"product|item", _snake(owner)):
        return pick(pools()["product"], seed)
    pool = known_pool(name)
    word = pick(pools()[pool or "word"], seed)
    return word.capitalize() if key == "name" else word


def number(name: str, seed: str) -> float:
    """Return a number for something called `name`, with at most two decimals."""
    if is_identity(name):
        return between(1, 9999, seed)
    key = _snake(name)
    for pattern, low, high in _NUMBERS:
        if re.search(pattern, key):
            return round(low + (high - low) * (hash32(seed) % 10_000) / 10_000, 2)
    return between(1, 100, seed) if hash32(seed) % 2 else between(1, 1000, seed + "+") / 10


def whole_number(name: str, seed: str) -> int:
    """Return an integer for something called `name`."""
    key = _snake(name)
    if re.search(r"timestamp|epoch|_at$|unix", key):
        return int(_moment(seed).timestamp())
    value = number(name, seed)
    return int(value)


def fit(value: str, low: int, high: int) -> str:
    """Return `value` lengthened with words or cut, so that its length is from `low` to `high`."""
    words: list[Any] = [value]
    length = len(value)
    while length < low:
        words.append(pick(pools()["word"], f"{value}{len(words)}"))
        length += 1 + len(words[-1])
    joined = " ".join(words)
    if len(joined) > high:
        cut = joined[:high]
        joined = cut.rstrip() if len(cut.rstrip()) >= low else cut
    return joined


def _moment(seed: str) -> datetime:
    return _START + timedelta(days=hash32(seed) % _DAYS, seconds=hash32(seed + "s") % (_SECONDS // 2))


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).replace("-", "_").lower()
