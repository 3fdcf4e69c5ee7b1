"""A page that lists, creates, edits and deletes each resource, its client, a server for it, and tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.compiler.plan import url_variable
from maestro_dsl.providers.scaffold.backend import PORT
from maestro_dsl.providers.scaffold.forms import facts, filters, form, heading, paging, toggle
from maestro_dsl.providers.scaffold.journeys import features, journeys
from maestro_dsl.providers.scaffold.names import camel, label, line, plural
from maestro_dsl.providers.scaffold.render import render
from maestro_dsl.providers.scaffold.resources import path_params
from maestro_dsl.providers.scaffold.service import Resource, Service, Step, Verb

if TYPE_CHECKING:
    from maestro_dsl.interfaces.openapi.model import SecurityScheme

_RESERVED: Final = {"connect", "authenticate", "send", "parse", "messageOf", "fieldsOf"}


def write_frontend(service: Service) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the files of the page by name, and notes on what it cannot show."""
    steps = [(resource, step) for resource in service.resources for step in resource.all_steps]
    functions = _functions([step for _, step in steps])
    shown = [item for item in service.resources if _obstacle(item) is None]
    notes = [f"missing: {item.text}" for item in service.missing]
    notes += [
        f"the page does not show the {plural(item.noun)}: {_obstacle(item)}"
        for item in service.resources
        if item not in shown
    ]
    found = journeys(service)
    title = line(service.api.title, 60) or service.contract_id
    context: dict[str, Any] = {
        "title": title,
        "variable": url_variable(service.contract_id),
        "port": PORT,
        "credentials": _credentials(service),
        **features(found),
    }
    files = {
        "index.html": render("frontend/index.html", **context),
        "styles.css": render("frontend/styles.css"),
        "app.js": render(
            "frontend/app.js",
            **context,
            resources=[_page_resource(service, item, shown, functions) for item in shown],
        ),
        "client.js": render(
            "frontend/client.js",
            **context,
            operations=[
                (step.operation.id, {"method": step.operation.method, "path": step.operation.path})
                for _, step in steps
            ],
            calls=[_client_call(step, functions[step.operation.id]) for _, step in steps],
        ),
        "serve.py": render("frontend/serve.py", **context),
        "test_client.py": render("frontend/test_client.py", **context, journeys=found),
    }
    manys = [plural(item.noun) for item in shown]
    files["README.md"] = render("frontend/README.md", **context, notes=notes, manys=manys)
    return files, tuple(notes)


def can_show(service: Service) -> bool:
    """Return whether a page has anything to show."""
    return any(_obstacle(item) is None for item in service.resources)


def _obstacle(resource: Resource) -> str | None:
    if not resource.is_single and not {Verb.LIST, Verb.FIND} & resource.steps.keys():
        return "no operation lists them"
    if len(resource.parents) > 1 or (resource.parents and resource.parent is None):
        return "they lie under something that the interface does not list"
    return None


def _functions(steps: list[Step]) -> dict[str, str]:
    names: dict[str, str] = {}
    for step in steps:
        name = camel(step.operation.operation_id or f"{step.verb.value} {step.operation.path}", "operation")
        while name in {*names.values(), *_RESERVED}:
            name += "_"
        names[step.operation.id] = name
    return names


def _client_call(step: Step, function: str) -> dict[str, str]:
    arguments: list[str] = []
    pairs: list[str] = []
    for name in path_params(step.operation.path):
        variable = camel(name, "part")
        arguments.append(variable)
        pairs.append(variable if variable == name else f"{_js(name)}: {variable}")
    options = [f"params: {{ {', '.join(pairs)} }}"] if pairs else []
    if step.verb in {Verb.LIST, Verb.FIND} or (step.verb is Verb.AMEND and step.body is None):
        arguments.append("query = {}")
        options.append("query")
    if step.body is not None:
        arguments.append("body")
        options.append("body" if step.form is None else "form: body")
        if step.form is None and step.media_type is not None:
            options.append(f"type: {_js(step.media_type)}")
    return {
        "id": step.operation.id,
        "function": function,
        "arguments": ", ".join(arguments),
        "options": f", {{ {', '.join(options)} }}" if options else "",
    }


def _page_resource(
    service: Service, resource: Resource, shown: list[Resource], functions: dict[str, str]
) -> dict[str, Any]:
    listing = resource.steps.get(Verb.LIST) or resource.steps.get(Verb.FIND) or resource.steps[Verb.READ]
    parent = ["parent"] if resource.parents else []
    own = [] if resource.is_single else ["key"]
    known = {
        "list": (listing, ["query", *parent], [*parent] if resource.is_single else [*parent, "query"]),
        "create": (resource.steps.get(Verb.CREATE), ["body", *parent], [*parent, "body"]),
        "update": (resource.steps.get(Verb.REPLACE), ["key", "body", *parent], [*parent, *own, "body"]),
        "patch": (resource.steps.get(Verb.PATCH), ["key", "body", *parent], [*parent, *own, "body"]),
        "remove": (resource.steps.get(Verb.DELETE), ["key", *parent], [*parent, *own]),
    }
    sources = [
        (name, f"({', '.join(takes)}) => client.{functions[step.operation.id]}({', '.join(passes)})")
        for name, (step, takes, passes) in known.items()
        if step is not None
    ]
    save = resource.steps.get(Verb.SAVE)
    if save is not None and "update" not in dict(sources):
        call = f"client.{functions[save.operation.id]}({{ ...body, {_js(resource.key)}: key }})"
        sources.append(("update", f"(key, body) => {call}"))
    title = heading(resource)
    return {
        "table": resource.table,
        "noun": resource.noun,
        "many": resource.noun if resource.is_single else plural(resource.noun),
        "key": resource.key,
        "heading": title,
        "single": resource.is_single,
        "rows": _rows(resource, listing),
        "functions": sources,
        "toggle": toggle(resource),
        "limit": paging(service.api, resource),
        "parent": resource.parent,
        "filters": filters(service, resource, shown),
        "fields": form(service, resource, shown),
        "facts": facts(service, resource, shown, title),
    }


def _rows(resource: Resource, listing: Step) -> str:
    if resource.is_single:
        return "(data) => [data]"
    return "(data) => data" if listing.envelope is None else f"(data) => data[{_js(listing.envelope)}]"


def _credentials(service: Service) -> dict[str, str] | None:
    schemes = [
        need.schemes[0]
        for resource in service.resources
        for step in resource.steps.values()
        for need in step.operation.security
        if len(need.schemes) == 1
    ]
    return next((found for scheme in schemes if (found := _credential(scheme)) is not None), None)


def _credential(scheme: SecurityScheme) -> dict[str, str] | None:
    if scheme.kind == "apiKey" and scheme.location in {"header", "query"}:
        return {"place": scheme.location, "name": scheme.parameter, "scheme": "", "label": label(scheme.name)}
    if scheme.kind == "http":
        word = (scheme.http_scheme or "bearer").capitalize()
        return {"place": "header", "name": "Authorization", "scheme": word, "label": f"{word} credentials"}
    if scheme.kind in {"oauth2", "openIdConnect"}:
        return {"place": "header", "name": "Authorization", "scheme": "Bearer", "label": "Access token"}
    return None


def _js(text: str) -> str:
    from json import dumps

    return dumps(text)
