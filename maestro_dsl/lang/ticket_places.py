"""What the settings of each place for tickets need, and what is wrong with those that a project states.

Looks at the settings alone; whether a place may be used here, and its secrets, are the operator's affair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from maestro_dsl.lang.late import pattern
from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from maestro_dsl.lang.model import TicketSettings

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_REPOSITORY: Final = pattern(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")
_PROJECT: Final = pattern(r"[A-Z][A-Z0-9_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketPlace:
    """Keys that a place needs, with an example of each, and further keys that it understands."""

    needs: tuple[tuple[str, str], ...]
    takes: tuple[str, ...] = ()

    def knows(self, key: str) -> bool:
        """Return whether a key of `tickets` means something here."""
        return key in {"sink", *self.takes, *(name for name, _ in self.needs)}


PLACES: Final = {
    "jira": TicketPlace(
        needs=(
            ("url", "https://example.atlassian.net"),
            ("user_env", "JIRA_USER"),
            ("token_env", "JIRA_API_TOKEN"),
            ("project", "OPS"),
        ),
        takes=("issue_type", "labels"),
    ),
    "github": TicketPlace(
        needs=(("token_env", "GITHUB_TOKEN"), ("repository", "acme/shop")), takes=("url", "labels")
    ),
    "webhook": TicketPlace(
        needs=(("url", "https://example.com/hooks/maestro"),), takes=("token_env", "secret_env")
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketProblem:
    """Something that makes tickets impossible; `missing` = the key is not there."""

    key: str
    message: str
    hint: str
    missing: bool = False


def ticket_problems(settings: TicketSettings) -> Iterator[TicketProblem]:
    """Yield everything that is wrong with these settings, whatever the secrets are."""
    for key, example in PLACES[settings.sink].needs:
        if not getattr(settings, key):
            yield TicketProblem(key=key, message=f"{key} is missing", hint=f"{key}: {example}", missing=True)
    if settings.url:
        yield from _url(settings.url)
    if settings.sink == "jira" and settings.project and not _PROJECT.fullmatch(settings.project):
        message = f'"{settings.project}" is no key of a JIRA project'
        yield TicketProblem(key="project", message=message, hint="project: OPS")
    if settings.sink == "github" and settings.repository and not _REPOSITORY.fullmatch(settings.repository):
        message = f'"{settings.repository}" is no repository'
        yield TicketProblem(key="repository", message=message, hint="repository: acme/shop")


def _url(url: str) -> Iterator[TicketProblem]:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        host = None
    if not host or parts.scheme not in {"http", "https"}:
        yield TicketProblem(key="url", message=f'url is no web address: "{url}"', hint="https://…")
        return
    if parts.scheme == "http" and host not in LOOPBACK:
        message = f"url would send a secret without encryption: {url}"
        yield TicketProblem(key="url", message=message, hint="use https://")
    if parts.username or parts.password:
        message, hint = "url holds a user or password", "name variables: user_env, token_env"
        yield TicketProblem(key="url", message=message, hint=hint)
