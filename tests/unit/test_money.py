"""Amounts of money as text: one format everywhere, that documents can state again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_dsl.lang.units import parse_money
from maestro_dsl.money import exact_usd, money_text

AMOUNTS = st.integers(min_value=0, max_value=10**15)


@pytest.mark.parametrize(
    ("nano_usd", "shown"),
    [
        (None, "unknown"),
        (0, "0.00 USD"),
        (1, "0.0001 USD"),
        (9_000_000, "0.0090 USD"),
        (112_000_000, "0.1120 USD"),
        (1_999_950_000, "2.0000 USD"),
        (200 * 10**9, "200.00 USD"),
        (1_234_500_000_000, "1234.50 USD"),
    ],
)
def test_amounts_for_people(nano_usd, shown):
    assert money_text(nano_usd) == shown


@given(AMOUNTS)
def test_an_amount_is_never_rounded_down_and_by_less_than_a_hundredth_of_a_cent(nano_usd):
    assert 0 <= parse_money(money_text(nano_usd)) - nano_usd < 100_000


@given(AMOUNTS)
def test_an_exact_amount_is_exact(nano_usd):
    assert parse_money(f"{exact_usd(nano_usd)} USD") == nano_usd
