"""The first two keys of a document, `apiVersion` and `kind`: what they say, and what was meant (SCH005)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Severity
from maestro_dsl.lang.model import API_VERSION, Kind
from maestro_dsl.lang.respellings import OLD_VERSIONS
from maestro_dsl.lang.schema import offered, rename, shown, type_of
from maestro_dsl.lang.suggest import closest

if TYPE_CHECKING:
    from maestro_dsl.diagnostics import Span
    from maestro_dsl.lang.model import Json
    from maestro_dsl.lang.sourcemap import SourceMap

_VERSION: Final = re.compile(r"maestro/v[0-9][0-9a-z.]*")
_INTERFACE_KEYS: Final = frozenset({"openapi", "swagger", "asyncapi"})


def unknown_head(source: SourceMap, span: Span, name: str, meant: str) -> Diagnostic:
    """Return SCH001 for a misspelt `apiVersion` or `kind`."""
    return Diagnostic(
        code="SCH001",
        name="unknown-key",
        severity=Severity.ERROR,
        span=span,
        message=f'unknown key "{name}"',
        help=f'did you mean "{meant}"?',
        fix=rename(source, span, meant),
    )


def unknown_kind(data: Json, source: SourceMap, *, promised: Kind | None = None) -> Diagnostic | None:
    """Return SCH005 where `apiVersion` or `kind` are missing or unknown, else None.

    The name of the file may have `promised` a kind.
    """
    kinds = [kind.value for kind in Kind]
    if not isinstance(data, Mapping):
        message = "an empty file" if data is None else f"a document must be a mapping, not {type_of(data)}"
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
        message = f"{shown(version)} is an old version of the language; this tool reads {API_VERSION}"
        return _sch005(span, message, "maestro schema migrate rewrites the document")
    if version != API_VERSION:
        span = source.value_span(("apiVersion",))
        if is_misspelt(data):
            finding = _sch005(span, f"unknown apiVersion {shown(version)}", f'did you mean "{API_VERSION}"?')
            return replace(finding, fix=rename(source, span, API_VERSION))
        hint = f"this tool reads {API_VERSION}; a newer language needs a newer tool"
        return _sch005(span, f"unknown apiVersion {shown(version)}", hint)
    if kind not in kinds:
        close = closest(str(kind), kinds)
        span = source.value_span(("kind",))
        finding = _sch005(span, f"unknown kind {shown(kind)}", offered(close, "kinds", kinds))
        return replace(finding, fix=rename(source, span, close))
    return None


def other_kind(source: SourceMap, stated: Kind, meant: Kind) -> Diagnostic:
    """Return SCH005 for a document whose name and keys are of another kind than it states."""
    span = source.value_span(("kind",))
    message = f"this is no {stated.value}: the file has the name and the keys of a {meant.value}"
    return replace(
        _sch005(span, message, f'did you mean "{meant.value}"?'), fix=rename(source, span, meant.value)
    )


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
