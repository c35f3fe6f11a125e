"""A web server on this machine only, whose files have addresses with secrets."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Web:
    """What is served.

    Attributes:
        files: By name.
        statuses: Of the coming answers; 200 when it is empty.
        tags: Whether answers have an ETag.
        sized: Whether answers have a length.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    tags: bool = True
    sized: bool = True
    url: str = ""


@contextmanager
def web_server(web: Web) -> Iterator[Web]:
    """Serves until the context ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def _answer(self, *, with_body: bool) -> None:
            content = web.files.get(self.path.partition("?")[0].rpartition("/")[2])
            status = web.statuses.pop(0) if web.statuses else 200 if content is not None else 404
            self.send_response(status)
            body = content if content is not None and status == 200 else b""
            if web.tags:
                self.send_header("ETag", f'"{hash(body)}"')
            if web.sized:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if with_body:
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    web.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
