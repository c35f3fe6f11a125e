"""The gate in front of the pages: only requests of our own pages get in.

A page of another site could send requests to this server from the user's browser. It cannot read the answers
of another origin. But by DNS rebinding it could make its own name lead here, and then origin and host are
that name. So the gate accepts only hosts that no other site can own: addresses, and this machine's names.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from stemdock_web.place import Place

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


_HOST: Final = re.compile(r"(?P<name>\[[^]]*\]|[^:[\]]+)(:(?P<port>\d+))?")
_HTTP_PORT: Final = "80"
"""What browsers leave out."""


class Gate:
    """Checks the host and the origin of every request, and adds headers to every answer."""

    def __init__(self, app: ASGIApp, place: Place) -> None:
        """Prepares the gate.

        Args:
            app: What is behind it.
            place: Where the server listens.
        """
        self._app = app
        self._port = place.port
        self._host = place.host.casefold()
        self._is_local = place.is_local

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
        if not self._is_ours(scope, headers):
            refusal = PlainTextResponse("This server answers only its own pages.", status_code=403)
            await refusal(scope, receive, with_headers)
            return
        await self._app(scope, receive, with_headers)

    def _is_ours(self, scope: Scope, headers: Headers) -> bool:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_own_host(hosts[0]):
            return False
        origins = headers.getlist("origin")
        if any(origin != f"http://{hosts[0]}" for origin in origins):
            return False
        # Browsers add these headers by themselves. "none" is an address that the user has opened.
        if headers.get("sec-fetch-site", "none") in {"none", "same-origin"}:
            return True
        # A link to the page, for example in a chat. The page has no secrets before it is connected.
        return (
            (scope["method"], scope["path"]) == ("GET", "/")
            and headers.get("sec-fetch-mode") == "navigate"
            and headers.get("sec-fetch-dest") == "document"
        )

    def _is_own_host(self, host: str) -> bool:
        found = _HOST.fullmatch(host)
        if not found or (found["port"] or _HTTP_PORT) != str(self._port):
            return False
        name = found["name"].casefold().strip("[]")
        if name in {"localhost", self._host}:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            own = socket.gethostname().casefold()
            return not self._is_local and name in {own, f"{own}.local"}
        return address.is_loopback or not self._is_local
