from maestro_dsl.lang.explain import KeyHelp
from maestro_dsl.reporters import explain as reporter

DELAY = KeyHelp(
    path="delay", title="Delay", description="The wait.", type="a duration", default="1s", has_default=True
)
RUN = KeyHelp(path="run", title="Run", description="What runs.", type="text", is_required=True)
RETRY = KeyHelp(
    path="plan.policies.retry",
    title="Retry",
    description="Attempts and their schedule.",
    type="a mapping",
    values=("a", "b"),
    examples=({"delay": "1s", "on": [1, "yes"]},),
    keys=(DELAY, RUN),
    also_at=("policy.retry",),
)


def test_a_page(golden):
    golden("cli/explain_key.txt", reporter.page(RETRY) + "\n" + reporter.page(DELAY))


def test_the_kinds():
    assert reporter.kinds([DELAY, RUN]) == "delay  The wait.\nrun    What runs.\n"
