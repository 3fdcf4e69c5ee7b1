"""Text to plain data with positions, in one pass over the YAML parser's events.

YAML 1.2 core schema with our own resolver (see `maestro_dsl.lang.scalars`); JSON is YAML too. Any bytes give
findings, never an exception. Knows no kinds of document and no schemas.
"""

from __future__ import annotations

import codecs
from dataclasses import field
from enum import Enum
from typing import Final

import yaml

from maestro_dsl.collector import collector_paused
from maestro_dsl.diagnostics import Diagnostic, Diagnostics, Severity, limited
from maestro_dsl.lang.events import Builder
from maestro_dsl.lang.limits import DOCUMENT, INTERFACE, MIB, Limits
from maestro_dsl.lang.model import Json
from maestro_dsl.lang.parsing import has_separators, parser_of
from maestro_dsl.lang.refusals import StopReading
from maestro_dsl.lang.sourcemap import SourceMap
from maestro_dsl.lang.unknown import without_unknown
from maestro_dsl.records import dataclass


class Profile(Enum):
    """How strict reading is: our own documents, or interface descriptions written for other tools."""

    DOCUMENT = "document"
    INTERFACE = "interface"


_LIMITS: Final[dict[Profile, Limits]] = {
    Profile.DOCUMENT: DOCUMENT,
    Profile.INTERFACE: INTERFACE,
}
BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a text holds: `data` is None where it is empty or cannot be read at all."""

    data: Json | None
    map: SourceMap = field(repr=False, compare=False)
    diagnostics: Diagnostics
    text: str = field(repr=False)
    unknown: frozenset[int] = frozenset()
    """Where values start that could not be read and are None in `data`: see `maestro_dsl.lang.unknown`."""


def load(content: bytes | str, file: str, *, profile: Profile = Profile.DOCUMENT) -> Loaded:
    """Return the data, positions and findings of `content`; any bytes give findings, never an exception."""
    limits = _LIMITS[profile]
    if len(content) > limits.size:
        message = f"larger than {limits.size // MIB} MiB"
        return _refused(SourceMap(file, "", None), _limit(SourceMap(file, "", None), message))
    text, problem = _decode(content, file)
    if problem is not None:
        return _refused(SourceMap(file, text, None), problem)
    if _extent(text, limits) > limits.lines:
        message = f"more than {limits.lines:,} lines{' and commas' if limits.strict else ''} in one document"
        return _refused(SourceMap(file, "", None), _limit(SourceMap(file, "", None), message))
    if not limits.strict and text.lstrip()[:1] in {"{", "[", '"'}:
        from maestro_dsl.lang import jsontext

        is_json, data = jsontext.decode(text, depth=limits.depth, nodes=limits.nodes)
        if is_json:
            source = SourceMap(file, text, lambda: jsontext.places(text, data))
            return Loaded(data=data, map=source, diagnostics=Diagnostics(), text=text)
    with collector_paused():
        return _read(text, file, limits)


def _read(text: str, file: str, limits: Limits) -> Loaded:
    source = SourceMap(file, text, None)
    try:
        builder = _built(text, source, limits)
    except _UnreadableError as stop:
        return _refused(source, *stop.findings)
    diagnostics = Diagnostics(builder.findings)
    if limits.strict and has_separators(text):
        from maestro_dsl.lang.separators import ambiguous_breaks

        diagnostics.extend(limited(ambiguous_breaks(source)))
    if builder.second_document is not None:
        diagnostics.add(_multi_document(source, builder.second_document))
    data = builder.value
    if builder.unknown:
        data = without_unknown(data, builder.place, builder.unknown)
    return Loaded(
        data=data,
        map=SourceMap(file, text, builder.place),
        diagnostics=diagnostics,
        text=text,
        unknown=frozenset(builder.unknown),
    )


class _UnreadableError(Exception):
    def __init__(self, *findings: Diagnostic) -> None:
        super().__init__()
        self.findings = findings


def _built(text: str, source: SourceMap, limits: Limits, *, shown_as: str | None = None) -> Builder:
    """Return the builder that has read `text`; the parser sees `shown_as` where that is given.

    Raises:
        _UnreadableError: it is not valid YAML, or passes a limit.
    """
    builder = Builder(source, limits)
    try:
        builder.read(parser_of(shown_as or text))
    except StopReading as stop:
        raise _UnreadableError(*builder.findings, stop.diagnostic) from stop
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        from maestro_dsl.lang import syntax  # words for mistakes load with the first one

        known = syntax.with_known_tags(text) if shown_as is None and syntax.is_unknown_tag(error) else None
        if known is not None:
            return _built(text, source, limits, shown_as=known)
        raise _UnreadableError(*builder.findings, syntax.explain(error, source)) from error
    return builder


def _decode(content: bytes | str, file: str) -> tuple[str, Diagnostic | None]:
    """Return the text without its byte order mark, or the part before what is not text and a finding."""
    if isinstance(content, str):
        raw, encoding = content.removeprefix("\ufeff").encode("utf-8", "surrogatepass"), "utf-8"
    else:
        raw, encoding = content, "utf-8"
        for mark, name in BYTE_ORDER_MARKS:
            if content.startswith(mark):
                raw, encoding = content[len(mark) :], name
                break
    try:
        return raw.decode(encoding), None
    except UnicodeDecodeError as error:
        from maestro_dsl.lang.syntax import syntax_error

        before = raw[: error.start].decode(encoding, "replace")
        source = SourceMap(file, before, None)
        message = f"not {encoding.upper()} text: byte 0x{raw[error.start]:02x} cannot be decoded"
        return before, syntax_error(source, len(before), message, "save the file as UTF-8")


def _extent(text: str, limits: Limits) -> int:
    """Return how many lines `text` has, and commas where these count: no more values than that are usual."""
    lines = text.count("\n") + (text.count("\r") - text.count("\r\n") if "\r" in text else 0)
    return lines + text.count(",") if limits.strict else lines


def _limit(source: SourceMap, message: str) -> Diagnostic:
    return Diagnostic(
        code="SYN005",
        name="alias-limit",
        severity=Severity.ERROR,
        span=source.span(0, 0),
        message=message,
        help="split the file",
    )


def _multi_document(source: SourceMap, start: int) -> Diagnostic:
    return Diagnostic(
        code="SYN004",
        name="multi-document",
        severity=Severity.WARNING,
        span=source.span(start, start + 3),
        message="a second document starts here; only the first is read",
        help="put each document in its own file",
    )


def _refused(source: SourceMap, *findings: Diagnostic) -> Loaded:
    return Loaded(data=None, map=source, diagnostics=Diagnostics(list(findings)), text=source.text)
