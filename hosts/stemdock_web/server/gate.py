"""The gate in front of the pages: only requests of our own pages get in.

A page of another site could send requests to this server from the user's browser. It cannot read the answers
of another origin. But by DNS rebinding it could make its own name lead here, and then origin and host are
that name. So the gate accepts only hosts that no other site can own: addresses, and this machine's names.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
"""Of every answer. The pitch corrector is WebAssembly. Nothing else comes from anywhere but here."""


class Gate:
    """Checks the host and the origin of every request, and adds headers to every answer."""

    def __init__(self, app: ASGIApp, *, host: str, port: int) -> None:
        """Prepares the gate.

        Args:
            app: What is behind it.
            host: Address that the server listens at.
            port: Its port.
        """
        self._app = app
        self._port = port
        self._is_local = is_loopback(host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or refuses it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
            await send(message)

        headers = Headers(scope=scope)
        if not self._is_ours(headers):
            refusal = PlainTextResponse("This server answers only its own pages.", status_code=403)
            await refusal(scope, receive, with_headers)
            return
        await self._app(scope, receive, with_headers)

    def _is_ours(self, headers: Headers) -> bool:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_own_host(hosts[0]):
            return False
        origins = headers.getlist("origin")
        if any(origin != f"http://{hosts[0]}" for origin in origins):
            return False
        # Browsers add this header by themselves. "none" is an address that the user has opened.
        return headers.get("sec-fetch-site", "none") in {"none", "same-origin"}

    def _is_own_host(self, host: str) -> bool:
        name, _, port = host.rpartition(":")
        if port != str(self._port) and not (self._port == 80 and not name):  # noqa: PLR2004  the port of HTTP
            return False
        name = (name or host).casefold().strip("[]")
        if name == "localhost":
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            own = socket.gethostname().casefold()
            return not self._is_local and name in {own, f"{own}.local"}
        return address.is_loopback or not self._is_local


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.casefold() == "localhost"
