"""The one table of what a difference means, and how a consumer gets by.

Levels are written as letters: B breaking, D dangerous, S safe. One letter stands for a difference without a
direction. Three letters are parameter, request and response: what narrows a request breaks its callers, what
widens a response breaks its readers. Limits that are newly stated are dangerous and not breaking, since
services have often kept them before they were written down; of what is not known, the worse is assumed.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from maestro_dsl.interfaces.changes import Level


class Flow(StrEnum):
    """Who sends a value: the consumer (in a parameter or a body), or the provider."""

    PARAMETER = "parameter"
    REQUEST = "request"
    RESPONSE = "response"


_KEEP: Final = "keep the old form beside the new one, or raise the major version"
_OPTIONAL: Final = "make it optional, or raise the major version"
_ACCEPT: Final = "go on accepting what was allowed, or raise the major version"
_PROMISE: Final = "go on promising it, or raise the major version"
_READERS: Final = "tell consumers to expect values they do not know"
_LIMIT: Final = "make sure that no consumer sends what is refused now"

RULES: Final[dict[str, tuple[str, str | None]]] = {
    # operations
    "operation-removed": ("B", "deprecate it with a sunset date first, or raise the major version"),
    "deprecated-operation-removed": ("D", "state a sunset date (x-sunset) before an operation is removed"),
    "operation-removed-after-sunset": ("S", None),
    "operation-added": ("S", None),
    "operation-deprecated": ("S", None),
    "operation-reactivated": ("S", None),
    "operation-id-changed": ("S", None),
    "tags-changed": ("S", None),
    "extension-changed": ("S", None),
    "sunset-removed": ("B", "keep the date, or take back the deprecation"),
    "sunset-earlier": ("B", "keep the date that consumers plan with"),
    "stability-decreased": ("B", "keep what was promised about it"),
    "stability-increased": ("S", None),
    "webhook-removed": ("B", _PROMISE),
    "webhook-added": ("S", None),
    "callback-removed": ("B", _PROMISE),
    "callback-added": ("S", None),
    "base-path-removed": ("D", "go on answering below the old base path"),
    "base-path-added": ("S", None),
    "server-changed": ("S", None),
    # who may call
    "security-removed": ("B", "go on accepting these credentials, or raise the major version"),
    "security-added": ("S", None),
    "security-address-changed": ("D", "keep the old address alive until consumers have moved"),
    # parameters and bodies as a whole
    "required-parameter-added": ("B", _OPTIONAL),
    "optional-parameter-added": ("S", None),
    "parameter-removed": ("D", "go on accepting it; consumers that send it may be refused"),
    "parameter-location-changed": ("B", _KEEP),
    "parameter-became-required": ("B", _OPTIONAL),
    "parameter-became-optional": ("S", None),
    "parameter-style-changed": ("B", _KEEP),
    "parameter-empty-refused": ("B", _ACCEPT),
    "parameter-empty-allowed": ("S", None),
    "parameter-deprecated": ("S", None),
    "parameter-reactivated": ("S", None),
    "required-body-added": ("B", _OPTIONAL),
    "optional-body-added": ("S", None),
    "body-removed": ("B", _ACCEPT),
    "body-became-required": ("B", _OPTIONAL),
    "body-became-optional": ("S", None),
    "media-type-removed": ("BBB", _KEEP),
    "media-type-added": ("SSS", None),
    "encoding-changed": ("BBB", _KEEP),
    # answers
    "success-status-removed": ("B", _PROMISE),
    "error-status-removed": ("S", None),
    "default-response-removed": ("D", "name the statuses that it stood for"),
    "status-added": ("S", None),
    "required-header-removed": ("B", _PROMISE),
    "optional-header-removed": ("D", _PROMISE),
    "header-added": ("S", None),
    "header-became-optional": ("B", _PROMISE),
    "header-became-required": ("S", None),
    "link-removed": ("D", _PROMISE),
    "link-changed": ("D", _PROMISE),
    "link-added": ("S", None),
    # values
    "type-changed": ("BBB", _KEEP),
    "type-narrowed": ("BBS", _ACCEPT),
    "type-widened": ("SSB", _PROMISE),
    "became-nullable": ("SSB", "leave it out instead of sending null, or raise the major version"),
    "became-not-nullable": ("BBS", _ACCEPT),
    "format-changed": ("BBB", _KEEP),
    "format-narrowed": ("BBS", _ACCEPT),
    "format-widened": ("SSB", _PROMISE),
    "became-enum": ("BBS", _ACCEPT),
    "enum-lifted": ("SSB", _READERS),
    "enum-value-removed": ("BBS", _ACCEPT),
    "enum-value-added": ("SSD", _READERS),
    "enum-replaced": ("BBB", _KEEP),
    "open-enum-value-removed": ("BBS", _ACCEPT),
    "open-enum-value-added": ("SSS", None),
    "const-added": ("BBS", _ACCEPT),
    "const-removed": ("SSB", _READERS),
    "const-changed": ("BBB", _KEEP),
    "limit-set": ("DDS", _LIMIT),
    "limit-tightened": ("BBS", _ACCEPT),
    "limit-loosened": ("SSB", _READERS),
    "limit-lifted": ("SSB", _READERS),
    "pattern-added": ("BBS", _ACCEPT),
    "pattern-changed": ("DDD", "make sure that every value that was allowed still is"),
    "pattern-removed": ("SSS", None),
    "items-must-differ": ("BBS", _ACCEPT),
    "items-may-repeat": ("SSB", _READERS),
    "default-added": ("BSS", "leave the old behaviour where nothing is sent"),
    "default-changed": ("BDS", "leave the old behaviour where nothing is sent"),
    "default-removed": ("BDS", "leave the old behaviour where nothing is sent"),
    # objects
    "required-property-added": ("BBS", _OPTIONAL),
    "optional-property-added": ("SSS", None),
    "required-property-removed": ("DDB", _PROMISE),
    "optional-property-removed": ("DDD", "go on accepting and sending it until nobody uses it"),
    "property-refused": ("BBS", _ACCEPT),
    "property-became-required": ("BBS", _OPTIONAL),
    "property-became-optional": ("SSB", _PROMISE),
    "became-read-only": ("DDS", "go on accepting it, or say so to consumers that send it"),
    "became-writable": ("SSS", None),
    "became-write-only": ("SSD", "go on sending it until nobody reads it"),
    "became-readable": ("SSS", None),
    "became-deprecated": ("SSS", None),
    "became-current": ("SSS", None),
    "object-closed": ("BBS", _ACCEPT),
    "object-opened": ("SSD", _READERS),
    # alternatives and what cannot be compared in detail
    "alternative-added": ("SSB", _READERS),
    "alternative-removed": ("BBS", _ACCEPT),
    "wrapped-in-one-of": ("BBB", "use anyOf, or alternatives of which no value fits two"),
    "alternatives-stated": ("BBS", _ACCEPT),
    "alternatives-lifted": ("SSB", _READERS),
    "alternatives-joined": ("DDD", "say whether several alternatives may hold at once"),
    "discriminator-added": ("SSS", None),
    "discriminator-removed": ("SSS", None),
    "discriminator-changed": ("DDD", _KEEP),
    "mapping-added": ("SSS", None),
    "mapping-removed": ("DDD", _KEEP),
    "mapping-changed": ("DDD", _KEEP),
    "constraint-added": ("BBS", _ACCEPT),
    "constraint-removed": ("SSB", _PROMISE),
    "constraint-changed": ("BBB", "state it so that it can be compared, or raise the major version"),
    "reference-changed": ("BBB", "put what it refers to into the document"),
}
"""Name → levels and hint. The id is the name, with the flow before it where it has a direction."""

_LETTERS: Final = {"B": Level.BREAKING, "D": Level.DANGEROUS, "S": Level.SAFE}
_COLUMN: Final = {flow: number for number, flow in enumerate(Flow)}


def judge(name: str, flow: Flow | None = None) -> tuple[str, Level, str | None]:
    """Return id, level and hint of the rule `name`; the hint only where something may break."""
    letters, hint = RULES[name]
    if len(letters) == 1:
        full, letter = name, letters
    else:
        flow = flow or Flow.REQUEST
        full, letter = f"{flow.value}-{name}", letters[_COLUMN[flow]]
    level = _LETTERS[letter]
    return full, level, None if level is Level.SAFE else hint
