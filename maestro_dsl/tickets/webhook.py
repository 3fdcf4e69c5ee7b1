"""A POST to an address of the user's own, signed so that the receiver knows who wrote it.

The receiver cannot be asked what it has, so a delivery whose answer was lost is sent again with the same
`Idempotency-Key`. The signature is over `<timestamp>.<body>`, hex of HMAC-SHA256.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from maestro_dsl.ports import Clock
from maestro_dsl.tickets.sink import Arrived, Channel, text_of

if TYPE_CHECKING:
    from maestro_dsl.engine.tickets import Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An address that takes tickets; `target` is its path with its query."""

    channel: Channel
    target: str
    clock: Clock
    secret: str | None = field(default=None, repr=False)

    async def find(self, ticket: Ticket) -> Arrived | None:  # noqa: ARG002 - the port's
        """Return None: a webhook cannot be asked."""
        return None

    async def create(self, ticket: Ticket) -> Arrived:
        """Send the ticket."""
        body = json.dumps(
            {
                "format_version": 1,
                "event": "node.help_needed",
                "key": ticket.key,
                "run_id": ticket.run_id,
                "node": ticket.node,
                "title": ticket.title,
                "text": ticket.text,
            }
        ).encode()
        headers = {"idempotency-key": ticket.key}
        if self.secret:
            timestamp = str(int(self.clock.now()))
            headers["x-maestro-timestamp"] = timestamp
            headers["x-maestro-signature"] = f"sha256={signature(self.secret, timestamp, body)}"
        answer = await self.channel.send("POST", self.target, body=body, more=headers)
        try:
            data = answer.json()
        except ValueError:
            data = None
        return Arrived(
            reference=text_of(data, "reference", "key", "id") or ticket.key, url=text_of(data, "url")
        )


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return what a receiver computes to see that the body is ours and recent."""
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
