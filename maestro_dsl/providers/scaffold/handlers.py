"""One operation as the lines of its handler: parameters, filters, paging, what is stored and shown.

Makes values for `templates/backend/routes.py.j2`; renders nothing itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from maestro_dsl.providers.scaffold.checks import CheckWriter, parameter_check
from maestro_dsl.providers.scaffold.handler import Handler
from maestro_dsl.providers.scaffold.names import article, constant, normal, plural, sentence, snake, unique
from maestro_dsl.providers.scaffold.pysource import Node, call, literal, show
from maestro_dsl.providers.scaffold.records import NOW, TODAY, is_changing
from maestro_dsl.providers.scaffold.service import Resource, Service, Step, Verb
from maestro_dsl.providers.scaffold.shapes import Field, Shape, items_of, kind_of, resolved, shape_of
from maestro_dsl.providers.scaffold.steps import LIMITS, OFFSETS, PAGES, filter_role

if TYPE_CHECKING:
    from maestro_dsl.interfaces.openapi.model import Parameter

_TOTALS: Final = {"total", "totalcount", "totalitems", "totalresults", "count", "size"}
_SEPARATORS: Final = {"spaceDelimited": " ", "pipeDelimited": "|"}
_IGNORED_HEADERS: Final = {"accept", "contenttype", "authorization"}
_HELPERS: Final = {
    "found", "picked", "without", "now", "today", "absent", "scope_of", "quote", "uuid4", "datetime",
    "change", "given",
}  # fmt: skip
_LOCALS: Final = {
    "body", "record", "stored", "items", "total", "scope", "changed", "removed", "item", "records",
    "document", *_HELPERS,
}  # fmt: skip
"""Names that generated handlers use themselves."""
_MAKES: Final = {Verb.CREATE, Verb.BULK}


@dataclass
class HandlerWriter:
    """Makes the handlers of a service; collects the constants and helpers that they share."""

    service: Service
    checks: CheckWriter
    constants: dict[str, tuple[str, ...]] = field(default_factory=dict)
    helpers: set[str] = field(default_factory=set)
    uses: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)

    def handler(self, resource: Resource, step: Step) -> Handler:
        """Return the handler of one operation."""
        made = Handler(
            verb=step.verb.value,
            name=self._name(resource, step),
            doc=sentence(step.operation.summary or _doc(resource, step.verb)),
            table=resource.table,
            noun=resource.noun,
            status=step.status,
            answers=step.answer is not None,
            key_literal=literal(resource.key),
            is_upsert=step.verb is Verb.REPLACE
            and Verb.CREATE not in resource.steps
            and not resource.is_single,
            made_status=201 if "201" in step.operation.responses else step.status,
            is_single=resource.is_single,
            has_key=bool(resource.key),
        )
        self._read_path(made, resource, step)
        self._read_others(made, resource, step)
        if step.body is not None:
            self._read_body(made, resource, step)
        elif step.verb is Verb.AMEND:
            self.helpers.add("given")
            self._first_values(made, resource, step, ())
            made.sent = "given({" + ", ".join(f"{name}: {value}" for name, value in made.changes) + "})"
        self._show(made, resource, step)
        made.is_checked = bool(made.reads)
        self.helpers.update(["scope_of"] if made.scope or made.cascade else [])
        on_one = step.verb not in {Verb.LIST, Verb.FIND, Verb.CREATE, Verb.BULK, Verb.CLEAR}
        if on_one and not made.is_upsert and not resource.is_single:
            self.helpers.add("found")
        return made

    def _name(self, resource: Resource, step: Step) -> str:
        fallback = f"{step.verb.value} {resource.noun}"
        name = snake(step.operation.operation_id or fallback, "operation")
        while name in self.names or name in _HELPERS:
            name += "_"
        self.names.add(name)
        return name

    def _read_path(self, made: Handler, resource: Resource, step: Step) -> None:
        params = {item.name: item for item in step.operation.parameters_in("path")}
        for name in resource.parents:
            made.scope.append(self._path_value(made, params[name]))
        if resource.item_param in params and resource.item_param not in resource.parents:
            made.key = self._path_value(made, params[resource.item_param])
        above = next((item for item in self.service.resources if item.table == resource.parent), None)
        if above is not None:
            made.parent = (above.table, made.scope[len(above.parents)], made.scope[: len(above.parents)])
            self.helpers.add("found")
        below = [item for item in self.service.resources if item.parent == resource.table]
        if step.verb in {Verb.DELETE, Verb.CLEAR} and not resource.is_single:
            made.cascade = tuple(item.table for item in below)

    def _path_value(self, made: Handler, parameter: Parameter) -> str:
        variable = unique(_variable(parameter.name), made.variables)
        made.variables.append(variable)
        check, _ = parameter_check(self.checks, parameter.schema)
        made.reads.append(f"{variable} = {self._reader('path', parameter.name, check)}")
        return variable

    def _read_others(self, made: Handler, resource: Resource, step: Step) -> None:
        for parameter in step.operation.parameters_in("query"):
            self._read_query(made, resource, step, parameter)
        for parameter in step.operation.parameters_in("header"):
            if normal(parameter.name) in _IGNORED_HEADERS:
                continue
            check, is_list = parameter_check(self.checks, parameter.schema)
            if not is_list:
                self.uses.add("header")
                more = {"required": True} if parameter.required else {}
                made.reads.append(self._reader("header", parameter.name, check, **more))

    def _read_query(self, made: Handler, resource: Resource, step: Step, parameter: Parameter) -> None:
        if parameter.style == "deepObject" or kind_of(self.service.api, parameter.schema) == "object":
            made.ignored.append(parameter.name)
            return
        check, is_list = parameter_check(self.checks, parameter.schema)
        default = resolved(self.service.api, parameter.schema).get("default")
        more: dict[str, Node] = {"required": True} if parameter.required else {}
        role = (
            self._role(resource, step, parameter) if step.verb in {Verb.LIST, Verb.FIND, Verb.AMEND} else ""
        )
        if role in {"offset", "page"} and default is None:
            default = 0 if role == "offset" else 1
        if default is not None and not parameter.required and isinstance(default, (str, int, float, list)):
            more["default"] = default
        if is_list:
            self.uses.add("query_list")
            separator = _SEPARATORS.get(parameter.style)
            more = {"separator": separator, **more} if separator else more
        read = self._reader("query_list" if is_list else "query", parameter.name, check, **more)
        variable = unique(_variable(parameter.name), made.variables)
        made.variables.append(variable)
        if role == "":
            made.reads.append(read)
            made.ignored.append(parameter.name)
            return
        made.reads.append(f"{variable} = {read}")
        if role.startswith("filter:"):
            target = made.changes if step.verb is Verb.AMEND else made.filters
            target.append((literal(role.removeprefix("filter:")), variable))
        elif role == "limit":
            made.limit = variable
        elif role == "offset":
            made.offset = variable
        elif role == "page":
            made.offset = variable
            made.page_from = 0 if default == 0 else 1

    def _role(self, resource: Resource, step: Step, parameter: Parameter) -> str:
        name, kind = normal(parameter.name), kind_of(self.service.api, parameter.schema)
        if kind in {"integer", "number"} and step.verb is Verb.LIST:
            for role, known in (("limit", LIMITS), ("offset", OFFSETS), ("page", PAGES)):
                if name in known:
                    return role
        return filter_role(self.service.api, resource.shape, resource.key, parameter)

    def _reader(self, place: str, name: str, check: Node, **more: Node) -> str:
        return show(call(f"request.{place}", name, check, **more), 4, lead=len(_variable(name)) + 3)

    def _read_body(self, made: Handler, resource: Resource, step: Step) -> None:
        api, source = self.service.api, "body"
        one: object = step.body
        if step.verb is Verb.BULK:
            one, source = items_of(api, step.body), "item"
        body = shape_of(api, one)
        title = f"{resource.noun} {'input' if step.verb is Verb.CREATE else step.verb.value}"
        made.body = self.checks.named(step.body, title)
        is_required = step.verb is Verb.BULK or (
            step.operation.body is not None and step.operation.body.required
        )
        more = "" if is_required else ", required=False"
        made.reads.append(self._body_reader(made, body, step, more))
        writable = tuple(
            item.name
            for item in body.fields
            if not item.read_only
            and (item.name != resource.key or step.verb in _MAKES or not resource.item_param)
        )
        fixed = tuple(item.name for item in body.fields if item.read_only)
        if body.is_open:
            own = (resource.key,) if resource.key and step.verb not in _MAKES else ()
            refused = tuple(dict.fromkeys((*fixed, *own)))
            made.sent = source
            if refused:
                self.helpers.add("without")
                made.sent = f"without({source}, {self._constant(resource, 'fixed fields', refused)})"
        else:
            self.helpers.add("picked")
            made.sent = f"picked({source}, {self._constant(resource, 'fields', writable)})"
        self._first_values(made, resource, step, writable)

    def _body_reader(self, made: Handler, body: Shape, step: Step, more: str) -> str:
        if step.form is None:
            self.uses.add("body")
            return f"body = request.body(schemas.{made.body}{more})"
        self.uses.add("form")
        checks: dict[str, Node] = {
            item.name: parameter_check(self.checks, item.schema)[0]
            for item in body.fields
            if item.kind != "string"
        }
        parsers = "" if not checks else f", {show(checks, 4, lead=40)}"
        return f"body = request.form(schemas.{made.body}{parsers}{more})"

    def _first_values(self, made: Handler, resource: Resource, step: Step, writable: tuple[str, ...]) -> None:
        for name, value in resource.starts.items():
            self.helpers.update(word for word in ("now", "today", "uuid4") if f"{word}(" in value)
            if value in {NOW, TODAY} and is_changing(name) and name not in writable:
                made.after.append((literal(name), value))
            elif step.verb in {Verb.PATCH, Verb.AMEND}:
                continue
            elif name in writable:
                made.before.append((literal(name), value))
            elif step.verb in _MAKES or (step.verb is Verb.REPLACE and resource.new_key is None):
                made.after.append((literal(name), value))
        if step.verb in _MAKES:
            for parent, variable in zip(resource.parents, made.scope, strict=True):
                same = next((item for item in resource.shape.fields if _is_same(item, parent)), None)
                if same is not None and same.name != resource.key:
                    made.after.append((literal(same.name), variable))
        if step.verb in {Verb.REPLACE, Verb.SAVE}:
            self._keep(made, resource, writable)

    def _keep(self, made: Handler, resource: Resource, writable: tuple[str, ...]) -> None:
        sent = {*writable, resource.key}
        changing = {name for name, _ in made.after}
        names = dict.fromkeys((*resource.shape.names, *resource.starts))
        kept = tuple(name for name in names if name not in sent and literal(name) not in changing)
        if kept:
            self.helpers.add("picked")
            made.kept = self._constant(resource, "kept fields", kept)

    def _show(self, made: Handler, resource: Resource, step: Step) -> None:
        api = self.service.api
        schema = step.item or step.answer
        made.answers_list = step.item is not None
        shape = shape_of(api, schema)
        hidden = tuple(item.name for item in self._all_fields(resource) if item.write_only)
        if shape.is_closed and not shape.is_open:
            names = tuple(name for name in shape.names if name not in hidden)
            self.helpers.add("picked")
            made.shown = f"picked({{}}, {self._constant(resource, 'shown fields', names)})"
        elif hidden:
            self.helpers.add("without")
            made.shown = f"without({{}}, {self._constant(resource, 'hidden fields', hidden)})"
        if step.verb is Verb.DELETE and step.answer is not None and shape.field(resource.key) is None:
            made.shown = "{}"
            made.answers = kind_of(api, step.answer) in {"object", "any"}
        if step.envelope is not None:
            made.envelope = self._envelope(made, step)
        if step.verb is Verb.CREATE and resource.item_param is not None and Verb.READ in resource.steps:
            made.location = [
                f"request.path_values[{literal(part[1:-1])}]" if part.startswith("{") else literal(part)
                for part in resource.path.strip("/").split("/")
            ]

    def _envelope(self, made: Handler, step: Step) -> list[tuple[str, str]]:
        entries: list[tuple[str, str]] = []
        for item in shape_of(self.service.api, step.answer).fields:
            name = normal(item.name)
            value: str | None = None
            if item.name == step.envelope:
                value = f"[{made.show('item')} for item in items]"
            elif item.kind == "integer" and name in LIMITS - {"count"} and made.limit != "None":
                value = f"len(items) if {made.limit} is None else {made.limit}"
            elif (item.kind == "integer" and name in OFFSETS) or (
                item.kind == "integer" and name in PAGES and made.page_from is not None
            ):
                value = made.offset
            elif item.kind == "integer" and name in _TOTALS:
                value = "total"
            elif item.required:
                value = _empty(self.service, item)
            if value is not None:
                entries.append((literal(item.name), value))
        return entries

    def _all_fields(self, resource: Resource) -> tuple[Field, ...]:
        found = {item.name: item for item in resource.shape.fields}
        for step in resource.steps.values():
            for item in shape_of(self.service.api, step.body).fields:
                if item.write_only:
                    found[item.name] = item
        return tuple(found.values())

    def _constant(self, resource: Resource, title: str, names: tuple[str, ...]) -> str:
        name, number = constant(f"{resource.table} {title}"), 2
        first = name
        while self.constants.get(name, names) != names:
            name, number = f"{first}_{number}", number + 1
        self.constants[name] = names
        return name


def _empty(service: Service, item: Field) -> str | None:
    from maestro_dsl.providers.scaffold.records import first_value

    return first_value(service.api, item.schema)


def _is_same(item: Field, name: str) -> bool:
    return normal(item.name) == normal(name)


def _variable(name: str) -> str:
    found = snake(name)
    return f"{found}_value" if found in _LOCALS else found


def _doc(resource: Resource, verb: Verb) -> str:
    many, one = plural(resource.noun), article(resource.noun)
    if resource.is_single:
        many, one = resource.noun, f"the {resource.noun}"
    texts = {
        Verb.LIST: f"List the {many}",
        Verb.FIND: f"Find {many}",
        Verb.CREATE: f"Create {one}",
        Verb.READ: f"Read {one}",
        Verb.REPLACE: f"Replace {one}",
        Verb.SAVE: f"Replace the {resource.noun} that the body names",
        Verb.PATCH: f"Change some fields of {one}",
        Verb.AMEND: f"Change some fields of {one}",
        Verb.BULK: f"Create several {many}",
        Verb.DELETE: f"Delete {one}",
        Verb.CLEAR: f"Delete all {many}",
    }
    return texts[verb]
