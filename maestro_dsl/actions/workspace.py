"""Folders and files of one attempt: reading results by digest, laying out scratch copies, storing files.

Paths inside a node's files are relative to its persona's folder; a `FileRef` is relative to the output.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_dsl.engine.events import FileRef, Issue
from maestro_dsl.scratch import machine_at_fault, remove_tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from maestro_dsl.engine.ports.attempts import AttemptSpec, InputResult
    from maestro_dsl.engine.ports.storage import ArtifactStore


def store_files(artifacts: ArtifactStore, folder: str, files: Mapping[str, bytes]) -> tuple[FileRef, ...]:
    """Put files into the artifact store and return their references below `folder` of the output."""
    return tuple(
        FileRef(
            path=f"{folder}/{path}",
            digest=artifacts.put(content),
            size=len(content),
            executable=content.startswith(b"#!"),
        )
        for path, content in sorted(files.items())
    )


def too_large(folder: str, files: Mapping[str, bytes], limit: int) -> tuple[Issue, ...]:
    """Return what is wrong with files of more than `limit` bytes, in the order of their paths."""
    return tuple(
        Issue(
            severity="error",
            check="size",
            file=f"{folder}/{path}",
            message=f"{folder}/{path} has {len(files[path]):,} bytes; limits.max_artifact allows {limit:,}",
        )
        for path in sorted(files)
        if len(files[path]) > limit
    )


def read_files(artifacts: ArtifactStore, refs: Iterable[FileRef], folder: str) -> dict[str, bytes]:
    """Return path inside `folder` → content for the references that lie there."""
    prefix = f"{folder}/"
    return {
        ref.path.removeprefix(prefix): artifacts.get(ref.digest)
        for ref in refs
        if ref.path.startswith(prefix)
    }


def lay_out(target: Path, files: Mapping[str, bytes]) -> Path:
    """Write files into a fresh folder `target` and return it; paths were checked when they were unpacked.

    Raises:
        DiskFailure: the machine cannot; `OSError` is left where the names of the files are at fault.
    """
    remove_tree(target)
    with machine_at_fault(target):
        target.mkdir(parents=True)
        for path, content in files.items():
            place = target / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
            if content.startswith(b"#!"):
                place.chmod(0o755)
    return target


def input_for(spec: AttemptSpec, contract_id: str) -> InputResult | None:
    """Return the fulfilled result of a contract among the inputs, if it is there."""
    return next((item for item in spec.inputs if item.contract_id == contract_id and item.files), None)
