"""The server's process: its socket, its start and its end. The only module that knows uvicorn."""

from __future__ import annotations

import signal
import socket
import sys
from contextlib import ExitStack, contextmanager
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from stemdock import load_plugins, make_private_folder, os_errors_as, reason_for, staging
from stemdock_hostkit.worker.places import state_folder
from stemdock_web.errors import AddressError, StateFolderError
from stemdock_web.keys import Tokens
from stemdock_web.place import Place
from stemdock_web.server.asking import is_known
from stemdock_web.server.routes import make_app
from stemdock_web.sessions import Sessions

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator
    from threading import Event

    from stemdock_web.limits import Limits

_N_WAITING: Final = 128
"""Connections that the system accepts before the server does."""
_SIGNAL_STATUS: Final = 128
"""Shells add the signal's number to this."""
_PATIENCE: Final = 5
"""Seconds for open connections at the end."""


def serve(
    host: str,
    port: int,
    limits: Limits,
    *,
    on_start: Callable[[Place, Tokens], None],
    stop: Event | None = None,
) -> None:
    """Serves the page until the process is interrupted, and removes all songs and stems then.

    Args:
        host: Address to listen at.
        port: Its port; 0 for any free one.
        limits: What pages may use.
        on_start: Called with the server's place and the tokens as soon as it answers.
        stop: Set it from another thread to end the server; without it, signals do.

    Raises:
        AddressError: The server cannot listen there.
        StateFolderError: There is no folder for the songs.
        OutputError: It cannot be written.
    """
    with os_errors_as(StateFolderError):
        folder = state_folder() / "web"
        make_private_folder(folder)
    listener = _listen(host, port)
    address, port = listener.getsockname()[:2]
    place = Place(host=host, address=address, port=port)
    tokens = Tokens()
    with listener, staging(folder) as root:
        sessions = Sessions(root, limits)
        app = make_app(sessions=sessions, tokens=tokens, plugins=load_plugins(), place=place)
        config = uvicorn.Config(
            app,
            http=type("_Limited", (_Connection,), {"limits": limits}),
            ws="none",
            lifespan="on",
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_PATIENCE,
        )
        _Server(config, sessions, lambda: on_start(place, tokens), stop).run(sockets=[listener])


class _Server(uvicorn.Server):
    """Says when it answers, and ends the sessions first when it stops: their pages listen until then."""

    def __init__(
        self, config: uvicorn.Config, sessions: Sessions, on_start: Callable[[], None], stop: Event | None
    ) -> None:
        super().__init__(config)
        self._sessions = sessions
        self._on_start = on_start
        self._stop = stop
        self._exit_status = 0

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._sessions.end_all()
        await super().shutdown(sockets)

    async def on_tick(self, counter: int) -> bool:
        return await super().on_tick(counter) or (self._stop is not None and self._stop.is_set())

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ends in order also when the terminal is closed."""
        number = getattr(signal, "SIGHUP", None)  # Windows has none
        if number is None or current_thread() is not main_thread():
            with super().capture_signals():
                yield
            return
        previous = signal.getsignal(number)
        # What the parent process ignores, as nohup does, stays ignored.
        if previous is not signal.SIG_IGN:
            signal.signal(number, self._hang_up)
        try:
            with super().capture_signals():
                yield
        finally:
            signal.signal(number, previous)
        if self._exit_status:
            sys.exit(self._exit_status)

    def _hang_up(self, number: int, _: object) -> None:
        self._exit_status = _SIGNAL_STATUS + number
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_start()


class _Connection(H11Protocol):
    """Keeps nobody out: it ends if it asks for nothing, and if there are too many, strangers end first."""

    limits: Limits
    began = 0.0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.began = self.loop.time()
        self._await_request()
        if len(self.connections) > self.limits.n_connections:
            every = [each for each in self.connections if isinstance(each, _Connection)]
            # This one is a stranger, too.
            strangers = [each for each in every if not is_known(each.scope)]
            min(strangers, key=lambda each: each.began).end()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # There is no cycle before the first request.
        if self.cycle and not self.cycle.response_complete:  # type: ignore[truthy-bool]
            self._forget_timer()
        else:
            # Otherwise a byte behind an answer would keep the connection for ever.
            self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_timer()
        super().connection_lost(exc)

    def end(self) -> None:
        """Ends at once: a client that does not read would delay an end in order."""
        self.connections.discard(self)
        self.transport.abort()

    def _await_request(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.limits.request_wait, self.end)

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with ExitStack() as opened:
            listener = opened.enter_context(socket.socket(family, kind, protocol))
            # On Windows, SO_REUSEADDR would let two programs share a port, and the other one keeps it ours.
            if sys.platform == "win32":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
            else:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_N_WAITING)
            opened.pop_all()
    except (OSError, OverflowError) as error:
        reason = reason_for(error) if isinstance(error, OSError) else str(error)
        raise AddressError(host, port, reason) from error
    return listener
