from __future__ import annotations

import pytest

from maestro_dsl.lang.units import (
    UnitError,
    is_in_range,
    parse_duration,
    parse_money,
    parse_size,
    parse_tokens,
    parse_version,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("5s", 5), ("15m", 900), ("2h", 7200), ("1.5h", 5400), ("30d", 2_592_000)],
)
def test_durations_become_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "count"), [(100_000, 100_000), ("100k", 100_000), ("2M", 2_000_000), ("1.5k", 1500)]
)
def test_tokens_become_counts(text: object, count: int) -> None:
    assert parse_tokens(text) == count


def test_money_becomes_nano_dollars_without_floats() -> None:
    assert parse_money("12.50 USD") == 12_500_000_000
    assert parse_money("0.000000001 USD") == 1


def test_sizes_become_bytes() -> None:
    assert parse_size("64 KiB") == 65_536
    assert parse_size("10MB") == 10_000_000


@pytest.mark.parametrize(
    ("parse", "value", "message"),
    [
        (parse_duration, "15", '"15" is not a duration: write a number with ms, s, m, h or d, such as 15m'),
        (
            parse_tokens,
            "0.5",
            '"0.5" is not a number of tokens: write a whole number, or one with k or M, such as 100k',
        ),
        (
            parse_money,
            "5 EUR",
            '"5 EUR" is not an amount of money: write a number and USD, such as 12.50 USD',
        ),
        (
            parse_size,
            "5x",
            '"5x" is not a size: write bytes, or a number with kB, MB, GB, KiB, MiB or GiB, such as 16 MiB',
        ),
        (
            parse_version,
            "1.0",
            '"1.0" is not a version: write three numbers in quotes where needed, such as "1.0.0"',
        ),
    ],
)
def test_each_unit_has_one_message(parse: object, value: str, message: str) -> None:
    with pytest.raises(UnitError) as caught:
        parse(value)  # type: ignore[operator]
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("version", "wanted", "expected"),
    [
        ("1.4.2", "^1.2", True),
        ("2.0.0", "^1.2", False),
        ("0.3.0", "^0.2", False),
        ("1.4.0", "1.4.0", True),
        ("1.4.1", ">=1,<2", True),
    ],
)
def test_version_ranges(version: str, wanted: str, expected: bool) -> None:
    assert is_in_range(version, wanted) is expected


def test_a_range_that_is_none_is_said_so() -> None:
    with pytest.raises(UnitError, match="is not a version range"):
        is_in_range("1.0.0", "latest")
