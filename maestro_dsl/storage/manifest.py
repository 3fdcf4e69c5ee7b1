"""What an output folder holds of ours: the manifest, and the note of changes under way.

Both carry their own digest. The manifest says nothing that varies between runs, so that equal runs leave
equal folders; the note exists only while something is under way or was interrupted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from maestro_dsl.codec import digest, from_json, to_json
from maestro_dsl.errors import IntegrityError, StateError

FORMAT_VERSION: Final = 1
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file of ours: the digest we put there, and the node and content key it comes from."""

    sha256: str
    node: str
    key: str
    executable: bool = False
    accepted: str | None = None
    """Digest of the version of a person that stands there instead and is kept."""
    plan: str = ""
    """Id of the plan that has the node; other plans may use the same folder. "" = not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Path relative to the output folder → entry."""

    files: Mapping[str, Entry] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a node may have put at a path before it was interrupted."""

    node: str
    digests: tuple[str, ...]
    plan: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Underway:
    """Path → what we may have put there, and the mark of what a person allowed to be replaced there."""

    ours: Mapping[str, Note] = field(default_factory=dict)
    replace: Mapping[str, str] = field(default_factory=dict)


def encode(value: Manifest | Underway) -> bytes:
    """Return the file's content: equal values give equal bytes."""
    data = to_json(value)
    for entry in data.get("files", {}).values():
        if not entry["executable"]:
            del entry["executable"]
        if entry["accepted"] is None:
            del entry["accepted"]
    for item in (*data.get("files", {}).values(), *data.get("ours", {}).values()):
        if not item["plan"]:
            del item["plan"]
    document = {"format_version": FORMAT_VERSION, "digest": digest(data), **data}
    return (json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def decode(kind: type[T], content: bytes | None, file: str) -> T:
    """Return the value of a file, or an empty one where there is no file.

    Raises:
        IntegrityError: the content is damaged or was edited.
        StateError: a newer version of this program wrote it.
    """
    if content is None:
        return kind()
    try:
        document = json.loads(content)
        version, expected = document.pop("format_version"), document.pop("digest")
        if isinstance(version, int) and version > FORMAT_VERSION:
            raise StateError(
                f"{file} was written by a newer version of maestro",
                hint="use that version, or another --output folder",
            )
        if version == FORMAT_VERSION and digest(document) == expected:
            return from_json(kind, document)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        pass
    raise IntegrityError(
        f"{file} is damaged, so it is not known which files in this folder are ours",
        hint=f"restore {file} from a backup, or move the output folder away and run again",
    )
