"""A thin asynchronous HTTP client: one request, one plain answer, every failure one exception.

No redirects are followed, no proxy or credentials of the environment are used, no connection is kept: a
provider under test answers each request alone. Judges nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

    import httpx2

MAX_BODY_BYTES = 16_000_000


class NoAnswer(Exception):  # noqa: N818 - it is a result more than a fault
    """The other side gave no answer; `reached` is False where not even a connection was made."""

    def __init__(self, message: str, *, reached: bool) -> None:
        super().__init__(message)
        self.message = message
        self.reached = reached


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def media_type(self) -> str:
        """The bare media type of the body, lower case; empty where none is stated."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def json(self) -> Any:
        """Return the body as JSON.

        Raises:
            ValueError: it is none.
        """
        return json.loads(self.body)


class HttpClient:
    """Sends requests below one base address; an asynchronous context manager."""

    def __init__(self, base_url: str, *, timeout_s: float = 10.0) -> None:
        import httpx2  # loads slowly; many runs send nothing

        self.base_url = base_url.rstrip("/")
        self._client = httpx2.AsyncClient(
            verify=not self.base_url.startswith("http://"),  # reading certificates is slow
            timeout=timeout_s,
            trust_env=False,
            follow_redirects=False,
            limits=httpx2.Limits(max_connections=20, max_keepalive_connections=0),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def send(
        self, method: str, target: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """Send one request to `target` (path with query, already encoded) and return the answer.

        Raises:
            NoAnswer: nothing listens there, it closed the connection, or it took too long.
        """
        import httpx2

        sent = {"accept": "application/json, */*;q=0.5", "connection": "close", **(headers or {})}
        request = self._client.build_request(method, self.base_url + target, headers=sent, content=body)
        try:
            response = await self._client.send(request, stream=True)
            try:
                content = await _read(response)
            finally:
                await response.aclose()
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise NoAnswer(f"nothing answers at {self.base_url}", reached=False) from error
        except httpx2.TimeoutException as error:
            raise NoAnswer("no answer in time", reached=True) from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise NoAnswer(f"the connection broke: {error}", reached=True) from error
        return Answer(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=content,
        )


async def _read(response: httpx2.Response) -> bytes:
    parts = bytearray()
    async for chunk in response.aiter_bytes():
        parts += chunk
        if len(parts) > MAX_BODY_BYTES:
            raise NoAnswer(f"the answer is larger than {MAX_BODY_BYTES} bytes", reached=True)
    return bytes(parts)
