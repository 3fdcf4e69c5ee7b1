"""What the pages show can be typed: commands and options exist, links lead somewhere, messages are ours."""

import ast
import re
from functools import cache

import click
import pytest
from support.markdown import ROOT, commands

from maestro_dsl.cli.main import cli

GUIDE = ROOT / "docs/guide"
PAGES = [
    ROOT / "README.md",
    ROOT / "ARCHITECTURE.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(GUIDE.glob("*.md")),
    *sorted((ROOT / "docs/adr").glob("*.md")),
    *sorted((ROOT / "examples").glob("*/README.md")),
]
TOPICS = (
    "overview",
    "language",
    "linting",
    "editors",
    "cli",
    "contracts-and-mocks",
    "libraries",
    "running",
    "state",
    "troubleshooting",
    "python",
    "reference",
)
NOT_OURS = {"node: not found", "npm: not found"}
"""What a shell says; the page explains it all the same."""
LONGEST_SENTENCE = 300


def page_id(page):
    return page.relative_to(ROOT).as_posix()


def parse(words, command, context):
    """Parse as click does up to the values of options, which may be placeholders; choices are held too."""
    given, rest, _ = command.make_parser(context).parse_args(list(words))
    for option in command.params:
        value = given.get(option.name)
        if isinstance(option.type, click.Choice) and isinstance(value, str) and value.islower():
            option.type.convert(value, option, context)
    if not isinstance(command, click.Group) or not rest or rest[0].isupper():
        return
    found = command.get_command(context, rest[0])
    assert found is not None, f"there is no command {rest[0]}"
    parse(rest[1:], found, click.Context(found, parent=context))


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_command_that_is_shown_exists_with_its_options(page):
    for words in commands(page):
        try:
            parse(words, cli, click.Context(cli, **cli.context_settings))
        except (click.UsageError, AssertionError) as error:
            if "requires an argument" in str(error):
                continue  # the text speaks of the option
            pytest.fail(f"maestro {' '.join(words)}: {error}")


def test_commands_are_found_where_they_are_shown():
    assert len(commands(ROOT / "README.md")) > 8
    assert ["verify", "contracts/backend_api.contract.yaml", "--url", "http://127.0.0.1:9"] in commands(
        GUIDE / "contracts-and-mocks.md"
    )


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_link_to_a_file_leads_to_one(page):
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_topic_has_its_page_and_the_readme_leads_there():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for topic in TOPICS:
        assert (GUIDE / f"{topic}.md").is_file()
    for page in GUIDE.glob("*.md"):
        assert f"docs/guide/{page.name}" in readme, f"the README does not mention {page.name}"


@cache
def our_sentences():
    """Return every text in the source, with `…` for what is filled in."""
    found = set()
    for module in (ROOT / "maestro_dsl").rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
                found.add("".join(parts))
    found = {text for text in found if len(text) < LONGEST_SENTENCE}
    found |= {path.read_text(encoding="utf-8") for path in (ROOT / "maestro_dsl").rglob("*.j2")}
    return found


def is_ours(message):
    pieces = [piece.strip() for piece in message.split("…") if len(piece.strip()) > 1]
    for sentence in our_sentences():
        if all(piece in sentence for piece in pieces):
            return True
        fixed = sentence.split("…")
        is_most = len(message) // 2 < sum(map(len, fixed)) <= len(message)
        if is_most and re.search(".*".join(map(re.escape, fixed)), message):
            return True
    return False


def test_every_message_that_troubleshooting_explains_is_said_somewhere():
    headings = re.findall(
        r"^### (.*)$", (GUIDE / "troubleshooting.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    messages = [span for heading in headings for span in re.findall(r"`([^`]+)`", heading)]
    assert len(messages) > 20
    verdicts = {"on mock", "could not verify"}
    unknown = [text for text in messages if text not in NOT_OURS | verdicts and not is_ours(text)]
    assert unknown == []


def test_a_message_that_nobody_says_would_be_found():
    assert not is_ours("the moon is in the … quarter")
