"""A TypeScript declaration file as an `Interface`: interfaces, type aliases, enums of texts, functions.

Reads the part of the language that says what data and functions look like; generics of one's own, conditional
types and the like stand for "anything".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from maestro_dsl.interfaces.stubs.model import MODULE, Argument, Interface, Method, Service, reference, union
from maestro_dsl.interfaces.stubs.refusal import Refused

_TOKEN: Final = re.compile(
    r"""(?P<skip>\s+|//[^\n]*|/\*[\s\S]*?\*/)
    |(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<number>-?\d+(?:\.\d+)?)
    |(?P<name>[A-Za-z_$][\w$]*)
    |(?P<mark>=>|\.\.\.|[{}()\[\]<>|&;:,?=.!*+\-/@`])""",
    re.VERBOSE,
)
_PLAIN: Final[dict[str, dict[str, Any]]] = {
    "string": {"type": "string"},
    "number": {"type": "number"},
    "bigint": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "null": {"type": "null"},
    "undefined": {"type": "null"},
    "void": {"type": "null"},
    "Date": {"type": "string", "format": "date-time"},
    "object": {"type": "object"},
}
_LISTS: Final = frozenset({"Array", "ReadonlyArray", "Set", "ReadonlySet"})
_INSIDE: Final = frozenset({"Readonly", "Required", "NonNullable", "Awaited", "Partial"})
_MOST_DEPTH: Final = 60


def read_typescript(text: str, title: str) -> Interface:
    """Return the types and services of a TypeScript file.

    Raises:
        Refused: it cannot be read, or declares nothing.
    """
    reader = _Reader(_tokens(text))
    reader.file()
    for name, schema in reader.types.items():
        for part in schema.pop("x-extends", []):
            inherited = reader.types.get(part, {})
            schema["properties"] = {**inherited.get("properties", {}), **schema.get("properties", {})}
            schema["required"] = [*inherited.get("required", []), *schema.get("required", [])]
        reader.types[name] = schema
    services = [Service(name=name, methods=tuple(methods)) for name, methods in reader.services.items()]
    if reader.functions:
        services.append(Service(name=MODULE, methods=tuple(reader.functions)))
    types = {name: schema for name, schema in reader.types.items() if name not in reader.services}
    if not types and not services:
        raise Refused("it declares neither types nor functions", 1, 1)
    return Interface(title=title, types=types, services=tuple(services))


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    line: int
    column: int


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    position, line, start = 0, 1, 0
    while position < len(text):
        hit = _TOKEN.match(text, position)
        if hit is None:
            raise Refused(f"it is no TypeScript at {text[position]!r}", line, position - start + 1)
        if hit.lastgroup != "skip":
            found.append(_Token(str(hit.lastgroup), hit[0], line, position - start + 1))
        if "\n" in hit[0]:
            line += hit[0].count("\n")
            start = position + hit[0].rindex("\n") + 1
        position = hit.end()
    return found


@dataclass(slots=True)
class _Reader:
    tokens: list[_Token]
    at: int = 0
    depth: int = 0
    types: dict[str, dict[str, Any]] = field(default_factory=dict)
    services: dict[str, list[Method]] = field(default_factory=dict)
    functions: list[Method] = field(default_factory=list)

    # ---- tokens ----

    def _peek(self, ahead: int = 0) -> str:
        place = self.at + ahead
        return self.tokens[place].text if place < len(self.tokens) else ""

    def _next(self) -> _Token:
        if self.at >= len(self.tokens):
            last = self.tokens[-1] if self.tokens else _Token("", "", 1, 1)
            raise Refused("it ends too early", last.line, last.column)
        self.at += 1
        return self.tokens[self.at - 1]

    def _take(self, text: str) -> bool:
        if self._peek() == text:
            self.at += 1
            return True
        return False

    def _need(self, text: str) -> None:
        token = self._next()
        if token.text != text:
            raise Refused(f'"{text}" is expected, not "{token.text}"', token.line, token.column)

    def _skip_statement(self) -> None:
        """Go on after the statement that starts here: its end, or its closing brace."""
        level = 0
        while self.at < len(self.tokens):
            text = self._next().text
            level += text in {"{", "(", "["}
            level -= text in {"}", ")", "]"}
            if level <= 0 and text in {";", "}"}:
                self._take(";")
                return

    # ---- statements ----

    def file(self) -> None:
        """Read all statements."""
        while self.at < len(self.tokens):
            while self._peek() in {"export", "declare", "default", "abstract"}:
                self.at += 1
            word = self._peek()
            if word == "interface":
                self._interface()
            elif word == "type" and self._peek(2) in {"=", "<"}:
                self._alias()
            elif word == "enum" or (word == "const" and self._peek(1) == "enum"):
                self._enum()
            elif word == "function":
                self.at += 1
                self.functions.append(self._method(self._next().text))
                self._take(";")
            else:
                self._skip_statement()

    def _interface(self) -> None:
        self.at += 1
        name = self._next().text
        self._generics()
        parents: list[str] = []
        if self._take("extends"):
            while self._peek() not in {"{", ""}:
                parents.append(self._next().text)
                self._generics()
                self._take(",")
        schema, methods = self._members()
        if methods and not schema["properties"]:
            self.services[name] = methods
        else:
            self.types[name] = {**schema, "x-extends": parents} if parents else schema

    def _alias(self) -> None:
        self.at += 1
        name = self._next().text
        self._generics()
        self._need("=")
        self.types[name] = self._type()
        self._take(";")

    def _enum(self) -> None:
        self._take("const")
        self.at += 1
        name = self._next().text
        self._need("{")
        values: list[Any] = []
        while not self._take("}"):
            member = self._next().text
            values.append(self._literal(self._next()) if self._take("=") else len(values))
            self._take(",")
            del member
        self.types[name] = {"enum": values}

    def _generics(self) -> None:
        if not self._take("<"):
            return
        level = 1
        while level:
            text = self._next().text
            level += (text == "<") - (text == ">")

    # ---- members ----

    def _members(self) -> tuple[dict[str, Any], list[Method]]:
        self._need("{")
        properties: dict[str, Any] = {}
        required: list[str] = []
        methods: list[Method] = []
        schema: dict[str, Any] = {"type": "object"}
        while not self._take("}"):
            self._take("readonly")
            if self._take("["):  # an index signature
                while not self._take("]"):
                    self._next()
                self._need(":")
                schema["additionalProperties"] = self._type()
            else:
                token = self._next()
                name = str(self._literal(token)) if token.kind == "text" else token.text
                is_optional = self._take("?")
                if self._peek() in {"(", "<"}:
                    methods.append(self._method(name))
                else:
                    properties[name] = self._type() if self._take(":") else {}
                    required += [] if is_optional else [name]
            while self._peek() in {";", ","}:
                self.at += 1
        return {**schema, "properties": properties, "required": required}, methods

    def _method(self, name: str) -> Method:
        self._generics()
        arguments = self._arguments()
        returns: dict[str, Any] = {}
        is_async = False
        if self._take(":"):
            is_async = self._peek() == "Promise"
            returns = self._type()
        return Method(name=name, arguments=tuple(arguments), returns=returns, is_async=is_async)

    def _arguments(self) -> list[Argument]:
        self._need("(")
        found: list[Argument] = []
        while not self._take(")"):
            is_rest = self._take("...")
            name = self._next().text
            is_optional = self._take("?")
            schema = self._type() if self._take(":") else {}
            if not is_rest:
                found.append(Argument(name=name, schema=schema, required=not is_optional))
            self._take(",")
        return found

    # ---- types ----

    def _type(self) -> dict[str, Any]:
        self.depth += 1
        if self.depth > _MOST_DEPTH:
            token = self.tokens[min(self.at, len(self.tokens) - 1)]
            raise Refused("its types are nested too deeply", token.line, token.column)
        self._take("|")
        options = [self._intersection()]
        while self._take("|"):
            options.append(self._intersection())
        self.depth -= 1
        literals = [option["const"] for option in options if option.keys() == {"const"}]
        others = [option for option in options if option.keys() != {"const"}]
        if literals and len(literals) > 1:
            return union([*others, {"enum": literals}])
        return union(options)

    def _intersection(self) -> dict[str, Any]:
        parts = [self._postfix()]
        while self._take("&"):
            parts.append(self._postfix())
        return parts[0] if len(parts) == 1 else {"allOf": parts}

    def _postfix(self) -> dict[str, Any]:
        found = self._primary()
        while self._peek() == "[":
            self.at += 1
            if self._take("]"):
                found = {"type": "array", "items": found}
            else:  # an indexed type, "T['key']"
                self._type()
                self._need("]")
                found = {}
        return found

    def _primary(self) -> dict[str, Any]:
        if self._peek() == "{":
            return self._members()[0]
        if self._peek() == "(":
            return self._parenthesised()
        if self._take("["):
            return self._tuple()
        token = self._next()
        if token.kind in {"text", "number"}:
            return {"const": self._literal(token)}
        if token.text in {"true", "false"}:
            return {"const": token.text == "true"}
        if token.kind != "name":
            raise Refused(f'a type is expected, not "{token.text}"', token.line, token.column)
        if token.text in {"readonly", "keyof", "typeof", "unique"}:
            inner = self._postfix()
            return inner if token.text == "readonly" else {}
        return self._named(token.text)

    def _parenthesised(self) -> dict[str, Any]:
        start = self.at
        level = 0
        while True:  # a function type has "=>" after its closing parenthesis
            text = self._next().text
            level += (text == "(") - (text == ")")
            if not level:
                break
        if self._take("=>"):
            self._type()
            return {}
        self.at = start + 1
        found = self._type()
        self._need(")")
        return found

    def _tuple(self) -> dict[str, Any]:
        parts: list[dict[str, Any]] = []
        while not self._take("]"):
            parts.append(self._type())
            self._take(",")
        return {"type": "array", "prefixItems": parts, "minItems": len(parts), "maxItems": len(parts)}

    def _named(self, name: str) -> dict[str, Any]:
        parts: list[dict[str, Any]] = []
        if self._take("<"):
            while not self._take(">"):
                parts.append(self._type())
                self._take(",")
        if name in _PLAIN:
            return dict(_PLAIN[name])
        if name in {"unknown", "any", "never"}:
            return {}
        if name in _LISTS and parts:
            return {"type": "array", "items": parts[0]}
        if name in {"Record", "Map"} and parts:
            return {"type": "object", "additionalProperties": parts[-1]}
        if (name == "Promise" or name in _INSIDE) and parts:
            return parts[0]
        return {} if parts or self._peek() == "." else dict(reference(name))

    @staticmethod
    def _literal(token: _Token) -> Any:
        if token.kind == "number":
            return float(token.text) if "." in token.text else int(token.text)
        return re.sub(r"\\(.)", r"\1", token.text[1:-1]) if token.kind == "text" else token.text
