"""Who may come in: Host, Origin and token, looked at before anything else."""

from __future__ import annotations

import hmac
import socket
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' blob: data:; worker-src 'self' blob:; "
        "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
}
"""With every answer."""
REFUSALS = {
    401: "Open the address that was printed when this was started: it has a token.",
    403: "Another page may not come in here.",
    421: "This server does not go by that name.",
}


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach this host, by a name or an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Guard:
    """An ASGI app around another: refuses a foreign Host with 421, a foreign Origin with 403, and
    without the token, if there is one, with 401. `?token=` becomes a cookie once.

    On loopback the names of loopback are its own; elsewhere every address is (who is misled by a
    name, comes with that name), and the names of this machine and `host`.
    """

    def __init__(self, app: ASGIApp, *, host: str, token: str | None = None) -> None:
        self._app = app
        self._host = host
        self._token = token
        self._cookie = f"aevents-{token[:6]}" if token else ""
        name = socket.gethostname().lower()
        self._names = {"localhost", host.lower()}
        if not is_loopback(host):
            self._names |= {name, f"{name.partition('.')[0]}.local"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the app answer."""
        from starlette.requests import HTTPConnection
        from starlette.responses import PlainTextResponse, RedirectResponse

        async def send_guarded(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                extra = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        asked = HTTPConnection(scope)
        refusal = self._refusal(asked)
        if refusal:
            answer = PlainTextResponse(REFUSALS[refusal] + "\n", refusal)
            await answer(scope, receive, send_guarded)
        elif self._token and scope["type"] == "http" and "token" in asked.query_params:
            redirect = RedirectResponse(scope["path"] or "/", 303)
            secure = scope["scheme"] == "https"
            redirect.set_cookie(
                self._cookie, self._token, httponly=True, samesite="strict", secure=secure
            )
            await redirect(scope, receive, send_guarded)
        else:
            await self._app(scope, receive, send_guarded)

    def _refusal(self, asked: HTTPConnection) -> int:
        """Return the status to refuse with; 0 for who may come in."""
        hosts = asked.headers.getlist("host")
        if len(hosts) != 1 or not self._is_own(hosts[0]):
            return 421
        origins = asked.headers.getlist("origin")
        if origins and not (len(origins) == 1 and _same(origins[0], hosts[0], asked)):
            return 403
        return 0 if self._token is None or self._has_token(asked, self._token) else 401

    def _is_own(self, host: str) -> bool:
        name = _name_of(host)
        if name in self._names:
            return True
        try:
            address = ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or not is_loopback(self._host)

    def _has_token(self, asked: HTTPConnection, token: str) -> bool:
        given = parse_qs(asked.url.query).get("token", [])
        for header in asked.headers.getlist("cookie"):
            try:
                morsel = SimpleCookie(header).get(self._cookie)
            except CookieError:
                continue
            given += [morsel.value] if morsel else []
        return any(hmac.compare_digest(one.encode(), token.encode()) for one in given)


def _same(origin: str, host: str, asked: HTTPConnection) -> bool:
    """Say whether a page of this origin came from this host."""
    secure = asked.scope["scheme"] in ("https", "wss")
    return origin.lower() == f"{'https' if secure else 'http'}://{host.lower()}"


def _name_of(host: str) -> str:
    """Return the name in a Host; nothing for what is none."""
    try:
        parts = urlsplit(f"//{host}")
        plain = parts.netloc == host and parts.username is None and parts.port != 0
        return (parts.hostname or "").rstrip(".") if plain else ""
    except ValueError:
        return ""
