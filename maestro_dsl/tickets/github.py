"""Issues of a GitHub repository.

One issue a ticket: it carries the ticket's key as a label and in a comment of its text. GitHub drops the
labels of somebody without write access; then a delivery that was cut off cannot be found again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from maestro_dsl.tickets.sink import Arrived, Channel, Undelivered, json_of, label, text_of

if TYPE_CHECKING:
    from maestro_dsl.engine.tickets import Ticket

API_URL: Final = "https://api.github.com"
AGENT: Final = "maestro-dsl"
HEADERS: Final = {
    "accept": "application/vnd.github+json, application/json;q=0.9",
    "x-github-api-version": "2022-11-28",
    "user-agent": AGENT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHub:
    """The issues of `repository` (owner/name)."""

    channel: Channel
    repository: str
    labels: tuple[str, ...] = ()

    async def find(self, ticket: Ticket) -> Arrived | None:
        """Return the issue that carries the ticket's label, open or closed, or None."""
        target = f"{self._issues}?labels={quote(label(ticket), safe='')}&state=all&per_page=100"
        data = json_of(await self.channel.send("GET", target, good=(200,)))
        wanted = label(ticket)
        for item in data if isinstance(data, list) else ():
            if wanted in _labels(item):  # whatever the server made of the filter
                return self._arrived(item)
        return None

    async def create(self, ticket: Ticket) -> Arrived:
        """Make the issue."""
        text = f"{ticket.text}\n\n<!-- maestro-ticket: {ticket.key} -->\n"
        issue = {"title": ticket.title, "body": text, "labels": [label(ticket), *self.labels]}
        body = json.dumps(issue).encode()
        return self._arrived(json_of(await self.channel.send("POST", self._issues, body=body, good=(201,))))

    @property
    def _issues(self) -> str:
        return f"/repos/{self.repository}/issues"

    def _arrived(self, data: object) -> Arrived:
        number = text_of(data, "number")
        if not number:
            raise Undelivered("GitHub's answer names no issue")
        return Arrived(reference=f"{self.repository}#{number}", url=text_of(data, "html_url"))


def _labels(issue: object) -> set[str]:
    found = issue.get("labels") if isinstance(issue, dict) else None
    listed = found if isinstance(found, list) else []
    return {item if isinstance(item, str) else text_of(item, "name") for item in listed}
