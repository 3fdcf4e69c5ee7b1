r"""A text that matches a regular expression of a schema: `^[A-Z]{2}-\d{4}$` gives "KD-4821".

Reads the common part of ECMAScript's syntax. What it cannot read or guarantee (look-arounds, back-references)
is skipped, so the caller has to check the result against the pattern.
"""

from __future__ import annotations

import string

from maestro_dsl.interfaces.chance import between, pick

_DIGITS = string.digits
_WORD = string.ascii_lowercase + string.digits
_LETTERS = string.ascii_lowercase
_PRINTABLE = string.ascii_letters + string.digits + " -_.,:;!?/()+*=@#%&'\"<>[]{}|~^$\\`"
_SPACE = " "
_CLASSES = {"d": _DIGITS, "w": _WORD, "s": _SPACE}
_CONTROL = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "0": "\0"}
_UNBOUNDED = 3
_MAX_REPEAT = 4096
_MAX_NESTING = 40


class UnreadablePattern(ValueError):  # noqa: N818 - says what the pattern is
    """The pattern uses something that this module does not know."""


def matching(pattern: str, seed: str, *, min_length: int = 0, max_length: int | None = None) -> str:
    """Return a text that very likely matches `pattern`, within the lengths where the pattern allows it.

    Raises:
        UnreadablePattern: the pattern cannot be read.
    """
    text = ""
    for longer in (0, 2, 6, 14, 30, 62, 126):
        text = _Writer(pattern, f"{seed}/{longer}", longer).run()
        if len(text) >= min_length:
            break
    if max_length is not None and len(text) > max_length:
        text = _Writer(pattern, f"{seed}/min", -_UNBOUNDED).run()
    return text


class _Writer:
    def __init__(self, pattern: str, seed: str, longer: int) -> None:
        self._source = pattern
        self._at = 0
        self._seed = seed
        self._longer = longer
        self._choices = 0
        self._depth = 0

    def run(self) -> str:
        text = self._alternatives()
        if self._at < len(self._source):
            raise UnreadablePattern(self._source)
        return text

    def _next_seed(self) -> str:
        self._choices += 1
        return f"{self._seed}:{self._choices}"

    def _alternatives(self) -> str:
        self._depth += 1
        if self._depth > _MAX_NESTING:
            raise UnreadablePattern(self._source)
        options = [self._sequence()]
        while self._peek() == "|":
            self._at += 1
            options.append(self._sequence())
        self._depth -= 1
        return pick(options, self._next_seed())

    def _sequence(self) -> str:
        parts: list[str] = []
        while (char := self._peek()) not in {"", "|", ")"}:
            if char in "^$":
                self._at += 1
                continue
            start, choices = self._at, self._choices
            first = self._atom()
            low, high = self._quantifier()
            end = self._at
            count = self._count(low, high)
            if count == 1:
                parts.append(first)
                continue
            pieces = []
            for turn in range(count):
                self._at, self._choices = start, choices + turn * 17 + 1
                pieces.append(self._atom())
            self._at = end
            parts.append("".join(pieces))
        return "".join(parts)

    def _count(self, low: int, high: int | None) -> int:
        top = low + _UNBOUNDED + self._longer if high is None else min(high, max(low, low + 8 + self._longer))
        bottom = min(top, low + max(0, self._longer))
        if high is None and low == 0 and self._longer >= 0:
            bottom = max(bottom, 1)
        return min(between(bottom, max(bottom, top), self._next_seed()), _MAX_REPEAT)

    def _quantifier(self) -> tuple[int, int | None]:
        char = self._peek()
        bounds: tuple[int, int | None] = (1, 1)
        if char in {"*", "+", "?"}:
            self._at += 1
            bounds = {"*": (0, None), "+": (1, None), "?": (0, 1)}[char]
        elif char == "{":
            close = self._source.find("}", self._at)
            inner = self._source[self._at + 1 : close].split(",") if close > 0 else []
            if not inner or not inner[0].isdigit() or not all(part == "" or part.isdigit() for part in inner):
                return bounds
            self._at = close + 1
            low = int(inner[0])
            bounds = (low, low) if len(inner) == 1 else (low, int(inner[1]) if inner[1] else None)
        else:
            return bounds
        if self._peek() in {"?", "+"}:
            self._at += 1
        return bounds

    def _atom(self) -> str:
        char = self._take()
        if char == "(":
            return self._group()
        if char == "[":
            return pick(self._set(), self._next_seed())
        if char == ".":
            return pick(_LETTERS, self._next_seed())
        if char == "\\":
            options = self._escape(in_set=False)
            return pick(options, self._next_seed()) if options else ""
        return char

    def _group(self) -> str:
        skipped = False
        if self._peek() == "?":
            self._at += 1
            mark = self._take()
            if mark == "<" and self._peek() not in {"=", "!"}:
                self._at = self._source.find(">", self._at) + 1
            elif mark in {"=", "!"}:
                skipped = True
            elif mark == "<":
                self._at += 1
                skipped = True
            elif mark != ":":
                raise UnreadablePattern(self._source)
        text = self._alternatives()
        if self._take() != ")":
            raise UnreadablePattern(self._source)
        return "" if skipped else text

    def _set(self) -> str:
        negated = self._peek() == "^"
        if negated:
            self._at += 1
        members: list[str] = []
        while (char := self._take()) != "]":
            options = self._escape(in_set=True) if char == "\\" else char
            is_range = self._peek() == "-" and self._source[self._at + 1 : self._at + 2] not in {"]", ""}
            if is_range and len(options) == 1:
                self._at += 1
                last = self._take()
                last = self._escape(in_set=True) if last == "\\" else last
                options = _span(options, last[:1])
            members.append(options)
        found = "".join(members)
        if negated:
            found = "".join(char for char in _PRINTABLE if char not in found)
        elif any(char in _WORD for char in found):
            found = "".join(char for char in found if char.isascii() and char.isalnum()) or found
        if not found:
            raise UnreadablePattern(self._source)
        return found

    def _escape(self, *, in_set: bool) -> str:
        char = self._take()
        if char in _CLASSES:
            return _CLASSES[char]
        if char.lower() in _CLASSES and char.isupper():
            return "".join(
                item for item in _PRINTABLE if item not in _CLASSES[char.lower()] and not item.isupper()
            )
        if char in "bB" and not in_set:
            return ""
        if char in "pP":
            close = self._source.find("}", self._at)
            name = self._source[self._at + 1 : close]
            self._at = close + 1
            return {"N": _DIGITS, "L": _LETTERS, "Z": _SPACE}.get(name[:1], _LETTERS)
        if char in "xu":
            return self._code(2 if char == "x" else 4)
        if char in _CONTROL:
            return _CONTROL[char]
        if char.isdigit():
            raise UnreadablePattern(self._source)
        return char

    def _code(self, width: int) -> str:
        if self._peek() == "{":
            close = self._source.find("}", self._at)
            digits, self._at = self._source[self._at + 1 : close], close + 1
        else:
            digits = self._source[self._at : self._at + width]
            self._at += width
        try:
            return chr(int(digits, 16))
        except ValueError as error:
            raise UnreadablePattern(self._source) from error

    def _peek(self) -> str:
        return self._source[self._at : self._at + 1]

    def _take(self) -> str:
        char = self._peek()
        if not char:
            raise UnreadablePattern(self._source)
        self._at += 1
        return char


def _span(first: str, last: str) -> str:
    low, high = ord(first), ord(last)
    return "".join(chr(code) for code in range(low, min(high, low + 200) + 1)) if low <= high else first
