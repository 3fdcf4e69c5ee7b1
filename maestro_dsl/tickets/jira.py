"""Issues of JIRA Cloud over its REST API, version 3; the description is an Atlassian Document.

One issue a ticket: it carries the ticket's key as a label, and that label is searched for first. The search
may lag some seconds behind, so a delivery that was cut off is looked up again only when its claim has ended.
"""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from maestro_dsl.tickets.sink import Arrived, Channel, Undelivered, json_of, label, text_of

if TYPE_CHECKING:
    from maestro_dsl.engine.tickets import Ticket

API = "/rest/api/3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Jira:
    """A project of a JIRA site."""

    channel: Channel
    project: str
    issue_type: str = "Task"
    labels: tuple[str, ...] = ()

    async def find(self, ticket: Ticket) -> Arrived | None:
        """Return the issue that carries the ticket's label, or None."""
        jql = f'project = "{self.project}" AND labels = "{label(ticket)}" ORDER BY created ASC'
        body = json.dumps({"jql": jql, "maxResults": 10, "fields": ["labels"]}).encode()
        data = json_of(await self.channel.send("POST", f"{API}/search/jql", body=body, good=(200,)))
        issues = data.get("issues") if isinstance(data, dict) else None
        for item in issues if isinstance(issues, list) else ():
            fields = item.get("fields") if isinstance(item, dict) else None
            if isinstance(fields, dict) and label(ticket) in (fields.get("labels") or ()):
                return self._arrived(item)  # and not what a server makes of a query it does not know
        return None

    async def create(self, ticket: Ticket) -> Arrived:
        """Make the issue."""
        fields: dict[str, Any] = {
            "project": {"key": self.project},
            "issuetype": {"name": self.issue_type},
            "summary": ticket.title,
            "description": document(ticket.text),
            "labels": [label(ticket), *self.labels],
        }
        body = json.dumps({"fields": fields}).encode()
        return self._arrived(json_of(await self.channel.send("POST", f"{API}/issue", body=body, good=(201,))))

    def _arrived(self, data: object) -> Arrived:
        key = text_of(data, "key")
        if not key:
            raise Undelivered("JIRA's answer names no issue")
        return Arrived(reference=key, url=f"{self.channel.base_url}/browse/{key}")


def basic(user: str, token: str) -> str:
    """Return the value of the authorization header for a user and an API token."""
    return f"Basic {b64encode(f'{user}:{token}'.encode()).decode()}"


def document(text: str) -> dict[str, Any]:
    """Return a text as an Atlassian Document: paragraphs, and lists where lines begin with a dash."""
    content: list[dict[str, Any]] = []
    for line in text.splitlines():
        if not line.strip():
            continue
        if line.startswith("- "):
            if not content or content[-1]["type"] != "bulletList":
                content.append({"type": "bulletList", "content": []})
            content[-1]["content"].append({"type": "listItem", "content": [_paragraph(line[2:])]})
        else:
            content.append(_paragraph(line))
    return {"type": "doc", "version": 1, "content": content}


def _paragraph(text: str) -> dict[str, Any]:
    return {"type": "paragraph", "content": [{"type": "text", "text": text}]}
