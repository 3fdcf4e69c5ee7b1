"""Texts in commands of GitHub's workflows, `::error file=…::message`: none of them ends its command early."""

from __future__ import annotations

from maestro_dsl.reporters.text import safe


def as_message(value: str) -> str:
    """Return a text as the message of a command."""
    return safe(value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def as_parameter(value: str) -> str:
    """Return a text as the value of one of a command's parameters."""
    return as_message(value).replace(":", "%3A").replace(",", "%2C")
