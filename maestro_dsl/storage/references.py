"""Which stored contents a run, a result or a plan speaks of.

Two answers for two questions. `blobs_of` names exactly what must be there, for verification. `digests_in`
takes everything that looks like a digest, for cleaning: what is kept by mistake costs a little space, what is
removed by mistake is lost.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from maestro_dsl.engine.events import (
    AttemptFinished,
    ModelResponded,
    NodeFinished,
    PublishStarted,
)
from maestro_dsl.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from maestro_dsl.engine.events import Body
    from maestro_dsl.engine.ports.attempts import AttemptResult
    from maestro_dsl.engine.ports.storage import CachedResult
    from maestro_dsl.storage.artifacts import Artifacts

_DIGEST: Final = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_RESULT: Final = re.compile(r'"result_digest":\s*"([0-9a-f]{64})"')


def digests_in(text: str) -> set[str]:
    """Return everything in `text` that looks like a SHA-256 digest."""
    return set(_DIGEST.findall(text))


def results_in(text: str) -> set[str]:
    """Return the digests of the attempt results that `text` names; these speak of contents themselves."""
    return set(_RESULT.findall(text))


def followed(texts: Iterable[str], artifacts: Artifacts) -> set[str]:
    """Return every digest in `texts`, and in the attempt results that they name."""
    found: set[str] = set()
    results: set[str] = set()
    for text in texts:
        found |= digests_in(text)
        results |= results_in(text)
    for digest in results:
        try:
            found |= digests_in(artifacts.get(digest).decode("utf-8", "replace"))
        except IntegrityError:
            continue  # a result that is gone or damaged names nothing; verification reports it
    return found


def blobs_of(body: Body) -> set[str]:
    """Return the contents that an event says are stored."""
    found: set[str | None] = set()
    if isinstance(body, ModelResponded):
        found = {body.response_digest}
    elif isinstance(body, AttemptFinished):
        found = {body.result_digest}
    elif isinstance(body, PublishStarted):
        found = {body.result_digest, *(item.digest for item in body.files)}
    elif isinstance(body, NodeFinished):
        found = {body.result_digest, body.recorded_calls, *(item.digest for item in body.files)}
    return {item for item in found if item}


def blobs_of_result(result: AttemptResult | CachedResult) -> set[str]:
    """Return the contents that a result of an attempt or of a content key says are stored."""
    found = {item.digest for item in result.files}
    if result.recorded_calls:
        found.add(result.recorded_calls)
    return found
