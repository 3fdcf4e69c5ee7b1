"""Checks data against the grammar in `schemas/v1` and says what is wrong, on the token itself.

Builds no values: see `maestro_dsl.lang.decode`. Who finds the breaches: `maestro_dsl.lang.validators`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from maestro_dsl.diagnostics import Diagnostic, Fix, Quota, Severity, Span
from maestro_dsl.lang.breaches import breaches_of
from maestro_dsl.lang.edits import respell
from maestro_dsl.lang.model import API_VERSION, Json, Kind
from maestro_dsl.lang.quoting import written
from maestro_dsl.lang.respellings import OLD_VERSIONS
from maestro_dsl.lang.sourcemap import Pointer, SourceMap
from maestro_dsl.lang.suggest import closest
from maestro_dsl.lang.units import MESSAGES
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
    misspelt = tuple(explain.misspelt.items())
    return Checked(diagnostics=tuple(found), holes=tuple(dict.fromkeys(holes)), misspelt=misspelt)


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
        return Diagnostic(
            code="SCH001",
            name="unknown-key",
            severity=Severity.ERROR,
            span=span,
            message=f'unknown key "{name}" in {self._label(violation.pointer, violation.schema_path[:-1])}',
            help=_hint(
                close, "keys", valid, elsewhere=None if close or not guesses else self._elsewhere(name)
            ),
            fix=_rename(self._source, span, close),
        )

    def _elsewhere(self, name: str) -> str | None:
        """Return where a key stands that is none here."""
        from maestro_dsl.lang.explain import places_of  # reads all grammars

        return f"it belongs to {found}" if (found := places_of(name, self._kind)) else None

    def _missing_key(self, violation: Violation, name: str) -> Diagnostic:
        label = self._label(violation.pointer, violation.schema_path[:-1])
        known = self._parent_schema(violation).get("properties", {}).get(name, {})
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
        label = self._key_label(violation.pointer)
        return Diagnostic(
            code="SCH004",
            name="bad-enum",
            severity=Severity.ERROR,
            span=span,
            message=f"{self._written(violation.pointer, value)} is not a value of {label}",
            help=_hint(close, "values", options),
            fix=_rename(self._source, span, close),
        )

    def _bad_name(self, violation: Violation) -> Diagnostic:
        name = violation.detail[0]
        target = subschema(self._root, violation.schema_path)
        return Diagnostic(
            code="SCH003",
            name="wrong-type",
            severity=Severity.ERROR,
            span=self._source.key_span((*violation.pointer, name)),
            message=f'"{name}" {MESSAGES.get(str(target.get("x-unit")), "cannot be a key here")}',
        )

    def _wrong_type(self, violation: Violation) -> Diagnostic:
        value = _at(self._data, violation.pointer)
        return Diagnostic(
            code="SCH003",
            name="wrong-type",
            severity=Severity.ERROR,
            span=self._source.value_span(violation.pointer),
            message=self._wrong_type_message(violation, value),
            help=self._way_out(violation, value),
        )

    def _way_out(self, violation: Violation, value: Json) -> str | None:
        """Return what to write where a value of a wrong type is almost the right one."""
        schema = self._parent_schema(violation)
        wanted = schema.get("type")
        names = set(wanted if isinstance(wanted, list) else [wanted])
        if violation.keyword != "type" or self._is_rendered:
            return None
        if value is None:
            return "give it a value, or leave the key out"
        if isinstance(value, str):
            meant = {"true": "boolean", "false": "boolean"}.get(value)
            meant = "integer" if value.isdecimal() else meant
            if meant in names or (meant == "integer" and "number" in names):
                return f"write {value} without quotes"
            if "array" in names and value and "\n" not in value:
                return f"write [{written(value, in_flow=True)}]"
        is_number = isinstance(value, (int, float))
        if names == {"string"} and is_number and "x-unit" not in schema:
            return f'write "{self._source.raw(violation.pointer)}" where text is meant'
        return None

    def _wrong_type_message(self, violation: Violation, value: Json) -> str:
        schema = self._parent_schema(violation)
        label = self._key_label(violation.pointer)
        unit = schema.get("x-unit")
        if unit is not None and violation.keyword in {"type", "pattern", "minimum"}:
            return f"{self._written(violation.pointer, value)} {MESSAGES[unit]}"
        wanted = schema.get(violation.keyword)
        expects = schema.get("x-expects")
        match violation.keyword:
            case "type" | "pattern" if expects:
                return f"{label} must be {expects}, not {'text' if self._is_rendered else _type_of(value)}"
            case "type":
                return f"{label} must be {_type_names(wanted)}, not {_type_of(value)}"
            case "minimum" | "maximum":
                bound = "at least" if violation.keyword == "minimum" else "at most"
                return f"{label} must be {bound} {wanted}, not {self._written(violation.pointer, value)}"
            case "minLength" | "minItems" | "minProperties":
                return f"{label} must not be empty"
            case "uniqueItems":
                return f"{label} states the same item twice"
            case _:
                return f"{label} is not valid here ({violation.keyword}: {_shown(wanted)})"

    def _written(self, pointer: Pointer, value: Json) -> str:
        """Return a value as the user wrote it: 1.10 is not 1.1 to a person."""
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and not self._is_rendered
        return self._source.raw(pointer) if is_number else _shown(value)

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
        if schema_path[-1] == "then":  # a condition on the same mapping: allOf, its number, then
            schema_path = schema_path[:-3] if isinstance(schema_path[-2], int) else schema_path[:-1]
        title = str(subschema(self._root, schema_path, "title").get("title", "mapping")).lower()
        if isinstance(pointer[-1], int):
            return f'{title} "{own}"' if isinstance(own, str) else f"{title} {pointer[-1] + 1}"
        is_entry = schema_path[-1] == "additionalProperties"
        return f'{title} "{pointer[-1]}"' if is_entry else f'"{pointer[-1]}"'


def unknown_head(source: SourceMap, span: Span, name: str, meant: str) -> Diagnostic:
    """Return SCH001 for a misspelt `apiVersion` or `kind`."""
    return Diagnostic(
        code="SCH001",
        name="unknown-key",
        severity=Severity.ERROR,
        span=span,
        message=f'unknown key "{name}"',
        help=f'did you mean "{meant}"?',
        fix=_rename(source, span, meant),
    )


def unknown_kind(data: Json, source: SourceMap, *, promised: Kind | None = None) -> Diagnostic | None:
    """Return SCH005 where `apiVersion` or `kind` are missing or unknown, else None.

    The name of the file may have `promised` a kind.
    """
    kinds = [kind.value for kind in Kind]
    if not isinstance(data, Mapping):
        message = "an empty file" if data is None else f"a document must be a mapping, not {_type_of(data)}"
        return _sch005(source.value_span(()), message, f"start with apiVersion: {API_VERSION} and kind")
    version, kind = data.get("apiVersion"), data.get("kind")
    if "apiVersion" not in data or "kind" not in data:
        missing = " and ".join(f'"{key}"' for key in ("apiVersion", "kind") if key not in data)
        first = source.key_span((next(iter(data)),)) if data else source.value_span(())
        lines = [f"apiVersion: {API_VERSION}"] if "apiVersion" not in data else []
        if "kind" not in data:
            lines.append(f"kind: {promised.value if promised is not None else 'one of ' + ', '.join(kinds)}")
        hint = f"add {' and '.join(lines)}"
        if _INTERFACE_KEYS.intersection(data):
            hint = "this looks like an interface; a Contract names it under interface_spec.spec_file"
        return _sch005(first, f"missing {missing}", hint)
    if version in OLD_VERSIONS:
        span = source.value_span(("apiVersion",))
        message = f"{_shown(version)} is an old version of the language; this tool reads {API_VERSION}"
        return _sch005(span, message, "maestro schema migrate rewrites the document")
    if version != API_VERSION:
        span = source.value_span(("apiVersion",))
        if is_misspelt(data):
            finding = _sch005(span, f"unknown apiVersion {_shown(version)}", f'did you mean "{API_VERSION}"?')
            return replace(finding, fix=_rename(source, span, API_VERSION))
        hint = f"this tool reads {API_VERSION}; a newer language needs a newer tool"
        return _sch005(span, f"unknown apiVersion {_shown(version)}", hint)
    if kind not in kinds:
        close = closest(str(kind), kinds)
        span = source.value_span(("kind",))
        finding = _sch005(span, f"unknown kind {_shown(kind)}", _hint(close, "kinds", kinds))
        return replace(finding, fix=_rename(source, span, close))
    return None


def is_misspelt(data: Mapping[str, Json]) -> bool:
    """Return whether only the version of a document is wrong, and is none that another tool would read."""
    if data.get("kind") not in [kind.value for kind in Kind]:
        return False
    version = data.get("apiVersion")
    if not isinstance(version, str):
        return True
    if version in OLD_VERSIONS or _VERSION.fullmatch(version):
        return False
    is_near = "maestro" in version or closest(version, [API_VERSION]) is not None
    return is_near or "/" not in version  # Kubernetes has kinds of our names, and a group in its versions


def meant_kind(data: Mapping[str, Json]) -> Kind | None:
    """Return the kind of a document, also where only that word is misspelt; None where it is none of ours."""
    kind = data.get("kind")
    if not isinstance(kind, str) or (data.get("apiVersion") != API_VERSION and not is_misspelt(data)):
        return None
    close = closest(kind, [item.value for item in Kind])
    return Kind(close) if close is not None else None


def _sch005(span: Span, message: str, help_text: str) -> Diagnostic:
    return Diagnostic(
        code="SCH005",
        name="unknown-kind",
        severity=Severity.ERROR,
        span=span,
        message=message,
        help=help_text,
    )


def _at(data: Any, pointer: Pointer) -> Any:
    for step in pointer:
        data = data[step]
    return data


def _hint(close: str | None, noun: str, valid: list[str], *, elsewhere: str | None = None) -> str:
    guess = f'did you mean "{close}"? ' if close is not None else ""
    guess = f"{elsewhere}; " if elsewhere else guess
    return f"{guess}valid {noun}: {', '.join(valid)}"


def _rename(source: SourceMap, span: Span, close: str | None) -> Fix | None:
    if close is None:
        return None
    edits = (respell(source.text, span, close),)
    return Fix(title=f'change to "{close}"', edits=edits, safe=False)


def _shown(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


_LONGEST_SHOWN: Final = 60
_VERSION: Final = re.compile(r"maestro/v[0-9][0-9a-z.]*")
_INTERFACE_KEYS: Final = frozenset({"openapi", "swagger", "asyncapi"})
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


def _type_of(value: Json) -> str:
    match value:
        case None:
            return "empty"
        case bool():
            return "true" if value else "false"
        case str():
            return f"the text {_shown(value)}"
        case int() | float():
            return f"the number {value}"
        case dict():
            return "a mapping"
        case _:
            return "a list"
