import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_dsl.engine.events import Usage
from maestro_dsl.errors import EnvironmentFailure
from maestro_dsl.providers.prices import load_prices

TABLE = load_prices()
TOKENS = st.integers(0, 2_000_000)


def test_a_million_tokens_cost_the_listed_price():
    usage = Usage(input_tokens=1_000_000, output_tokens=1_000_000)
    assert TABLE.cost_nano_usd(("anthropic", "claude-sonnet-5-5"), usage) == 12_000_000_000


def test_a_tier_holds_for_the_whole_call():
    small, large = Usage(input_tokens=100_000), Usage(input_tokens=100_001)
    model = ("anthropic", "claude-haiku-5-5")
    assert TABLE.cost_nano_usd(model, small) == 10_000_000
    assert TABLE.cost_nano_usd(model, large) == 50_000_500


def test_an_unlisted_model_is_unknown_and_a_program_is_free():
    assert TABLE.cost_nano_usd(("anthropic", "claude-of-tomorrow"), Usage(input_tokens=1)) is None
    assert TABLE.cost_nano_usd(("scaffold", "templates"), Usage(input_tokens=1)) == 0


@given(TOKENS, TOKENS, TOKENS, TOKENS, st.sampled_from(sorted(TABLE.models)))
def test_no_call_costs_more_than_its_bound(fresh, output, write, read, name):
    usage = Usage(input_tokens=fresh, output_tokens=output, cache_write_tokens=write, cache_read_tokens=read)
    cost = TABLE.cost_nano_usd(("anthropic", name), usage)
    bound = TABLE.bound_nano_usd(("anthropic", name), fresh + write + read, output)
    assert cost is not None
    assert bound is not None
    assert cost <= bound


def test_a_file_that_is_no_price_list_is_one_clear_line(tmp_path):
    path = tmp_path / "prices.yaml"
    path.write_text("models: [1, 2]\n")
    with pytest.raises(EnvironmentFailure, match=r"the price file prices\.yaml cannot be used"):
        load_prices(path)
