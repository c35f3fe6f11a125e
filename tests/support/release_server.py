"""A server laid out like Spleeter's release, on this machine only, that misbehaves on demand."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, ClassVar, Self

if TYPE_CHECKING:
    from types import TracebackType


@dataclass
class Fault:
    """What is wrong with one answer."""

    status: int = 200
    cut_at: int | None = None
    """Bytes after which the connection is cut."""
    stall_at: int | None = None
    """Bytes after which nothing more comes until the server is released."""


@dataclass
class Request:
    """What a client asked, and got."""

    path: str
    range: str | None
    if_range: str | None
    n_sent: int = 0


@dataclass
class ReleaseServer:
    """Serves `files` by name.

    Attributes:
        faults: Of the coming answers, first come first served; good answers when it is empty.
        requests: What was asked so far.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    tags: bool = True
    ranges: bool = True
    stalled: Event = field(default_factory=Event)
    release: Event = field(default_factory=Event)

    def __enter__(self) -> Self:
        owner: ReleaseServer = self

        class Handler(_Handler):
            server_state = owner

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """From now on nobody listens at the address."""
        self.release.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/download/v1.4.0"

    def asked_for(self, name: str) -> list[Request]:
        return [request for request in self.requests if request.path.endswith(f"/{name}")]


class _Handler(BaseHTTPRequestHandler):
    server_state: ClassVar[ReleaseServer]

    def do_GET(self) -> None:
        state = self.server_state
        request = Request(self.path, self.headers.get("Range"), self.headers.get("If-Range"))
        state.requests.append(request)
        fault = state.faults.pop(0) if state.faults else Fault()
        content = state.files.get(self.path.rsplit("/", 1)[1])
        if fault.status != 200 or content is None:
            self.send_error(404 if content is None else fault.status)
            return
        tag = f'"{hash(content)}"'
        start = 0
        if state.ranges and request.range and request.if_range in {None, tag}:
            start = int(request.range.removeprefix("bytes=").removesuffix("-"))
        if start >= len(content) > 0:
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if state.tags:
            self.send_header("ETag", tag)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self._send(content, start, request, fault)

    def _send(self, content: bytes, start: int, request: Request, fault: Fault) -> None:
        state = self.server_state
        for position in range(start, len(content), 4096):
            if fault.cut_at is not None and position >= fault.cut_at:
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            if fault.stall_at is not None and position >= fault.stall_at:
                state.stalled.set()
                state.release.wait(60)
                fault.stall_at = None
            try:
                self.wfile.write(content[position : position + 4096])
            except OSError:
                return
            request.n_sent += len(content[position : position + 4096])

    def log_message(self, *arguments: Any) -> None:
        """Says nothing."""
