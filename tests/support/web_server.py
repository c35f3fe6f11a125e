"""The server of the web page in a thread, and clients that speak to it as they like."""

from __future__ import annotations

import http.client
import json
import os
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import numpy as np

from stemdock_hostkit.job.live import LiveWriter
from stemdock_hostkit.job.states import JobProgress, JobResult, SourceResult
from stemdock_web import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pytest

    from stemdock_hostkit.job.folder import Job
    from stemdock_web.keys import Tokens
    from stemdock_web.limits import Limits
    from stemdock_web.place import Place

PATIENCE = 60.0
"""Seconds for what takes a moment; only a failure takes that long."""


def wait_for(condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)
    return found


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Server:
    """A server in a thread of this process."""

    def __init__(self, limits: Limits, state: Path, host: str = "127.0.0.1") -> None:
        self.folder = state / "web"
        self._started = Event()
        self.tokens: Tokens
        self._stop = Event()
        self._pages: list[Page] = []
        self._thread = Thread(target=self._run, args=(host, limits), daemon=True)
        self._thread.start()
        assert self._started.wait(PATIENCE)

    def _run(self, host: str, limits: Limits) -> None:
        def on_start(place: Place, tokens: Tokens) -> None:
            self.place, self.tokens = place, tokens
            self.address, self.port = place.url, place.port
            self._started.set()

        serving.serve(host, 0, limits, on_start=on_start, stop=self._stop)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        for page in self._pages:
            page.close()

    @property
    def link(self) -> str:
        """The address that opens a page."""
        return f"{self.address}#{self.tokens.token}"

    def files(self) -> list[Path]:
        """All files of songs and pages, without the server's lock."""
        # Path.rglob stops where a folder vanishes meanwhile.
        found = [Path(folder) / name for folder, _, names in os.walk(self.folder) for name in names]
        return [path for path in found if path.name != ".lock"]

    def ask(
        self,
        method: str,
        target: str,
        *,
        key: str = "",
        body: bytes | Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        given = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            connection.request(method, target, body=body, headers={**given, **(headers or {})})
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def page(self) -> Page:
        """A page that has been opened."""
        answer = self.ask("POST", "/api/session", key=self.tokens.token)
        assert answer.status == 200
        page = Page(self, answer.json["key"], answer.json)
        self._pages.append(page)
        return page

    def connection(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE)


class Page:
    """The requests of one open page, which listens until it is closed."""

    def __init__(self, server: Server, key: str, offered: Any) -> None:
        self.server = server
        self.key = key
        self.offered = offered
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        self._connection.request("GET", "/api/events", headers={"Authorization": f"Bearer {key}"})
        self._socket = self._connection.sock
        self._response = self._connection.getresponse()
        self.songs: list[dict[str, Any]] = []
        self.n_edges = 0
        self._thread = Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        try:
            edges: dict[str, list[float]] = {}
            for line in self._response:
                songs = json.loads(line)["songs"]
                for song in songs:
                    self.n_edges += bool(song.get("edges"))
                    song["edges"] = edges[song["id"]] = song.get("edges", edges.get(song["id"]))
                self.songs = songs
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            return

    def close(self) -> None:
        """As a browser that closes the tab."""
        with suppress(OSError):  # the server has gone
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE)
        self._response.close()
        self._connection.close()
        self._socket.close()

    def ask(self, method: str, target: str, **options: Any) -> Answer:
        return self.server.ask(method, target, key=self.key, **options)

    def add(self, content: bytes, name: str = "song.wav", stems: str = "", model: str = "2stems") -> str:
        from urllib.parse import urlencode  # noqa: PLC0415

        query = urlencode({"name": name, "model": model, "stems": stems})
        answer = self.ask("POST", f"/api/songs?{query}", body=content)
        assert answer.status == 201, answer.body
        identifier: str = answer.json["id"]
        return identifier

    def song(self, identifier: str) -> dict[str, Any]:
        return next((song for song in self.songs if song["id"] == identifier), {})

    def wait(self, identifier: str, *states: str) -> dict[str, Any]:
        wait_for(lambda: self.song(identifier).get("state") in states)
        return self.song(identifier)

    def order(self, identifier: str, body: bytes) -> Answer:
        """What comes of the order of an export."""
        answer = self.ask("POST", f"/api/songs/{identifier}/exports", body=body)
        if answer.status != 202:
            return answer
        number = answer.json["id"]
        return wait_for(  # type: ignore[no-any-return]
            lambda: None if (found := self.ask("GET", f"/api/exports/{number}")).status == 202 else found
        )

    def export(self, identifier: str, **order: Any) -> tuple[Answer, str]:
        answer = self.order(identifier, json.dumps(order).encode())
        assert answer.status == 200, answer.body
        return self.server.ask("GET", answer.json["address"]), answer.json["name"]


class PuppetWorker:
    """Takes the place of the worker: gives blocks of stems when the test says so."""

    BLOCK = 11025
    SAMPLE_RATE = 22050
    STEMS = ("vocals", "accompaniment")

    def __init__(self, patch: pytest.MonkeyPatch, n_blocks: int = 3) -> None:
        self.n_blocks = n_blocks
        self.running: list[Job] = []
        self.ended: list[Job] = []
        self.go_on = Event()
        self.stems = (
            np.random.default_rng(3).uniform(-0.4, 0.4, (2, n_blocks * self.BLOCK, 2)).astype(np.float32)
        )
        patch.setattr("stemdock_web.songs.client.run", self.run)

    def run(
        self, job: Job, *, on_progress: Callable[[JobProgress], None], cancel: Event, consent: Event
    ) -> JobResult:
        assert consent.is_set() == (job.request().model != "2stems")
        self.running.append(job)
        try:
            with LiveWriter(job, "song") as live:
                for number in range(self.n_blocks):
                    on_progress(JobProgress(state="separating", fraction=number / self.n_blocks))
                    span = slice(number * self.BLOCK, (number + 1) * self.BLOCK)
                    block = self.stems[:, span]
                    live.add(self.SAMPLE_RATE, dict(zip(self.STEMS, block, strict=True)))
                    while not self.go_on.wait(0.02):
                        if cancel.is_set():
                            # The real one looks now and then, and meanwhile writes into its folders.
                            time.sleep(0.3)
                            stems = job.folder.parent / "stems"
                            stems.mkdir(parents=True, exist_ok=True)
                            (stems / "unfinished.wav").write_bytes(b"unfinished")
                            return JobResult(status="cancelled")
            source = SourceResult(
                id="song", sample_rate=self.SAMPLE_RATE, length=self.stems.shape[1], n_channels=2
            )
            return JobResult(status="ok", output_folder=job.folder.parent / "stems", sources=(source,))
        finally:
            self.running.remove(job)
            self.ended.append(job)
