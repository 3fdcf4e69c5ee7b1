"""Coverage-guided fuzzing of `lint` with atheris: any bytes in any file of a project, reported in every form.

Documents that stand alone are mended and formatted as well, twice.

`python tests/fuzz/lint.py --seconds 300` works in a folder of its own and starts from the documents of this
repository. What falls or takes longer than ten seconds is written there as `crash-…` or `timeout-…`; give
such a file as the only argument to see it again. atheris is no dependency: `pip install atheris`.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

try:
    import atheris
except ImportError:
    sys.exit("skipped: atheris is not installed (pip install atheris)")

with atheris.instrument_imports(include=["maestro_dsl"], enable_loader_override=False):
    from maestro_dsl.app.documents import lint
    from maestro_dsl.app.fixing import fix
    from maestro_dsl.app.formatting import format_documents
    from maestro_dsl.app.lint_result import FixOptions
    from maestro_dsl.app.reports import FORMATS, render
    from maestro_dsl.compiler import compile as _compile  # noqa: F401 - what loads late is to be watched too
    from maestro_dsl.diagnostics import MOST
    from maestro_dsl.interfaces.openapi import kind as _openapi  # noqa: F401 - as above
    from maestro_dsl.lang import finder, read, workspace  # noqa: F401 - as above
    from maestro_dsl.lang.grammar import grammar_of, walk
    from maestro_dsl.lang.model import Kind
    from maestro_dsl.reporters import diagnostics
    from maestro_dsl.rules import run_rules  # noqa: F401 - as above
from support.rule_project import FILES, write_project  # noqa: E402 - the path is known only now

ALONE = len(FILES)
"""The first byte that means: one document from standard input, and not a file of the project."""


def check(folder: Path, data: bytes) -> None:
    """Lint `data`: its first byte says which file of the project the rest stands in for."""
    where, content = (data[0] if data else 0) % (ALONE + 1), data[1:]
    if where == ALONE:
        result = lint((), environ={}, stdin=content.decode("utf-8", "surrogateescape"))
        rewritten(content)
    else:
        path = folder / list(FILES)[where]
        result = lint([folder], environ={}, overlay={path: content})
    counts = Counter((item.code, item.span.file) for item in result.diagnostics if not item.is_more)
    assert all(count <= MOST for count in counts.values()), counts
    for finding in result.diagnostics:
        assert finding.message, finding
        assert finding.span.line >= 1, finding
        assert finding.span.column >= 1, finding
        assert (finding.span.end_line, finding.span.end_column) >= (finding.span.line, finding.span.column), (
            finding
        )
    for name in FORMATS:
        shown = render(name, result)
        assert all(char.isprintable() or char == "\n" for char in shown), name
        shown.encode("utf-8")
    json.dumps(diagnostics.json_document(result.diagnostics)).encode()


def rewritten(content: bytes) -> None:
    """Mend and format a document: neither loses what can be read, and doing it again changes nothing."""
    for unsafe in (False, True):
        mended = fix(FixOptions(paths=(), environ={}, stdin=content, unsafe=unsafe)).content
        assert mended is not None
        again = fix(FixOptions(paths=(), environ={}, stdin=mended, unsafe=unsafe)).content
        assert again == mended, (unsafe, mended, again)
    formatted = format_documents((), stdin=content)
    assert formatted.bug is None, formatted.bug
    if formatted.content is not None:
        assert format_documents((), stdin=formatted.content).content == formatted.content, formatted.content


def seeds(corpus: Path) -> None:
    """Write the documents to start from, and the words of the language as a dictionary."""
    texts = [(number, text.encode()) for number, text in enumerate(FILES.values())]
    found = [*(ROOT / "blueprints").rglob("*.yaml"), *(ROOT / "examples").rglob("*.yaml")]
    texts += [(ALONE, path.read_bytes()) for path in found if path.stat().st_size < 6000]
    texts += [(ALONE, path.read_bytes()) for path in (ROOT / "tests" / "fuzz" / "seeds").glob("*")]
    for number, (where, content) in enumerate(texts):
        (corpus / f"seed-{number}").write_bytes(bytes([where]) + content)


def words(file: Path) -> None:
    """Write the keys of the language as a dictionary for libFuzzer."""
    names = {"<<: ", "*a", "&a ", "!!python/object:os.system", "{{ ", " }}", "? ", "- "}
    for kind in Kind:
        names |= {path.rpartition(".")[2].partition("(")[0] + ": " for path, _ in walk(grammar_of(kind))}
    file.write_text("".join(f'"{name}"\n' for name in sorted(names) if name.isprintable()))


def main() -> None:
    """Fuzz for a bounded time, or look at one input again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("inputs", nargs="*", type=Path, help="inputs to look at once more")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--work", type=Path, help="folder for the corpus and for what fails")
    given = parser.parse_args()
    work = given.work or Path(tempfile.mkdtemp(prefix="maestro-fuzz-"))
    folder, corpus = work / "project", work / "corpus"
    for path in (folder, corpus):
        path.mkdir(parents=True, exist_ok=True)
    write_project(folder)
    folder = folder.resolve()
    if given.inputs:
        for path in given.inputs:
            check(folder, path.read_bytes())
        return
    seeds(corpus)
    words(work / "words")
    sys.stderr.write(f"corpus and failures: {work}\n")
    options = [
        f"-max_total_time={given.seconds}",
        f"-dict={work / 'words'}",
        f"-artifact_prefix={work}/",
        "-timeout=10",
        "-rss_limit_mb=2048",
        "-max_len=8192",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], lambda data: check(folder, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
