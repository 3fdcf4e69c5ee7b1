from dataclasses import FrozenInstanceError, dataclass, field, fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_dsl.compiler.plan import Edge, EdgeKind, KeyPart, PlanNode
from maestro_dsl.records import copier, maker, maker_of, plainness

NAMES = tuple(item.name for item in fields(Edge))
VALUES = st.fixed_dictionaries(
    {
        "source": st.text(max_size=3),
        "kind": st.sampled_from(EdgeKind),
        "states": st.lists(st.text(max_size=2), max_size=2).map(tuple),
        "contract_id": st.none() | st.text(max_size=2),
    }
)


@given(VALUES, VALUES, st.lists(st.sampled_from(NAMES), unique=True))
def test_a_copy_is_what_replace_makes(first, second, changed):
    edge = Edge(**first)
    copied = copier(edge, *changed)(*(second[name] for name in changed))
    wanted = replace(edge, **{name: second[name] for name in changed})
    assert (copied, hash(copied), repr(copied), type(copied)) == (wanted, hash(wanted), repr(wanted), Edge)


def test_a_copy_is_frozen_and_shares_what_is_not_changed():
    node = PlanNode(address="a", node="a", action="do", params={"run": ["x"]})
    copied = copier(node, "address")("b")
    with pytest.raises(FrozenInstanceError):
        copied.address = "c"
    assert copied.params is node.params
    assert (node.address, copied.address) == ("a", "b")


@dataclass(frozen=True, slots=True)
class Counted:
    names: list[str] = field(default_factory=list)
    size: int = field(init=False, default=0)


@dataclass(frozen=True, slots=True)
class Checked:
    name: str

    def __post_init__(self) -> None:
        """Do more than set the fields."""


@dataclass(slots=True)
class Open:
    name: str


@pytest.mark.parametrize("value", [Counted(), Checked("a"), Open("a"), "text"])
def test_only_frozen_values_that_are_their_fields_are_copied(value):
    with pytest.raises(TypeError, match=type(value).__name__):
        copier(value, "name")


def test_a_field_that_there_is_not_is_named():
    with pytest.raises(ValueError, match="KeyPart has no field size"):
        copier(KeyPart(name="a", digest="b"), "size")


@given(VALUES, st.sets(st.sampled_from(NAMES[1:])))
def test_what_is_made_is_what_the_class_makes(values, left_out):
    stated = {name: value for name, value in values.items() if name not in left_out}
    made, wanted = maker(Edge)(**stated), Edge(**stated)
    assert (made, hash(made), repr(made), type(made)) == (wanted, hash(wanted), repr(wanted), Edge)


def test_what_is_made_is_frozen_where_its_class_is_and_shares_no_default():
    first, second = maker(Counted)(), maker(Counted)()
    with pytest.raises(FrozenInstanceError):
        first.size = 2
    first.names.append("a")
    assert (second.names, second.size) == ([], 0)
    open_value = maker(Open)("a")
    open_value.name = "b"
    assert (type(open_value), open_value.name) == (Open, "b")


@pytest.mark.parametrize("stated", [{}, {"source": "a", "sauce": "b"}])
def test_a_field_that_is_missing_or_unknown_is_refused(stated):
    with pytest.raises(TypeError):
        maker(Edge)(**stated)


@pytest.mark.parametrize("kind", [Checked, str])
def test_only_values_that_are_their_fields_are_made(kind):
    with pytest.raises(TypeError, match=kind.__name__):
        maker(kind)


def test_a_maker_of_some_fields_leaves_the_others_as_they_begin():
    make = maker_of(Edge, "contract_id", "source")
    assert make("api", "a") == Edge(source="a", contract_id="api")
    counted = maker_of(Counted)
    assert counted() == Counted()
    assert counted().names is not counted().names


def test_what_has_no_default_is_stated():
    with pytest.raises(TypeError, match="source has no default"):
        maker_of(Edge, "contract_id")
    with pytest.raises(TypeError, match="source has no default"):
        plainness(Edge)


@pytest.mark.parametrize("names", [[], ["a"]])
def test_a_plain_value_equals_one_made_of_nothing(names):
    value = Counted(names=names)
    assert plainness(Counted)(value) == (value == Counted())
