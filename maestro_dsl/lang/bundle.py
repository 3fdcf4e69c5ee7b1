"""One self-contained document out of a spec file that refers to other files of its project.

Files are read inside the project folder only, symbolic links followed first; addresses of other hosts are
never asked. What other files hold is copied under `components`, each thing once, so that cycles stay cycles.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from maestro_dsl.lang import disk
from maestro_dsl.lang.files import Area, PathProblem, project_root
from maestro_dsl.lang.late import pattern
from maestro_dsl.lang.model import Json
from maestro_dsl.lang.source import Profile, load
from maestro_dsl.records import dataclass

_MAX_FILES: Final = 500
_MAX_BYTES: Final = 20_000_000
_MAX_INLINED: Final = 32
_MAX_COPIES: Final = 20_000
_MOST_DIGITS: Final = 10
_SCHEME: Final = pattern(r"[A-Za-z][A-Za-z0-9+.-]*:|//")
_NOT_IN_NAMES: Final = pattern(r"[^A-Za-z0-9._-]")
_SCHEMA_MAPS: Final = frozenset(
    {"properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "schemas"}
)
_MAPS: Final = {
    **dict.fromkeys(_SCHEMA_MAPS, "schemas"),
    "parameters": "parameters",
    "responses": "responses",
    "requestBodies": "requestBodies",
    "headers": "headers",
    "examples": "examples",
    "links": "links",
    "callbacks": "callbacks",
    "securitySchemes": "securitySchemes",
    "paths": "pathItems",
    "webhooks": "pathItems",
    "pathItems": "pathItems",
}
"""Keys whose value is a map of names or a list, and what each entry of it is."""
_DATA: Final = frozenset({"example", "default", "enum", "const"})
_ROOT: Final = "#"
_REF_OUT: Final = pattern(rb"""\$ref["']?\s*:\s*["']?[^#"'\s]""")
"""Says cheaply of most documents that they refer to no other file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A document without references to other files, as far as they can be followed."""

    data: Json
    content: bytes
    """As JSON, which is YAML too."""
    problems: tuple[tuple[str, str], ...]
    """References that were left as they are, each with the end of the sentence `"x" …`."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A node that is still to be looked at: which file it comes from, and what it is."""

    node: Any
    file: Path
    kind: str
    is_map: bool = False
    inlined: int = 0


def bundle(data: Json, file: Path, area: Area) -> Bundle | None:
    """Return the document of `file` with what it takes from other files of `area`; None where it is whole."""
    if not isinstance(data, dict) or not _refers_out(data):
        return None
    return _Bundler(copy.deepcopy(data), file.resolve(), area).run()


def _refers_out(data: Any) -> bool:
    waiting = [data]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            ref = node.get("$ref")
            if isinstance(ref, str) and not ref.startswith("#") and not _SCHEME.match(ref):
                return True
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return False


class _Bundler:
    def __init__(self, data: dict[Any, Any], file: Path, area: Area) -> None:
        self._data = data
        self._root = file
        self._area = area
        self._files: dict[Path, Json] = {file: copy.deepcopy(data)}
        self._local: dict[tuple[Path, str], str] = {}
        self._problems: dict[str, str] = {}
        self._waiting: list[_Place] = []
        self._copies = 0

    def run(self) -> Bundle:
        """Follow everything there is to follow."""
        self._claim()
        self._waiting.append(_Place(self._data, self._root, ""))
        while self._waiting:
            self._look_at(self._waiting.pop())
        text = json.dumps(self._data, ensure_ascii=False, indent=2, default=str)
        content = text.encode("utf-8", "replace")
        problems = tuple(sorted(self._problems.items()))
        return Bundle(data=json.loads(content), content=content, problems=problems)

    def _claim(self) -> None:
        """Let components that only point into another file be the home of what is there."""
        components = self._data.get("components")
        for kind, entries in (components if isinstance(components, dict) else {}).items():
            for name, entry in (entries if isinstance(entries, dict) else {}).items():
                ref = entry.get("$ref") if isinstance(entry, dict) else None
                target = self._target(ref, self._root) if isinstance(ref, str) else None
                if target is not None and target[0] != self._root:
                    self._local.setdefault(target, f"#/components/{_escaped(kind)}/{_escaped(name)}")

    def _look_at(self, place: _Place) -> None:
        node = place.node
        if isinstance(node, list):
            self._waiting += [_Place(item, place.file, place.kind) for item in node if _is_container(item)]
            return
        if not place.is_map and isinstance(node.get("$ref"), str):
            self._follow(place)
            return
        if not place.is_map and isinstance(node.get("discriminator"), dict):
            self._mapping(node["discriminator"], place.file)
        for key, item in node.items():
            if not _is_container(item):
                continue
            if place.is_map:
                self._waiting.append(_Place(item, place.file, place.kind))
            elif key not in _DATA and not (key == "examples" and isinstance(item, list)):
                is_map = isinstance(item, dict) and (key in _MAPS or key == "content")
                kind = _MAPS.get(key) or ("requestBodies" if key == "requestBody" else "schemas")
                self._waiting.append(_Place(item, place.file, kind, is_map=is_map))

    def _follow(self, place: _Place) -> None:
        node, ref = place.node, place.node["$ref"]
        target = self._target(ref, place.file)
        if target is None or (target[0] == self._root == place.file):
            return
        home = self._local.get(target)
        content = None if home is not None and self._is_filled(home) else self._content(ref, target)
        if content is _NOTHING:
            return
        if place.kind == "pathItems":
            self._inline(place, target)
        elif target[0] == self._root:
            node["$ref"] = _ROOT + target[1]
        elif home is not None and self._at(home) is node:
            self._inline(place, target)
        else:
            node["$ref"] = self._home(target, place.kind)

    def _is_filled(self, home: str) -> bool:
        node = self._at(home)
        return not (isinstance(node, dict) and isinstance(node.get("$ref"), str))

    def _at(self, home: str) -> Any:
        return _lookup(self._data, home.removeprefix("#"))

    def _inline(self, place: _Place, target: tuple[Path, str]) -> None:
        """Put what a reference points to in its place."""
        found = self._content(place.node["$ref"], target)
        self._copies += 1
        if not isinstance(found, dict) or place.inlined >= _MAX_INLINED or self._copies > _MAX_COPIES:
            self._problems[place.node["$ref"]] = "cannot be put in its place"
            return
        place.node.clear()
        place.node.update(copy.deepcopy(found))
        self._waiting.append(_Place(place.node, target[0], place.kind, inlined=place.inlined + 1))

    def _home(self, target: tuple[Path, str], kind: str) -> str:
        """Return where the target is kept in the bundle; it is copied there where it is not yet."""
        if target not in self._local:
            components = self._data.get("components")
            if not isinstance(components, dict):
                components = self._data["components"] = {}
            entries = components.get(kind)
            if not isinstance(entries, dict):
                entries = components[kind] = {}
            name = _free(_name(target), entries)
            found = self._content("", target)
            entries[name] = copy.deepcopy(found)
            self._local[target] = f"#/components/{kind}/{name}"
            if _is_container(entries[name]):
                self._waiting.append(_Place(entries[name], target[0], kind))
        return self._local[target]

    def _mapping(self, discriminator: dict[str, Any], file: Path) -> None:
        mapping = discriminator.get("mapping")
        for key, ref in (mapping if isinstance(mapping, dict) else {}).items():
            if (
                isinstance(mapping, dict)
                and isinstance(ref, str)
                and (file != self._root or not ref.startswith("#"))
                and "." in ref
            ):
                target = self._target(ref, file)
                if target is not None and self._content(ref, target) is not _NOTHING:
                    is_own = target[0] == self._root
                    mapping[key] = _ROOT + target[1] if is_own else self._home(target, "schemas")

    def _target(self, ref: str, file: Path) -> tuple[Path, str] | None:
        """Return file and pointer of a reference; None for what is left alone."""
        if _SCHEME.match(ref):
            return None  # another host or a file by its address: whoever reads the document says so
        path, _, fragment = ref.partition("#")
        if not path:
            return file, unquote(fragment)
        try:
            found = self._area.locate(file, unquote(path))
        except PathProblem as problem:
            self._problems[ref] = str(problem)
            return None
        return found, unquote(fragment)

    def _content(self, ref: str, target: tuple[Path, str]) -> Any:
        file, pointer = target
        if file not in self._files:
            reason = self._read(file)
            if reason is not None:
                self._problems[ref] = reason
                return _NOTHING
        found = _lookup(self._files[file], pointer)
        if found is _NOTHING:
            self._problems[ref] = "leads to nothing in that file"
        return found

    def _read(self, file: Path) -> str | None:
        if len(self._files) >= _MAX_FILES:
            return f"is one file too many: at most {_MAX_FILES} are read"
        try:
            if disk.size(file) > _MAX_BYTES:
                return f"is larger than {_MAX_BYTES // 1_000_000} MB"
            loaded = load(disk.read(file), file.name, profile=Profile.INTERFACE)
        except OSError as error:
            return f"cannot be read: {error.strerror}"
        if loaded.diagnostics.has_errors:
            return f"cannot be read: {loaded.diagnostics.items[0].message}"
        self._files[file] = loaded.data
        return None


_NOTHING: Final = object()


def _is_container(value: object) -> bool:
    return isinstance(value, (dict, list))


def _lookup(node: Any, pointer: str) -> Any:
    if pointer and not pointer.startswith("/"):
        return _NOTHING
    for raw in pointer.split("/")[1:]:
        key = raw.replace("~1", "/").replace("~0", "~")
        if not _is_container(node):
            return _NOTHING
        if isinstance(node, dict) and key in node:
            node = node[key]
        elif (
            key.isdecimal()
            and len(key) < _MOST_DIGITS
            and int(key) in (range(len(node)) if isinstance(node, list) else node)
        ):
            node = node[int(key)]
        else:
            return _NOTHING
    return node


def _escaped(name: object) -> str:
    return str(name).replace("~", "~0").replace("/", "~1")


def _name(target: tuple[Path, str]) -> str:
    last = target[1].rpartition("/")[2] or target[0].name.partition(".")[0]
    return _NOT_IN_NAMES.sub("_", last) or "part"


def _free(name: str, entries: dict[Any, Any]) -> str:
    count, free = 1, name
    while free in entries:
        count += 1
        free = f"{name}{count}"
    return free


def whole_spec(file: Path) -> bytes:
    """Return the content of a spec file, with what it takes from other files of its project.

    What cannot be followed stays a reference: whoever parses the content warns of it.
    """
    content = disk.read(file)
    if not _REF_OUT.search(content):
        return content
    loaded = load(content, file.name, profile=Profile.INTERFACE)
    if loaded.diagnostics.has_errors:
        return content
    whole = bundle(loaded.data, file, Area(project_root(file)))
    return content if whole is None else whole.content
