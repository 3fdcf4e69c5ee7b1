"""Scripts that cannot be played are refused with the place and the word."""

import pytest

from maestro_dsl.errors import UsageError
from maestro_dsl.providers.scripted import load_script


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "answers: [{file: {}}]",
            's.yaml: answers[0]: unknown key "file"',
            'did you mean "files"? valid keys: delay',
        ),
        (
            "answers: [{}, {match: {nod: x}}]",
            's.yaml: answers[1].match: unknown key "nod"',
            'did you mean "node"?',
        ),
        ("answers: [3]", "s.yaml: answers[0] is no mapping", "valid keys: delay, edit"),
        ("answer: []", 's.yaml: a script is a mapping with the list "answers"', None),
        ("answers: [{fault: bad}]", "s.yaml: answers[0]: 'bad' is not a valid Failure", None),
    ],
)
def test_a_script_that_cannot_be_played_says_where(tmp_path, text, message, hint):
    (tmp_path / "s.yaml").write_text(text + "\n")
    with pytest.raises(UsageError) as caught:
        load_script(tmp_path / "s.yaml")
    assert caught.value.message == message
    assert (caught.value.hint or "").startswith(hint or "")
