from __future__ import annotations

import pytest

from maestro_dsl.lang.comments import comments


@pytest.mark.parametrize("line_end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("char", ["x", "\u2028", "\x85"])
def test_a_comment_is_none_inside_a_text(line_end: str, char: str) -> None:
    text = line_end.join(
        [
            "a: |",
            f"  x{char}y # maestro: 1",
            "# maestro: 2",
            "b: 1 # maestro: 3",
            f"c: d {char}# maestro: 4",
            "",
        ]
    )
    assert [item.body for item in comments(text, "a.yaml", "maestro:")] == [" maestro: 2", " maestro: 3"]
