"""Values made quickly behave as those of the standard library."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import pickle
import pkgutil
from collections.abc import Mapping
from dataclasses import field

import pytest

import maestro_dsl
from maestro_dsl import records

FORMS = (
    {"frozen": True, "slots": True, "kw_only": True},
    {"frozen": True, "slots": True},
    {"slots": True, "kw_only": True},
    {"slots": True},
)
EACH_FORM = pytest.mark.parametrize("form", FORMS, ids=" ".join)


def pair(body, form):
    """Return the same class from both."""

    def build():
        space = {"field": field, "Mapping": Mapping, "__name__": __name__}
        exec(f"from __future__ import annotations\nclass Value:\n    'One.'\n{body}", space)
        return space["Value"]

    return dataclasses.dataclass(**form)(build()), records.dataclass(**form)(build())


BODIES = {
    "none": """    pass""",
    "one": """
    a: int
""",
    "defaults": """
    a: int
    b: str = 'x'
    c: list = field(default_factory=list)
    d: float | None = None
""",
    "parts": """
    a: int = field(compare=False)
    b: int = field(default=1, repr=False)
    c: int = field(default=2, hash=False)
""",
    "made": """
    a: int
    b: str | None = field(default=None, init=False, compare=False, repr=False)
    c: list = field(default_factory=list, init=False)
""",
    "keyword": """
    a: int = field(default=1, kw_only=True)
    b: str | None = None
""",
    "own": """
    a: int = 1
    def __repr__(self): return 'own'
    def __post_init__(self): assert self.a > 0
""",
    "equal": """
    a: int = 1
    def __eq__(self, other): return True
    def __hash__(self): return 7
""",
    "property": """
    a: int = 1
    @property
    def twice(self): return 2 * self.a
""",
    "self": """
    self: int
    b: int = 2
""",
}
CALLS = (
    {},
    {"a": 1},
    {"a": 2, "b": 5},
    {"a": 1, "b": "y"},
    {"wrong": 1},
    {"a": float("nan")},
    {"a": 0},
)


def names_of(value):
    """Return the names of the fields of a value."""
    return [item.name for item in dataclasses.fields(value)]


def outcome(work):
    """Return what some work gives, or what it raises."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - errors are compared too
        return type(error).__name__, str(error).replace("self__", "self")


@EACH_FORM
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_classes_are_alike(body, form):
    theirs, ours = pair(body, form)
    assert [(item.name, item.default, item.kw_only) for item in dataclasses.fields(ours)] == [
        (item.name, item.default, item.kw_only) for item in dataclasses.fields(theirs)
    ]
    assert ours.__slots__ == theirs.__slots__
    assert repr(ours.__dataclass_params__) == repr(theirs.__dataclass_params__)
    assert ours.__doc__ == theirs.__doc__
    assert ours.__match_args__ == theirs.__match_args__


@EACH_FORM
@pytest.mark.parametrize("call", CALLS, ids=str)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_values_are_alike(body, call, form):
    kinds = pair(body, form)
    found = []
    for kind in kinds:
        made = outcome(lambda kind=kind: kind(**call))
        if isinstance(made, tuple):
            found.append(made)
            continue
        other = kind(**call)
        found.append(
            [
                repr(made),
                outcome(lambda made=made: hash(made) == hash(copy.copy(made))),
                made == other,
                made == dataclasses.replace(made),
                made == copy.deepcopy(made),
                made != 1,
                made.__eq__(1) is NotImplemented,
                [outcome(lambda made=made, name=name: setattr(made, name, 9)) for name in names_of(made)],
                [outcome(lambda made=made, name=name: delattr(made, name)) for name in names_of(made)],
                outcome(lambda made=made: repr(dataclasses.asdict(made))),
                hasattr(made, "__dict__"),
            ]
        )
    assert found[0] == found[1]


@records.dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Goes from process to process."""

    name: str
    items: tuple[int, ...] = ()


@EACH_FORM
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_they_take_the_same_without_keywords(body, form):
    theirs, ours = pair(body, form)
    for given in ((), (1,), (1, "b"), (1, "b", [2], 3.0, 4)):
        made = [outcome(lambda kind=kind, given=given: repr(kind(*given))) for kind in (theirs, ours)]
        assert made[0] == made[1]


def test_a_field_may_be_called_self():
    theirs, ours = (kind(self=1) for kind in pair(BODIES["self"], FORMS[0]))
    assert repr(theirs) == repr(ours)


def test_nothing_is_added_to_a_value():
    with pytest.raises(dataclasses.FrozenInstanceError, match="'new'"):
        Sent(name="a").new = 1


def test_values_are_sent():
    sent = Sent(name="a", items=(1, 2))
    assert pickle.loads(pickle.dumps(sent)) == sent


def test_other_forms_are_made_by_the_standard_library():
    @records.dataclass(slots=True)
    class Open:
        a: int = 1

    @records.dataclass
    class Plain:
        a: int

    @records.dataclass(frozen=True, slots=True, kw_only=True)
    class Counted:
        a: int
        b: int = field(init=False, default=3)

    changed = Open()
    changed.a = 2
    assert (changed.a, Plain(4).a, Counted(a=1).b) == (2, 4, 3)


def test_every_value_of_the_program_has_what_it_is_made_with():
    """Make each frozen class of the front end without arguments: it names what is missing, or is there."""
    for item in pkgutil.iter_modules(
        importlib.import_module("maestro_dsl.lang").__path__, "maestro_dsl.lang."
    ):
        module = importlib.import_module(item.name)
        for kind in vars(module).values():
            if isinstance(kind, type) and dataclasses.is_dataclass(kind) and kind.__module__ == item.name:
                bare = [f for f in dataclasses.fields(kind) if f.init and f.default is f.default_factory]
                if bare:
                    with pytest.raises(TypeError, match="missing"):
                        kind()
    assert maestro_dsl.__version__


@records.dataclass(frozen=True, slots=True, kw_only=True)
class Wide:
    """Has so many fields that it is filled as a changeable twin."""

    a: int
    b: int = 2
    c: list = field(default_factory=list)
    d: int = 4
    e: int = 5
    f: int = 6
    g: int = 7
    h: int = 8
    i: int = 9
    j: int = 10


def test_values_of_many_fields_are_alike():
    theirs, value = (
        dataclasses.make_dataclass(
            "Wide",
            [(item.name, item.type, item) for item in map(copy.copy, dataclasses.fields(Wide))],
            frozen=True,
            slots=True,
            kw_only=True,
        ),
        Wide(a=1, j=0),
    )
    assert (type(value), repr(value)) == (Wide, repr(theirs(a=1, j=0)))
    assert (value, hash(Wide(a=1, c=()))) == (pickle.loads(pickle.dumps(value)), hash(theirs(a=1, c=())))
    assert value.c is not Wide(a=1).c
    with pytest.raises(dataclasses.FrozenInstanceError, match="'a'"):
        value.a = 2
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'a'"):
        Wide()


def test_nothing_inherits_from_a_value_of_many_fields():
    with pytest.raises(TypeError, match="Heir inherits from a frozen value"):
        type("Heir", (Wide,), {})
