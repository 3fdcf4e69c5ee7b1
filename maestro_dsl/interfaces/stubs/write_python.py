"""An interface as a Python module: TypedDicts, protocols, and stubs that answer with the sample values.

What it writes passes `mypy --strict`. Names that Python cannot spell stay keys of a dictionary.
"""

from __future__ import annotations

import builtins
import json
import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.interfaces.stubs.model import MODULE, REF

if TYPE_CHECKING:
    from maestro_dsl.interfaces.stubs.model import Argument, Interface, Method, Service

_SCALARS: Final = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "null": "None",
}
_TAKEN: Final = frozenset(
    {
        "Any",
        "Final",
        "Literal",
        "TypeAlias",
        "NotRequired",
        "Protocol",
        "TypedDict",
        "Path",
        "cast",
        "json",
        "annotations",
    }
    | set(dir(builtins))
)
_MOST_DEPTH: Final = 12
_WORD: Final = re.compile(r"\w+")


def write_python(interface: Interface, data_file: str) -> str:
    """Return the module; its values come from `data_file`, a JSON file beside it."""
    writer = _Writer({name: _class_name(name) for name in interface.types})
    for name, schema in interface.types.items():
        writer.named(name, schema)
    services = [writer.service(service) for service in interface.services]
    makers = [writer.maker(name) for name in interface.types]
    head = (
        f'"""Types and stubs of {_doc(interface.title)}; written again on every run."""\n\n'
        "from __future__ import annotations\n\n"
        "import json\n"
        "from pathlib import Path\n"
        "from typing import Any, Final, Literal, NotRequired, Protocol, TypeAlias, TypedDict, cast\n\n"
        "_DATA: Final[dict[str, list[Any]]] = json.loads(\n"
        f'    Path(__file__).with_name({json.dumps(data_file)}).read_text(encoding="utf-8")\n'
        ")\n"
    )
    return "\n\n".join([head, *writer.classes, *services, *makers]) + "\n"


def _class_name(name: str) -> str:
    name = name if name.isidentifier() else _word(name)
    return f"{name}_" if name in _TAKEN or keyword.iskeyword(name) else name


def _doc(text: str) -> str:
    """Return a text that can stand in a docstring."""
    flat = " ".join(text.replace("\\", " ").replace('"', "'").split())
    return "".join(char for char in flat if char.isprintable())[:200]


def _is_spellable(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("__")


@dataclass(slots=True)
class _Writer:
    names: Mapping[str, str]
    classes: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def named(self, name: str, schema: Any) -> None:
        """Write one type of the interface under its name."""
        own = self.names[name]
        merged = _merged(schema)
        if _is_record(merged):
            self._record(own, merged)
        else:  # an alias may speak of types that come later, so it is a text; of itself it cannot speak
            text = self.expression(schema, f"{own}Part", 0)
            self.classes.append(f"{own}: TypeAlias = {'Any' if own in _WORD.findall(text) else repr(text)}")

    def _record(self, name: str, schema: dict[str, Any]) -> None:
        place = len(self.classes)
        known, needed = schema["properties"], set(schema.get("required") or ())
        fields = {
            key: (self.expression(part, f"{name}{_word(key)}", 0), key in needed)
            for key, part in known.items()
        }
        if all(map(_is_spellable, fields)):
            lines = [
                f"    {key}: {text}" if required else f"    {key}: NotRequired[{text}]"
                for key, (text, required) in fields.items()
            ]
            body = "\n".join(lines or ["    pass"])
            made = f"class {name}(TypedDict):\n{body}"
        else:
            entries = [
                f"    {key!r}: {text!r}," if required else f"    {key!r}: NotRequired[{text!r}],"
                for key, (text, required) in fields.items()
            ]
            made = f"{name} = TypedDict(\n    {name!r},\n    {{\n" + "\n".join(entries) + "\n    },\n)"
        self.classes.insert(place, made)

    def expression(self, schema: Any, hint: str, depth: int) -> str:
        """Return the type of a schema; records inside it become classes named after `hint`."""
        schema = _merged(schema)
        if not isinstance(schema, dict) or depth > _MOST_DEPTH:
            return "Any"
        ref = schema.get("$ref")
        if isinstance(ref, str):
            return self.names.get(ref.removeprefix(REF), "Any")
        for key in ("enum", "const"):
            if key in schema:
                values = schema["enum"] if key == "enum" else [schema["const"]]
                return _literal(values)
        options = schema.get("anyOf") or schema.get("oneOf")
        if isinstance(options, list) and options:
            return _union(
                [self.expression(part, f"{hint}{place}", depth + 1) for place, part in enumerate(options)]
            )
        kinds = schema.get("type")
        if isinstance(kinds, list):
            return _union([self.expression({**schema, "type": kind}, hint, depth + 1) for kind in kinds])
        if _is_record(schema):
            return self._inner(schema, hint)
        if kinds == "array":
            return self._array(schema, hint, depth)
        if kinds == "object":
            inner = schema.get("additionalProperties")
            return (
                f"dict[str, {self.expression(inner, hint, depth + 1)}]"
                if isinstance(inner, dict)
                else "dict[str, Any]"
            )
        nullable = schema.get("nullable") is True
        text = _SCALARS.get(str(kinds), "Any")
        return f"{text} | None" if nullable and text != "Any" else text

    def _array(self, schema: dict[str, Any], hint: str, depth: int) -> str:
        inner = schema.get("items")
        if isinstance(inner, dict) and inner:
            return f"list[{self.expression(inner, f'{hint}Item', depth + 1)}]"
        return "list[Any]"

    def _inner(self, schema: dict[str, Any], hint: str) -> str:
        name, turn = _class_name(hint), 1
        while name in self.used or name in self.names.values():
            turn += 1
            name = f"{hint}{turn}"
        self.used.add(name)
        self._record(name, schema)
        return name

    # ---- services ----

    def service(self, service: Service) -> str:
        """Return a protocol and a class that keeps it; functions of a module are written as functions."""
        if service.name == MODULE:
            return "\n\n\n".join(self._function(service, method, indent="") for method in service.methods)
        name = _class_name(service.name)
        asked = "\n\n".join(
            self._signature(method, "    ", is_bound=True, default="...") + "\n        ..."
            for method in service.methods
        )
        made = "\n\n".join(self._function(service, method, indent="    ") for method in service.methods)
        doc = _doc(service.doc or f"What {service.name} can do.")
        return (
            f'class {name}(Protocol):\n    """{doc}"""\n\n{asked or "    pass"}\n\n\n'
            f'class Stub{name}:\n    """Answers with sample values."""\n\n{made or "    pass"}'
        )

    def _function(self, service: Service, method: Method, *, indent: str) -> str:
        returns = self._returns(service, method)
        key = repr(f"{service.name}.{method.name}")
        is_bound = service.name != MODULE
        head = self._signature(method, indent, is_bound=is_bound)
        if returns == "None":
            return f"{head}\n{indent}    return None"
        return f"{head}\n{indent}    return cast({returns!r}, _DATA[{key}][0])"

    def _returns(self, service: Service, method: Method) -> str:
        return self.expression(dict(method.returns), f"{service.name}{_word(method.name)}Result", 0)

    def _signature(self, method: Method, indent: str, *, is_bound: bool, default: str = "") -> str:
        parts = ["self"] if is_bound else []
        positional = [item for item in method.arguments if not item.keyword_only]
        needed = [item for item in positional if item.required]
        parts += [
            self._argument(method, item, default)
            for item in (*needed, *(i for i in positional if not i.required))
        ]
        only = [item for item in method.arguments if item.keyword_only]
        parts += ["*", *(self._argument(method, item, default) for item in only)] if only else []
        word = "async def" if method.is_async else "def"
        returns = self.expression(dict(method.returns), f"{_word(method.name)}Result", 0)
        return f"{indent}{word} {_spelled(method.name)}({', '.join(parts)}) -> {returns}:"

    def _argument(self, method: Method, item: Argument, default: str) -> str:
        text = self.expression(dict(item.schema), f"{_word(method.name)}{_word(item.name)}", 0)
        given = default or f"cast({text!r}, None)"
        return f"{_spelled(item.name)}: {text}" + ("" if item.required else f" = {given}")

    def maker(self, name: str) -> str:
        """Return the function that gives a sample of one type."""
        own = self.names[name]
        return (
            f"def {_spelled('sample_' + _snake(name))}(turn: int = 0) -> {own}:\n"
            f'    """Return a valid value; other turns give other values."""\n'
            f"    made = _DATA[{name!r}]\n"
            f'    return cast("{own}", made[turn % len(made)])\n'
        )


def _is_record(schema: Any) -> bool:
    return (
        isinstance(schema, dict)
        and isinstance(schema.get("properties"), dict)
        and bool(schema["properties"])
        and schema.get("type", "object") == "object"
        and not {"anyOf", "oneOf", "$ref"} & schema.keys()
    )


def _merged(schema: Any) -> Any:
    """Return a schema with the records of its `allOf` in it; one that cannot be merged is anything."""
    parts = schema.get("allOf") if isinstance(schema, dict) else None
    if not isinstance(parts, list):
        return schema
    if any(not _is_record(_merged(part)) for part in parts):
        return parts[0] if len(parts) == 1 else {}
    result = {key: value for key, value in schema.items() if key != "allOf"}
    for part in map(_merged, parts):
        result["properties"] = {**result.get("properties", {}), **part["properties"]}
        result["required"] = [*result.get("required", []), *part.get("required", [])]
    return {"type": "object", **result}


def _literal(values: list[Any]) -> str:
    texts = []
    for value in values:
        if value is None:
            texts.append("None")
        elif isinstance(value, (bool, int, str)):
            texts.append(f"Literal[{value!r}]")
        else:
            return "Any"
    return _union(texts)


def _union(texts: list[str]) -> str:
    unique = list(dict.fromkeys(texts))
    return "Any" if "Any" in unique or not unique else " | ".join(unique)


def _word(name: str) -> str:
    words = "".join(char if char.isalnum() and char.isascii() else " " for char in name).split()
    return "".join(word[:1].upper() + word[1:] for word in words) or "Part"


def _snake(name: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name).lstrip("_")


def _spelled(name: str) -> str:
    return name if _is_spellable(name) else f"{_word(name).lower()}_"
