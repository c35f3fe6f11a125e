"""What the addresses of songs do."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stemdock_web.errors import RefusedError, UnknownSongError
from stemdock_web.orders import SongOrder, parts_of
from stemdock_web.server.asking import n_announced, session_of, span_of
from stemdock_web.server.receiving import receive

if TYPE_CHECKING:
    from starlette.requests import Request

    from stemdock_web.models import Catalogue
    from stemdock_web.session import Session
    from stemdock_web.sessions import Sessions
    from stemdock_web.songs import Song

_MOST_SAMPLES: Final = 1 << 19
"""Samples of each channel in one answer: several chunks of the page's reel."""
_MOST_COLUMNS: Final = 1 << 14
_BINARY: Final = "application/octet-stream"


class SongRoutes:
    """The addresses of songs."""

    def __init__(self, sessions: Sessions, catalogue: Catalogue) -> None:
        """Serves the songs of all pages.

        Args:
            sessions: The open pages.
            catalogue: The models.
        """
        self._sessions = sessions
        self._catalogue = catalogue

    def table(self) -> list[Route]:
        """The addresses."""
        return [
            Route("/api/songs", self._add, methods=["POST"]),
            Route("/api/songs/{song}", self._remove, methods=["DELETE"]),
            Route("/api/songs/{song}/download", self._allow_download, methods=["POST"]),
            Route("/api/songs/{song}/retry", self._retry, methods=["POST"]),
            Route("/api/songs/{song}/samples", self._samples),
            Route("/api/songs/{song}/pictures", self._pictures),
        ]

    async def _add(self, request: Request) -> Response:
        session = session_of(request, self._sessions)
        limits = self._sessions.limits
        offer = self._catalogue.offers().get(request.query_params.get("model", ""))
        chosen = tuple(dict.fromkeys(filter(None, request.query_params.get("stems", "").split(","))))
        if offer is None or not set(chosen) <= set(offer.stems):
            raise RefusedError(400, "there is no such model or stem", remedy="Reload the page.")
        stems = None if len(chosen) in {0, len(offer.stems)} else chosen
        order = SongOrder(
            name=request.query_params.get("name", ""),
            model=offer.name,
            parts=parts_of(stems, offer.stems),
            question=partial(self._catalogue.question, offer.name),
        )
        song = session.new_song(order, limits)
        with session.coming():
            try:
                await receive(
                    aiter(request.stream()),
                    song.source,
                    self._sessions.space,
                    limits,
                    n_announced=n_announced(request),
                )
                # The page may have been closed meanwhile.
                session_of(request, self._sessions)
            except BaseException as error:
                await song.remove()
                if not isinstance(error, ClientDisconnect):
                    raise
                raise RefusedError(400, "the upload broke off", remedy="Add the song again.") from error
        session.add(song)
        return JSONResponse({"id": song.identifier}, status_code=201)

    async def _remove(self, request: Request) -> Response:
        session, song = self._find(request)
        await session.remove(song)
        return Response(status_code=204)

    async def _allow_download(self, request: Request) -> Response:
        _, song = self._find(request)
        song.allow_download()
        return Response(status_code=204)

    async def _retry(self, request: Request) -> Response:
        session, song = self._find(request)
        await session.retry(song)
        return Response(status_code=204)

    async def _samples(self, request: Request) -> Response:
        _, song = self._find(request)
        start, end = span_of(request, _MOST_SAMPLES)
        if song.live is None:
            raise UnknownSongError
        try:
            content = await asyncio.to_thread(song.live.read_bytes, start, end - start)
        except OSError as error:
            raise UnknownSongError from error
        return Response(content, media_type=_BINARY)

    async def _pictures(self, request: Request) -> Response:
        _, song = self._find(request)
        start, end = span_of(request, _MOST_COLUMNS)
        pictures = song.pictures
        content = pictures.columns(start, min(end, pictures.n_columns)) if pictures else b""
        return Response(content, media_type=_BINARY)

    def _find(self, request: Request) -> tuple[Session, Song]:
        """The page that sent a request, and its song that the address names."""
        session = session_of(request, self._sessions)
        return session, session.song(request.path_params["song"])
