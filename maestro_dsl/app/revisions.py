"""A file as it is now, or as it was in a revision of its git repository. Git is only asked, never changed."""

from __future__ import annotations

import io
import tarfile
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from maestro_dsl.app.git import GitRefusal, ask
from maestro_dsl.errors import UsageError
from maestro_dsl.lang.files import PATH_SIGNS
from maestro_dsl.scratch import ScratchFolder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MAX_TREE: Final = 512 * 1024 * 1024
_HINT: Final = "name an OpenAPI document, a GraphQL schema or a contract; or REVISION:FILE"


def content_of(name: str) -> tuple[bytes, Path]:
    """Return the bytes that `name` means and the path they belong to: a file, or "main:api.yaml".

    Of a revision, nothing is at that path.

    Raises:
        UsageError: there is no such file, or git does not know the revision or the file in it.
        EnvironmentFailure: a revision is named and git is missing or does not answer.
    """
    path = Path(name)
    if path.is_file():
        return path.read_bytes(), path
    revision, file = _parts(name)
    return _git(["show", "--end-of-options", f"{revision}:{_relative(file)}"], name), Path(revision) / file


@contextmanager
def tree_of(name: str) -> Iterator[tuple[Path, Path]]:
    """Give the file that "main:api.yaml" means among all files of its revision, and the folder of these.

    Raises:
        UsageError: git does not know the revision, or it is too large.
    """
    revision, file = _parts(name)
    top = Path(_git(["rev-parse", "--show-toplevel"], name).decode("utf-8", "surrogateescape").strip())
    inside = _git(["ls-tree", "--full-name", "--name-only", revision, _relative(file)], name)
    archive = _git(["-C", str(top), "archive", "--format=tar", revision], name)
    with ScratchFolder() as scratch:
        root = scratch.path
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(root, filter=_inside)  # noqa: S202 - the filter keeps everything inside
        yield root / inside.decode("utf-8", "surrogateescape").strip(), root


def _inside(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo | None:
    """Leave out what would stand, or point, outside of the folder."""
    try:
        return tarfile.data_filter(member, folder)
    except tarfile.FilterError:
        return None


def _parts(name: str) -> tuple[str, str]:
    revision, colon, file = name.partition(":")
    if not colon or not revision or not file or revision.startswith("-"):
        raise UsageError(f"no such file: {name}", hint=_HINT)
    return revision, file


def _relative(file: str) -> str:
    """Return a path that git reads from this folder and not from the top of the repository."""
    is_relative = not PurePosixPath(file).is_absolute() and not file.startswith(PATH_SIGNS)
    return f"./{file}" if is_relative else file


def _git(arguments: Sequence[str], name: str) -> bytes:
    try:
        answer = ask(arguments, purpose=f"{name} names a git revision")
    except GitRefusal as refusal:
        raise UsageError(f"git has no {name}: {refusal}", hint=_HINT) from None
    if len(answer) > _MAX_TREE:
        raise UsageError(f"the revision of {name} is larger than {_MAX_TREE // 1024 // 1024} MiB")
    return answer
