"""What to write in place of a value of a wrong type that is almost the right one: the help of SCH003."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final

from maestro_dsl.lang.quoting import written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from maestro_dsl.lang.model import Json

_BOOLEANS: Final = {
    **dict.fromkeys(("true", "yes", "on", "y"), "true"),
    **dict.fromkeys(("false", "no", "off", "n"), "false"),
}
"""What readers of YAML 1.1 take for true and false."""

_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_COMMA: Final = re.compile(r"[0-9]+,[0-9]+")
_PERCENT: Final = re.compile(r"([0-9]{1,3}) ?%?")
_HUNDRED: Final = 100
_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([a-z]+)", re.IGNORECASE)
_ISO_DURATION: Final = re.compile(r"PT?([0-9]+)([DHMS])")
_SPANS: Final = {
    **dict.fromkeys(("ms", "msec", "millis", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("d", "day", "days"), "d"),
}
_MONEY: Final = re.compile(r"(?:\$|USD)? ?([0-9]+(?:\.[0-9]{1,9})?) ?(?:\$|USD)?", re.IGNORECASE)
_TOKENS: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(?:([km])[a-z]*)?", re.IGNORECASE)
_VERSION: Final = re.compile(r"v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORDS: Final = re.compile(r"[^\s,]+")
_ID: Final = re.compile(r"[a-z][a-z0-9_-]*")


def way_out(value: Json, schema: Mapping[str, Any], keyword: str, raw: str) -> str | None:
    """Return what to write instead of a value that `keyword` of `schema` refuses; `raw` is as it stands."""
    if value is None and keyword == "type":
        return "give it a value, or leave the key out"
    wanted = schema.get("type")
    names = set(wanted if isinstance(wanted, list) else [wanted])
    unit = _UNITS.get(schema.get("x-unit", ""))
    is_single = isinstance(value, (str, int, float)) and not isinstance(value, bool)
    if unit is not None and is_single and keyword in {"type", "pattern", "minimum"}:
        meant = unit(raw if isinstance(value, (int, float)) else str(value))
        return None if meant in {None, value} else f"write {meant}"
    if keyword == "maximum" and schema.get("maximum") == 1 and (meant := _share(raw)):
        return f"write {meant}"
    if keyword != "type":
        return None
    if isinstance(value, str):
        return _from_text(value, names, schema, raw)
    if isinstance(value, list) and names == {"object"} and "additionalProperties" in schema:
        return _from_list(value, schema)
    if names == {"string"} and is_single and re.search(schema.get("pattern", ""), raw):
        return f'write "{raw}" where text is meant'
    return None


def way_out_of_name(name: str, unit: str) -> str | None:
    """Return what to write instead of a key that is no name of its unit."""
    meant = _UNITS[unit](name) if unit in _UNITS else None
    return None if meant in {None, name} else f"write {meant}"


def _from_text(value: str, names: set[str], schema: Mapping[str, Any], raw: str) -> str | None:
    boolean = _BOOLEANS.get(value.casefold())
    if "boolean" in names and boolean is not None:
        return f"write {boolean} without quotes" if boolean == value else f"write {boolean}"
    if names & {"integer", "number"}:
        return _as_number(value, names, schema, is_quoted=raw[:1] in {"'", '"'})
    if "\n" in value or not value:
        return None
    if "array" in names:
        expects = schema.get("x-expects", "")
        items = _arguments(value) if "arguments" in expects else _WORDS.findall(value) if expects else [value]
        return f"write [{', '.join(written(item, in_flow=True) for item in items)}]"
    required = schema.get("required", ())
    if names == {"object"} and len(required) == 1:
        return f"write {{{required[0]}: {written(value, in_flow=True)}}}"
    return None


def _from_list(value: list[Json], schema: Mapping[str, Any]) -> str | None:
    """Return how items of a list stand in a mapping from names that users choose."""
    if not schema["additionalProperties"]:
        return None
    first = value[0] if value else None
    name = (
        next((first[key] for key in ("id", "name") if key in first), None)
        if isinstance(first, dict)
        else first
    )
    shown = name if isinstance(name, str) and _ID.fullmatch(name) else "name"
    return f"write each item below its name, as {shown}: …"


def _as_number(value: str, names: set[str], schema: Mapping[str, Any], *, is_quoted: bool) -> str | None:
    if value.isdecimal() or ("number" in names and _NUMBER.fullmatch(value)):
        return f"write {value} without quotes" if is_quoted else f"write {value.lstrip('0') or '0'}"
    if "number" in names and _COMMA.fullmatch(value):
        return f"write {value.replace(',', '.')}"
    meant = _share(value) if schema.get("maximum") == 1 else None
    return None if meant is None else f"write {meant}"


def _share(text: str) -> str | None:
    """Return a number of percent as a share of 1."""
    match = _PERCENT.fullmatch(text)
    return f"{int(match[1]) / _HUNDRED:g}" if match and int(match[1]) <= _HUNDRED else None


def _arguments(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # a quote without its other half
        return text.split()


def _duration(text: str) -> str | None:
    if _NUMBER.fullmatch(text):
        return None if text.startswith("-") else f"{text}s, {text}m or {text}h"
    match = _DURATION.fullmatch(text) or _ISO_DURATION.fullmatch(text)
    unit = _SPANS.get(match[2].casefold()) if match else None
    return f"{match[1]}{unit}" if match and unit else None


def _money(text: str) -> str | None:
    match = _MONEY.fullmatch(text.strip())
    return f"{match[1]} USD" if match else None


def _tokens(text: str) -> str | None:
    match = _TOKENS.fullmatch(re.sub(r"(?<=[0-9])[_, '](?=[0-9])", "", text))
    if match is None:
        return None
    return match[1] + {"k": "k", "m": "M"}.get((match[2] or "").casefold(), "")


def _version(text: str) -> str | None:
    match = _VERSION.fullmatch(text)
    return '"{}"'.format(".".join(part or "0" for part in match.groups())) if match else None


def _id(text: str, joint: str = "_") -> str | None:
    words = re.findall(r"[a-z0-9]+", _HUMP.sub(" ", text).casefold())
    meant = joint.join(words)
    return meant if _ID.fullmatch(meant) and "{{" not in text else None


def _kebab(text: str) -> str | None:
    return _id(text, "-")


_UNITS: Final[Mapping[str, Callable[[str], str | None]]] = {
    "duration": _duration,
    "tokens": _tokens,
    "money": _money,
    "version": _version,
    "id": _id,
    "name": _id,
    "kebab": _kebab,
    "id_or_expression": _id,
}
"""By unit what a text of it was probably meant to be; None where nobody can tell."""
