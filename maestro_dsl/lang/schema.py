"""Checks data against the grammar in `schemas/v1` and says what is wrong, on the token itself.

Builds no values: see `maestro_dsl.lang.decode`. Who finds the breaches: `maestro_dsl.lang.validators`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from maestro_dsl.diagnostics import Diagnostic, Fix, Quota, Severity, Span
from maestro_dsl.lang.breaches import breaches_of
from maestro_dsl.lang.edits import respell
from maestro_dsl.lang.model import Json, Kind
from maestro_dsl.lang.sourcemap import Pointer, SourceMap
from maestro_dsl.lang.suggest import closest, guessed
from maestro_dsl.lang.units import MESSAGES, is_duration
from maestro_dsl.lang.unknown import speaks_of
from maestro_dsl.lang.validators import Violation, schema_of, subschema, validator_of
from maestro_dsl.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Outcome of a check: findings, and the pointers that cannot be decoded."""

    diagnostics: tuple[Diagnostic, ...] = ()
    holes: tuple[Pointer, ...] = ()
    misspelt: tuple[tuple[Pointer, str], ...] = ()
    """Unknown keys, each with the key that was probably meant."""
    meant: tuple[tuple[Pointer, str], ...] = ()
    """Values outside their set, each with the one that was probably meant."""


def check(
    kind: Kind, data: Mapping[str, Json], source: SourceMap, *, unknown: tuple[Pointer, ...] = ()
) -> Checked:
    """Return what the grammar of `kind` says about `data`, sorted by no order in particular.

    About the values at `unknown` it says nothing; they are holes.
    """
    breaches = breaches_of(validator_of(kind), dict(data))
    violations = [item for item in breaches.found if not _is_unknown_yet(kind, data, item.pointer)]
    if not violations:
        return Checked(holes=(*unknown, *breaches.unseen))
    explain = Explainer(kind, data, source)
    found: list[Diagnostic] = []
    holes: list[Pointer] = [*unknown, *breaches.unseen]
    follows = speaks_of(unknown)
    for violation in violations:
        if not follows(violation):
            found += explain.diagnostics(violation)
        holes += explain.holes(violation)
    return Checked(
        diagnostics=tuple(found),
        holes=tuple(dict.fromkeys(holes)),
        misspelt=tuple(explain.misspelt.items()),
        meant=tuple(explain.meant.items()),
    )


def _is_unknown_yet(kind: Kind, data: Mapping[str, Json], pointer: Pointer) -> bool:
    """Return whether a value is an expression below `with`: it keeps its type and is checked later."""
    if kind is not Kind.BLUEPRINT or len(pointer) < _INSIDE_WITH or pointer[2] != "with":
        return False
    value = _at(data, pointer)
    return isinstance(value, str) and "{{" in value


_INSIDE_WITH: Final = 4
_MOST_GUESSES: Final = 200
"""Unknown keys of a document for which the nearest key is looked for; more are no slips of a hand."""


class Explainer:
    """Turns breaches of one document into findings; `root` is the schema, by default that of the kind."""

    def __init__(
        self,
        kind: Kind,
        data: Mapping[str, Json],
        source: SourceMap,
        *,
        root: dict[str, Any] | None = None,
        is_rendered: bool = False,
    ) -> None:
        self._kind = kind
        self._data = data
        self._source = source
        self._root = schema_of(kind) if root is None else root
        self._is_rendered = is_rendered
        self._quota = Quota()
        self.misspelt: dict[Pointer, str] = {}
        self.meant: dict[Pointer, str] = {}

    def holes(self, violation: Violation) -> Iterable[Pointer]:
        """Return what cannot be decoded because of a breach; a missing key leaves a hole by itself."""
        if violation.keyword in {"additionalProperties", "propertyNames"}:
            return [(*violation.pointer, name) for name in violation.detail]
        return [(*violation.pointer, *violation.detail)]

    def diagnostics(self, violation: Violation) -> Iterator[Diagnostic]:
        """Yield the findings of one breach, a finding for each key it names."""
        match violation.keyword:
            case "additionalProperties":
                for name in violation.detail:
                    if not self._quota.has_room("SCH001"):
                        return
                    yield self._unknown_key(violation, name)
            case "required":
                for name in violation.detail:
                    if self._quota.has_room("SCH002"):
                        yield self._missing_key(violation, name)
            case "enum" | "const":
                if self._quota.has_room("SCH004"):
                    yield self._bad_enum(violation)
            case keyword if self._quota.has_room("SCH003"):
                yield self._bad_name(violation) if keyword == "propertyNames" else self._wrong_type(violation)

    def _unknown_key(self, violation: Violation, name: str) -> Diagnostic:
        guesses = self._quota["SCH001"] <= _MOST_GUESSES
        span = self._source.key_span((*violation.pointer, name))
        schema = self._parent_schema(violation)
        valid = sorted(schema.get("properties", ()))
        free = [key for key in valid if guesses and not self._has(violation.pointer, key)]
        close = closest(name, [key for key in free if key in schema.get("required", ())]) or closest(
            name, free
        )
        if close is not None:
            self.misspelt.setdefault((*violation.pointer, name), close)
        joined, colon, value = name.partition(":")
        if colon and joined in free:
            help_text = f'write "{joined}: {value.strip()}", with a space behind the colon'
        else:
            elsewhere = None if close or not guesses else self._elsewhere(name)
            help_text = offered(close, "keys", valid, elsewhere=elsewhere)
        return Diagnostic(
            code="SCH001",
            name="unknown-key",
            severity=Severity.ERROR,
            span=span,
            message=f'unknown key "{name}" in {self._label(violation.pointer, violation.schema_path[:-1])}',
            help=help_text,
            fix=rename(self._source, span, close),
        )

    def _elsewhere(self, name: str) -> str | None:
        """Return where a key stands that is none here."""
        from maestro_dsl.lang.explain import places_of  # reads all grammars

        return f"it belongs to {found}" if (found := places_of(name, self._kind)) else None

    def _missing_key(self, violation: Violation, name: str) -> Diagnostic:
        label = self._label(violation.pointer, violation.schema_path[:-1])
        around = _around(violation.schema_path[:-1])
        known = subschema(self._root, around, "properties").get("properties", {}).get(name, {})
        meaning = str(known.get("description", ""))
        return Diagnostic(
            code="SCH002",
            name="missing-key",
            severity=Severity.ERROR,
            span=self._opening_span(violation.pointer),
            message=f'missing key "{name}" in {label}',
            help=f"{name}: {meaning[:1].lower()}{meaning[1:].rstrip('.')}" if meaning else None,
        )

    def _bad_enum(self, violation: Violation) -> Diagnostic:
        schema = self._parent_schema(violation)
        options = [str(item) for item in schema.get("enum", [schema.get("const")])]
        value = _at(self._data, violation.pointer)
        span = self._source.value_span(violation.pointer)
        close = closest(str(value), options) if isinstance(value, str) else None
        if close is not None:
            self.meant.setdefault(violation.pointer, close)
        label = self._key_label(violation.pointer)
        return Diagnostic(
            code="SCH004",
            name="bad-enum",
            severity=Severity.ERROR,
            span=span,
            message=f"{self._written(violation.pointer, value)} is not a value of {label}",
            help=offered(close, "values", options),
            fix=rename(self._source, span, close),
        )

    def _bad_name(self, violation: Violation) -> Diagnostic:
        name = violation.detail[0]
        unit = str(subschema(self._root, violation.schema_path).get("x-unit"))
        from maestro_dsl.lang.ways_out import way_out_of_name  # loads with the first mistake

        return Diagnostic(
            code="SCH003",
            name="wrong-type",
            severity=Severity.ERROR,
            span=self._source.key_span((*violation.pointer, name)),
            message=f'"{name}" {MESSAGES.get(unit, "cannot be a key here")}',
            help=way_out_of_name(name, unit),
        )

    def _wrong_type(self, violation: Violation) -> Diagnostic:
        value = _at(self._data, violation.pointer)
        place = violation.pointer
        if violation.keyword == "uniqueItems":
            place = (*place, next(at for at, item in enumerate(value) if item in value[:at]))
        return Diagnostic(
            code="SCH003",
            name="wrong-type",
            severity=Severity.ERROR,
            span=self._source.value_span(place),
            message=self._wrong_type_message(violation, value),
            help=self._way_out(violation, value),
        )

    def _way_out(self, violation: Violation, value: Json) -> str | None:
        """Return what to write where a value of a wrong type is almost the right one."""
        if self._is_rendered:
            return None
        from maestro_dsl.lang.ways_out import way_out  # loads with the first mistake

        raw = self._source.raw(violation.pointer)
        return way_out(value, self._parent_schema(violation), violation.keyword, raw)

    def _wrong_type_message(self, violation: Violation, value: Json) -> str:
        schema = self._parent_schema(violation)
        label = self._key_label(violation.pointer)
        unit = schema.get("x-unit")
        if unit == "duration" and violation.keyword == "pattern" and is_duration(value):
            return f"{label} must be longer than {value}"
        if unit is not None and violation.keyword in {"type", "pattern", "minimum"}:
            return f"{self._written(violation.pointer, value)} {MESSAGES[unit]}"
        wanted = schema.get(violation.keyword)
        expects = schema.get("x-expects")
        match violation.keyword:
            case "type" | "pattern" if expects:
                return f"{label} must be {expects}, not {'text' if self._is_rendered else type_of(value)}"
            case "type":
                return f"{label} must be {_type_names(wanted)}, not {type_of(value)}"
            case "minimum" | "maximum":
                bound = "at least" if violation.keyword == "minimum" else "at most"
                return f"{label} must be {bound} {wanted}, not {self._written(violation.pointer, value)}"
            case "minLength" | "minItems" | "minProperties":
                return f"{label} must not be empty"
            case "uniqueItems":
                return f"{label} states the same item twice"
            case _:
                return f"{label} is not valid here ({violation.keyword}: {shown(wanted)})"

    def _written(self, pointer: Pointer, value: Json) -> str:
        """Return a value as the user wrote it: 1.10 is not 1.1 to a person."""
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and not self._is_rendered
        return self._source.raw(pointer) if is_number else shown(value)

    def _opening_span(self, pointer: Pointer) -> Span:
        """Return where a mapping that lacks something is named: its key, or its first key."""
        value = _at(self._data, pointer)
        if pointer and isinstance(pointer[-1], str):
            return self._source.key_span(pointer)
        if isinstance(value, Mapping) and value:
            first = "kind" if not pointer and "kind" in value else next(iter(value))
            return self._source.key_span((*pointer, first))
        return self._source.value_span(pointer)

    def _parent_schema(self, violation: Violation) -> dict[str, Any]:
        """Return the subschema that holds the keyword."""
        *path, keyword = violation.schema_path
        return subschema(self._root, path, str(keyword))

    def _has(self, pointer: Pointer, key: str) -> bool:
        value = _at(self._data, pointer)
        return isinstance(value, Mapping) and key in value

    def _key_label(self, pointer: Pointer) -> str:
        keys = [step for step in pointer if isinstance(step, str)]
        item = f"item {pointer[-1] + 1} of " if pointer and isinstance(pointer[-1], int) else ""
        return f'{item}"{keys[-1]}"' if keys else self._kind.value

    def _label(self, pointer: Pointer, schema_path: tuple[str | int, ...]) -> str:
        """Name a mapping as people would: node "build", deliverable "api", "retry", contract "x"."""
        value = _at(self._data, pointer)
        own = None
        if isinstance(value, Mapping):
            own = value.get("id") if not pointer else value.get("name")
        if not pointer:
            return f'{self._kind.value.lower()} "{own}"' if isinstance(own, str) else self._kind.value.lower()
        if not schema_path:
            return f'"{pointer[-1]}"'
        schema_path = _around(schema_path)
        title = str(subschema(self._root, schema_path, "title").get("title", "mapping")).lower()
        if isinstance(pointer[-1], int):
            return f'{title} "{own}"' if isinstance(own, str) else f"{title} {pointer[-1] + 1}"
        is_entry = schema_path[-1] == "additionalProperties"
        return f'{title} "{pointer[-1]}"' if is_entry else f'"{pointer[-1]}"'


def _around(schema_path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Return the schema of the mapping that a condition is about: allOf, its number and then are left out."""
    if schema_path[-1:] != ("then",):
        return schema_path
    return schema_path[:-3] if isinstance(schema_path[-2], int) else schema_path[:-1]


def _at(data: Any, pointer: Pointer) -> Any:
    for step in pointer:
        data = data[step]
    return data


def offered(close: str | None, noun: str, valid: list[str], *, elsewhere: str | None = None) -> str:
    """Return what is valid, behind what was probably meant, or where the word belongs."""
    guess = guessed(close)
    guess = f"{elsewhere}; " if elsewhere else guess
    return f"{guess}valid {noun}: {', '.join(valid)}"


def rename(source: SourceMap, span: Span, close: str | None) -> Fix | None:
    """Return the fix that writes `close` at `span`, where there is such a guess."""
    if close is None:
        return None
    edits = (respell(source.text, span, close),)
    return Fix(title=f'change to "{close}"', edits=edits, safe=False)


def shown(value: Json) -> str:
    """Return a value as a message shows it."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


_LONGEST_SHOWN: Final = 60
_TYPE_NAMES: Final = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "empty",
}


def _type_names(wanted: Any) -> str:
    names = wanted if isinstance(wanted, list) else [wanted]
    return " or ".join(_TYPE_NAMES.get(str(name), str(name)) for name in names)


def type_of(value: Json) -> str:
    """Return what a value is, in words."""
    match value:
        case None:
            return "empty"
        case bool():
            return "true" if value else "false"
        case str():
            return f"the text {shown(value)}"
        case int() | float():
            return f"the number {value}"
        case dict():
            return "a mapping"
        case _:
            return "a list"
