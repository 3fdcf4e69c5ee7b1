"""Documents that want to cost: what is refused, and what is allowed but holds mistakes without end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from support.rule_project import FILES

HEAD = "apiVersion: maestro/v1\nkind: "
PLAN = HEAD + "Plan\nid: demo\nblueprint: flow\n"
BLUEPRINT = HEAD + "Blueprint\nid: flow\nnodes:\n  a: {action: command, with: {run: [echo]}}\n"
PERSONA = HEAD + "Persona\nid: maker\n"
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A file of a project and what takes its place; `expected` is the code of the refusal and its place."""

    file: str
    content: Callable[[], str | bytes]
    expected: tuple[str, int, int] | None = None


def lines(count: int, form: str) -> str:
    """Return so many lines, each with its number."""
    return "".join(form.format(number) for number in range(count))


def misspelt(count: int, word: str) -> str:
    """Return so many keys, all different, each near `word`."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    made: dict[str, None] = {}
    for at in range(len(word)):
        for first in letters:
            for second in letters:
                for third in letters:
                    made[f"{word[:at]}{first}{second}{third}{word[at + 1 :]}"] = None
                    if len(made) >= count:
                        return "".join(f"{key}: 1\n" for key in made)
    return "".join(f"{key}: 1\n" for key in made)


def laughs() -> str:
    """Return the billion laughs."""
    levels = "".join(f"  l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 10))
    return f"{PLAN}inputs:\n  l0: &l0 [lol, lol, lol]\n{levels}"


def aliases() -> str:
    """Return a value of a megabyte that is repeated."""
    return f"{PLAN}inputs:\n  a: &a {'x' * MIB}\n  b: [{', '.join(['*a'] * 1000)}]\n"


REFUSED: Mapping[str, Case] = {
    "alias bomb": Case(file="plan.yaml", content=laughs, expected=("SYN005", 11, 17)),
    "alias of 1 MB, 1,000 times": Case(file="plan.yaml", content=aliases, expected=("SYN005", 7, 23)),
    "alias inside its anchor": Case(
        file="plan.yaml", content=lambda: f"{PLAN}inputs: &a {{b: *a}}\n", expected=("SYN005", 5, 16)
    ),
    "merge key": Case(
        file="plan.yaml", content=lambda: f"{PLAN}inputs: &a {{b: 1}}\n<<: *a\n", expected=("SYN005", 6, 1)
    ),
    "10 MB": Case(file="plan.yaml", content=lambda: PLAN + "# x\n" * 2_500_000, expected=("SYN005", 1, 1)),
    "10 MB in one line": Case(
        file="plan.yaml", content=lambda: PLAN + "requirement: " + "x" * 10 * MIB, expected=("SYN005", 1, 1)
    ),
    "10 MB of brackets": Case(
        file="plan.yaml", content=lambda: PLAN + "inputs: " + "[" * 10 * MIB, expected=("SYN005", 1, 1)
    ),
    "3 MB of brackets": Case(
        file="plan.yaml", content=lambda: PLAN + "inputs: " + "[" * 3 * MIB, expected=("SYN005", 5, 108)
    ),
    "100,000 braces": Case(
        file="plan.yaml", content=lambda: PLAN + "inputs: " + "{a: " * 100_000, expected=("SYN005", 5, 405)
    ),
    "2,000 levels of blocks": Case(
        file="plan.yaml",
        content=lambda: PLAN + "inputs:\n" + "".join(f"{' ' * n}a:\n" for n in range(1, 2000)),
        expected=("SYN005", 105, 101),
    ),
    "100,000 dashes": Case(
        file="plan.yaml",
        content=lambda: PLAN + "contracts:\n  " + "- " * 100_000,
        expected=("SYN005", 6, 201),
    ),
    "!!python tag": Case(
        file="plan.yaml",
        content=lambda: PLAN + "inputs: !!python/object/apply:os.system [ls]\n",
        expected=("SYN001", 5, 9),
    ),
    "300,000 values": Case(
        file="plan.yaml",
        content=lambda: PLAN + "inputs:\n" + lines(300_000, "  a{}: 1\n"),
        expected=("SYN005", 1, 1),
    ),
    "1,000,000 values in one list": Case(
        file="plan.yaml",
        content=lambda: PLAN + "inputs:\n  a: [" + "1," * 1_000_000 + "]\n",
        expected=("SYN005", 1, 1),
    ),
    "400,000 values in mappings": Case(
        file="plan.yaml",
        content=lambda: PLAN + "inputs:\n  a: [" + "{a: {b: {c: {d: 1}}}}, " * 80_000 + "]\n",
        expected=("SYN005", 6, 528_973),
    ),
    "2,000,000 lines": Case(
        file="plan.yaml", content=lambda: PLAN + "\n" * 2_000_000, expected=("SYN005", 1, 1)
    ),
    "NUL bytes": Case(
        file="plan.yaml", content=lambda: PLAN.encode() + b"\0" * MIB, expected=("SYN001", 5, 1)
    ),
    "bytes that are no text": Case(
        file="plan.yaml", content=lambda: bytes(range(128, 256)) * 30_000, expected=("SYN001", 1, 1)
    ),
    "quote that is not closed": Case(
        file="plan.yaml",
        content=lambda: PLAN + 'requirement: "' + ("x " * 30 + "\n") * 50_000,
        expected=("SYN001", 5, 14),
    ),
}
"""What is refused, with its place."""

MANY: Mapping[str, Case] = {
    "60,000 unknown keys": Case(file="plan.yaml", content=lambda: PLAN + lines(60_000, "unknown_{}: 1\n")),
    "60,000 near keys": Case(file="plan.yaml", content=lambda: PLAN + misspelt(60_000, "requirement")),
    "20,000 nodes, a near key each": Case(
        file="flow.blueprint.yaml",
        content=lambda: BLUEPRINT + lines(20_000, "  n{0}: {{action: command, timeuot{0}: 1m}}\n"),
    ),
    "20,000 unknown personas": Case(
        file="plan.yaml", content=lambda: PLAN + "team:\n" + lines(20_000, "  m{0}: {{use: maker{0}}}\n")
    ),
    "20,000 unknown contracts": Case(
        file="plan.yaml", content=lambda: PLAN + "contracts:\n" + lines(20_000, "  - api{0}.contract.yaml\n")
    ),
    "100,000 duplicate keys": Case(
        file="plan.yaml", content=lambda: PLAN + lines(100_000, "requirement: 1\n")
    ),
    "50,000 duplicates of 50,000 keys": Case(
        file="plan.yaml", content=lambda: PLAN + "inputs:\n" + lines(50_000, "  a{}: 1\n") * 2
    ),
    "50,000 anchors": Case(
        file="plan.yaml", content=lambda: PLAN + "inputs:\n" + lines(50_000, "  a{0}: &a{0} x\n")
    ),
    "50,000 ambiguous values": Case(
        file="plan.yaml", content=lambda: PLAN + "inputs:\n" + lines(50_000, "  a{0}: 0{0}\n")
    ),
    "50,000 wrong types": Case(
        file="plan.yaml",
        content=lambda: PLAN + "contracts:\n" + lines(50_000, "  - {{a: {0}}}\n"),
    ),
    "50,000 bad values": Case(
        file="flow.blueprint.yaml",
        content=lambda: BLUEPRINT + lines(50_000, "  n{0}: {{action: fulfill{0}}}\n"),
    ),
    "20,000 undefined needs": Case(
        file="flow.blueprint.yaml",
        content=lambda: (
            BLUEPRINT + "  b:\n    action: fulfil\n    needs:\n" + lines(20_000, "      - a{0}\n")
        ),
    ),
    "15,000 broken expressions": Case(
        file="flow.blueprint.yaml",
        content=lambda: (
            BLUEPRINT
            + lines(15_000, "  n{0}: {{action: command, when: inputs.nope{0} +, with: {{run: [echo]}}}}\n")
        ),
    ),
    "15,000 undefined variables": Case(
        file="flow.blueprint.yaml",
        content=lambda: (
            BLUEPRINT
            + lines(15_000, '  n{0}: {{action: command, with: {{run: [echo, "{{{{ nope{0}.x }}}}"]}}}}\n')
        ),
    ),
    "50,000 secrets": Case(
        file="plan.yaml",
        content=lambda: (
            PLAN + "inputs:\n" + lines(50_000, "  api_key{0}: sk-ant-api03-AbCdEf{0:020d}QwErTyUi\n")
        ),
    ),
    "50,000 suppressions": Case(
        file="plan.yaml",
        content=lambda: PLAN + "inputs:\n" + lines(50_000, "  a{0}: 1 # maestro: ignore[SYN001] {0}\n"),
    ),
    "50,000 suppressions on lines of their own": Case(
        file="plan.yaml", content=lambda: PLAN + lines(50_000, "# maestro: ignore[SCH001] {0}\n")
    ),
    "50,000 suppressions of near rules": Case(
        file="plan.yaml", content=lambda: PLAN + lines(50_000, "# maestro: ignore[unused-definitoin{0}] x\n")
    ),
    "50,000 suppressions in a prompt": Case(
        file="maker.md.j2", content=lambda: lines(50_000, "{{# maestro: ignore[SYN001] {0} #}}\n")
    ),
    "20,000 unknown words in a prompt": Case(
        file="maker.md.j2", content=lambda: lines(20_000, "{{{{ nope{0} }}}}\n")
    ),
    "15,000 nodes without an end": Case(
        file="flow.blueprint.yaml",
        content=lambda: (
            BLUEPRINT + lines(15_000, "  n{0}: {{action: command, needs: [a], with: {{run: [echo]}}}}\n")
        ),
    ),
    "20,000 paths of an interface without a response": Case(
        file="api.yaml",
        content=lambda: (
            "openapi: 3.0.3\ninfo: {title: x, version: 1.0.0}\npaths:\n"
            + lines(20_000, "  /p{0}: {{get: {{}}}}\n")
        ),
    ),
    "100,000 duplicate keys of an interface": Case(
        file="api.yaml",
        content=lambda: FILES["api.yaml"] + lines(100_000, "x-a: 1\n"),
    ),
    "20,000 lint words that are no rules": Case(
        file="maestro.yaml",
        content=lambda: FILES["maestro.yaml"] + "lint:\n  ignore:\n" + lines(20_000, "  - SYN0{0}\n"),
    ),
}
"""Mistakes without end in a file that is within the limits."""

LARGE: Mapping[str, Case] = {
    "3 MB in one word": Case(file="plan.yaml", content=lambda: PLAN + "requirement: " + "x" * 3 * MIB + "\n"),
    "3 MB of escapes": Case(
        file="plan.yaml", content=lambda: PLAN + 'requirement: "' + "\\n" * (3 * MIB // 2) + '"\n'
    ),
    "3 MB of comments": Case(
        file="plan.yaml", content=lambda: PLAN + ("# " + "x" * 70 + "\n") * (3 * MIB // 73)
    ),
    "114,000 empty lines": Case(file="plan.yaml", content=lambda: PLAN + "\n" * 114_000),
    "3 MB as one key": Case(file="plan.yaml", content=lambda: PLAN + "? " + "x" * 3 * MIB + "\n: 1\n"),
    "3 MB of one expression": Case(
        file="flow.blueprint.yaml",
        content=lambda: BLUEPRINT + "  b: {action: command, when: '" + "a + " * (3 * MIB // 4) + "a'}\n",
    ),
    "CR as line ends": Case(
        file="plan.yaml",
        content=lambda: (PLAN + "inputs:\n" + lines(114_000, "  a{}: 1\n")).replace("\n", "\r"),
    ),
    "114,000 values": Case(
        file="plan.yaml", content=lambda: PLAN + "inputs:\n" + lines(114_000, "  a{}: 1\n")
    ),
    "57,000 mappings": Case(
        file="plan.yaml", content=lambda: PLAN + "inputs:\n" + lines(57_000, "  a{0}: {{b{0}: {0}}}\n")
    ),
    "57,000 anchors and aliases": Case(
        file="plan.yaml",
        content=lambda: (
            PLAN + "inputs:\n" + lines(57_000, "  a{0}: &a{0} x{0}\n") + lines(57_000, "  b{0}: *a{0}\n")
        ),
    ),
    "3 MB in one word with an emoji": Case(
        file="plan.yaml", content=lambda: PLAN + "requirement: 🎼" + "x" * 3 * MIB + "\n"
    ),
    "3 MB of comments with an emoji": Case(
        file="plan.yaml", content=lambda: PLAN + "# 🎼\n" + ("# " + "x" * 70 + "\n") * (3 * MIB // 73)
    ),
    "10,000 nodes, one with a mistake": Case(
        file="flow.blueprint.yaml",
        content=lambda: (
            BLUEPRINT.replace("action: command", "acton: command")
            + lines(
                10_000, "  n{0}: {{action: command, needs: [a], timeout: 1m, with: {{run: [echo, x{0}]}}}}\n"
            )
        ),
    ),
    "prompt of 3 MB": Case(file="maker.md.j2", content=lambda: "x y z\n" * (3 * MIB // 6)),
    "prompt of 100,000 open braces": Case(file="maker.md.j2", content=lambda: "{{ (" * 100_000),
}
"""Within the limits, and few mistakes."""


def write(case: Case, folder: Path) -> Path:
    """Write the sound project with the hostile file in its place into `folder`, and return that file."""
    for name, text in FILES.items():
        (folder / name).write_text(text)
    content = case.content()
    path = folder / case.file
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path
