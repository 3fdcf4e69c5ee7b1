"""Why a file is no interface, with its place."""

from __future__ import annotations


class Refused(Exception):  # noqa: N818 - a finding about a user's file more than a fault
    """A file cannot be read as an interface; line and column from 1, None where it is the file as a whole."""

    def __init__(self, reason: str, line: int | None = None, column: int = 1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
        self.column = column
