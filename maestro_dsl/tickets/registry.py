"""The places for tickets by name, and how one is opened from what a project states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from maestro_dsl.errors import UsageError
from maestro_dsl.lang.ticket_places import LOOPBACK, ticket_problems
from maestro_dsl.tickets.github import AGENT, API_URL, HEADERS, GitHub
from maestro_dsl.tickets.jira import Jira, basic
from maestro_dsl.tickets.sink import Channel, Sink, Undelivered
from maestro_dsl.tickets.webhook import Webhook

if TYPE_CHECKING:
    from collections.abc import Callable

    from maestro_dsl.lang.model import TicketSettings
    from maestro_dsl.ports import Clock, Secrets

HOSTS: Final = "MAESTRO_TICKET_HOSTS"
TRUSTED_HOSTS: Final = LOOPBACK | {"api.github.com"}


def check(settings: TicketSettings, secrets: Secrets) -> None:
    """Return where tickets can be sent by these settings, whatever the secrets are.

    A project is untrusted: it may come from anywhere, and it names both the variable and the address that the
    variable's value is sent to. So the operator names the hosts.

    Raises:
        UsageError: something is missing, cannot be used, or goes to a host that the operator does not name.
    """
    for problem in ticket_problems(settings):
        hint = f"in maestro.yaml below tickets: {problem.hint}" if problem.missing else problem.hint
        raise UsageError(f"tickets: {problem.message}", hint=hint)
    host = urlsplit(_address(settings)).hostname or ""
    named = {item.strip().lower() for item in (secrets.get(HOSTS) or "").split(",")}
    if host not in named | TRUSTED_HOSTS:
        raise UsageError(
            f"tickets: {host} is not among the hosts that the environment variable {HOSTS} allows",
            hint=f"if you trust this project with it: {HOSTS}={host}",
        )


def open_sink(settings: TicketSettings, secrets: Secrets, clock: Clock) -> Sink:
    """Return the place for tickets, with its secrets as they are now.

    Raises:
        UsageError: something is missing or cannot be used.
        Undelivered: a variable with a secret is not set.
    """
    check(settings, secrets)
    return OPENERS[settings.sink](settings, secrets, clock)


def _address(settings: TicketSettings) -> str:
    return (settings.url or API_URL).rstrip("/")


def _secret(secrets: Secrets, name: str | None) -> str:
    value = secrets.get(name or "")
    if not value:
        raise Undelivered(f"the environment variable {name} is not set")
    return value


def _jira(settings: TicketSettings, secrets: Secrets, _clock: Clock) -> Sink:
    user, token = _secret(secrets, settings.user_env), _secret(secrets, settings.token_env)
    headers = {"authorization": basic(user, token), "accept": "application/json", "user-agent": AGENT}
    channel = Channel(
        base_url=_address(settings),
        headers=headers,
        secrets=(token, headers["authorization"]),
    )
    return Jira(
        channel=channel,
        project=settings.project or "",
        issue_type=settings.issue_type or "Task",
        labels=settings.labels,
    )


def _github(settings: TicketSettings, secrets: Secrets, _clock: Clock) -> Sink:
    token = _secret(secrets, settings.token_env)
    channel = Channel(
        base_url=_address(settings),
        headers={**HEADERS, "authorization": f"Bearer {token}"},
        secrets=(token,),
    )
    return GitHub(channel=channel, repository=settings.repository or "", labels=settings.labels)


def _webhook(settings: TicketSettings, secrets: Secrets, clock: Clock) -> Sink:
    secret = _secret(secrets, settings.secret_env) if settings.secret_env else None
    token = _secret(secrets, settings.token_env) if settings.token_env else None
    url = _address(settings)
    parts = urlsplit(url)
    headers = {"user-agent": AGENT}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    hidden = tuple(item for item in (secret, token) if item is not None)
    channel = Channel(base_url=f"{parts.scheme}://{parts.netloc}", headers=headers, secrets=hidden)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Webhook(channel=channel, target=target, clock=clock, secret=secret)


OPENERS: Final[dict[str, Callable[[TicketSettings, Secrets, Clock], Sink]]] = {
    "jira": _jira,
    "github": _github,
    "webhook": _webhook,
}
