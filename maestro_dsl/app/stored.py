"""The results that later runs reuse: what there is, what it saved, and removing some of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_dsl.app.state import State, open_state
from maestro_dsl.app.system import SystemClock
from maestro_dsl.engine.events import NodeFinished
from maestro_dsl.errors import StateError
from maestro_dsl.storage.removal import remove_results

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from maestro_dsl.engine.ports.storage import CachedResult


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResult:
    """One stored result; `age_s` is None where an older version did not say when it was made."""

    key: str
    node: str
    contract: str
    files: int
    size: int
    age_s: float | None
    tokens: int
    nano_usd: int
    duration_s: float
    hits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheList:
    """Stored results, newest first, and what reuse saved in the runs that are kept."""

    results: tuple[StoredResult, ...]
    state_dir: Path
    hits: int
    saved_tokens: int
    saved_nano_usd: int
    saved_s: float


def list_cache(*, environ: Mapping[str, str], state_dir: Path | None = None) -> CacheList:
    """Return every stored result with how often the kept runs reused it."""
    with open_state(state_dir, environ, looking=True) as state:
        return _listed(state)


def remove_cache(
    *,
    environ: Mapping[str, str],
    keys: Sequence[str] = (),
    older_than_s: float | None = None,
    everything: bool = False,
    state_dir: Path | None = None,
    dry_run: bool = False,
) -> CacheList:
    """Remove stored results and return them; what runs made of them stays.

    Raises:
        StateError: a key matches none or several.
    """
    with open_state(state_dir, environ, looking=dry_run) as state:
        found = _listed(state)
        if everything:
            chosen = found.results
        elif older_than_s is not None:
            chosen = tuple(x for x in found.results if x.age_s is None or x.age_s > older_than_s)
        else:
            chosen = tuple(_one(found.results, key) for key in dict.fromkeys(keys))
        if not dry_run:
            remove_results(state.journal.database, [item.key for item in chosen])
        return replace(found, results=chosen)


def _listed(state: State) -> CacheList:
    now, hits = SystemClock().now(), dict[str, int]()
    saved_tokens = saved_nano_usd = 0
    saved_s = 0.0
    for record in state.journal.runs():
        for event in state.journal.events(record.run_id):
            body = event.body
            if isinstance(body, NodeFinished) and body.state == "cached" and body.key:
                hits[body.key] = hits.get(body.key, 0) + 1
                saved_tokens += body.saved_tokens
                saved_nano_usd += body.saved_nano_usd
                saved_s += body.saved_s
    results = [_result(item, hits.get(item.key, 0), now) for item in state.journal.results()]
    order = sorted(results, key=lambda item: (item.age_s is None, item.age_s or 0.0, item.node))
    return CacheList(
        results=tuple(order),
        state_dir=state.place.path,
        hits=sum(hits.values()),
        saved_tokens=saved_tokens,
        saved_nano_usd=saved_nano_usd,
        saved_s=saved_s,
    )


def _result(stored: CachedResult, hits: int, now: float) -> StoredResult:
    inside = stored.node.partition("[")[2].removesuffix("]")
    return StoredResult(
        key=stored.key,
        node=stored.node,
        contract=inside.partition("/")[0],
        files=len(stored.files),
        size=sum(file.size for file in stored.files),
        age_s=max(0.0, now - stored.made_at) if stored.made_at else None,
        tokens=stored.tokens,
        nano_usd=stored.nano_usd,
        duration_s=stored.duration_s,
        hits=hits,
    )


def _one(results: Sequence[StoredResult], key: str) -> StoredResult:
    found = [item for item in results if key and item.key.startswith(key)]
    if len(found) == 1:
        return found[0]
    if found:
        raise StateError(f'"{key}" is the beginning of {len(found)} keys', hint="say more of it")
    raise StateError(f'no stored result "{key}"', hint="maestro cache ls lists them")
