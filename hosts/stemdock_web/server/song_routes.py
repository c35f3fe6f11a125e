"""What the addresses of songs and exports do."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from functools import partial
from secrets import token_hex
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from stemdock import StemdockError, legal_name, make_private_folder, os_errors_as
from stemdock_web.errors import NoSpaceError, RefusedError, UnknownSongError, without_paths
from stemdock_web.exporting import export, n_bytes_of, order_from_values
from stemdock_web.orders import SongOrder, parts_of
from stemdock_web.server.asking import body_of, n_announced, recognise, session_of, span_of
from stemdock_web.server.receiving import receive

if TYPE_CHECKING:
    from starlette.requests import Request

    from stemdock_hostkit.job.live import LiveStems
    from stemdock_web.exporting import Exported, Order
    from stemdock_web.models import Catalogue
    from stemdock_web.sessions import Session, Sessions
    from stemdock_web.songs import Song
    from stemdock_web.space import Space

_MOST_SAMPLES: Final = 1 << 19
"""Samples of each channel in one answer: several chunks of the page's reel."""
_MOST_COLUMNS: Final = 1 << 14
_BINARY: Final = "application/octet-stream"


class SongRoutes:
    """The addresses of songs and exports."""

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
            Route("/api/songs/{song}/exports", self._export, methods=["POST"]),
            Route("/downloads/{secret}", self._download),
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

    async def _export(self, request: Request) -> Response:
        session, song = self._find(request)
        if song.state != "done" or song.live is None:
            raise RefusedError(
                409, "the song is not separated yet", remedy="Export it when the separation is complete."
            )
        order = order_from_values(await body_of(request), song.live.stems)
        async with session.exporting:
            exported = await asyncio.get_running_loop().run_in_executor(
                self._sessions.exporter, _exported, session, self._sessions.space, song, song.live, order
            )
        path = exported.path
        secret = session.keep(path)
        # A file that holds all stems has the name of the song already.
        is_named = order.choice.holds_all
        name = path.name if is_named else legal_name(f"{song.title} ({order.stem or 'mix'}){path.suffix}")
        address = f"/downloads/{secret}?name={quote(name)}"
        return JSONResponse({"address": address, "name": name, "notes": exported.notes})

    async def _download(self, request: Request) -> Response:
        """A finished export. Its address is the secret, because a download cannot send a key."""
        path = self._sessions.find_download(request.path_params["secret"])
        if path is None:
            raise RefusedError(404, "this export is gone", remedy="Export it again.")
        recognise(request)
        name = legal_name(request.query_params.get("name", ""), fallback=path.name)
        return FileResponse(path, media_type=_BINARY, filename=name)

    def _find(self, request: Request) -> tuple[Session, Song]:
        """The page that sent a request, and its song that the address names."""
        session = session_of(request, self._sessions)
        return session, session.song(request.path_params["song"])


def _exported(session: Session, space: Space, song: Song, live: LiveStems, order: Order) -> Exported:
    """Exports into a new folder, which is removed if that fails."""
    folder = session.folder / f"export-{token_hex(8)}"
    try:
        n_bytes = n_bytes_of(order, live)
        with os_errors_as(_failed, keep=StemdockError), space.promised(n_bytes):
            make_private_folder(folder)
            exported = export(live, song.source, folder, order, session.ended)
        names = {song.source: song.name, exported.path: "the file", folder: "the export"}
        return replace(exported, notes=tuple(without_paths(note, names) for note in exported.notes))
    except NoSpaceError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    except StemdockError as error:
        shutil.rmtree(folder, ignore_errors=True)
        names = {song.source: song.name, folder: "the export"}
        raise RefusedError(
            422, without_paths(str(error), names), remedy=without_paths(error.remedy, names)
        ) from error


def _failed(reason: str) -> RefusedError:
    return RefusedError(422, f"the export failed ({reason})", remedy="Check that the song is still there.")
