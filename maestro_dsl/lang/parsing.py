"""The YAML parser: events and tokens of a text as YAML 1.2 has them, from libyaml or from PyYAML's own code.

Both parsers follow YAML 1.1, where NEL, LS and PS end a line. In YAML 1.2 they are characters like any other:
while the parser looks, other characters stand in for them, one for one, so that every position stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SEPARATORS: Final = "\x85\u2028\u2029"
"""Line breaks of YAML 1.1 that are none in YAML 1.2."""
_PRIVATE: Final = range(0xE000, 0xF900)


def parser_of(text: str) -> Callable[[], Any]:
    """Return a function that yields the next event of `text`: libyaml's parser, or the one in Python."""
    try:
        from yaml.cyaml import CParser  # type: ignore[attr-defined]  # the stubs leave it out
    except ImportError:
        return python_parser_of(text)
    return _events(CParser, text)


def python_parser_of(text: str) -> Callable[[], Any]:
    """Return the same from PyYAML's own parser, for platforms without libyaml."""
    return _events(yaml.Loader, text)


def tokens_of(text: str) -> Iterator[Any]:
    """Yield the tokens of `text` up to its end; what does not scan raises, whatever came before.

    Raises:
        yaml.YAMLError: the text does not scan.
    """
    text = _replaced(text)[0]
    try:
        from yaml.cyaml import CParser  # type: ignore[attr-defined]  # the stubs leave it out
    except ImportError:
        yield from yaml.scan(text)
        return
    parser = CParser(text)
    while parser.check_token():
        yield parser.get_token()


def has_separators(text: str) -> bool:
    """Return whether a character of `text` is a line break to readers of YAML 1.1 alone."""
    return any(char in text for char in SEPARATORS)


def _events(parser: Callable[[str], Any], text: str) -> Callable[[], Any]:
    text, originals = _replaced(text)
    next_event: Callable[[], Any] = parser(text).get_event
    if not originals:
        return next_event

    def restored() -> Any:
        event = next_event()
        if event.__class__ is yaml.ScalarEvent:
            event.value = event.value.translate(originals)
        return event

    return restored


def _replaced(text: str) -> tuple[str, Mapping[int, str]]:
    """Return `text` as the parsers are to see it, and what each of its stand-ins stands for.

    A stand-in is a character that `text` neither holds nor writes as an escape.
    """
    if not has_separators(text):
        return text, {}
    held = set(text)
    written = text.lower() if "\\" in text else ""
    free = (code for code in _PRIVATE if chr(code) not in held and f"{code:04x}" not in written)
    stand_ins = dict(zip(SEPARATORS, free, strict=False))
    if len(stand_ins) < len(SEPARATORS):  # a text that holds all of them is read as YAML 1.1
        return text, {}
    originals = {code: char for char, code in stand_ins.items()}
    return text.translate({ord(char): code for char, code in stand_ins.items()}), originals
