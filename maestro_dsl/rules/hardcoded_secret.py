"""SEC001 hardcoded-secret: something that looks like a credential stands in a document or a prompt file.

Known shapes of keys and tokens anywhere in the text; values of variables and inputs whose name says that
they are secret. Interface files are not searched: their examples are full of such shapes.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostic, Severity, limited
from maestro_dsl.lang.late import pattern
from maestro_dsl.lang.model import Kind
from maestro_dsl.rules.base import Facts, Rule, Scope
from maestro_dsl.rules.secrets import is_secret_name
from maestro_dsl.rules.walk import mapping_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import DocumentValue
    from maestro_dsl.lang.sourcemap import Pointer, SourceMap

_SHAPES: Final = tuple(
    (rare, needle, what, pattern(text))
    for rare, needle, what, text in (
        ("-", "sk-", "an API key", r"sk-(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{20,}"),
        ("_", "_live_", "a payment key", r"[sr]k_live_[A-Za-z0-9]{16,}"),
        ("_", "gh", "a GitHub token", r"gh[pousr]_[A-Za-z0-9]{30,}"),
        ("_", "github_pat_", "a GitHub token", r"github_pat_[A-Za-z0-9_]{22,}"),
        ("-", "glpat-", "a GitLab token", r"glpat-[A-Za-z0-9_-]{20,}"),
        ("K", "AKIA", "an AWS key", r"AKIA[0-9A-Z]{16}"),
        ("x", "xox", "a Slack token", r"xox[abprs]-[A-Za-z0-9-]{10,}"),
        ("I", "AIza", "a Google key", r"AIza[0-9A-Za-z_-]{35}"),
        ("_", "npm_", "an npm token", r"npm_[A-Za-z0-9]{36}"),
        ("_", "hf_", "a Hugging Face token", r"hf_[A-Za-z0-9]{30,}"),
        ("J", "eyJ", "a signed token", r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
        ("Y", "PRIVATE KEY", "a private key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
        ("@", "://", "a password in an address", r"(?<=://)[^\s/:@{}<>$\"']+:[^\s/:@{}<>$\"']+(?=@)"),
    )
)
"""First a character of the shape that few texts have: one is looked for thirty times as quickly as a word.
Many texts have underscores, so what all shapes with one have in common is looked for first, once."""
_AFTER_UNDERSCORE: Final = pattern(r"_[A-Za-z0-9_]{16}")
_PLACEHOLDER: Final = pattern(
    r"(?i)change.?me|example|placeholder|your|dummy|sample|redacted|x{4,}|\*{3,}|\.{3,}|<.*>|^(.)\1+$"
)
_SHORTEST: Final = 8
_HINT: Final = "take it out, change it where it is valid, and give it in the environment of the process"


def check(facts: Facts) -> Iterable[Diagnostic]:
    """Return every place that looks like a credential; the text itself is not repeated."""
    for document in facts.documents:
        yield from limited(chain(_shapes(document.text, document.map), _named(document)))
    for prompt in facts.prompts:
        yield from limited(_shapes(prompt.source.text, prompt.source))


def _shapes(text: str, source: SourceMap) -> Iterator[Diagnostic]:
    absent = {rare for rare, *_ in _SHAPES if rare not in text}
    if not _AFTER_UNDERSCORE.search(text):
        absent.add("_")
    for rare, needle, what, shape in _SHAPES:
        if rare in absent or needle not in text:
            continue
        for match in shape.finditer(text):
            before = text[match.start() - 1 : match.start()]
            is_word = not (before.isalnum() or before in {"_", "-"})
            if is_word and not _PLACEHOLDER.search(match[0]) and not _is_for_show(match[0]):
                span = source.span(match.start(), match.end())
                yield RULE.finding(span, f"this looks like {what}", _HINT)


def _is_for_show(found: str) -> bool:
    """Return whether "user:password" of an address is what everybody writes in a manual."""
    user, _, password = found.partition(":")
    return password == user or password.lower() in {"pass", "passwd", "password", "secret"}


def _named(document: Document[DocumentValue]) -> Iterator[Diagnostic]:
    for pointer in _value_places(document):
        for name, value in mapping_at(document.data, pointer).items():
            if isinstance(value, str) and is_secret_name(name) and _is_secret(value):
                span = document.map.value_span((*pointer, name))
                yield RULE.finding(span, f"this looks like a secret: the value of {name}", _HINT)


def _value_places(document: Document[DocumentValue]) -> Iterator[Pointer]:
    if document.kind is Kind.PLAN:
        yield ("inputs",)
    elif document.kind is Kind.PROJECT:
        yield ("vars",)
        for name in mapping_at(document.data, ("environments",)):
            yield ("environments", name, "vars")


def _is_secret(value: str) -> bool:
    """Return whether a value could be the secret itself: long enough, one word, letters and digits."""
    if len(value) < _SHORTEST or any(char.isspace() for char in value) or "{{" in value or "$" in value:
        return False
    has_both = any(char.isalpha() for char in value) and any(char.isdigit() for char in value)
    return (
        has_both and not _PLACEHOLDER.search(value) and not any(shape.search(value) for *_, shape in _SHAPES)
    )


RULE = Rule(
    code="SEC001",
    name="hardcoded-secret",
    severity=Severity.ERROR,
    scope=Scope.DOCUMENT,
    summary="something that looks like a credential",
    check=check,
)
