"""Who may ask, from where, and how much."""

import asyncio
import hmac
import ipaddress
import socket
import time
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from koki.errors import ConfigError
from koki.language import _
from koki.serving.errors import ApiError
from koki.serving.service import LOG, Service
from koki.terminal import harmless

MOST_BYTES: Final = 1_000_000
"""The longest body of a request."""

_LONGEST_WAIT: Final = 30  # seconds for the next part of a body

# To these one need not know the key: a page whose address is opened cannot send it.
_OPEN: Final = frozenset({"/", "/health"})
_OPEN_BELOW: Final = "/page/"
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# What nginx writes where who asked went away before there was an answer.
_GONE: Final = 499


class Guard:
    """Lets in whom it should.

    A page of another site that has its name point to this machine sends that name as the Host, and one that asks from
    afar its own as the Origin; so both are looked at.

    Args:
        key: that who asks must know; empty where nobody need.
        hosts: names by which this machine may be asked, besides its own; addresses in figures are nobody's name.
        origins: sites whose pages may ask, besides the page of this server.
    """

    def __init__(self, app: ASGIApp, *, key: str = "", hosts: Sequence[str] = (), origins: Sequence[str] = ()) -> None:
        self._app = app
        self._key = key
        self._origins = frozenset(origins)
        named = (urlsplit(origin).hostname or "" for origin in origins)
        self._hosts = frozenset(host.lower() for host in ("localhost", *own_names(), *hosts, *named) if host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if refused := self._refusal(scope, headers):
            await refused.response()(scope, receive, send)
            return
        await self._app(scope, _Body(receive).receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> ApiError | None:
        if not self._is_ours(headers.get("host", "")):
            return ApiError(403, "This server is not asked by that name; see --allow-host.", code="unknown_host")
        origin = headers.get("origin")
        if origin is not None and not self._may_ask(origin, headers):
            return ApiError(403, "Pages of that site may not ask; see --allow-origin.", code="unknown_origin")
        path = scope["path"]
        is_open = path in _OPEN or path.startswith(_OPEN_BELOW)
        if self._key and not is_open and not self._knows_key(headers):
            told = {"WWW-Authenticate": "Bearer"}
            return ApiError(401, "The API key is missing or wrong.", code="invalid_api_key", headers=told)
        length = headers.get("content-length", "0")
        return _too_long() if length.isdecimal() and int(length[:20]) > MOST_BYTES else None

    def _is_ours(self, host: str) -> bool:
        name = _host_in(f"//{host}")
        return name in self._hosts or _is_address(name)

    def _may_ask(self, origin: str, headers: Headers) -> bool:
        """Whether a page may: it is this server's own, or of a site that was named."""
        return origin in self._origins or _place_in(origin) == headers.get("host", "").lower()

    def _knows_key(self, headers: Headers) -> bool:
        kind, _, given = headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), self._key.encode())


class _Body:
    """A body that is no longer than it may be, whatever its header says, and comes without long breaks."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._read = 0
        self._is_whole = False

    async def receive(self) -> Message:
        """The next part.

        Raises:
            HTTPException: it is too long, or does not come; FastAPI lets no other error through while it reads a body.
        """
        if self._is_whole:  # what comes now is that who asked goes away
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), _LONGEST_WAIT)
        except TimeoutError:
            raise HTTPException(408, "The body did not come.") from None
        self._is_whole = not message.get("more_body", False)
        self._read += len(message.get("body", b""))
        if self._read > MOST_BYTES:
            raise HTTPException(413, _too_long().message)
        return message


def _too_long() -> ApiError:
    return ApiError(413, f"The body is longer than {MOST_BYTES:,} bytes.", code="request_too_large")


class Log:
    """Writes a line for each request, without what was asked, and puts headers for browsers on each answer."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), _GONE

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            seconds = time.perf_counter() - started
            client = scope["client"][0] if scope.get("client") else "-"
            LOG.info("%s %s %s %d %.3f s", client, scope["method"], harmless(scope["path"]), status, seconds)
            if scope["path"] == "/v1/chat/completions":
                self._service.metrics.requested(status)


def require_origins(origins: Sequence[str]) -> list[str]:
    """Origins as browsers send them.

    Raises:
        ConfigError: one is none.
    """
    for origin in origins:
        scheme, _separator, place = origin.partition("://")
        if scheme not in ("http", "https") or not place or _place_in(origin) != place:
            raise ConfigError(
                _("{origin!r} is no site.", origin=origin), _("Example: --allow-origin https://resep.example.com")
            )
    return list(origins)


def own_names() -> list[str]:
    """The names of this machine."""
    name = socket.gethostname().lower()
    return [name, f"{name.partition('.')[0]}.local"]


def _host_in(url: str) -> str:
    """The name or address of a host, without the port; empty where there is none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _place_in(url: str) -> str:
    """Host and port; empty where there is none."""
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
