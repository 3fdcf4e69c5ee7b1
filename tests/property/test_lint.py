"""`lint` of any bytes, any text and damaged documents: findings with places, never a fall."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.rule_project import FILES, write_project

from maestro_dsl.app import lint, render
from maestro_dsl.reporters.text import HARMLESS

EXAMPLES = int(os.environ.get("MAESTRO_TEST_LINT", "40"))
ROOT = Path(__file__).resolve().parents[2]
REAL = [path.read_bytes() for path in sorted((ROOT / "blueprints").rglob("*.yaml"))]
PIECES = [
    *(b"<<: *a", b"&a ", b"*a", b"!!python/object:os.system ", b"{{", b"}}", b"[", b"]", b"{", b"}", b": "),
    *(
        b"\n",
        b"\t",
        b"\r",
        b"- ",
        b"|\n",
        b">-\n",
        b"#",
        b'"',
        b"'",
        b"---\n",
        b"\x00",
        b"\xff",
        b"\xe2\x80\xae",
    ),
    *(
        b"\xef\xbb\xbf",
        b"\xc2\xa0",
        b"\xe3\x80\x80",
        b"\xc2\x85",
        b"null",
        b"1e999",
        b"0x1",
        b"~",
        b"? ",
        b"# maestro: ignore[",
    ),
]
CONFIG = settings(
    max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@st.composite
def damaged(draw, originals):
    content = draw(st.sampled_from(originals))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.integers(0, 40)))
        content = (
            content[:start] + draw(st.sampled_from([b"", content[start:end] * 2, *PIECES])) + content[end:]
        )
    return content


@pytest.fixture
def folder(tmp_path):
    write_project(tmp_path)
    return tmp_path.resolve()


def sound(result):
    for item in result.diagnostics:
        span = item.span
        assert item.message
        assert (1, 1) <= (span.line, span.column) <= (span.end_line, span.end_column)
    for name in ("text", "concise", "github", "gitlab", "junit", "sarif"):
        shown = render(name, result)
        assert all(char == "\n" or char.isprintable() or char in HARMLESS for char in shown)


@CONFIG
@given(
    st.one_of(
        st.binary(max_size=300), st.text(max_size=300).map(lambda text: text.encode("utf-8")), damaged(REAL)
    )
)
def test_any_document_alone(content):
    sound(lint((), environ={}, stdin=content.decode("utf-8", "surrogateescape")))


@CONFIG
@given(st.data())
def test_any_file_of_a_project(folder, data):
    name = data.draw(st.sampled_from(list(FILES)))
    content = data.draw(st.one_of(damaged([FILES[name].encode()]), st.binary(max_size=100)))
    sound(lint([folder], environ={}, overlay={folder / name: content}))
