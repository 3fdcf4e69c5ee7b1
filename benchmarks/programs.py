"""Rows 11 to 13: whole processes beside yamllint, check-jsonschema and Spectral on equal files.

All by CPU time of the process and its children, start included. Each tool does what it is for: yamllint
style, check-jsonschema and Spectral our JSON Schema of the kind; maestro all its rules. Peers read the 1,000
files once. Byte code is written where the environment forbids it: without, a start compiles all that changed.

    python benchmarks/programs.py [ROUNDS]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import peers
from measure import Row, print_rows, program, turns
from samples import blueprint, library

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[1]
ROUNDS = 7
FILES = 1_000
ONE_FILE, COLD, WARM = 0.6, 4, 20
MAESTRO = [sys.executable, "-m", "maestro_dsl"]
RULES = """\
rules:
  grammar:
    given: "$"
    then:
      function: schema
      functionOptions: {dialect: draft2020-12, schema: {$ref: ./blueprint.schema.json}}
"""


def _commands(folder: Path) -> dict[str, list[str]]:
    """Return what each peer that is there is started with, files excluded."""
    rules = folder / "spectral.yaml"
    rules.write_text(RULES)
    found: dict[str, list[str]] = {}
    if (yamllint := peers.tool("yamllint")) is not None:
        found["yamllint"] = [str(yamllint), "-d", "relaxed"]
    schema = folder / "blueprint.schema.json"
    exported = [*MAESTRO, "schema", "export", "-", "--kind", "blueprint"]  # whole: it refers to no other
    schema.write_bytes(subprocess.run(exported, cwd=ROOT, capture_output=True, check=True).stdout)
    if (checker := peers.tool("check-jsonschema")) is not None:
        found["check-jsonschema"] = [str(checker), "--schemafile", str(schema)]
    if (spectral := peers.tool("spectral")) is not None:
        found["spectral"] = [str(spectral), "lint", "--ruleset", str(rules)]
    sample = folder / "sample.blueprint.yaml"
    sample.write_text(blueprint(1, 13))
    refused = [name for name, command in found.items() if not _accepts(command, sample)]
    for name in refused:
        print(f"{name} does not accept the files: left out", file=sys.stderr)
    return {name: command for name, command in found.items() if name not in refused}


def _accepts(command: list[str], file: Path) -> bool:
    """Return whether a peer reads a file of ours to its end and finds nothing."""
    return subprocess.run([*command, str(file)], capture_output=True, check=False).returncode == 0


def _environ(cache: Path) -> dict[str, str]:
    """Return what all programs run with: byte code is kept, as it is where a program is installed."""
    stated = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**stated, "PYTHONPATH": str(ROOT), "MAESTRO_CACHE_DIR": str(cache)}


def _cpu_ms(command: Sequence[str], environ: dict[str, str]) -> float:
    return program(command, environ=environ).cpu_s * 1e3


def rows(rounds: int = ROUNDS) -> list[Row]:
    """Return all rows of whole programs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        commands = _commands(folder)
        environ = _environ(folder / "cache")
        return [
            _version(commands, environ, rounds),
            _one_file(folder, commands, environ, rounds),
            *_many_files(folder, commands, environ, rounds),
        ]


def _version(commands: dict[str, list[str]], environ: dict[str, str], rounds: int) -> Row:
    python, ours, *others = turns(
        rounds,
        lambda: _cpu_ms([sys.executable, "-c", "pass"], environ),
        lambda: _cpu_ms([*MAESTRO, "--version"], environ),
        *[
            lambda command=command: _cpu_ms([command[0], "--version"], environ)
            for command in commands.values()
        ],
    )
    taken = dict(zip(commands, others, strict=True))
    peer = taken.get("yamllint")
    return Row(
        number=11,
        what="maestro --version",
        floor=f"Python alone {python:.0f} ms",
        peer=", ".join(f"{name} {took:.0f} ms" for name, took in taken.items()) or "none is installed",
        ours=f"{ours:.0f} ms",
        ratio=None if peer is None else ours / peer,
        goal="≤ yamllint",
        is_met=None if peer is None else ours <= peer,
        how="CPU time of the process",
    )


def _one_file(folder: Path, commands: dict[str, list[str]], environ: dict[str, str], rounds: int) -> Row:
    file = folder / "one.blueprint.yaml"
    file.write_text(blueprint(1, 13))
    ours, *others = turns(
        rounds,
        lambda: _cpu_ms([*MAESTRO, "lint", "--no-cache", str(file)], environ),
        *[lambda command=command: _cpu_ms([*command, str(file)], environ) for command in commands.values()],
    )
    taken = dict(zip(commands, others, strict=True))
    peer = taken.get("check-jsonschema")
    return Row(
        number=12,
        what="lint of one file of 100 lines, no cache",
        peer=", ".join(f"{name} {took:.0f} ms" for name, took in taken.items()) or "none is installed",
        ours=f"{ours:.0f} ms",
        ratio=None if peer is None else ours / peer,
        goal="≤ 0.6 of check-jsonschema",
        is_met=None if peer is None else ours <= ONE_FILE * peer,
        how="CPU time of the process",
    )


def _many_files(
    folder: Path, commands: dict[str, list[str]], environ: dict[str, str], rounds: int
) -> list[Row]:
    place = folder / "library"
    place.mkdir()
    files = [str(file) for file in library(place, FILES)]
    rates = {
        name: FILES / program([*command, *files], environ=environ).cpu_s for name, command in commands.items()
    }
    cold, warm = turns(
        rounds,
        lambda: program([*MAESTRO, "lint", "--no-cache", str(place)], environ=environ).cpu_s,
        lambda: program([*MAESTRO, "lint", str(place)], environ=environ).cpu_s,
    )
    best = max(rates.values(), default=None)
    shown = ", ".join(f"{name} {rate:.0f} files/s" for name, rate in rates.items()) or "none is installed"
    return [
        Row(
            number=13,
            what=f"lint of {FILES:,} files of 100 lines, {state}",
            peer=shown,
            ours=f"{FILES / took:.0f} files/s",
            ratio=None if best is None else FILES / took / best,
            goal=f"≥ {goal} of the best peer",
            is_met=None if best is None else FILES / took >= goal * best,
            how="CPU time of the process",
        )
        for state, took, goal in (("cold", cold, COLD), ("warm", warm, WARM))
    ]


if __name__ == "__main__":
    print_rows(rows(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
