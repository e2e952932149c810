"""Items as JSON to a web server, through httpx, which the extra `http` installs."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import anyio
import anyio.lowlevel
import anyio.to_thread

from aevents._json import json_of
from aevents.errors import DeliveryError, missing_extra

if TYPE_CHECKING:
    from httpx import AsyncClient, Response

AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers after which the same may go well a little later (RFC 9110, RFC 6585, RFC 8470)."""
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 30.0
MOST_BYTES = 65_536
"""Of an answer, which nobody reads."""
SECOND_US = 1_000_000


def create_url(scheme: str, rest: str, /, **options: object) -> HttpSink:
    """Return the sink that posts to a URL, as in `http://127.0.0.1:8000/results?tries=3`.

    `tries`, `timeout_us` and `headers` are those of `HttpSink`; what else the URL asks goes to the
    server. Raises `ValueError` for a URL without a host, and what `HttpSink` raises.
    """
    settings = {name: options.pop(name) for name in ("tries", "timeout_us") if name in options}
    headers = options.pop("headers", {})
    if not isinstance(headers, Mapping):
        raise ValueError(f"http: headers are values by name, not {headers!r}")
    url = f"{scheme}:{rest}" + (f"?{urlencode(options)}" if options else "")
    try:
        numbers = {name: int(str(value)) for name, value in settings.items()}
    except ValueError as error:
        raise ValueError(f"http: tries and timeout_us are whole numbers: {error}") from None
    return HttpSink(url, headers=headers, **numbers)


class HttpSink:
    """Posts each item as JSON, one after the other, over one connection where the server keeps it.

    Tried again, up to `tries` times in all, is what cannot be reached or does not answer within
    `timeout_us`, and what answers 408, 425, 429, 500, 502, 503 or 504: after 0.25 s, then after
    twice as long each time, or as long as the server asks for (`Retry-After`), but 30 s at most. So
    an item may arrive twice. Any other answer that is no success, a redirection too, is final.

    Making one raises `MissingExtraError` without httpx, and `ValueError` for a URL without a host
    and for numbers below 1.
    """

    def __init__(
        self,
        url: str,
        /,
        *,
        headers: Mapping[str, str] | None = None,
        tries: int = 6,
        timeout_us: int = 10 * SECOND_US,
    ) -> None:
        if not urlsplit(url).hostname:
            raise ValueError(f"http: {url} has no host: http://HOST:PORT/PATH has")
        if tries < 1 or timeout_us < 1:
            raise ValueError(
                f"http: tries and timeout_us are at least 1, not {tries}, {timeout_us}"
            )
        if find_spec("httpx") is None:
            raise missing_extra("httpx", "http")
        self._url = url
        self._headers = {"content-type": "application/json", **(headers or {})}
        self._tries = tries
        self._seconds = timeout_us / SECOND_US
        self._client: AsyncClient | None = None
        self._closed = False

    async def write(self, item: object, /) -> None:
        """Post one item. Raises `EncodeError` for what JSON has no word for, `DeliveryError` for
        what was not taken; after the close, `anyio.ClosedResourceError`. A write that is cancelled
        may have been delivered.
        """
        await anyio.lowlevel.checkpoint()
        if self._closed:
            raise anyio.ClosedResourceError
        data = json_of(item)
        if self._client is None:
            self._client = await anyio.to_thread.run_sync(self._made)
        for tried in count(1):
            refusal, asked = await self._post(self._client, data)
            if refusal is None:
                return
            if asked is None or tried == self._tries:
                raise refusal
            pause = max(asked, FIRST_PAUSE_SECONDS * 2 ** (tried - 1))
            await anyio.sleep(min(pause, LONGEST_PAUSE_SECONDS))

    async def aclose(self) -> None:
        """Close the connection."""
        self._closed = True
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _post(
        self, client: AsyncClient, data: bytes
    ) -> tuple[DeliveryError | None, float | None]:
        """Return why it was not taken, and how long the server wants to be left alone; None where
        another try would be no use.
        """
        from httpx import TransportError

        try:
            with anyio.fail_after(self._seconds):
                async with client.stream("POST", self._url, content=data) as answer:
                    await _read(answer)
        except (TransportError, TimeoutError) as error:
            what = str(error) or f"no answer within {self._seconds:g} s"
            refusal = DeliveryError(f"POST {self._url}: {what}")
            refusal.__cause__ = error
            return refusal, 0.0
        if answer.is_success:
            return None, None
        told = f"{answer.status_code} {answer.reason_phrase}"
        refusal = DeliveryError(f"POST {self._url}: {told}", status=answer.status_code)
        return refusal, _asked(answer) if answer.status_code in AGAIN else None

    def _made(self) -> AsyncClient:
        """Return a client: in a worker thread, for it reads the certificates of the system."""
        from httpx import AsyncClient

        return AsyncClient(headers=self._headers, timeout=None)


async def _read(answer: Response) -> None:
    """Read past what a server says beside its status, so that the connection can be used again; a
    long speech ends it.
    """
    size = 0
    async for piece in answer.aiter_raw():
        size += len(piece)
        if size > MOST_BYTES:
            return


def _asked(answer: Response) -> float:
    asked = answer.headers.get("retry-after", "")
    return float(asked) if asked.isdecimal() else 0.0
