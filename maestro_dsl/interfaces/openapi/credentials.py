"""Whether a request shows the credentials that an operation wants, by presence, never by value.

Refused is only what can be no credential: nothing at all, a word that a program sends that forgot to fill its
token in, and for the scheme Basic what is not `user:password` in base64.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maestro_dsl.interfaces.openapi.inputs import Request
    from maestro_dsl.interfaces.openapi.model import Operation, SecurityScheme

_API_KEY = 'ApiKey realm="*"'
_CHALLENGES = {"digest": ' realm="*", nonce="abc123"'}
_NO_CREDENTIALS = frozenset({"", "undefined", "null", "None"})
"""What a program sends that forgot to fill its token in, in JavaScript and in Python."""


def are_presented(operation: Operation, request: Request) -> bool:
    """Return whether one of the operation's alternatives is fulfilled; True where it needs none."""
    return not operation.security or any(
        all(_is_presented(scheme, request) for scheme in option.schemes) for option in operation.security
    )


def challenge(operation: Operation) -> str:
    """Return the `WWW-Authenticate` header for a request without credentials."""
    schemes = [scheme for option in operation.security for scheme in option.schemes]
    challenges = dict.fromkeys(_challenge(scheme) for scheme in schemes if scheme.kind != "apiKey")
    return ", ".join(challenges) or _API_KEY  # no registered scheme, but a 401 has to name one


def is_credential(text: str) -> bool:
    """Return whether `text` can be a key or a token at all."""
    return text.strip(" \t") not in _NO_CREDENTIALS


def _is_presented(scheme: SecurityScheme, request: Request) -> bool:
    if scheme.kind == "apiKey":
        if scheme.location == "query":
            return any(name == scheme.parameter and is_credential(text) for name, text in request.query)
        if scheme.location == "cookie":
            return is_credential(request.cookies.get(scheme.parameter, ""))
        return is_credential(request.headers.get(scheme.parameter.lower(), ""))
    if scheme.kind == "mutualTLS":
        return True
    kind, _, rest = request.headers.get("authorization", "").partition(" ")
    if scheme.kind == "http" and scheme.http_scheme not in {"", "bearer"}:
        if scheme.http_scheme == "basic":
            return kind.lower() == "basic" and _is_basic(rest)
        return kind.lower() == scheme.http_scheme
    return kind.lower() == "bearer" and is_credential(rest)


def _is_basic(text: str) -> bool:
    try:
        plain = base64.b64decode(text.strip(" \t"), validate=True)
    except ValueError:
        return False
    return b":" in plain and plain != b":"


def _challenge(scheme: SecurityScheme) -> str:
    if scheme.kind == "http" and scheme.http_scheme not in {"", "bearer"}:
        return scheme.http_scheme.capitalize() + _CHALLENGES.get(scheme.http_scheme, ' realm="*"')
    return "Bearer"
