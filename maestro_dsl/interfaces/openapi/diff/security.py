"""Who may call: every way in that worked has to work still.

A way in is a set of schemes with scopes that are needed together. Schemes are told apart by what they are and
not by their name; a way that needs less lets in whoever it let in before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from maestro_dsl.interfaces.openapi.diff.values import canonical, show

if TYPE_CHECKING:
    from maestro_dsl.interfaces.openapi.diff.nodes import Node, Side
    from maestro_dsl.interfaces.openapi.diff.operations import Call
    from maestro_dsl.interfaces.openapi.diff.report import Report, Subject
    from maestro_dsl.lang.sourcemap import Pointer


class _Need(NamedTuple):
    """One scheme that a way in needs."""

    signature: str
    scopes: frozenset[str]
    name: str


class _Way(NamedTuple):
    needs: tuple[_Need, ...]
    pointer: Pointer

    def is_met_by(self, other: _Way) -> bool:
        """Return whether credentials for `other` are enough for this way."""
        return all(
            any(own.signature == need.signature and own.scopes >= need.scopes for own in other.needs)
            for need in self.needs
        )

    def __str__(self) -> str:
        if not self.needs:
            return "nothing"
        return " and ".join(_shown(need) for need in self.needs)


def compare_security(report: Report, old: Call, new: Call, subject: Subject) -> None:
    """Note ways in that no longer work, and new ones."""
    before, after = _ways(old), _ways(new)
    for way in before:
        if not any(other.is_met_by(way) for other in after):
            needed = " or ".join(dict.fromkeys(map(str, after)))
            part = subject.part("security", way.pointer, after[0].pointer)
            report.add("security-removed", part, f"a call with {way} is refused; it needs {needed} now")
    for way in after:
        if not any(other.is_met_by(way) and way.is_met_by(other) for other in before):
            part = subject.part("security", before[0].pointer, way.pointer)
            report.add("security-added", part, f"a call may come with {way} now")


def _shown(need: _Need) -> str:
    scopes = ", ".join(sorted(need.scopes))
    return f"{show(need.name)} ({scopes})" if scopes else show(need.name)


def _ways(call: Call) -> list[_Way]:
    root = call.node.side.root
    stated = call.node if "security" in call.node.value else root
    listed = stated.get("security")
    place = stated.pointer if listed is None else listed.pointer
    found = [
        _Way(tuple(_needs(item)), item.pointer)
        for item in stated.listed("security")
        if isinstance(item.value, dict)
    ]
    return found or [_Way((), place)]


def _needs(item: Node) -> list[_Need]:
    schemes = dict(_entries(item.side))
    found = []
    for name, scopes in item.value.items():
        scheme = schemes.get(str(name))
        listed = scopes if isinstance(scopes, list) else []
        signature = f"?{name}" if scheme is None else _signature(scheme)
        found.append(_Need(signature, frozenset(map(str, listed)), str(name)))
    return found


def _signature(scheme: Node) -> str:
    """Return what a caller must know to use a scheme, without addresses and the list of all scopes."""
    value = scheme.value if isinstance(scheme.value, dict) else {}
    kept = {key: value.get(key) for key in ("type", "in", "name")}
    kept["scheme"] = str(value.get("scheme", "")).lower()
    if str(value.get("in")) == "header":
        kept["name"] = str(value.get("name")).lower()
    return canonical(kept)


def compare_schemes(report: Report, old: Side, new: Side, subject: Subject) -> None:
    """Note addresses of login services that changed, once a scheme."""
    before = dict(_entries(old))
    for name, scheme in _entries(new):
        was = before.get(name)
        if was is not None and _addresses(was) != _addresses(scheme):
            part = subject.part(f"security scheme {show(name)}", was.pointer, scheme.pointer)
            report.add("security-address-changed", part, f"{show(name)} is asked for at another address")


def _entries(side: Side) -> list[tuple[str, Node]]:
    components = side.root.get("components")
    return list(components.entries("securitySchemes")) if components is not None else []


def _addresses(scheme: Node) -> str:
    value = scheme.value if isinstance(scheme.value, dict) else {}
    flows = value.get("flows")
    found = {
        str(kind): {key: address for key, address in flow.items() if str(key).endswith("Url")}
        for kind, flow in (flows if isinstance(flows, dict) else {}).items()
        if isinstance(flow, dict)
    }
    return canonical([value.get("openIdConnectUrl"), found])
