"""Which media type a request's `Accept` asks for, of those that GraphQL over HTTP knows."""

from __future__ import annotations

from typing import Final

JSON: Final = "application/json"
RESPONSE: Final = "application/graphql-response+json"
EVENTS: Final = "text/event-stream"
_RANGES: Final = {"*/*": JSON, "application/*": JSON, "text/*": EVENTS, "": JSON}


def preferred(accept: str | None) -> str | None:
    """Return the media type to answer with; None where none of ours is accepted."""
    if accept is None or not accept.strip():
        return JSON
    best: tuple[float, int] | None = None
    found: str | None = None
    for at, part in enumerate(accept.split(",")):
        pieces = [piece.strip().lower() for piece in part.split(";")]
        media = _RANGES.get(pieces[0], pieces[0])
        weight = next((_quality(piece[2:]) for piece in pieces[1:] if piece.startswith("q=")), 1.0)
        if media in {JSON, RESPONSE, EVENTS} and weight > 0 and (best is None or (-weight, at) < best):
            best, found = (-weight, at), media
    return found


def _quality(text: str) -> float:
    try:
        return max(0.0, min(1.0, float(text)))
    except ValueError:
        return 1.0
