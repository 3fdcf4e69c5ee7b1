import pytest

from maestro_dsl.errors import UsageError
from maestro_dsl.lang.explain import explain, overview, yaml_line
from maestro_dsl.lang.grammar import grammar_of, walk
from maestro_dsl.lang.model import Kind
from maestro_dsl.lang.source import load


@pytest.mark.parametrize("kind", list(Kind))
def test_every_path_of_the_grammar_is_explained(kind):
    for path, part in walk(grammar_of(kind)):
        (found,) = explain(f"{kind.value.lower()}.{path}")
        assert found.path == f"{kind.value.lower()}.{path}"
        assert (found.title, found.description) == (part.schema["title"], part.schema["description"])
        assert found.examples
        assert found.type


def test_everything_about_a_key():
    (found,) = explain("plan.policies.safety.breaker.reset_after")
    assert (found.type, found.default, found.is_required) == ("a duration, such as 15m", "60s", False)
    assert found.also_at == (
        "project.environments.<id>.defaults.policies.safety.breaker.reset_after",
        "project.defaults.policies.safety.breaker.reset_after",
        "policy.safety.breaker.reset_after",
    )
    (team,) = explain("plan.team")
    assert team.is_required
    assert [key.path for key in team.keys][:2] == ["use", "model"]
    (mode,) = explain("blueprint.execution_mode")
    assert mode.values == ("sequential", "parallel", "collaborative", "specialized", "hybrid")


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ("plan.team.backend_developer.use", "plan.team.<id>.use"),
        ("contract.deliverables[0].artifacts", "contract.deliverables[].artifacts"),
        ("contract.deliverables.artifacts", "contract.deliverables[].artifacts"),
        ("blueprint.nodes.build.with.run", "blueprint.nodes.<id>.with(action=command).run"),
        ("Plan.requirement", "plan.requirement"),
        ("policies.give_up", "project.defaults.policies.give_up"),
        ("use", "plan.team.<id>.use"),
    ],
)
def test_places_as_people_write_them(asked, path):
    found = explain(asked)
    assert path in {found[0].path, *found[0].also_at, *(item.path for item in found)}


def test_the_keys_of_with_depend_on_the_action():
    (found,) = explain("blueprint.nodes.x.with")
    assert "run (action: command)" in [key.path for key in found.keys]


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("exp004", "a rule is told about by: maestro rule EXP004"),
        (
            "plan.polices.retry",
            'did you mean "plan.policies.retry"? keys of plan: apiVersion, ',
        ),
        (
            "plan.polices.retyr.max_attemps",
            'did you mean "plan.policies.retry.max_attempts"? keys of plan: apiVersion, ',
        ),
        ("plna.policies.rety", 'did you mean "plan.policies.retry"? kinds: project, '),
        ("polices.retry", 'did you mean "policies.retry"? kinds: project, '),
        (
            "blueprint.nodes.build.with.rnu",
            'did you mean "blueprint.nodes.build.with.run"? keys of blueprint.nodes.<id>.with: ',
        ),
        (
            "plan.policies.retri",
            'did you mean "plan.policies.retry"? keys of plan.policies: use, retry, safety, give_up',
        ),
        ("tmeout", 'did you mean "timeout"? kinds: project, plan,'),
        ("pln.team", 'did you mean "plan.team"?'),
        ("", "kinds: project"),
    ],
)
def test_an_unknown_key_names_the_nearest(asked, hint):
    with pytest.raises(UsageError) as raised:
        explain(asked)
    assert raised.value.hint.startswith(hint)


def test_the_kinds():
    assert [item.path for item in overview()] == [kind.value.lower() for kind in Kind]


def test_examples_are_shown_as_yaml():
    for kind in Kind:
        for _, part in walk(grammar_of(kind)):
            for example in part.schema["examples"]:
                assert load(f"k: {yaml_line(example)}\n", "f").data == {"k": example}
