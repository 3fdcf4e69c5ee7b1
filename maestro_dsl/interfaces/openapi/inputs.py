"""What a request carries, read by the rules of its operation: parameters by style, body by media type.

Returns values and, in words, what does not match the contract; decides no answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from maestro_dsl.interfaces.openapi import forms, shapes
from maestro_dsl.interfaces.openapi.forms import coerce
from maestro_dsl.interfaces.openapi.markup import is_xml
from maestro_dsl.interfaces.openapi.markup_read import from_xml, plan
from maestro_dsl.interfaces.openapi.model import is_json_media
from maestro_dsl.interfaces.openapi.validate import errors

if TYPE_CHECKING:
    from maestro_dsl.interfaces.openapi.model import Api, Media, Operation, Parameter

_ABSENT = object()
_MAX_MESSAGES = 3
_DELIMITERS = {"spaceDelimited": " ", "pipeDelimited": "|"}
_IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})
_CLIENT_HEADERS = frozenset({"accept-encoding", "connection", "content-length", "host", "user-agent"})
"""Set by every HTTP client without being asked; they have to be there, whatever they say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request; header names in lower case, `raw_path` still with its percent escapes."""

    method: str
    raw_path: str
    query_string: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def query(self) -> list[tuple[str, str]]:
        """The query's pairs in order."""
        return parse_qsl(self.query_string, keep_blank_values=True)

    @property
    def media_type(self) -> str:
        """The media type of the body without its parameters, lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies by name."""
        pairs = (part.partition("=") for part in self.headers.get("cookie", "").split(";"))
        return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}


@dataclass(slots=True, kw_only=True)
class Inputs:
    """What was read: parameters by place and name, the body (None where absent), and what is wrong."""

    values: dict[tuple[str, str], Any] = field(default_factory=dict)
    body: Any = None
    violations: list[str] = field(default_factory=list)
    deprecated: list[tuple[str, str]] = field(default_factory=list)
    """Place and name of each deprecated parameter that was sent."""
    malformed: bool = False
    """True where the body is not even text of its media type."""
    unsupported: bool = False
    """True where the body's media type is not one that the operation takes."""


def read(api: Api, operation: Operation, request: Request, path_values: Mapping[str, str]) -> Inputs:
    """Return the inputs of `request` as `operation` declares them."""
    inputs = Inputs()
    query = request.query if request.query_string else []
    for parameter in operation.parameters:
        if parameter.location == "header" and parameter.name.lower() in _IGNORED_HEADERS:
            continue
        raw = _raw(parameter, request, path_values, query)
        if raw is _ABSENT and is_spread(api, parameter):
            raw = _spread(api, parameter, query)
        _read_parameter(api, parameter, raw, inputs)
    _read_body(api, operation, request, inputs)
    return inputs


def _raw(
    parameter: Parameter, request: Request, path_values: Mapping[str, str], query: list[tuple[str, str]]
) -> Any:
    if parameter.location == "path":
        return path_values.get(parameter.name, _ABSENT)
    if parameter.location == "header":
        return request.headers.get(parameter.name.lower(), _ABSENT)
    if parameter.location == "cookie":
        return request.cookies.get(parameter.name, _ABSENT)
    if parameter.style == "deepObject":
        prefix = parameter.name + "["
        found = {name[len(prefix) : -1]: value for name, value in query if name.startswith(prefix)}
        return found or _ABSENT
    values = [value for name, value in query if name == parameter.name]
    return values or _ABSENT


def is_spread(api: Api, parameter: Parameter) -> bool:
    """Return whether the properties of an object stand in the query by their own names."""
    is_form = parameter.location == "query" and parameter.style == "form" and parameter.explode
    return is_form and parameter.media_type is None and shapes.type_of(api, parameter.schema) == "object"


def _spread(api: Api, parameter: Parameter, query: list[tuple[str, str]]) -> Any:
    known = shapes.properties(api, parameter.schema)
    return {name: value for name, value in query if name in known} or _ABSENT


def _read_parameter(api: Api, parameter: Parameter, raw: Any, inputs: Inputs) -> None:
    where = f"{parameter.location} parameter {parameter.name}"
    kind = shapes.type_of(api, parameter.schema)
    if raw is _ABSENT:
        is_free = is_spread(api, parameter) and not shapes.properties(api, parameter.schema)
        if parameter.required and not is_free:
            inputs.violations.append(f"{where} is missing")
        return
    if parameter.location == "header" and parameter.name.lower() in _CLIENT_HEADERS:
        return
    if parameter.deprecated:
        inputs.deprecated.append((parameter.location, parameter.name))
    if parameter.media_type is not None:
        text = raw[-1] if isinstance(raw, list) else str(raw)
        try:
            value: Any = json.loads(text) if is_json_media(parameter.media_type) else text
        except ValueError:
            inputs.violations.append(f"{where} is not valid JSON")
            return
    else:
        value = _value(api, parameter, kind, raw)
    if value == "" and parameter.location == "query" and kind in {"integer", "number", "boolean"}:
        if not parameter.allow_empty:
            inputs.violations.append(f"{where} is empty")
        return
    for problem in errors(api, parameter.schema, value, "request")[:_MAX_MESSAGES]:
        inputs.violations.append(f"{where}: {problem}")
    inputs.values[parameter.location, parameter.name] = value


def _value(api: Api, parameter: Parameter, kind: str, raw: Any) -> Any:
    if isinstance(raw, dict):
        known = shapes.properties(api, parameter.schema)
        return {name: coerce(api, known.get(name, True), text) for name, text in raw.items()}
    texts = raw if isinstance(raw, list) else [_unstyled(parameter, kind, str(raw))]
    if kind == "array":
        entry = shapes.items(api, parameter.schema)
        if len(texts) == 1 and not (parameter.explode and parameter.location == "query"):
            texts = _pieces(parameter, texts[0])
        return [coerce(api, True if entry is None else entry, text) for text in texts]
    if kind == "object":
        return _object(api, parameter, texts[-1])
    return coerce(api, parameter.schema, texts[-1])


def _pieces(parameter: Parameter, text: str) -> list[str]:
    """Return the items of a list; in a header spaces may stand around them (RFC 9110, 5.6.1)."""
    pieces = text.split(_DELIMITERS.get(parameter.style, ","))
    return [piece.strip(" \t") for piece in pieces] if parameter.location == "header" else pieces


def _unstyled(parameter: Parameter, kind: str, text: str) -> str:
    if parameter.style == "label":  # without explode OpenAPI 3.0.3 has dots between the items, 3.1.1 commas
        text = text.removeprefix(".")
        is_dotted = kind in {"array", "object"} and (parameter.explode or "," not in text)
        return text.replace(".", ",") if is_dotted else text
    if parameter.style == "matrix":
        prefix = f";{parameter.name}="
        return text.removeprefix(prefix).replace(prefix, ",")
    return text


def _object(api: Api, parameter: Parameter, text: str) -> Any:
    known = shapes.properties(api, parameter.schema)
    parts = _pieces(parameter, text)
    if parameter.explode:
        pairs = [part.partition("=")[::2] for part in parts if part]
    else:
        pairs = list(zip(parts[::2], parts[1::2], strict=False))
    return {name: coerce(api, known.get(name, True), value) for name, value in pairs}


def _read_body(api: Api, operation: Operation, request: Request, inputs: Inputs) -> None:
    declared = operation.body
    is_written = request.media_type == forms.FORM or is_xml(request.media_type)  # empty says something there
    if not request.body and (declared is None or not is_written):
        if declared is not None and declared.required:
            inputs.violations.append("the request body is missing")
        return
    if declared is None:
        inputs.unsupported = bool(request.media_type)
        return
    media = media_for(declared.content, request.media_type)
    if media is None:
        inputs.unsupported = bool(declared.content)
        return
    problem = _decode(api, media, request, inputs)
    if problem is not None:
        inputs.malformed = True
        inputs.violations.append(f"the request body is not valid {problem}")
        return
    if inputs.body is _ABSENT:
        inputs.body = None
        return
    for problem in errors(api, True if media.schema is None else media.schema, inputs.body, "request"):
        inputs.violations.append(f"body {problem}")


def _decode(api: Api, media: Media, request: Request, inputs: Inputs) -> str | None:
    """Read the body into `inputs`; return what it should be and is not, None where it is fine."""
    inputs.body = _ABSENT
    if is_json_media(request.media_type or media.media_type):
        try:
            inputs.body = strict_json(request.body)
        except (ValueError, RecursionError):
            return "JSON"
    elif request.media_type == forms.FORM:
        inputs.body = forms.fields(api, media, forms.pairs(request.body))
        inputs.violations += forms.reserved(media, request.body)
    elif is_xml(request.media_type):
        try:
            inputs.body = from_xml(_plan(api, media), request.body.decode("utf-8", "replace"))
        except ValueError:
            return "XML"
    elif request.media_type == forms.MULTIPART:
        parts = forms.parts(request.headers["content-type"], request.body)
        if parts is None:
            return forms.MULTIPART
        inputs.body = forms.fields(api, media, parts)
        inputs.violations += forms.reserved_parts(media, parts)
    elif _is_plain(api, media, request.media_type or media.media_type):
        inputs.body = coerce(api, media.schema, request.body.decode("utf-8", "replace"))
    return None


def _is_plain(api: Api, media: Media, kind: str) -> bool:
    """Return whether a body is one text, and not things written as text such as CSV."""
    return kind.startswith("text/") and shapes.type_of(api, media.schema) not in {"object", "array"}


def strict_json(content: bytes | str) -> Any:
    """Return the value of JSON text; what only Python reads as JSON (NaN, Infinity, 1e999) is refused.

    Raises:
        ValueError: it is no JSON.
    """
    return json.loads(content, parse_constant=_refuse, parse_float=_finite)


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        raise ValueError(text)
    return number


def _plan(api: Api, media: Media) -> dict[str, Any]:
    key = ("xml", id(media))
    if key not in api.memo:
        api.memo[key] = (media, plan(api, media.schema))
    kept: tuple[Media, dict[str, Any]] = api.memo[key]
    return kept[1]


def media_for(content: Mapping[str, Media], media_type: str) -> Media | None:
    """Return the declared media type that covers `media_type`; the first one where none is given."""
    if not media_type:
        return next(iter(content.values()), None)
    for key, media in content.items():
        bare = key.partition(";")[0].strip().lower()
        if bare in {media_type, "*/*"} or (bare.endswith("/*") and media_type.startswith(bare[:-1])):
            return media
    return None
