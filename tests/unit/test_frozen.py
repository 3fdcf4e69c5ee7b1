import pickle
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_dsl.compiler.plan import Edge, EdgeKind, KeyPart, PlanNode
from maestro_dsl.frozen import copier, quick

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    name: str
    kind: str = "k"
    size: int = 3
    items: dict[str, int] = field(default_factory=dict)
    note: str | None = field(default=None, init=False, compare=False, repr=False)


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Quick:
    name: str
    kind: str = "k"
    size: int = 3
    items: dict[str, int] = field(default_factory=dict)
    note: str | None = field(default=None, init=False, compare=False, repr=False)


def test_it_has_the_fields_the_defaults_and_the_form_of_the_librarys():
    made = Quick(name="a")
    assert repr(made) == repr(Plain(name="a")).replace("Plain", "Quick")
    assert (made.size, made.items, made.note) == (3, {}, None)
    assert made == Quick(name="a", size=3)
    assert made != Quick(name="b")
    assert replace(made, size=4) == Quick(name="a", size=4)
    assert made.items is not Quick(name="a").items
    assert pickle.loads(pickle.dumps(made)) == made
    assert type(made) is Quick


def test_it_is_frozen_and_takes_no_other_names():
    made = Quick(name="a")
    with pytest.raises(FrozenInstanceError):
        made.name = "b"
    with pytest.raises(FrozenInstanceError):
        del made.name
    with pytest.raises((AttributeError, TypeError)):
        made.other = 1
    for wrong in ({}, {"name": "a", "other": 1}, {"name": "a", "note": "b"}):
        with pytest.raises(TypeError):
            Quick(**wrong)
    with pytest.raises(TypeError):
        Quick("a")
