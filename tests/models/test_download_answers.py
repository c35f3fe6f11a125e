"""Odd answers of a server and damaged notes: an error or a download, never a traceback."""

from __future__ import annotations

import json
import tracemalloc
import zlib
from contextlib import suppress
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
import requests

from stemdock_models.download import Download, RetryPolicy
from stemdock_models.errors import DownloadError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FILE = b"the archive's bytes, of which some have come before"
HAVE = 10
"""Bytes that came before."""


@pytest.fixture
def serve() -> Iterator[Callable[[bytes], str]]:
    """Starts a server that sends these bytes to each request; gives the address of a file."""
    servers: list[ThreadingTCPServer] = []

    def start(answer: bytes) -> str:
        class Handler(StreamRequestHandler):
            def handle(self) -> None:
                while self.rfile.readline().strip():
                    pass
                # A client may have read enough.
                with suppress(OSError):
                    self.wfile.write(answer.replace(b"@port", b"%d" % port))

        server = ThreadingTCPServer(("127.0.0.1", 0), Handler)
        port = server.server_address[1]
        servers.append(server)
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return f"http://127.0.0.1:{port}/archive"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def run(url: str, path: Path) -> None:
    Download(
        model="m",
        url=url,
        path=path,
        retry=RetryPolicy(timeout=5, n_attempts=2, backoff=0.01),
        on_bytes=lambda *_: None,
        on_size=lambda *_: None,
        on_retry=lambda _: None,
        cancel=None,
        remedy="Try again.",
    ).run()


def answer(*headers: str, status: str = "200 OK", body: bytes = FILE) -> bytes:
    return "\r\n".join([f"HTTP/1.0 {status}", *headers, "", ""]).encode("latin-1") + body


@pytest.mark.parametrize(
    "header",
    [
        f"Content-Length: {'9' * 5000}",
        "Content-Length: -5",
        "Content-Length: \xb2",
        "Content-Length:",
        "Content-Length: 51, 52",
        'ETag: "a\x0bb\x85c"',
        "ETag: \xe9\xff",
        f'ETag: "{"x" * 60_000}"',
        "ETag: W/5",
        "Last-Modified: never",
        "Content-Range: bytes 99999999999999999999-/",
    ],
)
def test_an_odd_header_hinders_neither_this_download_nor_the_next(
    serve: Callable[[bytes], str], tmp_path: Path, header: str
) -> None:
    path = tmp_path / "archive"
    url = serve(answer(header))
    for _ in range(2):
        try:
            run(url, path)
        except DownloadError as error:
            assert error.remedy  # noqa: PT017  either outcome is right
        else:
            assert path.read_bytes() == FILE
        path.write_bytes(FILE[:HAVE])


@pytest.mark.parametrize(
    "place",
    [
        "http://[::1",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:@port:1/",
        "file:///etc/passwd",
        "http:///x",
        f"http://{'x' * 70}.example/",
        "http://\xff\xfe..:1/",
        "//[",
        "\\\\",
    ],
)
def test_a_redirect_to_an_address_that_is_none_is_refused(
    serve: Callable[[bytes], str], tmp_path: Path, place: str
) -> None:
    url = serve(answer(f"Location: {place}", "Content-Length: 0", status="302 Moved", body=b""))
    with pytest.raises(DownloadError):
        run(url, tmp_path / "archive")


@pytest.mark.parametrize(
    "content",
    [
        b"\x1b[2Jrubbish\r\n\r\n",
        b"HTTP/1.0 404 \x1b]0;owned\x07\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
        b"HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 100\r\n\r\n" + b"x" * 100,
        b"HTTP/1.0 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(200)) + b"\r\n",
        b"",
    ],
)
def test_an_answer_that_is_none_is_an_error(
    serve: Callable[[bytes], str], tmp_path: Path, content: bytes
) -> None:
    with pytest.raises(DownloadError):
        run(serve(content), tmp_path / "archive")


def test_a_file_announced_as_too_large_is_not_begun(serve: Callable[[bytes], str], tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="larger than"):
        run(serve(answer(f"Content-Length: {10**17}")), tmp_path / "archive")
    assert not (tmp_path / "archive").exists()


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"\xff\x00\x81",
        b"[" * 100_000,
        b'{"url": "@", "tag": "\\u2603"}',
        b'{"url": "@", "tag": "a\\r\\nX: y"}',
        b'{"url": "@", "tag": "\\ud800"}',
        b'{"url": "@", "tag": 5}',
        b'{"url": "@", "tag": " \\"a\\""}',
        b'{"url": "@", "tag": null}',
        b'{"url": "@"}',
        b'["@"]',
        b"1e999",
    ],
)
def test_a_damaged_note_is_ignored(serve: Callable[[bytes], str], tmp_path: Path, note: bytes) -> None:
    rest = answer(f"Content-Range: bytes {HAVE}-/{len(FILE)}", status="206 Partial", body=FILE[HAVE:])
    url = serve(rest)
    path = tmp_path / "archive"
    path.write_bytes(FILE[:HAVE])
    (tmp_path / "archive.json").write_bytes(note.replace(b"@", url.encode()))
    run(url, path)
    assert path.read_bytes() == FILE


def test_a_note_that_is_a_folder_is_an_error_of_the_store(
    serve: Callable[[bytes], str], tmp_path: Path
) -> None:
    (tmp_path / "archive.json").mkdir()
    with pytest.raises(StoreError):
        run(serve(answer()), tmp_path / "archive")


def test_a_strong_tag_is_sent_again(
    serve: Callable[[bytes], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str | None] = []
    send = requests.Session.send

    def watched(
        session: requests.Session, request: requests.PreparedRequest, **options: Any
    ) -> requests.Response:
        sent.append(request.headers.get("If-Range"))
        return send(session, request, **options)

    monkeypatch.setattr(requests.Session, "send", watched)
    url = serve(answer('ETag: "v1"', f"Content-Length: {len(FILE)}"))
    path = tmp_path / "archive"
    run(url, path)
    assert json.loads((tmp_path / "archive.json").read_text()) == {"url": url, "tag": '"v1"'}
    path.write_bytes(FILE[:HAVE])
    run(url, path)
    assert sent == [None, '"v1"']


def test_a_redirect_is_followed(serve: Callable[[bytes], str], tmp_path: Path) -> None:
    there = serve(answer(f"Content-Length: {len(FILE)}"))
    here = serve(answer(f"Location: {there}", "Content-Length: 0", status="302 Moved", body=b""))
    run(here, tmp_path / "archive")
    assert (tmp_path / "archive").read_bytes() == FILE


def test_a_redirect_without_end_is_given_up(serve: Callable[[bytes], str], tmp_path: Path) -> None:
    url = serve(answer("Location: /archive", "Content-Length: 0", status="302 Moved", body=b""))
    with pytest.raises(DownloadError, match="again and again"):
        run(url, tmp_path / "archive")


def test_the_body_of_a_redirect_is_not_read(serve: Callable[[bytes], str], tmp_path: Path) -> None:
    """requests itself takes all of it into memory, unpacked: here 64 MB, of as few as 64 kB."""
    there = serve(answer(f"Content-Length: {len(FILE)}"))
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    body = b"".join(packer.compress(bytes(1 << 20)) for _ in range(64)) + packer.flush()
    headers = (f"Location: {there}", "Content-Encoding: gzip", f"Content-Length: {len(body) + 1}")
    here = serve(answer(*headers, status="302 Moved", body=body))
    tracemalloc.start()
    try:
        run(here, tmp_path / "archive")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (tmp_path / "archive").read_bytes() == FILE
    assert peak < 10 << 20
