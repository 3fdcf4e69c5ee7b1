"""What replays of every kind of interface ask of a consumer: its recorded calls; whether it is all tests."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from maestro_dsl.interfaces.verification import Sheet, VerificationResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from maestro_dsl.lang.model import Json

_PROSE: Final = (".md", ".txt", ".json", ".yaml", ".yml", ".graphql")
_NAME_OF_TESTS: Final = re.compile(r"(test_.*|.*[._](test|spec)\.\w+|.*_tests?\.\w+|conftest\.py)$")
_FOLDERS_OF_TESTS: Final = frozenset({"test", "tests", "__tests__"})


def own_calls(calls: Sequence[Mapping[str, Json]]) -> list[Mapping[str, Json]]:
    """Return the recorded calls without those to the paths that the mock itself adds."""
    return [record for record in calls if not str(record.get("path", "")).startswith("/__")]


def nothing_replayed(contract_id: str) -> VerificationResult:
    """Return the verdict for a consumer that made no call: it could not be verified."""
    sheet = Sheet()
    sheet.note("the consumer's tests made no call to the mock, so nothing was replayed")
    sheet.recommend("let the consumer's tests make the calls that its code makes")
    return sheet.result(contract_id)


def only_tests(files: Iterable[str]) -> bool:
    """Return whether a consumer is a suite of tests, which may ask on purpose for what has to be refused."""
    code = [file for file in files if not file.endswith(_PROSE)]
    return bool(code) and all(is_test_file(file) for file in code)


def is_test_file(file: str) -> bool:
    """Return whether a file's name says that it holds tests."""
    path = PurePosixPath(file)
    in_tests = any(part.lower() in _FOLDERS_OF_TESTS for part in path.parts[:-1])
    return in_tests or _NAME_OF_TESTS.match(path.name.lower()) is not None
