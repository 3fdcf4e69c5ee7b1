"""Whatever a prompt template holds, what is said about it is ours, lies inside it, and is the whole truth."""

import re

from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateSyntaxError

from maestro_dsl.lang.templates import _compiled, check_prompt

PIECES = (
    "{{", "}}", "{%", "%}", "{%-", "-%}", "{#", "#}", "text", "\n", "  ", "if", "elif", "else", "endif",
    "for", "in", "endfor", "set", "endset", "with", "endwith", "filter", "endfilter", "raw",
    "endraw", "{% raw %}", "{% endraw %}", "a", "a.b", ".", "|", "upper",
    "uper", "is", "defined", "not", "and", "==", "=", "(", ")",
    "[", "]", "{", "}", ",", ":", "'", '"', "'x'", "1", "range", "loop", "_x", "?", "&", "include", "macro",
    "endmacro", "autoescape", "endautoescape", "é", "\u2028", "\r\n", "recursive", "\\",
)  # fmt: skip
WHOLE = (
    "{% if a %}", "{% elif b %}", "{% else %}", "{% endif %}", "{% for a in b %}", "{% endfor %}", "{{ a }}",
    "{% set x = 1 %}", "{% set x %}", "{% endset %}", "{% with a = 1 %}", "{% endwith %}", "{{ a b }}",
    "{% filter upper %}", "{% endfilter %}", "{% raw %}", "{% endraw %}", "{%- if a -%}", "\n", "text",
)  # fmt: skip
SOURCES = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join),
    st.lists(st.sampled_from(PIECES), max_size=14).map("".join),
    st.lists(st.sampled_from(WHOLE), max_size=10).map("".join),
)
THEIRS = re.compile(
    r"jinja|token|print statement|statement block|unexpected|encountered|got '", re.IGNORECASE
)


@given(SOURCES)
def test_a_template_is_refused_where_it_is_used_if_and_only_if_it_was_found_wrong(source):
    found = check_prompt(source)
    for item in found:
        assert 0 <= item.start <= item.end <= max(len(source), 1)
        assert not THEIRS.search(f"{item.message} {item.help}")
    try:
        _compiled(source)
    except (TemplateSyntaxError, RecursionError):
        assert found
    else:
        assert not found
