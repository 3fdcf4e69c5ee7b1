from maestro_dsl.lang.suggest import closest, distance


def test_a_swap_of_neighbours_is_one_edit():
    assert distance("modle", "model") == 1
    assert closest("modle", ["mode", "model"]) in {"mode", "model"}


def test_nothing_near_is_nothing():
    assert closest("provider", ["team", "contracts"]) is None


def test_the_beginning_of_one_word_means_it():
    assert closest("REST", ["REST_API", "GRAPHQL"]) == "REST_API"
    assert closest("max", ["max_delay", "max_attempts"]) is None  # of two, nobody knows
    assert closest("policy", ["provider", "policies"]) == "policies"
    assert closest("id", ["identity"]) is None  # too short to mean anything
