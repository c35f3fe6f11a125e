"""An S3 server on this machine only (moto), that misbehaves on demand."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Self

import fsspec
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from stemdock.batch import store_backends

if TYPE_CHECKING:
    from collections.abc import Callable

NO_ANSWER = -1
ANSWER_LOST = -2
"""Faults: the request waits until the server is released; or only its answer is an error."""
SECRET = "secret-of-the-store"  # noqa: S105
_SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


@dataclass
class S3Server:
    """Use it as a context.

    Attributes:
        faults: What is wrong with coming answers: called with the method and the path, and gives a status, or
            None for a good answer.
        requests: Methods and paths so far.
        delay: Seconds before each answer.
    """

    faults: list[Callable[[str, str], int | None]] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    delay: float = 0
    hung: Event = field(default_factory=Event)
    """Set by a request that gets no answer."""
    release: Event = field(default_factory=Event)

    def __enter__(self) -> Self:
        self._app: Any = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=_Quiet)
        Thread(target=self._server.serve_forever, daemon=True).start()
        os.environ.update(self.environment)
        self.files = fsspec.filesystem("s3", skip_instance_cache=True, use_listings_cache=False)
        store_backends.forget_file_systems()
        return self

    def __exit__(self, *_: object) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        for name in self.environment:
            del os.environ[name]

    @property
    def environment(self) -> dict[str, str]:
        """Variables for a process that uses the server."""
        return {
            "AWS_ACCESS_KEY_ID": "key-of-the-store",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._server.server_port}",
        }

    def content(self, bucket: str) -> dict[str, bytes]:
        """All objects of a bucket, by key."""
        return {
            name.removeprefix(f"{bucket}/"): self.files.cat_file(name) for name in self.files.find(bucket)
        }

    def _answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        self.requests.append((method, path))
        time.sleep(self.delay)
        for fault in self.faults:
            status = fault(method, path)
            if status == ANSWER_LOST:
                b"".join(self._app(environ, lambda *_: None))
                start("500 Fault", [("Content-Length", "0")])
                return [b""]
            if status == NO_ANSWER:
                self.hung.set()
                self.release.wait(120)
                status = 500
            if status:
                environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
                start(f"{status} Fault", [("Content-Length", str(len(_SLOW_DOWN) if status == 503 else 0))])
                return [_SLOW_DOWN if status == 503 else b""]
        return self._app(environ, start)


class _Quiet(WSGIRequestHandler):  # type: ignore[misc]
    def log(self, *_: object) -> None:
        pass
