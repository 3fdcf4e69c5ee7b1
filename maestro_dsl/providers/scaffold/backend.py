"""A service of the standard library alone: `server.py` and its modules, its own tests, and a README."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from maestro_dsl.providers.scaffold.checks import CheckWriter
from maestro_dsl.providers.scaffold.errors import FALLBACK, ErrorWriter, invalid_status
from maestro_dsl.providers.scaffold.handlers import HandlerWriter
from maestro_dsl.providers.scaffold.journeys import credentials, features, journeys
from maestro_dsl.providers.scaffold.names import line, plural
from maestro_dsl.providers.scaffold.pysource import Call, Node, Raw, call, show
from maestro_dsl.providers.scaffold.render import render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.interfaces.openapi.model import Operation, SecurityScheme
    from maestro_dsl.providers.scaffold.handler import Handler
    from maestro_dsl.providers.scaffold.service import Resource, Service

PORT: Final = 8000
_MODULES: Final = {
    f"{name}.py"
    for name in ("transport", "routes", "schemas", "checks", "errors", "storage", "seeds", "test_service")
}
_CHECKS: Final = frozenset(
    {
        "Anything", "Choice", "Either", "Every", "Flag", "Lacking", "Later", "ListOf", "Nothing", "Nullable",
        "Number", "Record", "Text",
    }
)  # fmt: skip
_CALLED: Final = re.compile(r"\b([A-Z][A-Za-z]+)\(")


def write_backend(service: Service, *, entry: str = "server.py") -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the files of the service by name, and notes on what the interface asks for beyond them.

    `entry` is the path of the file that starts it, as the contract states it; its last part is a name here.
    """
    script = entry.rpartition("/")[2]
    if not script.removesuffix(".py").isidentifier() or script in _MODULES:
        script = "server.py"
    checks = CheckWriter(service.api)
    writer = HandlerWriter(service=service, checks=checks)
    errors = ErrorWriter(service.api)
    handlers = [
        (step.operation, writer.handler(resource, step))
        for resource in service.resources
        for step in resource.all_steps
    ]
    common = errors.common()
    routes = _routes(service, handlers, errors, common)
    title = line(service.api.title, 60) or service.contract_id
    notes = _notes(service, checks, handlers, routes)
    singles = [item for item in service.resources if item.is_single]
    seeded = [item for item in service.resources if not item.is_single and not item.is_made]
    shared: dict[str, Any] = {
        "has_singles": bool(singles),
        "has_seeds": bool(seeded),
        "title": title,
        "service": service,
        "resources": service.resources,
        "base_path": service.base_path,
        "port": PORT,
        "entry": script,
        "module": script.removesuffix(".py"),
        "uses": writer.uses,
        "common_error": common,
    }
    files = {
        script: render("backend/server.py", **shared),
        "transport.py": _transport(shared, service, routes),
        "routes.py": _routes_file(shared, writer, [item for _, item in handlers], routes, errors),
        "schemas.py": _schemas_file(shared, checks),
        "checks.py": _checks_file(shared, checks),
        "errors.py": _errors_file(shared, errors),
        "storage.py": render(
            "backend/storage.py",
            **shared,
            keys={resource.new_key for resource in service.resources},
            cascades=any(item.cascade for _, item in handlers),
            verbs={item.verb for _, item in handlers},
            single_resets=any(item.is_single and item.verb == "delete" for _, item in handlers),
            names_used=[name for name, is_used in (("FIRST", singles), ("SEEDS", seeded)) if is_used],
        ),
        "test_service.py": render("backend/test_service.py", **shared, **_test_context(service)),
    }
    if singles or seeded:
        files["seeds.py"] = render(
            "backend/seeds.py",
            **shared,
            seeds={item.table: {scope: [*things] for scope, things in item.seeds.items()} for item in seeded},
            first={item.table: item.first for item in singles},
        )
    files["README.md"] = render("backend/README.md", **shared, notes=notes, files=sorted(files))
    return files, notes


def _routes(
    service: Service, handlers: list[tuple[Operation, Handler]], errors: ErrorWriter, common: str
) -> list[Node]:
    by_id = {operation.id: handler.name for operation, handler in handlers}
    by_form = {step.operation.id: step.form for item in service.resources for step in item.all_steps}
    reasons = {item.operation.id: item.reason for item in service.missing}
    operations = sorted(service.api.operations, key=_specific_first)
    routes: list[Node] = []
    for operation in operations:
        if not _is_servable(operation):
            continue
        handler = by_id.get(operation.id)
        run: Node = Raw(handler) if handler else call("absent", line(reasons[operation.id]))
        declared = errors.declared(operation)
        other = declared.pop("default", common)
        more: dict[str, Node] = {}
        if invalid_status(operation) != 422:  # noqa: PLR2004 - the default of the generated class
            more["invalid_status"] = invalid_status(operation)
        own = {status: name for status, name in declared.items() if name != other and status.isdigit()}
        if own:
            pairs = ", ".join(f"{status}: {name}" for status, name in sorted(own.items()))
            more["errors"] = Raw("{" + pairs + "}")
        if other != common:
            more["other_errors"] = Raw(other)
        if handler and operation.body is not None:
            types = tuple(media.partition(";")[0].strip().lower() for media in operation.body.content)
            types = tuple(item for item in types if item == "application/json" or item.endswith("+json"))
            if by_form.get(operation.id):
                more["media_types"] = (by_form[operation.id],)
            elif types and "*/*" not in operation.body.content:
                more["media_types"] = types
        more |= _answer_types(operation, is_done=handler is not None)
        needed = _credentials(operation)
        if needed:
            more["credentials"] = needed
        routes.append(call("Route", operation.method, operation.path, run, **more))
    return routes


def _answer_types(operation: Operation, *, is_done: bool) -> dict[str, Node]:
    """Return the media types of answers where they are not plain JSON."""
    found: dict[str, Node] = {}
    for status, response in operation.responses.items():
        name = "error_type" if status == "default" or status[0] in "45" else "answer_type"
        media = response.json
        bare = "" if media is None else media.media_type.partition(";")[0].strip().lower()
        if bare.endswith("+json") and (is_done or name == "error_type"):
            found.setdefault(name, bare)
    return found


def _specific_first(operation: Operation) -> tuple[tuple[bool, ...], int]:
    parts = operation.path.split("/")
    return tuple("{" in part for part in parts), 0


def _is_servable(operation: Operation) -> bool:
    has_fragment = "#" in operation.path or "?" in operation.path
    return not has_fragment and operation.method in {"GET", "POST", "PUT", "PATCH", "DELETE"}


def _credentials(operation: Operation) -> tuple[Node, ...]:
    groups: list[Node] = []
    for requirement in operation.security:
        group = tuple(found for scheme in requirement.schemes if (found := _credential(scheme)) is not None)
        if not group:
            return ()
        groups.append(group)
    return tuple(groups)


def _credential(scheme: SecurityScheme) -> Node | None:
    if scheme.kind == "apiKey":
        return call("Credential", scheme.location, scheme.parameter)
    if scheme.kind == "http":
        return call("Credential", "header", "Authorization", (scheme.http_scheme or "bearer").capitalize())
    if scheme.kind in {"oauth2", "openIdConnect"}:
        return call("Credential", "header", "Authorization", "Bearer")
    return None


def _transport(shared: Mapping[str, Any], service: Service, routes: list[Node]) -> str:
    schemes = [scheme for item in service.api.operations for need in item.security for scheme in need.schemes]
    headers = ["Authorization", "Content-Type"]
    headers += sorted(
        {item.parameter for item in schemes if item.kind == "apiKey" and item.location == "header"}
    )
    fields = {name for route in routes if isinstance(route, Call) for name, _ in route.keywords}
    secured = any(_credentials(item) for item in service.api.operations if _is_servable(item))
    return render(
        "backend/transport.py",
        **shared,
        secured=secured,
        route_fields=fields,
        cors_headers=", ".join(headers),
    )


def _routes_file(
    shared: Mapping[str, Any],
    writer: HandlerWriter,
    handlers: list[Handler],
    routes: list[Node],
    errors: ErrorWriter,
) -> str:
    table = "\n".join(show(route) for route in routes)
    body = "\n".join(line for handler in handlers for line in handler.reads)
    names = {"Request", "Response", "Route"}
    is_partial = "absent(" in table
    is_strict = any(item.verb == "bulk" and item.answers and not item.answers_list for item in handlers)
    if "found" in writer.helpers or is_partial or is_strict:
        names.add("HttpError")
    if "Credential(" in table:
        names.add("Credential")
    used = {name for name in (FALLBACK, *errors.bodies) if re.search(rf"\b{name}\b", table)}
    return render(
        "backend/routes.py",
        **shared,
        handlers=handlers,
        routes=routes,
        constants=sorted(writer.constants.items()),
        helpers=writer.helpers,
        checks_used=sorted(set(_CALLED.findall(body)) & _CHECKS),
        has_schemas=any(handler.body for handler in handlers),
        errors_used=sorted(used),
        transport_used=sorted(names),
        absent=is_partial,
    )


def _schemas_file(shared: Mapping[str, Any], checks: CheckWriter) -> str:
    constants = [(name, show(node, lead=len(name) + 3)) for name, node in checks.constants.items()]
    used = sorted({found for _, text in constants for found in _CALLED.findall(text)} & _CHECKS)
    return render("backend/schemas.py", **shared, constants=constants, used=used)


def _checks_file(shared: Mapping[str, Any], checks: CheckWriter) -> str:
    formats = checks.formats
    functions = {
        "date": "_day", "date-time": "_instant", "time": "time.fromisoformat", "email": "_email",
        "uri": "_uri", "uuid": "_uuid", "ipv4": "IPv4Address", "ipv6": "IPv6Address",
    }  # fmt: skip
    dates = [
        name
        for name, key in (("date", "date"), ("datetime", "date-time"), ("time", "time"))
        if key in formats
    ]
    addresses = [name for name, key in (("IPv4Address", "ipv4"), ("IPv6Address", "ipv6")) if key in formats]
    return render(
        "backend/checks.py",
        **{**shared, "uses": checks.uses},
        formats=sorted(formats),
        dates=dates,
        addresses=addresses,
        needs_re=bool({"date-time", "email"} & formats) or "pattern" in checks.uses,
        format_lines=[f'"{name}": _succeeds({functions[name]}),' for name in sorted(formats)],
    )


def _errors_file(shared: Mapping[str, Any], errors: ErrorWriter) -> str:
    bodies = []
    for name, node in errors.bodies.items():
        text = show(node, 4, lead=len("return "))
        unused = [word for word in ("status", "message", "problems") if not re.search(rf"\b{word}\b", text)]
        bodies.append((name, text, unused))
    uses_word = any("word(status)" in text for _, text, _ in bodies)
    return render("backend/errors.py", **shared, bodies=bodies, uses_word=uses_word)


def _test_context(service: Service) -> dict[str, Any]:
    absent = next((item.operation for item in service.missing if _is_servable(item.operation)), None)
    secured = next(
        (item for item in service.api.operations if _is_servable(item) and _credentials(item)), None
    )
    found = journeys(service)
    return {
        "journeys": found,
        **features(found),
        "probe_path": re.sub(r"\{[^{}]*\}", "1", service.resources[0].all_steps[0].operation.path),
        "absent": absent,
        "absent_path": None if absent is None else _tried(absent),
        "absent_headers": {} if absent is None else credentials(absent)[0],
        "secured": secured,
        "secured_path": None if secured is None else _tried(secured, with_query=False),
    }


def _tried(operation: Operation, *, with_query: bool = True) -> str:
    query = credentials(operation)[1] if with_query else {}
    return re.sub(r"\{[^{}]*\}", "1", operation.path) + (f"?{urlencode(query)}" if query else "")


def _notes(
    service: Service, checks: CheckWriter, handlers: list[tuple[Operation, Handler]], routes: list[Node]
) -> tuple[str, ...]:
    notes = [f"missing: {item.text}" for item in service.missing]
    notes += [
        f"no effect: {operation.method} {operation.path} reads the parameter {line(name)}, but what it means "
        "cannot be told from the interface"
        for operation, handler in handlers
        for name in handler.ignored
    ]
    notes += [f"not checked: {item} in request bodies" for item in sorted(checks.unchecked)]
    if any("Credential(" in show(route) for route in routes):
        notes.append("credentials are looked for, not verified: the interface names no place to verify them")
    for resource in service.resources:
        starts = [name for name, value in resource.starts.items() if value in {'""', "0", "[]", "{}"}]
        if starts:
            notes.append(
                f"{resource.noun}: {', '.join(map(line, starts))} start empty; nothing says what they are"
            )
        notes += _seed_notes(resource)
        if resource.parent:
            notes.append(f"deleting a {resource.parent} entry deletes the {resource.table} in it")
    return tuple(notes)


def _seed_notes(resource: Resource) -> list[str]:
    if resource.is_single:
        until = "it can be edited there" if resource.is_fixed else "it holds until somebody writes it"
        text = f"{resource.noun}: its first value, in seeds.py, is made of examples and defaults; {until}"
        return [text]
    if resource.is_made or not resource.is_seen:
        return []
    count = sum(map(len, resource.seeds.values()))
    held = f"{count} from the examples of the interface" if count else "none yet"
    many = plural(resource.noun)
    return [f"{many}: nothing makes them, so they stand in seeds.py, for a person to edit ({held})"]
