"""Whether a request shows credentials that an operation wants, judged by their looks or by a list.

A mock has nowhere to look a key up. Taken is what looks like one: a token, or what people write in place of a
token. The patterns are data, which the emitted server runs as well. Where the contract or the command line
lists credentials, those alone are taken.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from maestro_dsl.interfaces.openapi.inputs import Request
    from maestro_dsl.interfaces.openapi.model import Operation, SecurityScheme

_API_KEY = 'ApiKey realm="*"'
_CHALLENGES = {"digest": ' realm="*", nonce="abc123"'}
NOTHING: Final = ("", "undefined", "null", "None", "nil", "NaN", "[object Object]")
"""What a program sends that forgot to fill its token in."""
ANY: Final = "*"
"""In a list of credentials: whatever is there at all."""
MISSING: Final = "credentials are missing"
UNLIKELY: Final = (
    "the credentials do not look like any: a token has 20 characters or more, a word such as test, key or "
    "secret will do, and this mock can be told others"
)
DISOWNED: Final = "the credentials say of themselves that they are not valid"
UNLISTED: Final = "the credentials are none of those that this mock was told"

_WORDS = (
    "abcd access acme admin agent alice anything apikey auth bearer carol change client credential custom "
    "deadbeef default demo develop dummy example fake guest hello jane john letmein live local login "
    "maestro member mock p@ss passw placeholder private prod public qwerty s3cr sample secret service sess "
    "some special staging string super temp tenant test token user valid whatever your"
)
_SHORT_WORDS = (
    "abc ada ann any api app asd bar baz bob dev eve foo joe jwt key pass qwe root sam sid tok tom xxx xyz"
)


def _spelt(words: str) -> str:
    """Return an alternative of words as they are typed: small, large, or with a large first letter."""
    return "|".join(f"{word}|{word.upper()}|{word.capitalize()}" for word in words.split())


VISIBLE: Final = r"[!-~]+(?: [!-~]+)*"
"""A header, a query value and a cookie can all carry this."""
LIKELY: Final = (
    r"(?=.*[A-Za-z0-9])(?!(.)\1*$)[A-Za-z0-9._~+/=:|-]{20,}",
    r"(?=.{9,}$)(?=.*[a-z])[a-z0-9]+(?:[-_.:][a-z0-9]+)*",
    r"(?=.{10,}$)(?=.*[A-Z])[A-Z0-9]+(?:[-_.:][A-Z0-9]+)*",
    r"(?=.{9,}$)[A-Z]?[a-z]+(?:[-_.](?:[A-Z]?[a-z]+|[0-9]+))+",
    r"[a-z]{5,}[0-9]{1,4}",
    r"123|[0-9]{4,18}",
    rf".*(?:{_spelt(_WORDS)}).*",
    rf"(?:[\w.:<>{{}}$%-]*[-_.:0-9<{{$%])?(?:{_spelt(_SHORT_WORDS)})(?:[-_.:0-9>}}%][\w.:<>{{}}$%-]*)?",
    r"[a-z]{2,}(?:Key|Pass|Jwt|Api)[0-9]*|api[A-Z][a-z]+[0-9]*",
)
"""A token of any make; one made of small letters or of large ones; words with something between; a name with
a number; a number; and words that people put where a token will be."""
NOT_VALID: Final = "(?:^|[^A-Za-z0-9])(?:bad|expired|invalid|revoked|wrong)(?:$|[^A-Za-z0-9])"
"""In small letters: a consumer that wants to see a 401 says so."""

_VISIBLE = re.compile(VISIBLE, re.ASCII)
_LIKELY = re.compile("|".join(f"(?:{shape})" for shape in LIKELY), re.ASCII)
_NOT_VALID = re.compile(NOT_VALID, re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What a mock takes beside what looks like a credential; `is_all` makes `texts` the whole list."""

    texts: frozenset[str] = field(default_factory=frozenset)
    is_all: bool = False


_NO_LIST = Accepted()


def refusal(operation: Operation, request: Request, accepted: Accepted) -> str | None:
    """Return None where one of the operation's alternatives is fulfilled, else what is wrong."""
    if not operation.security:
        return None
    reasons = [
        [_scheme_problem(scheme, request, accepted) for scheme in option.schemes]
        for option in operation.security
    ]
    if any(all(reason is None for reason in option) for option in reasons):
        return None
    found = [reason for option in reasons for reason in option if reason not in {None, MISSING}]
    return next(iter(found), None) or MISSING


def challenge(operation: Operation) -> str:
    """Return the `WWW-Authenticate` header for a request without credentials."""
    schemes = [scheme for option in operation.security for scheme in option.schemes]
    challenges = dict.fromkeys(_challenge(scheme) for scheme in schemes if scheme.kind != "apiKey")
    return ", ".join(challenges) or _API_KEY  # no registered scheme, but a 401 has to name one


def problem(text: str, accepted: Accepted) -> str | None:
    """Return what is wrong with a key or a token, None for nothing."""
    bare = text.strip(" \t")
    if bare in accepted.texts:
        return None
    if bare in NOTHING:
        return MISSING
    if accepted.is_all:
        return None if ANY in accepted.texts else UNLISTED
    return _by_looks(bare)


@lru_cache(1024)
def _by_looks(text: str) -> str | None:
    if _VISIBLE.fullmatch(text) is None:
        return UNLIKELY
    if _NOT_VALID.search(text.lower()):
        return DISOWNED
    return None if any(_LIKELY.fullmatch(part) for part in text.split(" ")) else UNLIKELY


def as_data(accepted: Accepted) -> dict[str, Any]:
    """Return the rules and what is `accepted` as the emitted server reads them."""
    return {
        "nothing": list(NOTHING),
        "any": ANY,
        "visible": VISIBLE,
        "likely": list(LIKELY),
        "notValid": NOT_VALID,
        "texts": sorted(accepted.texts),
        "isAll": accepted.is_all,
        "reasons": {"missing": MISSING, "unlikely": UNLIKELY, "disowned": DISOWNED, "unlisted": UNLISTED},
    }


def _scheme_problem(scheme: SecurityScheme, request: Request, accepted: Accepted) -> str | None:
    if scheme.kind == "mutualTLS":
        return None
    if scheme.kind == "apiKey":
        problems = [problem(text, accepted) for text in _keys(scheme, request)]
        return MISSING if not problems else None if None in problems else problems[0]
    kind, _, rest = request.headers.get("authorization", "").partition(" ")
    wanted = scheme.http_scheme if scheme.kind == "http" and scheme.http_scheme else "bearer"
    if kind.lower() != wanted:
        return MISSING
    if wanted == "basic":
        return _basic_problem(rest.strip(" \t"), accepted)
    return problem(rest, accepted)


def _keys(scheme: SecurityScheme, request: Request) -> Iterator[str]:
    if scheme.location == "query":
        yield from (text for name, text in request.query if name == scheme.parameter)
    elif scheme.location == "cookie":
        yield request.cookies.get(scheme.parameter, "")
    else:
        yield request.headers.get(scheme.parameter.lower(), "")


def _basic_problem(text: str, accepted: Accepted) -> str | None:
    """Return what is wrong with a user and a password: one of them has to look like a credential."""
    try:
        plain = base64.b64decode(text, validate=True).decode("latin-1")
    except ValueError:
        return MISSING
    user, colon, password = plain.partition(":")
    if not colon or plain == ":":
        return MISSING
    if accepted.is_all or plain in accepted.texts:
        return problem(plain, accepted)
    both = [problem(part, _NO_LIST) for part in (user, password) if part]
    if DISOWNED in both:
        return DISOWNED
    is_visible = all(_VISIBLE.fullmatch(part) for part in (user, password) if part)
    return None if is_visible and None in both else UNLIKELY


def _challenge(scheme: SecurityScheme) -> str:
    if scheme.kind == "http" and scheme.http_scheme not in {"", "bearer"}:
        return scheme.http_scheme.capitalize() + _CHALLENGES.get(scheme.http_scheme, ' realm="*"')
    return "Bearer"
