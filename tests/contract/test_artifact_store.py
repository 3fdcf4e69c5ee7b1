"""What every implementation of the engine's `ArtifactStore` has to keep."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from maestro_dsl.errors import IntegrityError
from maestro_dsl.storage.artifacts import Artifacts


def _implementations():
    names = ["Artifacts"]
    with contextlib.suppress(ImportError):
        testing = importlib.import_module("maestro_dsl.testing")
        names += [name for name in ("MemoryArtifacts",) if hasattr(testing, name)]
    return names


@pytest.fixture(params=_implementations())
def artifacts(request, tmp_path):
    if request.param == "Artifacts":
        return Artifacts(tmp_path / "state")
    return getattr(importlib.import_module("maestro_dsl.testing"), request.param)()


@pytest.mark.parametrize("content", [b"", b"x", bytes(range(256)) * 100], ids=["empty", "one", "binary"])
def test_content_comes_back_by_its_sha256(artifacts, content):
    digest = artifacts.put(content)
    assert digest == hashlib.sha256(content).hexdigest()
    assert artifacts.has(digest)
    assert artifacts.get(digest) == content


def test_storing_twice_is_harmless(artifacts):
    assert artifacts.put(b"same") == artifacts.put(b"same")


def test_several_are_stored_together_in_order_and_twice(artifacts):
    contents = [b"one", b"two", b"one", b""]
    digests = artifacts.put_all(contents)
    assert [artifacts.get(digest) for digest in digests] == contents
    assert artifacts.put_all(contents) == digests
    assert artifacts.put_all([]) == ()


def test_what_is_absent_is_not_there_and_not_empty(artifacts):
    absent = "0" * 64
    assert not artifacts.has(absent)
    with pytest.raises(IntegrityError):
        artifacts.get(absent)


def test_many_threads_may_put_the_same_content(artifacts):
    contents = [bytes([number % 3]) * 1000 for number in range(30)]
    with ThreadPoolExecutor(8) as pool:
        digests = list(pool.map(artifacts.put, contents))
    assert [artifacts.get(digest) for digest in digests] == contents
