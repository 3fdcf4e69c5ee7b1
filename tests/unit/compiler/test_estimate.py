from maestro_dsl.compiler.compile import compile_workspace
from maestro_dsl.compiler.estimate import estimate


def plan_of(workspace):
    return compile_workspace(workspace)[0]


def test_the_full_stack_saves_a_third(make_full_stack):
    found = estimate(plan_of(make_full_stack()), {})
    assert (found.sequential_s, found.parallel_s, found.saved) == (8100.0, 5400.0, 1 - 5400 / 8100)
    assert found.parallel_without_mocks_s == 8100.0
    assert found.critical_path == ("build[backend_api]", "build[acceptance]")


def test_given_durations_win_and_unknown_addresses_are_named(make_full_stack):
    found = estimate(plan_of(make_full_stack()), {"build[web_app]": 60.0, "nobody": 1.0})
    assert (found.sequential_s, found.unmatched) == (5460.0, ("nobody",))


def test_a_missing_estimate_is_unknown_and_not_nothing(make_workspace, make_contract):
    contracts = (make_contract("one", "maker", estimate_s=60.0), make_contract("two", "other"))
    found = estimate(plan_of(make_workspace(contracts)), {})
    assert (found.sequential_s, found.parallel_s, found.saved) == (None, None, None)
    assert (found.unknown, found.known_sequential_s) == (("build[two]",), 60.0)


def test_offline_work_costs_nothing_and_says_why(make_full_stack):
    found = estimate(plan_of(make_full_stack()), {})
    assert (found.low_nano_usd, found.worst_nano_usd) == (0, 0)
    assert found.cost_reason == "scaffold works offline and calls no model"
