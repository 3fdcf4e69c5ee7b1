"""What a place for tickets is, and the one way to talk to it over HTTP.

A secret is looked up when it is used, travels in one header, and is taken out of every text that leaves here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from maestro_dsl.net.client import HttpClient, NoAnswer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maestro_dsl.engine.tickets import Ticket
    from maestro_dsl.net.client import Answer

TIMEOUT_S: Final = 10.0
_SHOWN_BODY: Final = 200
_SHORTEST_SECRET: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """What the other side calls a ticket, and where a person sees it."""

    reference: str
    url: str = ""


class Undelivered(Exception):  # noqa: N818 - the outbox's word
    """A ticket did not arrive; the text says why, without secrets."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after_s = retry_after_s


class Sink(Protocol):
    """A place for tickets."""

    async def find(self, ticket: Ticket) -> Arrived | None:
        """Return the ticket where it arrived before; None also where this place cannot be asked.

        Raises:
            Undelivered: the place gave no answer.
        """

    async def create(self, ticket: Ticket) -> Arrived:
        """Deliver the ticket.

        Raises:
            Undelivered: it was refused, or there was no answer; then it may have arrived all the same.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Requests to one place, with the headers that open its door."""

    base_url: str
    headers: Mapping[str, str]
    secrets: tuple[str, ...] = ()
    timeout_s: float = TIMEOUT_S

    async def send(
        self,
        method: str,
        target: str,
        *,
        body: bytes | None = None,
        more: Mapping[str, str] | None = None,
        good: Sequence[int] = (200, 201, 202, 204),
    ) -> Answer:
        """Send one request and return an answer with a good status.

        Raises:
            Undelivered: another status, or no answer.
        """
        sent = {**self.headers, **(more or {})}
        if body is not None:
            sent.setdefault("content-type", "application/json")
        try:
            async with HttpClient(self.base_url, timeout_s=self.timeout_s) as client:
                answer = await client.send(method, target, headers=sent, body=body)
        except NoAnswer as error:
            raise Undelivered(self.scrubbed(error.message)) from None
        if answer.status in good:
            return answer
        text = answer.body[:_SHOWN_BODY].decode("utf-8", "replace").strip()
        wait = answer.headers.get("retry-after", "")
        raise Undelivered(
            self.scrubbed(f"{self.base_url} answered {answer.status}{': ' + text if text else ''}"),
            retry_after_s=float(wait) if wait.isdigit() else None,
        )

    def scrubbed(self, text: str) -> str:
        """Return a text without the secrets of this channel."""
        for secret in self.secrets:
            if len(secret) >= _SHORTEST_SECRET:
                text = text.replace(secret, "***")
        return text


def json_of(answer: Answer) -> Any:
    """Return the JSON of an answer.

    Raises:
        Undelivered: it has none.
    """
    try:
        return answer.json()
    except ValueError:
        raise Undelivered("the answer is no JSON") from None


def text_of(data: object, *keys: str) -> str:
    """Return the first of `keys` that an answer states as text or number; empty where it states none."""
    found = data if isinstance(data, dict) else {}
    return next((str(found[key]) for key in keys if isinstance(found.get(key), (str, int))), "")


def label(ticket: Ticket) -> str:
    """Return the label by which a ticket is found again."""
    return f"maestro-{ticket.key}"
