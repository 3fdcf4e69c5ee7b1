"""Changes planted into real OpenAPI documents: each touches one operation, and what it means is known."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
COMBINED = {"allOf", "oneOf", "anyOf", "not", "enum", "const", "$ref", "discriminator", "if"}


@dataclass
class Place:
    """One operation of a document that is being changed."""

    document: dict[str, Any]
    path: str
    method: str

    @cached_property
    def item(self):
        return own(self.document, self.document["paths"], self.path)

    @property
    def operation(self):
        return self.item[self.method]

    @property
    def label(self):
        return f"{self.method.upper()} {self.path}"


def operations(document) -> Iterator[tuple[str, str]]:
    for path, item in document.get("paths", {}).items():
        target = resolve(document, item)
        for method in METHODS:
            if isinstance(target, dict) and isinstance(target.get(method), dict):
                yield path, method


def resolve(document, value):
    for _ in range(50):
        if not (isinstance(value, dict) and isinstance(value.get("$ref"), str)):
            return value
        node = document
        for part in value["$ref"].removeprefix("#/").split("/"):
            node = node[part.replace("~1", "/").replace("~0", "~")]
        value = node
    raise AssertionError("endless reference")


def own(document, holder, key):
    """Make what stands under `key` a copy of its own, so that a change there changes nothing else."""
    holder[key] = copy.deepcopy(resolve(document, holder[key]))
    return holder[key]


# --- the parts of an operation, each made its own -------------------------------------------------------


def parameters(place, location="query"):
    for source in (place.operation, place.item):
        listed = source.get("parameters", [])
        for number in range(len(listed)):
            if resolve(place.document, listed[number]).get("in") == location:
                yield source, number


def parameter(place, chance, fits, location="query"):
    found = [
        (source, number)
        for source, number in parameters(place, location)
        if fits(resolve(place.document, source["parameters"][number]))
    ]
    if not found:
        return None
    source, number = chance.choice(found)
    if source is place.item:  # shared by all operations of the path: give this one its own
        made = copy.deepcopy(resolve(place.document, source["parameters"][number]))
        name = made["name"]
        mine = place.operation.setdefault("parameters", [])
        if any(resolve(place.document, item).get("name") == name for item in mine):
            return None
        mine.append(made)
        return made
    return own(place.document, source["parameters"], number)


def body(place):
    return own(place.document, place.operation, "requestBody") if "requestBody" in place.operation else None


def json_of(holder):
    content = holder.get("content") if holder else None
    for name in content or {}:
        if "json" in name and "schema" in content[name]:
            return content[name]
    return None


def success(place):
    """The one success answer of an operation, or None where there are several."""
    found = [status for status in place.operation.get("responses", {}) if str(status).startswith("2")]
    return own(place.document, place.operation["responses"], found[0]) if len(found) == 1 else None


def plain(document, schema):
    target = resolve(document, schema)
    return isinstance(target, dict) and not COMBINED & target.keys()


def object_in(place, holder):
    """The object schema of a JSON body that is written plainly, made its own."""
    media = json_of(holder)
    if media is None or not plain(place.document, media["schema"]):
        return None
    target = resolve(place.document, media["schema"])
    if target.get("type") != "object" or not target.get("properties"):
        return None
    if target.get("additionalProperties") is False:
        return None
    return own(place.document, media, "schema")


def travels(document, schema, hidden):
    target = resolve(document, schema)
    return isinstance(target, dict) and target.get(hidden) is not True


def chosen_property(place, schema, chance, hidden, fits):
    names = [
        name
        for name, value in schema["properties"].items()
        if plain(place.document, value)
        and travels(place.document, value, hidden)
        and fits(name, resolve(place.document, value))
    ]
    if not names:
        return None
    name = chance.choice(names)
    return name, own(place.document, schema["properties"], name)


def scalar(value):
    return value.get("type") in ("string", "integer", "boolean")


def other_type(value):
    return {"string": "boolean", "integer": "boolean", "boolean": "integer"}[value["type"]]


def keep_type(value, kind):
    for key in [key for key in value if key not in {"description", "nullable", "name", "in", "required"}]:
        del value[key]
    value["type"] = kind


# --- changes that break ----------------------------------------------------------------------------------
# each takes a place and chance, changes the document, and returns whether it could


def remove_operation(place, _chance):
    if place.operation.get("deprecated"):  # may go: that is a finding of its own, and breaks nothing
        return False
    del place.item[place.method]
    return True


def rename_path(place, _chance):
    item = place.document["paths"]
    if len([1 for path, _ in operations(place.document) if path == place.path]) != 1:
        return False
    if place.operation.get("deprecated"):
        return False
    item[place.path + "/moved"] = item.pop(place.path)
    return True


def add_required_parameter(place, _chance):
    new = {"name": "planted", "in": "query", "required": True, "schema": {"type": "string"}}
    place.operation["parameters"] = [*place.operation.get("parameters", []), new]
    return True


def require_parameter(place, chance):
    found = parameter(place, chance, lambda item: item.get("required") is not True)
    if found is None:
        return False
    found["required"] = True
    return True


def move_parameter(place, chance):
    found = parameter(place, chance, lambda item: "content" not in item)
    if found is None:
        return False
    found["in"] = "header"
    return True


def retype_parameter(place, chance):
    def fits(item):
        return plain(place.document, item.get("schema", {"enum": 1})) and scalar(
            resolve(place.document, item["schema"])
        )

    found = parameter(place, chance, fits)
    if found is None:
        return False
    schema = own(place.document, found, "schema")
    keep_type(schema, other_type(schema))
    return True


def limit_parameter_to_values(place, chance):
    found = parameter(
        place,
        chance,
        lambda item: (
            plain(place.document, item.get("schema", {"enum": 1}))
            and resolve(place.document, item["schema"]).get("type") == "string"
        ),
    )
    if found is None:
        return False
    own(place.document, found, "schema")["enum"] = ["planted"]
    return True


def change_parameter_default(place, chance):
    found = parameter(
        place, chance, lambda item: "default" in (resolve(place.document, item.get("schema", {})) or {})
    )
    if found is None:
        return False
    own(place.document, found, "schema")["default"] = "planted"
    return True


def add_required_body(place, _chance):
    if "requestBody" in place.operation:
        return False
    content = {"application/json": {"schema": {"type": "object"}}}
    place.operation["requestBody"] = {"required": True, "content": content}
    return True


def require_body(place, _chance):
    found = body(place)
    if found is None or found.get("required") is True:
        return False
    found["required"] = True
    return True


def remove_body(place, _chance):
    return place.operation.pop("requestBody", None) is not None


def remove_request_media(place, chance):
    found = body(place)
    if not found or not found.get("content"):
        return False
    name = chance.choice(list(found["content"]))
    content = found["content"].pop(name)
    found["content"].setdefault("application/x-planted", content)
    return True


def add_required_property(place, _chance):
    schema = object_in(place, body(place))
    if schema is None:
        return False
    schema["properties"]["planted"] = {"type": "string"}
    schema["required"] = [*schema.get("required", []), "planted"]
    return True


def require_request_property(place, chance):
    schema = object_in(place, body(place))
    found = schema and chosen_property(
        place, schema, chance, "readOnly", lambda name, _: name not in schema.get("required", [])
    )
    if not found:
        return False
    schema["required"] = [*schema.get("required", []), found[0]]
    return True


def retype_request_property(place, chance):
    schema = object_in(place, body(place))
    found = schema and chosen_property(place, schema, chance, "readOnly", lambda _, value: scalar(value))
    if not found:
        return False
    keep_type(found[1], other_type(found[1]))
    return True


def limit_request_property_to_pattern(place, chance):
    schema = object_in(place, body(place))
    found = schema and chosen_property(
        place,
        schema,
        chance,
        "readOnly",
        lambda _, value: value.get("type") == "string" and "pattern" not in value,
    )
    if not found:
        return False
    found[1]["pattern"] = "^planted$"
    return True


def shorten_request_property(place, chance):
    schema = object_in(place, body(place))
    found = schema and chosen_property(
        place, schema, chance, "readOnly", lambda _, value: value.get("maxLength", 0) > 1
    )
    if not found:
        return False
    found[1]["maxLength"] -= 1
    return True


def fix_request_property(place, chance):
    schema = object_in(place, body(place))
    found = schema and chosen_property(place, schema, chance, "readOnly", lambda _, value: scalar(value))
    if not found:
        return False
    found[1]["enum"] = ["planted"]
    return True


def close_request(place, _chance):
    schema = object_in(place, body(place))
    if schema is None or "additionalProperties" in schema:
        return False
    schema["additionalProperties"] = False
    return True


def forbid_null_in_request(place, chance):
    schema = object_in(place, body(place))
    found = schema and chosen_property(
        place, schema, chance, "readOnly", lambda _, value: value.get("nullable") is True and "type" in value
    )
    if not found:
        return False
    del found[1]["nullable"]
    return True


def remove_success(place, _chance):
    responses = place.operation.get("responses", {})
    found = [status for status in responses if str(status).startswith("2")]
    if not found:
        return False
    del responses[found[0]]
    responses["404"] = {"description": "planted"}
    return True


def remove_answer_media(place, chance):
    found = success(place)
    if not found or not found.get("content"):
        return False
    del found["content"][chance.choice(list(found["content"]))]
    return True


def remove_required_answer_property(place, chance):
    schema = object_in(place, success(place))
    found = schema and chosen_property(
        place, schema, chance, "writeOnly", lambda name, _: name in schema.get("required", [])
    )
    if not found:
        return False
    del schema["properties"][found[0]]
    schema["required"] = [name for name in schema["required"] if name != found[0]]
    return True


def make_answer_property_optional(place, chance):
    schema = object_in(place, success(place))
    found = schema and chosen_property(
        place, schema, chance, "writeOnly", lambda name, _: name in schema.get("required", [])
    )
    if not found:
        return False
    schema["required"] = [name for name in schema["required"] if name != found[0]]
    return True


def retype_answer_property(place, chance):
    schema = object_in(place, success(place))
    found = schema and chosen_property(place, schema, chance, "writeOnly", lambda _, value: scalar(value))
    if not found:
        return False
    keep_type(found[1], other_type(found[1]))
    return True


def allow_null_in_answer(place, chance):
    schema = object_in(place, success(place))
    found = schema and chosen_property(
        place, schema, chance, "writeOnly", lambda _, value: scalar(value) and not value.get("nullable")
    )
    if not found:
        return False
    if place.document["openapi"].startswith("3.0"):
        found[1]["nullable"] = True
    else:
        found[1]["type"] = [found[1]["type"], "null"]
    return True


def widen_answer_property(place, chance):
    schema = object_in(place, success(place))
    found = schema and chosen_property(place, schema, chance, "writeOnly", lambda _, value: scalar(value))
    if not found:
        return False
    before = copy.deepcopy(found[1])
    found[1].clear()
    found[1]["oneOf"] = [before, {"type": "object"}]
    return True


def drop_format_of_answer(place, chance):
    schema = object_in(place, success(place))
    found = schema and chosen_property(place, schema, chance, "writeOnly", lambda _, value: "format" in value)
    if not found:
        return False
    del found[1]["format"]
    return True


def make_answer_a_list(place, _chance):
    media = json_of(success(place))
    if media is None:
        return False
    target = resolve(place.document, media["schema"])
    if not isinstance(target, dict) or target.get("type") not in ("object", "string"):
        return False
    media["schema"] = {"type": "array", "items": media["schema"]}
    return True


def demand_credentials(place, _chance):
    components = place.document.setdefault("components", {})
    schemes = components.setdefault("securitySchemes", {})
    schemes["planted"] = {"type": "apiKey", "in": "header", "name": "X-Planted"}
    place.operation["security"] = [{"planted": []}]
    return True


BREAKING: dict[str, Callable[[Place, random.Random], bool]] = {
    function.__name__: function
    for function in (
        remove_operation,
        rename_path,
        add_required_parameter,
        require_parameter,
        move_parameter,
        retype_parameter,
        limit_parameter_to_values,
        change_parameter_default,
        add_required_body,
        require_body,
        remove_body,
        remove_request_media,
        add_required_property,
        require_request_property,
        retype_request_property,
        limit_request_property_to_pattern,
        shorten_request_property,
        fix_request_property,
        close_request,
        forbid_null_in_request,
        remove_success,
        remove_answer_media,
        remove_required_answer_property,
        make_answer_property_optional,
        retype_answer_property,
        allow_null_in_answer,
        widen_answer_property,
        drop_format_of_answer,
        make_answer_a_list,
        demand_credentials,
    )
}
HARMLESS_BACKWARDS = set(BREAKING) - {
    # these break in both directions: what is there afterwards is not a superset of what was
    "rename_path", "move_parameter", "retype_parameter", "change_parameter_default", "remove_request_media",
    "retype_request_property", "remove_success", "retype_answer_property", "make_answer_a_list",
    "remove_body", "add_required_body", "demand_credentials",
}  # fmt: skip


# --- changes that do not --------------------------------------------------------------------------------


def add_operation(place, _chance):
    place.document["paths"]["/planted"] = {"get": {"responses": {"200": {"description": "planted"}}}}
    return True


def add_optional_parameter(place, _chance):
    new = {"name": "planted", "in": "query", "schema": {"type": "string"}}
    place.operation["parameters"] = [*place.operation.get("parameters", []), new]
    return True


def relax_parameter(place, chance):
    found = parameter(place, chance, lambda item: item.get("required") is True)
    if found is None:
        return False
    found["required"] = False
    return True


def add_optional_property(place, _chance):
    schema = object_in(place, body(place))
    if schema is None:
        return False
    schema["properties"]["planted"] = {"type": "string"}
    return True


def add_answer_property(place, _chance):
    schema = object_in(place, success(place))
    if schema is None:
        return False
    schema["properties"]["planted"] = {"type": "string"}
    schema["required"] = [*schema.get("required", []), "planted"]
    return True


def promise_answer_property(place, chance):
    schema = object_in(place, success(place))
    found = schema and chosen_property(
        place, schema, chance, "writeOnly", lambda name, _: name not in schema.get("required", [])
    )
    if not found:
        return False
    schema["required"] = [*schema.get("required", []), found[0]]
    return True


def add_error(place, _chance):
    if "418" in place.operation.get("responses", {}):
        return False
    place.operation.setdefault("responses", {})["418"] = {"description": "planted"}
    return True


def add_request_media(place, _chance):
    found = body(place)
    if not found or not found.get("content"):
        return False
    found["content"]["application/x-planted"] = {"schema": {"type": "string"}}
    return True


def lengthen_request_property(place, chance):
    schema = object_in(place, body(place))
    found = schema and chosen_property(
        place, schema, chance, "readOnly", lambda _, value: "maxLength" in value
    )
    if not found:
        return False
    found[1]["maxLength"] += 1
    return True


def deprecate(place, _chance):
    if place.operation.get("deprecated") is True:
        return False
    place.operation["deprecated"] = True
    return True


def say_more(place, _chance):
    place.operation["summary"] = "planted"
    place.operation["tags"] = ["planted"]
    place.operation["x-planted"] = {"a": 1}
    return True


def let_anybody_in(place, _chance):
    place.operation["security"] = []
    return True


def fix_answer_property(place, chance):
    schema = object_in(place, success(place))
    found = schema and chosen_property(place, schema, chance, "writeOnly", lambda _, value: scalar(value))
    if not found:
        return False
    found[1]["enum"] = [{"string": "planted", "integer": 1, "boolean": True}[found[1]["type"]]]
    return True


def allow_null_in_request(place, chance):
    schema = object_in(place, body(place))
    found = schema and chosen_property(
        place, schema, chance, "readOnly", lambda _, value: scalar(value) and not value.get("nullable")
    )
    if not found:
        return False
    if place.document["openapi"].startswith("3.0"):
        found[1]["nullable"] = True
    else:
        found[1]["type"] = [found[1]["type"], "null"]
    return True


SAFE: dict[str, Callable[[Place, random.Random], bool]] = {
    function.__name__: function
    for function in (
        add_operation,
        add_optional_parameter,
        relax_parameter,
        add_optional_property,
        add_answer_property,
        promise_answer_property,
        add_error,
        add_request_media,
        lengthen_request_property,
        deprecate,
        say_more,
        let_anybody_in,
        fix_answer_property,
        allow_null_in_request,
    )
}


# --- changes that are none --------------------------------------------------------------------------------

UNORDERED = {"parameters", "enum", "required", "tags", "security"}
DATA = {"example", "examples", "default", "const", "enum"}


def reordered(value, chance, key=""):
    """The same document with keys and unordered lists in another order."""
    if isinstance(value, dict):
        names = list(value)
        chance.shuffle(names)
        return {name: value[name] if name in DATA else reordered(value[name], chance, name) for name in names}
    if isinstance(value, list):
        items = [reordered(item, chance) for item in value]
        if key in UNORDERED:
            chance.shuffle(items)
        return items
    return value


def shuffled_values(value, chance):
    """The same with enum values in another order, which `reordered` leaves alone as data."""
    if isinstance(value, dict):
        made = {name: item if name in DATA else shuffled_values(item, chance) for name, item in value.items()}
        if isinstance(made.get("enum"), list):
            made["enum"] = chance.sample(made["enum"], len(made["enum"]))
        return made
    return [shuffled_values(item, chance) for item in value] if isinstance(value, list) else value


def renamed(document, suffix="Renamed"):
    """The same document with every component schema under another name."""
    names = set(document.get("components", {}).get("schemas", {}))
    prefix = "#/components/schemas/"

    def walk(value, key=""):
        if isinstance(value, dict) and key == "mapping":  # of a discriminator: bare names stand for schemas
            return {name: walk(item) + suffix * (item in names) for name, item in value.items()}
        if isinstance(value, dict):
            return {key: walk(item, key) for key, item in value.items()}
        if isinstance(value, list):
            return [walk(item) for item in value]
        if isinstance(value, str) and value.startswith(prefix):
            name, slash, rest = value.removeprefix(prefix).partition("/")
            return prefix + (name + suffix if name in names else name) + slash + rest
        return value

    made = walk(document)
    schemas = made.get("components", {}).get("schemas", {})
    if schemas:
        made["components"]["schemas"] = {name + suffix: schema for name, schema in schemas.items()}
    return made


def as_31(value):
    """A document of OpenAPI 3.0 in the words of 3.1: type lists instead of `nullable`, numbers as limits."""
    made = _as_31(value)
    made["openapi"] = "3.1.0"
    return made


def _as_31(value, inside=""):
    if isinstance(value, list):
        return [_as_31(item) for item in value]
    if not isinstance(value, dict):
        return value
    made = {key: item if key in DATA else _as_31(item, key) for key, item in value.items()}
    if inside in {"properties", "schemas"}:
        return made
    for key, strict in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if made.get(strict) is True and key in made:
            made[strict] = made.pop(key)
        elif made.get(strict) is False:
            del made[strict]
    if made.get("nullable") is True and isinstance(made.get("type"), str):
        del made["nullable"]
        made["type"] = [made["type"], "null"]
    elif made.get("nullable") is True and {"allOf", "oneOf", "anyOf"} & made.keys():
        del made["nullable"]
        made = {"anyOf": [made, {"type": "null"}]}
    elif made.get("nullable") is False:
        del made["nullable"]
    return made
