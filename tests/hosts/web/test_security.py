"""Who gets in, what is refused, and what is left."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import socket
import time
from collections import namedtuple
from contextlib import suppress
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from stemdock import parse_json
from stemdock_web.errors import without_paths
from stemdock_web.keys import Tokens
from stemdock_web.limits import Limits
from stemdock_web.place import Place
from stemdock_web.server.gate import Gate
from stemdock_web.session import Session
from stemdock_web.space import used_bytes
from support.web_server import PuppetWorker, Server, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from support.web_server import Page

Usage = namedtuple("Usage", "total used free")  # noqa: PYI024  as of shutil


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> PuppetWorker:
    return PuppetWorker(monkeypatch)


ADDRESSES = (
    ("POST", "/api/session"), ("POST", "/api/session/leave"), ("GET", "/api/events"), ("POST", "/api/warm"),
    ("POST", "/api/songs?name=a.wav&model=2stems"), ("DELETE", "/api/songs/0"),
    ("POST", "/api/songs/0/download"), ("GET", "/api/songs/0/samples?start=0&end=1"),
    ("GET", "/api/songs/0/pictures?start=0&end=1"),
    ("POST", "/api/songs/0/exports"), ("POST", "/api/songs/0/retry"),
    ("GET", "/api/exports/0"), ("DELETE", "/api/exports/0"),
)  # fmt: skip


@pytest.mark.parametrize("key", ["", "guessed", "\u00e9" * 43])
def test_without_a_key_nothing_is_answered(server: Server, key: str) -> None:
    authorization = {"Authorization": f"Bearer {key}".encode().decode("latin-1")} if key else {}
    for method, target in ADDRESSES:
        answer = server.ask(method, target, headers=authorization)
        assert answer.status == 401, target
        assert "plugin-cli web" in answer.json["remedy"]


def test_the_token_opens_pages_but_is_not_a_key(server: Server) -> None:
    token = server.tokens.token
    assert server.ask("POST", "/api/session", key=token).status == 200
    assert server.ask("GET", "/api/songs/0/samples?start=0&end=1", key=token).status == 401


def test_the_token_that_others_can_see_is_valid_once() -> None:
    tokens = Tokens()
    single = tokens.single()
    assert tokens.accepts(single)
    assert not tokens.accepts(single)
    assert tokens.accepts(tokens.token)
    assert tokens.accepts(tokens.token)


def test_the_token_that_others_can_see_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = Tokens()
    single = tokens.single()
    later = time.monotonic() + 121
    monkeypatch.setattr("stemdock_web.keys.time.monotonic", lambda: later)
    assert not tokens.accepts(single)


OTHER_NAMES = (
    "evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1",
    "127.0.0.1.evil.example:{port}", "192.168.1.2:{port}",
    "localhost.evil.example:{port}", "[::2]:{port}", ":{port}", "", "localhost:{port}@evil.example",
)  # fmt: skip


def test_other_names_lead_nowhere(server: Server) -> None:
    for host, target in product(OTHER_NAMES, ("/", "/static/main.js", "/api/session")):
        answer = server.ask("GET", target, headers={"Host": host.format(port=server.port)})
        assert answer.status in {400, 403}, (host, target)
        assert b"<" not in answer.body


def test_its_own_names_lead_to_the_page(server: Server) -> None:
    for host in ("127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}", "LOCALHOST:{port}"):
        answer = server.ask("GET", "/", headers={"Host": host.format(port=server.port)})
        assert answer.status == 200, host


@pytest.mark.parametrize(
    ("host", "address", "port", "asked", "is_ours"),
    [
        ("studio.lan", "192.168.1.7", 8765, "Studio.lan:8765", True),
        ("studio.lan", "192.168.1.7", 8765, "192.168.1.7:8765", True),
        ("studio.lan", "192.168.1.7", 8765, "evil.lan:8765", False),
        ("ip6-localhost", "::1", 8765, "ip6-localhost:8765", True),
        ("ip6-localhost", "::1", 8765, "192.168.1.7:8765", False),
        ("::1", "::1", 80, "[::1]", True),
        ("::1", "::1", 80, "[::1]:80", True),
        ("::1", "::1", 80, "[::1]:81", False),
        ("127.0.0.1", "127.0.0.1", 80, "127.0.0.1", True),
        ("0.0.0.0", "0.0.0.0", 8765, "127.0.0.1:8765", True),  # noqa: S104  as a user may
        ("127.0.0.1", "127.0.0.1", 8765, "[::1", False),
        ("127.0.0.1", "127.0.0.1", 8765, "localhost:\u0668765", False),
    ],
)
def test_the_names_of_a_place(host: str, address: str, port: int, asked: str, is_ours: bool) -> None:
    gate = Gate(None, Place(host=host, address=address, port=port))  # type: ignore[arg-type]
    assert gate._is_own_host(asked) == is_ours


def test_a_server_for_all_is_opened_by_addresses_that_exist(worker_state: Path) -> None:
    server = Server(Limits(), worker_state, "0.0.0.0")  # noqa: S104  as a user may
    try:
        assert server.address == f"http://127.0.0.1:{server.port}/"
        assert not server.place.is_local
        others = server.place.url_for_others()
        assert others is None or re.fullmatch(rf"http://[0-9.]+:{server.port}/", others)
        assert server.ask("GET", "/").status == 200
    finally:
        server.stop()


def test_links_on_other_pages_lead_to_the_page_only(server: Server) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert server.ask("GET", "/", headers=link).status == 200
    assert server.ask("GET", "/", headers={**link, "Sec-Fetch-Dest": "iframe"}).status == 403
    assert server.ask("GET", "/", headers={**link, "Origin": "http://evil.example"}).status == 403
    for target in ("/static/main.js", "/api/events", "/downloads/x"):
        assert server.ask("GET", target, headers=link).status == 403, target
    assert server.ask("POST", "/", headers=link).status == 403


def test_a_token_that_is_used_twice_opens_nothing(server: Server) -> None:
    warnings: list[None] = []
    server.tokens.on_twice = lambda: warnings.append(None)
    single = server.tokens.single()
    key = server.ask("POST", "/api/session", key=single).json["key"]
    assert server.ask("POST", "/api/session", key=key).status == 200
    assert warnings == []
    assert server.ask("POST", "/api/session", key=single).status == 401
    assert server.ask("POST", "/api/session", key=key).status == 401
    assert len(warnings) == 1
    assert server.ask("POST", "/api/session", key=single).status == 401
    assert len(warnings) == 1


def test_no_host_is_refused(server: Server) -> None:
    with server.connection() as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert connection.recv(100).split()[1] == b"403"


def test_two_hosts_are_refused(server: Server) -> None:
    with server.connection() as connection:
        own = f"Host: 127.0.0.1:{server.port}\r\n"
        connection.sendall(f"GET / HTTP/1.1\r\n{own}Host: evil.example\r\n\r\n".encode())
        assert connection.recv(100).split()[1] in {b"400", b"403"}


OTHER_PAGES = (
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "https://127.0.0.1:{port}"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://localhost:{port}"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
)


def test_pages_of_others_are_refused(server: Server) -> None:
    for headers in OTHER_PAGES:
        given = {name: value.format(port=server.port) for name, value in headers.items()}
        answer = server.ask("POST", "/api/session", key=server.tokens.token, headers=given)
        assert answer.status == 403, headers
    assert server.files() == []


def test_its_own_origin_is_accepted(server: Server) -> None:
    origin = {"Origin": f"http://127.0.0.1:{server.port}", "Sec-Fetch-Site": "same-origin"}
    assert server.ask("POST", "/api/session", key=server.tokens.token, headers=origin).status == 200


def test_every_answer_forbids_what_the_page_does_not_need(server: Server) -> None:
    for target in ("/", "/static/main.js", "/api/session", "/nothing", "/downloads/none"):
        headers = {name.lower(): value for name, value in server.ask("GET", target).headers.items()}
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; ")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-inline" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
        assert not {"server", "set-cookie", "access-control-allow-origin"} & set(headers)


OUTWARD = (
    "../plugin.py", "..%2Fplugin.py", "..%2f..%2f..%2f..%2fetc%2fpasswd", "/etc/passwd",
    "%2Fetc%2Fpasswd", "vendor", "vendor%2Fsignalsmith-stretch.mjs", "index.html%00", "..", ".",
)  # fmt: skip


def test_no_address_leads_out_of_the_page(server: Server) -> None:
    for name in OUTWARD:
        answer = server.ask("GET", f"/static/{name}")
        assert answer.status == 404, name
        assert b"root:" not in answer.body


NAMES = {
    "../../../escaped.wav": "escaped.wav",
    "/etc/passwd": "passwd",
    r"C:\Windows\con.wav": "con.wav",
    "..": "..",
    ".hidden.wav": ".hidden.wav",
    "a\x00b\n.wav": r"a\x00b\n.wav",
    "<img src=x>.wav": "<img src=x>.wav",
    "\N{RIGHT-TO-LEFT OVERRIDE}gpj.wav": r"\u202egpj.wav",
    "": "song",
    "x" * 5000: "x" * 120,
    "x" * 5000 + ".mp4": "x" * 116 + ".mp4",
}
"""Names of songs, and what the page shows of them."""


def test_a_song_stays_in_its_folder_whatever_its_name(server: Server, worker: PuppetWorker) -> None:
    page = server.page()
    for name, shown in NAMES.items():
        song = page.add(b"sound", name)
        (path,) = [path for path in server.files() if song in path.parts and path.parent.name == "source"]
        assert path.read_bytes() == b"sound"
        assert path.parents[1].name == song
        assert not path.name.startswith(".")
        assert path.name.isprintable()
        found = wait_for(partial(page.song, song))["name"]
        assert found == shown
        # The job's request has it, too.
        assert parse_json(json.dumps(found)) == shown
    assert len(worker.running) <= 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/srv/x/song.wav: contains no audio", "A song.wav: contains no audio"),
        ("/home/ana/.local/share/a.onnx: is damaged", "a.onnx: is damaged"),
        ("the messages are in '/var/lib/log.txt'", "the messages are in 'log.txt'"),
        (r"C:\Users\Ana\a.onnx: is damaged", "a.onnx: is damaged"),
        ("80 MB from https://github.com/deezer/spleeter", "80 MB from https://github.com/deezer/spleeter"),
        ("and/or 3/4 of the song", "and/or 3/4 of the song"),
    ],
)
def test_folders_are_taken_out_of_messages(text: str, shown: str) -> None:
    assert without_paths(text, {Path("/srv/x/song.wav"): "A song.wav", Path("/srv/x"): "x"}) == shown


def test_a_home_with_spaces_is_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path("/home/Ana Berg"))
    assert without_paths("/home/Ana Berg/.local/share/a.onnx: is damaged", {}) == "a.onnx: is damaged"
    monkeypatch.setattr(Path, "home", lambda: Path("/"))
    assert without_paths("and/or 3/4", {}) == "and/or 3/4"


@pytest.mark.slow
def test_no_path_of_the_machine_is_shown(server: Server) -> None:
    page = server.page()
    song = page.wait(page.add(b"this is not audio", "noise.wav"), "failed")
    assert "noise.wav" in song["text"]
    assert song["remedy"]
    shown = json.dumps(page.songs)
    for part in (str(server.folder), server.folder.parts[1], ".stemdock-", song["id"] + "/"):
        assert part not in shown


def test_pages_do_not_mix(server: Server, worker: PuppetWorker) -> None:
    worker.go_on.set()
    ours, theirs = server.page(), server.page()
    assert ours.key != theirs.key
    song = ours.add(b"sound")
    ours.wait(song, "done")
    assert theirs.songs == []
    for method, target in (
        ("DELETE", ""), ("POST", "/download"), ("GET", "/samples?start=0&end=1"),
        ("GET", "/pictures?start=0&end=1"), ("POST", "/exports"),
    ):  # fmt: skip
        answer = theirs.ask(method, f"/api/songs/{song}{target}")
        assert answer.status == 404, (method, target)
    assert ours.song(song)["state"] == "done"


def test_a_song_that_is_too_large_is_refused_before_it_is_sent(server: Server) -> None:
    page = server.page()
    with server.connection() as connection:
        lines = ["POST /api/songs?name=a.wav&model=2stems HTTP/1.1", f"Host: 127.0.0.1:{server.port}",
                 f"Authorization: Bearer {page.key}", "Content-Length: 10000000000", "", ""]  # fmt: skip
        connection.sendall("\r\n".join(lines).encode())
        assert connection.recv(100).split()[1] == b"413"
    assert server.files() == []


def test_a_song_that_turns_out_too_large_is_refused(start: Callable[..., Server]) -> None:
    server = start(n_song_bytes=3_000_000)
    page = server.page()
    with server.connection() as connection:
        lines = ["POST /api/songs?name=a.wav&model=2stems HTTP/1.1", f"Host: 127.0.0.1:{server.port}",
                 f"Authorization: Bearer {page.key}", "Transfer-Encoding: chunked", "", ""]  # fmt: skip
        connection.sendall("\r\n".join(lines).encode())
        with suppress(OSError):  # the server hangs up
            for _ in range(40):
                connection.sendall(b"186a0\r\n" + b"x" * 100_000 + b"\r\n")
                assert sum(path.stat().st_size for path in server.files()) <= 3_000_000
            connection.sendall(b"0\r\n\r\n")
            assert connection.recv(100).split()[1] == b"413"
    assert wait_for(lambda: server.files() == [])
    assert page.songs == []


def test_a_song_that_cannot_be_written_is_said(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    page = server.page()

    genuine = Path.open

    def refuse(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.name == "a.wav":
            raise OSError(28, "No space left on device", "/secret/place")
        return genuine(path, *arguments, **options)

    monkeypatch.setattr("pathlib.Path.open", refuse)
    answer = page.ask("POST", "/api/songs?name=a.wav&model=2stems", body=b"sound")
    monkeypatch.undo()
    assert answer.status == 507
    assert "secret" not in answer.body.decode()
    assert server.files() == []


def test_a_full_disk_is_said_and_nothing_is_kept(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    page = server.page()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 10**12 - 10**6, 10**6))
    answer = page.ask("POST", "/api/songs?name=a.wav&model=2stems", body=b"sound")
    assert answer.status == 507
    assert server.files() == []


def test_a_song_that_needs_too_much_space_is_stopped(
    start: Callable[..., Server], worker: PuppetWorker
) -> None:
    server = start(n_disk_bytes=100_000)
    page = server.page()
    song = page.add(b"sound")
    shown = page.wait(song, "failed")
    assert "no space is left" in shown["text"]
    assert "--max-disk" in shown["remedy"]
    wait_for(lambda: not worker.running)
    wait_for(lambda: page.song(song)["length"] == 0)
    assert page.song(song)["state"] == "failed"
    # Its stems would keep the space from others.
    wait_for(lambda: {path.parent.name for path in server.files()} == {"source"})


def test_the_page_that_uses_most_is_stopped(start: Callable[..., Server], worker: PuppetWorker) -> None:
    server = start(n_disk_bytes=500_000)
    small, large = server.page(), server.page()
    kept, stopped = small.add(b"x" * 1000), large.add(b"x" * 100_000)
    # Each has one block of 176 kB until there is space for no more.
    for page, song in ((small, kept), (large, stopped)):
        page.wait(song, "separating")
    other = server.page()
    third = other.add(b"x" * 1000)
    assert "no space is left" in large.wait(stopped, "failed")["text"]
    for page, song in ((small, kept), (other, third)):
        assert page.wait(song, "separating")
    wait_for(lambda: not any(stopped in path.parts and path.name.endswith(".f32") for path in server.files()))
    worker.go_on.set()


def begin_upload(server: Server, page: Page, n_bytes: int, n_sent: int) -> socket.socket:
    connection = server.connection()
    lines = ["POST /api/songs?name=a.wav&model=2stems HTTP/1.1", f"Host: 127.0.0.1:{server.port}",
             f"Authorization: Bearer {page.key}", f"Content-Length: {n_bytes}", "", ""]  # fmt: skip
    connection.sendall("\r\n".join(lines).encode() + b"x" * n_sent)
    return connection


def test_uploads_side_by_side_share_the_space(start: Callable[..., Server], worker: PuppetWorker) -> None:
    server = start(n_disk_bytes=5_000_000, n_song_bytes=4_000_000)
    page = server.page()
    uploads = [begin_upload(server, page, 2_000_000, 0) for _ in range(5)]
    wait_for(lambda: len(select.select(uploads, [], [], 0)[0]) == 3)
    refused = select.select(uploads, [], [], 0)[0]
    assert [connection.recv(12).split()[1] for connection in refused] == [b"507"] * 3
    for connection in uploads:
        connection.close()
    wait_for(lambda: server.files() == [])
    # What was promised to them is free again.
    worker.go_on.set()
    page.add(b"x" * 3_900_000)


def test_songs_on_the_way_count(start: Callable[..., Server], worker: PuppetWorker) -> None:
    server = start(n_songs=2)
    page = server.page()
    uploads = [begin_upload(server, page, 100, 50) for _ in range(2)]
    wait_for(lambda: len(server.files()) == 2)
    answer = page.ask("POST", "/api/songs?name=a.wav&model=2stems", body=b"sound")
    assert answer.status == 429
    for connection in uploads:
        connection.sendall(b"x" * 50)
        assert connection.recv(12).split()[1] == b"201"
        connection.close()
    assert worker.ended == []


def test_exports_need_space_too(start: Callable[..., Server], worker: PuppetWorker) -> None:
    worker.go_on.set()
    n_stem_bytes = 3 * worker.BLOCK * 2 * 4
    server = start(n_disk_bytes=6 * n_stem_bytes)
    page = server.page()
    song = page.add(b"sound")
    page.wait(song, "done")
    answer = page.order(song, b'{"choice": "zip"}')
    assert answer.status == 507
    assert "no space is left" in answer.json["error"]
    assert not list(server.folder.glob("*/*/export-*"))


def test_used_space_is_counted_while_files_vanish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "song").write_bytes(b"12345")
    assert used_bytes(tmp_path) == 10
    genuine = os.scandir

    def vanishing(path: str) -> Any:
        if str(path).endswith("b"):
            shutil.rmtree(path)
        return genuine(path)

    monkeypatch.setattr(os, "scandir", vanishing)
    assert used_bytes(tmp_path) == 5


def test_songs_and_pages_have_a_limit(start: Callable[..., Server], worker: PuppetWorker) -> None:
    server = start(n_songs=2, n_sessions=2)
    pages = [server.page(), server.page()]
    assert server.ask("POST", "/api/session", key=server.tokens.token).status == 429
    for _ in range(2):
        pages[0].add(b"sound")
    answer = pages[0].ask("POST", "/api/songs?name=a.wav&model=2stems", body=b"sound")
    assert answer.status == 429
    assert len(worker.running) <= 1


def test_an_upload_that_stops_is_given_up(start: Callable[..., Server]) -> None:
    server = start(upload_wait=0.2)
    page = server.page()
    with server.connection() as connection:
        lines = ["POST /api/songs?name=a.wav&model=2stems HTTP/1.1", f"Host: 127.0.0.1:{server.port}",
                 f"Authorization: Bearer {page.key}", "Content-Length: 1000", "", "begin"]  # fmt: skip
        connection.sendall("\r\n".join(lines).encode())
        assert connection.recv(100).split()[1] == b"408"
    assert wait_for(lambda: server.files() == [])


def test_an_upload_that_breaks_off_leaves_nothing(server: Server) -> None:
    page = server.page()
    with server.connection() as connection:
        lines = ["POST /api/songs?name=a.wav&model=2stems HTTP/1.1", f"Host: 127.0.0.1:{server.port}",
                 f"Authorization: Bearer {page.key}", "Content-Length: 1000", "", "begin"]  # fmt: skip
        connection.sendall("\r\n".join(lines).encode())
        wait_for(server.files)
        connection.shutdown(socket.SHUT_RDWR)
    assert wait_for(lambda: server.files() == [])
    assert page.songs == []


def test_many_connections_do_not_keep_others_out(server: Server) -> None:
    idle = [server.connection() for _ in range(200)]
    try:
        for connection in idle[::2]:
            connection.sendall(b"GET / HTTP/1.1\r\n")
        page = server.page()
        assert page.ask("POST", "/api/session").status == 200
    finally:
        for connection in idle:
            connection.close()


def is_open(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1000) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def test_connections_without_a_key_make_room(start: Callable[..., Server], worker: PuppetWorker) -> None:
    server = start(n_connections=20, request_wait=600)
    page = server.page()
    worker.go_on.set()
    # Some send nothing, some half a request, and some do not read the answer.
    idle = []
    whole = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode()
    for sent in (b"", whole[:10], whole * 20):
        for _ in range(20):
            idle.append(server.connection())
            idle[-1].sendall(sent)
    try:
        for _ in range(3):
            assert server.ask("GET", "/").status == 200
        song = page.add(b"sound")
        assert wait_for(lambda: page.song(song))
        wait_for(lambda: sum(map(is_open, idle)) <= 20)
    finally:
        for connection in idle:
            connection.close()


@pytest.mark.parametrize("kept", [False, True])
def test_connections_that_ask_for_nothing_end(
    start: Callable[..., Server], worker: PuppetWorker, kept: bool
) -> None:
    worker.go_on.set()
    server = start(request_wait=0.2)
    page = server.page()
    with server.connection() as connection:
        if kept:
            connection.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
            assert connection.recv(1 << 20)
        connection.sendall(b"G")
        wait_for(lambda: not is_open(connection))
    # The page's own connection asks for nothing more, and stays.
    song = page.add(b"sound")
    assert wait_for(lambda: page.song(song))


def test_a_closed_page_leaves_nothing(start: Callable[..., Server], worker: PuppetWorker) -> None:
    server = start(away_time=0.2, closed_time=0.2)
    page, other = server.page(), server.page()
    page.add(b"sound")
    page.add(b"more sound")
    kept = other.add(b"their sound")
    wait_for(lambda: len(worker.running) == 2)
    page.close()
    wait_for(lambda: len(worker.running) == 1)
    wait_for(lambda: page.ask("POST", "/api/session").status == 401)
    wait_for(lambda: all(kept in str(path) for path in server.files()))
    assert other.song(kept)["state"] == "separating"


def test_a_page_that_is_reloaded_keeps_its_songs(start: Callable[..., Server], worker: PuppetWorker) -> None:
    server = start(closed_time=30)
    worker.go_on.set()
    page = server.page()
    song = page.add(b"sound")
    page.wait(song, "done")
    page.ask("POST", "/api/session/leave")
    page.close()
    answer = server.ask("POST", "/api/session", key=page.key)
    assert answer.json["key"] == page.key
    assert server.ask("GET", f"/api/songs/{song}/samples?start=0&end=1", key=page.key).status == 200


@pytest.mark.parametrize("order", ["says first", "goes first"])
def test_a_page_that_says_it_is_closed_is_not_waited_for(
    start: Callable[..., Server], worker: PuppetWorker, order: str
) -> None:
    server = start(away_time=600, closed_time=0.2)
    page = server.page()
    page.add(b"sound")
    wait_for(lambda: worker.running)

    def leave() -> None:
        assert page.ask("POST", "/api/session/leave").status == 204

    for step in (page.close, leave) if order == "goes first" else (leave, page.close):
        step()
    wait_for(lambda: page.ask("POST", "/api/session").status == 401)
    assert wait_for(lambda: server.files() == [])


def test_a_copy_of_a_tab_that_is_closed_does_not_shorten_the_life_of_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("stemdock_web.session.time.monotonic", lambda: now)
    session, limits = Session(folder=tmp_path), Limits(away_time=300, closed_time=15)
    with session.listening(limits):
        with session.listening(limits):
            session.leave(limits)
        now += 400
        assert not session.is_left
    now += 299
    assert not session.is_left
    now += 2
    assert session.is_left


def test_the_end_of_the_server_leaves_nothing(start: Callable[..., Server], worker: PuppetWorker) -> None:
    server = start()
    server.page().add(b"sound")
    wait_for(lambda: worker.running)
    server.stop()
    assert server.files() == []
    assert not worker.running


NONSENSE = (
    b"", b"{", b"[]", b"null", b'{"choice": "exe"}', b'{"choice": ["wav"]}',
    b"{" * 100_000, b'{"choice": "wav", "stem": "../x"}',
    b'{"choice": "wav", "mix": {"vocals": {"gain": NaN, "pan": 0}}}',
    b'{"choice": "wav", "mix": {"vocals": {"gain": 1e9, "pan": 0}}}',
    b'{"choice": "wav", "mix": {"vocals": {"gain": -1, "pan": 0}}}',
    b'{"choice": "wav", "mix": {"vocals": {"gain": 1, "pan": 2}}}',
    b'{"choice": "wav", "mix": []}',
)  # fmt: skip


def test_nonsense_is_refused(server: Server, worker: PuppetWorker) -> None:
    worker.go_on.set()
    page = server.page()
    song = page.add(b"sound")
    page.wait(song, "done")
    for body in NONSENSE:
        answer = page.order(song, body)
        assert answer.status in {400, 413}, body[:80]
    assert [path for path in server.files() if "export" in str(path)] == []


SPANS = (
    "", "start=0", "start=-1&end=1", "start=2&end=1", "start=a&end=b",
    "start=0&end=99999999999", "start=%D9%A1&end=%D9%A2", f"start={'9' * 5000}&end=1",
    f"start={10**30}&end={10**30}",
)  # fmt: skip


def test_spans_are_checked(server: Server, worker: PuppetWorker) -> None:
    worker.go_on.set()
    page = server.page()
    song = page.add(b"sound")
    page.wait(song, "done")
    for span, kind in product(SPANS, ("samples", "pictures")):
        assert page.ask("GET", f"/api/songs/{song}/{kind}?{span}").status == 400, span


def test_downloads_need_their_secret(server: Server) -> None:
    page = server.page()
    assert server.ask("GET", "/downloads/guess").status == 404
    assert page.ask("GET", f"/downloads/{quote('../../x')}").status == 404
