"""The addresses of the server, and what each of them does."""

from __future__ import annotations

import asyncio
import json
import shutil
from contextlib import asynccontextmanager
from importlib.resources import files
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from stemdock import (
    StemdockError,
    legal_name,
    make_private_folder,
    os_errors_as,
    parse_json,
    player_files,
    spectrogram_colours,
)
from stemdock_web.errors import RefusedError, TooLargeError, UnknownSongError, without_paths
from stemdock_web.exporting import CHOICES, export, order_from_values
from stemdock_web.gate import Gate
from stemdock_web.limits import check_space
from stemdock_web.models import offers
from stemdock_web.warming import Warmer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from stemdock import Plugins
    from stemdock_web.keys import Tokens
    from stemdock_web.sessions import Session, Sessions
    from stemdock_web.songs import Song

_TYPES: Final = {
    ".LICENSE": "text/plain; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_MOST_SAMPLES: Final = 1 << 19
"""Samples of each channel in one answer."""
_MOST_COLUMNS: Final = 1 << 14
_LONGEST_BODY: Final = 1 << 16
"""Bytes of a request that is not a song."""
_HEARTBEAT: Final = 5.0
"""Seconds after which news are sent even if there are none: so each side notices that the other is gone."""
_WRITE_SIZE: Final = 1 << 20


def make_app(*, sessions: Sessions, tokens: Tokens, plugins: Plugins, host: str, port: int) -> ASGIApp:
    """The application.

    Args:
        sessions: The open pages.
        tokens: What opens a page.
        plugins: Models.
        host: Address that the server listens at.
        port: Its port.
    """
    server = _Server(sessions, tokens, plugins)
    routes = [
        Route("/", server.page),
        Route("/static/{name}", server.static),
        Route("/downloads/{secret}", server.download),
        Route("/api/session", server.open_session, methods=["POST"]),
        Route("/api/session/leave", server.leave, methods=["POST"]),
        Route("/api/events", server.events),
        Route("/api/warm", server.warm, methods=["POST"]),
        Route("/api/songs", server.add_song, methods=["POST"]),
        Route("/api/songs/{song}", server.remove_song, methods=["DELETE"]),
        Route("/api/songs/{song}/download", server.allow_download, methods=["POST"]),
        Route("/api/songs/{song}/samples", server.samples),
        Route("/api/songs/{song}/pictures", server.pictures),
        Route("/api/songs/{song}/exports", server.export_song, methods=["POST"]),
    ]
    app = Starlette(routes=routes, lifespan=server.lifespan, exception_handlers={StemdockError: _refusal})
    return Gate(app, host=host, port=port)


def _refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, StemdockError)  # noqa: S101  the handler is registered for it
    status = error.status if isinstance(error, RefusedError) else 500
    return JSONResponse({"error": str(error), "remedy": error.remedy}, status_code=status)


class _Server:
    """What the addresses share."""

    def __init__(self, sessions: Sessions, tokens: Tokens, plugins: Plugins) -> None:
        self._root = sessions.root
        self._tokens = tokens
        self._limits = sessions.limits
        self._offers = offers(plugins)
        self._sessions = sessions
        installed = {name for name, offer in self._offers.items() if not offer.n_download_bytes}
        self._warmer = Warmer(sessions.root, installed)
        self._static = _static_files()

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        tending = asyncio.create_task(self._sessions.tend())
        try:
            yield
        finally:
            tending.cancel()

    async def page(self, _: Request) -> Response:
        return self._file("index.html")

    async def static(self, request: Request) -> Response:
        return self._file(request.path_params["name"])

    def _file(self, name: str) -> Response:
        # A table, so no name leads to any other file.
        if name not in self._static:
            raise RefusedError(404, "there is no such page", remedy="Reload the page.")
        content_type = _TYPES["." + name.rpartition(".")[2]]
        return Response(self._static[name], media_type=content_type)

    async def open_session(self, request: Request) -> Response:
        """Exchanges the token for a key; a page that has a key keeps it."""
        key = _key(request)
        session = self._sessions.find(key)
        if session is None:
            if not self._tokens.accepts(key):
                raise _stranger()
            session = self._sessions.open()
        values = {
            "key": session.key,
            "models": [offer.to_values() for offer in self._offers.values()],
            "choices": [
                {"name": choice.name, "title": choice.title, "holdsAll": choice.holds_all}
                for choice in CHOICES.values()
            ],
            "colours": spectrogram_colours().hex(),
            "nSongBytes": self._limits.n_song_bytes,
        }
        return JSONResponse(values)

    async def leave(self, request: Request) -> Response:
        self._session(request).leave(self._limits)
        return Response(status_code=204)

    async def events(self, request: Request) -> Response:
        session = self._session(request)

        async def lines() -> AsyncIterator[str]:
            version = -1
            with session.listening(self._limits):
                while not session.ended.is_set():
                    version = await session.wait(version, _HEARTBEAT)
                    yield json.dumps({"songs": session.to_values()}) + "\n"

        return StreamingResponse(lines(), media_type="application/x-ndjson")

    async def warm(self, request: Request) -> Response:
        self._session(request)
        model = request.query_params.get("model", "")
        asyncio.get_running_loop().run_in_executor(None, self._warmer.warm, model)
        return Response(status_code=204)

    async def add_song(self, request: Request) -> Response:
        session = self._session(request)
        offer = self._offers.get(request.query_params.get("model", ""))
        chosen = tuple(filter(None, request.query_params.get("stems", "").split(",")))
        if offer is None or not set(chosen) <= set(offer.stems):
            raise RefusedError(400, "there is no such model or stem", remedy="Reload the page.")
        stems = None if len(set(chosen)) in {0, len(offer.stems)} else chosen
        song = session.new_song(request.query_params.get("name", ""), offer.name, stems, self._limits)
        try:
            await self._receive(request, song.source)
            # The page may have been closed meanwhile.
            self._session(request)
        except BaseException:
            await song.remove()
            raise
        session.add(song)
        return JSONResponse({"id": song.identifier}, status_code=201)

    async def remove_song(self, request: Request) -> Response:
        session = self._session(request)
        await session.remove(self._song(request))
        return Response(status_code=204)

    async def allow_download(self, request: Request) -> Response:
        self._song(request).consent.set()
        return Response(status_code=204)

    async def samples(self, request: Request) -> Response:
        song = self._song(request)
        start, end = _span(request, _MOST_SAMPLES)
        if song.live is None:
            raise UnknownSongError
        try:
            content = await asyncio.to_thread(song.live.read_bytes, start, end - start)
        except OSError as error:
            raise UnknownSongError from error
        return Response(content, media_type="application/octet-stream")

    async def pictures(self, request: Request) -> Response:
        song = self._song(request)
        start, end = _span(request, _MOST_COLUMNS)
        pictures = song.pictures
        content = pictures.columns(start, min(end, pictures.n_columns)) if pictures else b""
        return Response(content, media_type="application/octet-stream")

    async def export_song(self, request: Request) -> Response:
        session, song = self._session(request), self._song(request)
        if song.state != "done" or song.live is None:
            raise RefusedError(
                409, "the song is not separated yet", remedy="Export it when the separation is complete."
            )
        order = order_from_values(await _body(request), song.live.stems)
        async with session.exporting:
            await asyncio.to_thread(check_space, self._root, self._limits)
            folder = session.folder / f"export-{token_hex(8)}"
            make_private_folder(folder)
            try:
                path = await asyncio.to_thread(export, song.live, song.source, folder, order, session.ended)
            except BaseException as error:
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
                if not isinstance(error, StemdockError):
                    raise
                names = {song.source: song.name, folder: "the export"}
                raise RefusedError(
                    422, without_paths(str(error), names), remedy=without_paths(error.remedy, names)
                ) from error
        what = "" if order.choice.holds_all else f" ({order.stem or 'mix'})"
        endings = path.name[len(song.source.stem) :] if order.choice.holds_all else path.suffix
        name = legal_name(f"{song.source.stem}{what}{endings}")
        return JSONResponse({"address": f"/downloads/{session.keep(path)}?name={quote(name)}", "name": name})

    async def download(self, request: Request) -> Response:
        """A finished export. Its address is the secret, because a download cannot send a key."""
        path = self._sessions.find_download(request.path_params["secret"])
        if path is None:
            raise RefusedError(404, "this export is gone", remedy="Export it again.")
        return FileResponse(
            path,
            media_type="application/octet-stream",
            filename=legal_name(request.query_params.get("name", ""), fallback=path.name),
        )

    def _session(self, request: Request) -> Session:
        session = self._sessions.find(_key(request))
        if session is None:
            raise _stranger()
        return session

    def _song(self, request: Request) -> Song:
        return self._session(request).song(request.path_params["song"])

    async def _receive(self, request: Request, path: Path) -> None:
        """Writes an upload to a file.

        Raises:
            TooLargeError: It exceeds the limit.
            DiskFullError: There is no space.
            RefusedError: It ends early, or does not go on.
        """
        limits = self._limits
        announced = request.headers.get("content-length", "0")
        n_announced = int(announced) if announced.isdecimal() else 0
        if n_announced > limits.n_song_bytes:
            raise TooLargeError(limits.n_song_bytes)
        await asyncio.to_thread(check_space, self._root, limits, n_announced)
        n_bytes = 0
        with os_errors_as(_unwritable, keep=StemdockError), path.open("xb") as file:
            waiting = bytearray()
            chunks = aiter(request.stream())
            while True:
                try:
                    chunk = await asyncio.wait_for(anext(chunks), limits.upload_wait)
                except StopAsyncIteration:
                    break
                except TimeoutError as error:
                    raise RefusedError(408, "the upload stopped", remedy="Add the song again.") from error
                except ClientDisconnect as error:
                    raise RefusedError(400, "the upload broke off", remedy="Add the song again.") from error
                n_bytes += len(chunk)
                if n_bytes > limits.n_song_bytes:
                    raise TooLargeError(limits.n_song_bytes)
                waiting += chunk
                if len(waiting) >= _WRITE_SIZE:
                    await asyncio.to_thread(file.write, bytes(waiting))
                    waiting.clear()
            await asyncio.to_thread(file.write, bytes(waiting))
        await asyncio.to_thread(check_space, self._root, limits)


def _static_files() -> dict[str, bytes]:
    """The files of the page, and those that it shares with previews."""
    page = files("stemdock_web").joinpath("page")
    found = {
        entry.name: entry.read_bytes()
        for folder in (page, page.joinpath("vendor"))
        for entry in folder.iterdir()
        if entry.is_file()
    }
    return found | {name: text.encode() for name, text in player_files().items()}


def _key(request: Request) -> str:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key if scheme == "Bearer" else ""


def _stranger() -> RefusedError:
    return RefusedError(
        401,
        "this page is not connected",
        remedy="Open the address that plugin-cli web printed in the terminal.",
    )


def _unwritable(reason: str) -> RefusedError:
    return RefusedError(507, f"the song cannot be written ({reason})", remedy="Free some disk space.")


def _span(request: Request, most: int) -> tuple[int, int]:
    start, end = (request.query_params.get(name, "") for name in ("start", "end"))
    is_number = all(text.isascii() and text.isdecimal() for text in (start, end))
    if not (is_number and int(start) <= int(end) <= int(start) + most):
        raise RefusedError(400, "the span is invalid", remedy="Reload the page.")
    return int(start), int(end)


async def _body(request: Request) -> Any:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_BODY:
            raise RefusedError(413, "the request is too long", remedy="Reload the page.")
    try:
        return parse_json(body)
    except ValueError as error:
        raise RefusedError(400, "the request is damaged", remedy="Reload the page.") from error
