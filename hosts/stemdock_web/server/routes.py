"""The application: all addresses of the server, behind the gate."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from stemdock import StemdockError, spectrogram_colours
from stemdock_web.errors import RefusedError
from stemdock_web.export_orders import CHOICES
from stemdock_web.models import Catalogue
from stemdock_web.server.asking import key_of, recognise, session_of, stranger
from stemdock_web.server.export_routes import ExportRoutes
from stemdock_web.server.gate import Gate
from stemdock_web.server.song_routes import SongRoutes
from stemdock_web.server.static_files import static_files
from stemdock_web.warming import Warmer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from stemdock import Plugins
    from stemdock_web.keys import Tokens
    from stemdock_web.place import Place
    from stemdock_web.sessions import Sessions

_HEARTBEAT: Final = 5.0
"""Seconds after which news are sent even if there are none: so each side notices that the other is gone."""


def make_app(*, sessions: Sessions, tokens: Tokens, plugins: Plugins, place: Place) -> ASGIApp:
    """The application.

    Args:
        sessions: The open pages.
        tokens: What opens a page.
        plugins: Models.
        place: Where the server listens.
    """
    catalogue = Catalogue(plugins)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        tending = asyncio.create_task(sessions.tend())
        try:
            yield
        finally:
            tending.cancel()

    app = Starlette(
        routes=[
            *_PageRoutes(sessions, tokens, catalogue).table(),
            *SongRoutes(sessions, catalogue).table(),
            *ExportRoutes(sessions).table(),
        ],
        lifespan=lifespan,
        exception_handlers={StemdockError: _refusal},
    )
    return Gate(app, place)


def _refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, StemdockError)  # noqa: S101  the handler is registered for it
    status = error.status if isinstance(error, RefusedError) else 500
    return JSONResponse({"error": str(error), "remedy": error.remedy}, status_code=status)


class _PageRoutes:
    """The addresses of the page itself and of its session."""

    def __init__(self, sessions: Sessions, tokens: Tokens, catalogue: Catalogue) -> None:
        self._sessions = sessions
        self._tokens = tokens
        self._catalogue = catalogue
        self._warmer = Warmer()
        self._static = static_files()

    def table(self) -> list[Route]:
        """The addresses."""
        return [
            Route("/", self._page),
            Route("/static/{name}", self._static_file),
            Route("/api/session", self._open, methods=["POST"]),
            Route("/api/session/leave", self._leave, methods=["POST"]),
            Route("/api/events", self._events),
            Route("/api/warm", self._warm, methods=["POST"]),
        ]

    async def _page(self, _: Request) -> Response:
        return self._file("index.html")

    async def _static_file(self, request: Request) -> Response:
        return self._file(request.path_params["name"])

    def _file(self, name: str) -> Response:
        if name not in self._static:
            raise RefusedError(404, "there is no such page", remedy="Reload the page.")
        content, media_type = self._static[name]
        return Response(content, media_type=media_type)

    async def _open(self, request: Request) -> Response:
        """Exchanges the token for a key; a page that has a key keeps it."""
        key = key_of(request)
        session = self._sessions.find(key)
        if session is None:
            await self._end_other(key)
            if not self._tokens.accepts(key):
                raise stranger()
            session = self._sessions.open()
            self._tokens.note(key, session.key)
        recognise(request)
        values = {
            "key": session.key,
            "models": [offer.to_values() for offer in self._catalogue.offers().values()],
            "choices": [
                {
                    "name": choice.name,
                    "title": choice.title,
                    "holdsAll": choice.holds_all,
                    "endings": choice.endings,
                }
                for choice in CHOICES.values()
            ],
            "colours": spectrogram_colours().hex(),
            "nSongBytes": self._sessions.limits.n_song_bytes,
        }
        return JSONResponse(values)

    async def _end_other(self, token: str) -> None:
        """Ends the page that a single token has opened, when it is used again: others may have seen it."""
        if other := self._tokens.key_of_other(token):
            self._tokens.on_twice()
            if session := self._sessions.find(other):
                await self._sessions.end(session)

    async def _leave(self, request: Request) -> Response:
        session_of(request, self._sessions).leave(self._sessions.limits)
        return Response(status_code=204)

    async def _events(self, request: Request) -> Response:
        """All songs of the page, one line of JSON for each change, until the page is closed.

        The edges of a song's bands are in the first line that has them.
        """
        session = session_of(request, self._sessions)

        async def lines() -> AsyncIterator[str]:
            version = -1
            known: set[str] = set()
            with session.listening(self._sessions.limits):
                while not session.ended.is_set():
                    version = await session.wait(version, _HEARTBEAT)
                    songs = session.to_values()
                    for song in songs:
                        # They are long, and never change.
                        if song["id"] in known:
                            del song["edges"]
                        elif song["edges"]:
                            known.add(song["id"])
                    yield json.dumps({"songs": songs}) + "\n"

        return StreamingResponse(lines(), media_type="application/x-ndjson")

    async def _warm(self, request: Request) -> Response:
        """Loads the model that the page is about to need, while no song needs another."""
        session_of(request, self._sessions)
        offer = self._catalogue.offers().get(request.query_params.get("model", ""))
        if offer and not offer.n_download_bytes and not self._sessions.are_busy:
            await asyncio.to_thread(self._warmer.warm, offer.name)
        return Response(status_code=204)
